# SPDX-License-Identifier: BSD-3-Clause
"""How stable a cloud is to turbulence: as its own rising air makes it, which condenses."""

import pytest
import torch
from scipy.optimize import brentq

from components.atmosphere.nonhydrostatic.physics.boundary_layer_ysu import in_clouds, local_diffusivity
from components.science.constants import CP_DRY, GRAVITY, LATENT_VAPORISATION, R_DRY, VIRTUAL
from components.science.water import mixing_ratio, saturation_pressure

THICK = 100.0  # m


def saturated(t_base, p_base, layers):
    """Air that rose from a cloud's base and keeps c_p T + g z + L q_s: theta, T, p (layers, 1, 1) and its vapour."""
    q_s = lambda t, p: float(mixing_ratio(saturation_pressure(torch.tensor(t, dtype=torch.float64)), p))  # noqa: E731
    energy = CP_DRY * t_base + LATENT_VAPORISATION * q_s(t_base, p_base)
    t, p, q, fine = [t_base], [p_base], [q_s(t_base, p_base)], 20
    now, pressure = t_base, p_base
    for n in range(1, fine * (layers - 1) + 1):
        pressure -= GRAVITY * pressure / (R_DRY * now) * THICK / fine
        left = lambda a, n=n, p=pressure: (  # noqa: E731
            CP_DRY * a + GRAVITY * n * THICK / fine + LATENT_VAPORISATION * q_s(a, p) - energy
        )
        now = brentq(left, now - 5.0, now + 1.0, xtol=1e-10)
        if n % fine == 0:
            t, p, q = [*t, now], [*p, pressure], [*q, q_s(now, pressure)]
    t, p, q = (torch.tensor(a, dtype=torch.float64)[:, None, None] for a in (t, p, q))
    return t * (1e5 / p) ** (R_DRY / CP_DRY), t, q


@pytest.mark.parametrize("t_base", [283.0, 293.0, 263.0])
def test_air_that_rose_through_a_cloud_is_neutral_in_it(t_base):
    """Less than 2e-6 s-2 where dry air would have 6e-5 to 2e-4; all the water that the base had is there."""
    theta, t, q = saturated(t_base, 9e4, 12)
    step = torch.full_like(theta[1:], THICK)
    found = in_clouds(q[0] + 1e-4 - q, theta, t, q, step)
    dry = GRAVITY * (theta[1:] - theta[:-1]) / (step * theta[1:])
    print(t_base, float(dry.mean()), float(found.n2.abs().max()))
    assert bool(found.inside.all())
    assert float(found.n2.abs().max()) < 2e-6 and float(dry.min()) > 6e-5  # L hangs on T in what saturates


def test_cloud_between_two_layers_counts_if_both_have_some():
    theta, t, q = saturated(283.0, 9e4, 6)
    cloud = torch.tensor([0.0, 2e-5, 2e-5, 9e-6, 1e-4, 1e-4], dtype=torch.float64)[:, None, None]
    found = in_clouds(cloud, theta, t, q, torch.full_like(theta[1:], THICK))
    assert found.inside.flatten().tolist() == [False, True, False, False, True]


def test_shear_mixes_a_cloud_that_dry_air_of_the_same_warmth_would_keep_apart():
    """Ri is 1.4 in dry air, some thirtieth of the mixing of neutral air; in the cloud it is that of neutral air."""
    theta, t, q = saturated(283.0, 9e4, 12)
    step = torch.full_like(theta[1:], THICK)
    z_i = 1000.0 + THICK * torch.arange(11, dtype=torch.float64)[:, None, None]
    n2 = GRAVITY * (theta[1:] - theta[:-1]) / (step * theta[1:])
    u = torch.cat([torch.zeros_like(step[:1]), torch.cumsum(torch.sqrt(n2 / 1.4) * step, 0)])
    wet = in_clouds(q[0] + 1e-4 - q, theta, t, q, step)
    theta_v = theta * (1.0 + VIRTUAL * q)
    k_dry = local_diffusivity(u, 0 * u, theta_v, z_i, step)[1]
    k_wet = local_diffusivity(u, 0 * u, theta_v, z_i, step, clouds=wet)[1]
    neutral = local_diffusivity(u, 0 * u, torch.full_like(theta, 300.0), z_i, step)[1]
    assert float((k_dry / neutral).max()) < 0.05
    assert float((k_wet / neutral - 1.0).abs().max()) < 0.4
