# SPDX-License-Identifier: BSD-3-Clause
"""Vcmax25 and g1 come back from fluxes a model with known values made, by gradient descent through the column."""

import pytest
import torch

from components.land.column.calibration import fit, with_traits
from components.land.column.column import Forcing, Options, initial_state, step
from components.land.column.parameters import parameters
from components.land.column.radiation import partition

D = torch.float64
N = 192  # four days of half-hours


def twin_weather():
    gen = torch.Generator().manual_seed(11)
    hour = torch.arange(N, dtype=D) / 2 % 24
    mu = torch.sin((hour - 6) * torch.pi / 12).clamp(min=0.0)
    day = torch.rand(4, dtype=D, generator=gen).repeat_interleave(48)
    one = torch.ones(N, dtype=D)
    t = 289 + 4 * day + 6 * torch.sin((hour - 9) * torch.pi / 12)
    direct, diffuse = partition((250 + 750 * day) * mu, mu)
    return Forcing(
        t, 0.006 * one, 1e5 * one, 2 + 2 * torch.rand(N, dtype=D, generator=gen), 20 * one, direct, diffuse,
        310 * one, 0 * one, 0 * one, 400 * one, mu, 4 * one, one,
    )  # fmt: skip


@pytest.mark.parametrize(
    "guess", [{"vcmax25": 80.0, "g1": 2.0}, pytest.param({"vcmax25": 30.0, "g1": 6.0}, marks=pytest.mark.slow)]
)
def test_twin_recovers_known_parameters(guess):
    truth = {"vcmax25": 48.0, "g1": 3.4}
    site = parameters(["deciduous_broadleaf_forest"], ["loam"])
    forcing, options = twin_weather(), Options()
    exact = with_traits(site, N, **{k: torch.tensor(v, dtype=D) for k, v in truth.items()})
    start = initial_state(exact, forcing.temperature, 0.7)
    state = start
    with torch.no_grad():
        state, out = step(state, forcing, exact, 1800.0, options)
    gen = torch.Generator().manual_seed(5)
    noisy = {
        k: v * (1 + 0.1 * torch.randn(N, dtype=D, generator=gen))
        for k, v in (("gross_uptake", out.gross_uptake), ("upward_latent", out.upward_latent))
    }
    found = fit(site, start, forcing, noisy, 1800.0, options, guess)
    for name, value in truth.items():
        assert found.values[name] == pytest.approx(value, rel=0.05), found.values
    assert found.losses[-1] < 0.5 * found.losses[0]  # what is left is the noise
