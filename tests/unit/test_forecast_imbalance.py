# SPDX-License-Identifier: BSD-3-Clause
"""Rates of change by pressure, the Earth's turning and divergence, where they are known in closed form."""

import pytest
import torch

from components.ml_surrogates.forecast.imbalance import imbalance
from components.ml_surrogates.forecast.state import Place, log_pressure
from components.science.constants import CP_DRY, GRAVITY, R_DRY

CELL, N, F = 3e5, 9, 1e-4
HEIGHT = torch.arange(100.0, 20000.0, 200.0)
NZ = len(HEIGHT)


@pytest.fixture
def at():
    ones = torch.ones((N, N))
    return Place(HEIGHT, ones, 0 * ones, CELL * torch.ones((2, N, N)), F * ones, 3 * ones)


def state(t, u=0.0, v=0.0, log_p=11.5):
    fields = (torch.as_tensor(a, dtype=torch.float64).expand(NZ, N, N) for a in (t, 0.0, u, v))
    return torch.cat([*fields, torch.as_tensor(log_p, dtype=torch.float64).expand(1, N, N)])[None]


def parts(x, at):
    """Of the cells that have neighbours."""
    return imbalance(x, at)[0, :, 1:-1, 1:-1].split([NZ, NZ, NZ, 1])


def test_a_wind_in_geostrophic_balance_is_not_accelerated(at):
    """ln p falls northward by 1 % a cell everywhere: u = R_d T / f .01 / dy at all heights of isothermal air."""
    slope = -0.01 * torch.arange(N, dtype=torch.float64)[:, None]
    wind = R_DRY * 250.0 / F * 0.01 / CELL
    t, u, v, p = parts(state(250.0, u=wind, log_p=11.5 + slope), at)
    assert float(v.abs().max()) < 1e-6 * F * wind and float(u.abs().max()) < 1e-9
    at_rest = parts(state(250.0, log_p=11.5 + slope), at)[2]
    torch.testing.assert_close(at_rest, torch.full_like(at_rest, F * wind))
    assert float(t.abs().max()) < 1e-12 and float(p.abs().max()) < 1e-14


def test_air_that_parts_sinks_and_warms_and_its_weight_falls(at):
    """Divergence D in isothermal air of scale height H: w = -D H (exp(z / H) - 1), dp/dt = -D (p - p_top)."""
    rate = 1e-5
    x = torch.arange(N, dtype=torch.float64) * CELL * rate
    s = state(250.0, u=x)
    t, _, _, p = parts(s, at)
    high = R_DRY * 250.0 / GRAVITY
    z = HEIGHT.double()
    wanted = rate * high * (torch.exp(z / high) - 1.0) * GRAVITY / CP_DRY
    torch.testing.assert_close(t[5:, 3, 3], wanted[5:], rtol=0.01, atol=0.0)
    pressure = torch.exp(log_pressure(s, at))[0, :, 3, 3]
    weight = float(pressure[0] - pressure[-1]) / float(pressure[0])
    assert float(p[0, 3, 3]) == pytest.approx(-rate * weight, rel=0.02)


def test_neutral_air_does_not_warm_however_it_sinks(at):
    neutral = 300.0 - GRAVITY / CP_DRY * HEIGHT.double()[:, None, None]
    x = torch.arange(N, dtype=torch.float64) * CELL * 1e-5
    stable = parts(state(250.0, u=x), at)[0]
    assert float(parts(state(neutral, u=x), at)[0].abs().max()) < 1e-6 * float(stable.abs().max())
