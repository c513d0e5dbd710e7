# SPDX-License-Identifier: BSD-3-Clause
"""Cloud schemes: water and energy budgets, and limits that hold for any state."""

import pytest
import torch

from components.atmosphere.nonhydrostatic.dynamics import thermodynamics as thermo
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.tables import MICROPHYSICS
from components.science import water
from components.science.constants import CP_DRY, LATENT_FUSION, LATENT_VAPORISATION, R_DRY

SCHEMES = ["kessler", "mixed_phase", "wsm6"]


def species_of(scheme):
    return MICROPHYSICS.schemes[scheme].species


def clouds(scheme, theta, q, p, pi, rho, mass, dt, chosen=None, land=None):
    """theta, mixing ratios in the scheme's order, rain and snow after ``dt`` s; ``chosen``: with its options."""
    none = torch.zeros_like(theta)
    air = Columns(theta * pi, theta, p, pi, rho, mass, none, mass / rho, none)
    names = [t.name for t in species_of(scheme)]
    where = [] if land is None else [land]
    out = MICROPHYSICS.choose(chosen or scheme).ready()(air, theta, dict(zip(names, q, strict=True)), dt, *where)
    return out.theta, [out.q[n] for n in names], out.rain, out.snow


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
@pytest.mark.parametrize("dt", [60.0, 300.0, 3600.0])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_water_and_enthalpy_budgets_close(scheme, dt, seed):
    species = species_of(scheme)
    theta, q, p, pi, rho, mass = column(species, seed)
    q = [q[0], *(4.0 * a for a in q[1:])]  # some of it above what clouds hold without rain
    t, after, rain, snow = clouds(scheme, theta, q, p, pi, rho, mass, dt)
    before = (mass * sum(q)).sum(0)
    now = (mass * sum(after)).sum(0) + rain + snow
    assert float(((now - before) / before).abs().max()) < 1e-12
    e0 = enthalpy(theta, q, pi, mass, species)
    e1 = enthalpy(t, after, pi, mass, species) - LATENT_FUSION * snow
    assert float(((e1 - e0) / e0).abs().max()) < 1e-12
    assert all(float(a.min()) >= 0.0 for a in (*after, rain, snow))
    assert float((rain + snow).max()) > 0.01, "something must fall"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_dry_subsaturated_air_is_left_alone(scheme):
    theta, q, p, pi, rho, mass = column(species_of(scheme))
    q = [0.01 * q[0]] + [torch.zeros_like(a) for a in q[1:]]
    t, after, *_ = clouds(scheme, theta, q, p, pi, rho, mass, 60.0)
    assert float((t - theta).abs().max()) < 1e-9
    assert float((after[0] - q[0]).abs().max()) < 1e-15


@pytest.mark.parametrize("scheme", ["mixed_phase", "wsm6"])
def test_no_liquid_below_minus_40_and_no_ice_above_freezing(scheme):
    theta, q, p, pi, rho, mass = column(species_of(scheme))
    theta, after, *_ = clouds(scheme, theta, q, p, pi, rho, mass, 300.0)
    t = theta * pi
    assert float(torch.where(t > 278.0, after[3], 0.0).max()) < 2e-4
    before = float(torch.where(t < 230.0, q[1], 0.0).max())
    assert before > 1e-4
    assert float(torch.where(t < 230.0, after[1], 0.0).max()) < 0.2 * before


@pytest.mark.parametrize("scheme", ["mixed_phase", "wsm6"])
def test_air_supersaturated_over_ice_grows_ice_towards_ice_saturation(scheme):
    shape = (3, 2, 2)
    t = torch.full(shape, 240.0, dtype=torch.float64)
    p = torch.full(shape, 4.0e4, dtype=torch.float64)
    pi = thermo.exner(p)
    rho = p / (R_DRY * t)
    q_is = thermo.saturation_mixing_ratio(water.saturation_pressure_ice(t), p)
    zero = torch.zeros_like(t)
    q = [1.2 * q_is] + [zero] * (len(species_of(scheme)) - 1)
    q[3] = zero + 1e-5
    theta = t / pi
    for _ in range(40):
        theta, q, *_ = clouds(scheme, theta, q, p, pi, rho, rho * 1e6, 60.0)
    t = theta * pi
    ratio = q[0] / thermo.saturation_mixing_ratio(water.saturation_pressure_ice(t), p)
    assert float(q[3].min() + q[4].min()) > 1e-5
    assert abs(float(ratio.mean()) - 1.0) < 0.02


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_blocks_give_the_same_bits_as_the_whole(scheme, dtype):
    theta, q, *air = column(species_of(scheme))
    theta, q, air = theta.to(dtype), [a.to(dtype) for a in q], [a.to(dtype) for a in air]
    cut = lambda a: a[:, 1:4, 2:5].contiguous()  # noqa: E731
    whole = clouds(scheme, theta, q, *air, 60.0)
    part = clouds(scheme, cut(theta), [cut(a) for a in q], *(cut(a) for a in air), 60.0)
    for a, b in zip([whole[0], *whole[1], *whole[2:]], [part[0], *part[1], *part[2:]], strict=True):
        assert torch.equal(a[..., 1:4, 2:5], b)


@pytest.mark.parametrize("scheme", ["mixed_phase", "wsm6"])
def test_the_number_of_droplets_decides_how_much_cloud_does_not_rain(scheme):
    """Tripoli & Cotton (1980): droplets of 8 um, 0.21 g/m3 of them for 1e8 m-3 and 0.64 for 3e8, the default."""
    one = torch.ones((1, 1, 1), dtype=torch.float64)
    p, t, rho = 9.0e4 * one, 285.0 * one, one
    q_s = thermo.saturation_mixing_ratio(water.saturation_pressure(t), p)

    def rain(cloud, **options):
        q = [q_s, cloud * one, *[0.0 * one for _ in species_of(scheme)[2:]]]
        made = {"scheme": scheme, **options}
        # 1 km thick: most of its rain is in it yet, and at the ground are droplets that have settled too
        _, after, *_ = clouds(scheme, t / thermo.exner(p), q, p, thermo.exner(p), rho, 1.0e3 * one, 60.0, made)
        return float(after[2])

    for cloud, few in ((2.0e-4, False), (2.3e-4, True), (6.3e-4, True)):
        assert (rain(cloud, droplets=1.0e8) > 0.0) is few
        assert rain(cloud) == 0.0
    assert rain(6.6e-4) > 0.0
    assert rain(6.6e-4) == rain(6.6e-4, droplets=3.0e8)


@pytest.mark.parametrize("scheme", ["mixed_phase", "wsm6"])
def test_the_droplets_of_a_fog_settle_by_a_centimetre_a_second_and_faster_over_the_sea(scheme):
    """.18 g/m3, 2 g rho_w r_v^2 / (9 mu) at 283 K, over k^(5/3).

    3e8 droplets over land: r_v = 5.232 um, 3.376 mm/s, .5130; 1e8 over the sea: 7.546 um, 7.022 mm/s, .6894; half and
    half 2e8, k = .735: 5.989 um, 4.424 mm/s, .5986.
    """
    one = torch.ones((2, 1, 4), dtype=torch.float64)
    p, t, rho = 1.0e5 * one, 283.0 * one, 1.2 * one
    q_s = thermo.saturation_mixing_ratio(water.saturation_pressure(t), p)
    fog = torch.tensor([1.5e-4, 0.0], dtype=torch.float64)[:, None, None] * one
    q = [q_s, fog, *[0.0 * one for _ in species_of(scheme)[2:]]]
    pi = thermo.exner(p)
    land = torch.tensor([[1.0, 0.0, 0.5, 0.0]], dtype=torch.float64)
    given = t / pi, q, p, pi, rho, 120.0 * one, 60.0  # layers of 100 m
    _, after, ground, _ = clouds(scheme, *given, land=land)
    fallen = lambda mm: 18.0e-3 * (1.0 - 1.0 / (1.0 + 1.0e-3 * mm * 60.0 / 100.0))  # noqa: E731
    expected = [fallen(6.580), fallen(10.186), fallen(7.391), fallen(10.186)]
    assert float(after[2].max()) == 0.0, "no rain: what is at the ground has settled"
    assert ground[0].tolist() == pytest.approx(expected, rel=1e-3)
    assert float(after[1][1].max()) == 0.0
    unknown = clouds(scheme, *given)[2][0].tolist()
    assert unknown == pytest.approx([fallen(6.580)] * 4, rel=1e-3)


@pytest.mark.parametrize("scheme", ["mixed_phase", "wsm6"])
def test_clouds_over_the_sea_rain_from_a_third_of_the_water_on(scheme):
    """Tripoli & Cotton (1980): .21 g/m3 for 1e8 droplets, .43 for 2e8 on a coast, .64 for 3e8 over land."""
    one = torch.ones((1, 1, 6), dtype=torch.float64)
    p, t, rho = 9.0e4 * one, 285.0 * one, one
    q_s = thermo.saturation_mixing_ratio(water.saturation_pressure(t), p)
    cloud = torch.tensor([[[2.1e-4, 2.2e-4, 4.2e-4, 4.4e-4, 6.3e-4, 6.6e-4]]], dtype=torch.float64)
    q = [q_s, cloud, *[0.0 * one for _ in species_of(scheme)[2:]]]
    land = torch.tensor([[0.0, 0.0, 0.5, 0.5, 1.0, 1.0]], dtype=torch.float64)
    pi = thermo.exner(p)
    _, after, *_ = clouds(scheme, t / pi, q, p, pi, rho, 1.0e3 * one, 60.0, land=land)
    assert (after[2] > 0.0).flatten().tolist() == [False, True] * 3
