# SPDX-License-Identifier: BSD-3-Clause
"""Cloud schemes: water and energy budgets, and limits that hold for any state."""

import pytest
import torch

from components.atmosphere.nonhydrostatic.dynamics import thermodynamics as thermo
from components.atmosphere.nonhydrostatic.physics import kessler, mixed_phase
from components.science import water
from components.science.constants import CP_DRY, LATENT_FUSION, LATENT_VAPORISATION, R_DRY


def column(species, seed=0):
    """A random cloudy atmosphere of 20 layers from 290 K down to 210 K, 5 x 7 columns."""
    torch.manual_seed(seed)
    shape = (20, 5, 7)
    p = torch.linspace(1.0e5, 1.5e4, 20, dtype=torch.float64)[:, None, None].expand(shape).contiguous()
    t = torch.linspace(292.0, 205.0, 20, dtype=torch.float64)[:, None, None] + 4.0 * torch.rand(
        shape, dtype=torch.float64
    )
    rho = p / (R_DRY * t)
    pi = thermo.exner(p)
    q_s = thermo.saturation_mixing_ratio(water.saturation_pressure(t), p)
    q = [q_s * (0.3 + 0.9 * torch.rand(shape, dtype=torch.float64))]
    for _ in species[1:]:
        amount = 1e-3 * torch.rand(shape, dtype=torch.float64)
        q.append(torch.where(torch.rand(shape) < 0.5, 0.0, amount))
    return t / pi, q, p, pi, rho, rho * 500.0


def enthalpy(theta, q, pi, mass, species):
    """c_p T - L_f ice + L_v vapour of the columns (J m-2), which the schemes conserve but for what falls out."""
    ice = sum((a for a, tracer in zip(q, species, strict=True) if tracer.is_ice), torch.zeros_like(theta))
    return (mass * (CP_DRY * theta * pi + LATENT_VAPORISATION * q[0] - LATENT_FUSION * ice)).sum(0)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("scheme", [kessler, mixed_phase])
def test_water_and_enthalpy_budgets_close(scheme, seed):
    function = scheme.kessler if scheme is kessler else scheme.mixed_phase
    theta, q, p, pi, rho, mass = column(scheme.SPECIES, seed)
    out = function(theta, *q, p, pi, rho, mass, 60.0)
    n = len(scheme.SPECIES)
    after, fallen = out[1 : n + 1], list(out[n + 1 :])
    before = (mass * sum(q)).sum(0)
    now = (mass * sum(after)).sum(0) + sum(fallen)
    assert float(((now - before) / before).abs().max()) < 1e-12
    snow = fallen[1] if len(fallen) == 2 else 0.0
    e0 = enthalpy(theta, q, pi, mass, scheme.SPECIES)
    e1 = enthalpy(out[0], after, pi, mass, scheme.SPECIES) - LATENT_FUSION * snow
    assert float(((e1 - e0) / e0).abs().max()) < 1e-12
    assert all(float(a.min()) >= 0.0 for a in (*after, *fallen))
    assert float(sum(fallen).max()) > 0.01, "something must fall"


@pytest.mark.parametrize("scheme", [kessler, mixed_phase])
def test_dry_subsaturated_air_is_left_alone(scheme):
    function = scheme.kessler if scheme is kessler else scheme.mixed_phase
    theta, q, p, pi, rho, mass = column(scheme.SPECIES)
    q = [0.01 * q[0]] + [torch.zeros_like(a) for a in q[1:]]
    out = function(theta, *q, p, pi, rho, mass, 60.0)
    assert float((out[0] - theta).abs().max()) < 1e-9
    assert float((out[1] - q[0]).abs().max()) < 1e-15


def test_no_liquid_below_minus_40_and_no_ice_above_freezing():
    theta, q, p, pi, rho, mass = column(mixed_phase.SPECIES)
    out = mixed_phase.mixed_phase(theta, *q, p, pi, rho, mass, 300.0)
    t = out.theta * pi
    assert float(torch.where(t > 278.0, out.q_i, 0.0).max()) < 2e-4
    before = float(torch.where(t < 230.0, q[1], 0.0).max())
    assert before > 1e-4
    assert float(torch.where(t < 230.0, out.q_c, 0.0).max()) < 0.2 * before


def test_air_supersaturated_over_ice_grows_ice_towards_ice_saturation():
    shape = (3, 2, 2)
    t = torch.full(shape, 240.0, dtype=torch.float64)
    p = torch.full(shape, 4.0e4, dtype=torch.float64)
    pi = thermo.exner(p)
    rho = p / (R_DRY * t)
    q_is = thermo.saturation_mixing_ratio(water.saturation_pressure_ice(t), p)
    zero = torch.zeros_like(t)
    q = [1.2 * q_is, zero, zero, zero + 1e-5, zero]
    theta = t / pi
    for _ in range(40):
        out = mixed_phase.mixed_phase(theta, *q, p, pi, rho, rho * 1e6, 60.0)
        theta, q = out.theta, list(out[1:6])
    t = theta * pi
    ratio = q[0] / thermo.saturation_mixing_ratio(water.saturation_pressure_ice(t), p)
    assert float(q[3].min() + q[4].min()) > 1e-5
    assert abs(float(ratio.mean()) - 1.0) < 0.02


@pytest.mark.parametrize("scheme", [kessler, mixed_phase])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_blocks_give_the_same_bits_as_the_whole(scheme, dtype):
    function = scheme.kessler if scheme is kessler else scheme.mixed_phase
    theta, q, p, pi, rho, mass = column(scheme.SPECIES)
    args = [a.to(dtype) for a in (theta, *q, p, pi, rho, mass)]
    whole = function(*args, 60.0)
    part = function(*(a[:, 1:4, 2:5].contiguous() for a in args), 60.0)
    for a, b in zip(whole, part, strict=True):
        assert torch.equal(a[..., 1:4, 2:5], b)
