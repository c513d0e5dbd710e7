# SPDX-License-Identifier: BSD-3-Clause
"""Rain takes gases up, carries them down and gives them back; nothing is lost on the way."""

import pytest
import torch

from components.chemistry.regional.wet_deposition import HENRY, Rain, henry, wash

NZ = 6
D = torch.float64


def column(flux, cloud=0.0, t=285.0):
    """One column; ``flux`` at the bottoms of the layers from the lowest up, kg m-2 s-1."""
    full = lambda a: torch.as_tensor(a, dtype=D).expand(NZ).reshape(NZ, 1, 1).clone()  # noqa: E731
    return Rain(full(flux), full(cloud), full(1000.0), full(1.0), full(t))


@pytest.mark.parametrize("species", sorted(HENRY))
@pytest.mark.parametrize(
    "flux",
    [
        [2e-3, 2e-3, 2e-3, 1e-3, 0.0, 0.0],
        [5e-4, 1e-3, 2e-3, 1e-3, 0.0, 0.0],
        [0.0, 0.0, 1e-3, 1e-3, 5e-4, 0.0],
    ],
    ids=["falls", "evaporates in part", "evaporates whole"],
)
def test_nothing_is_lost_and_nothing_is_negative(species, flux):
    g = torch.Generator().manual_seed(1)
    q = 1e-9 * torch.rand((NZ, 1, 1), generator=g, dtype=D)
    rain = column(flux, cloud=[0.0, 0.0, 3e-4, 3e-4, 1e-4, 0.0])
    new, ground = wash(species, q, rain, 600.0)
    assert float(((new * rain.mass).sum() + ground.sum()) / (q * rain.mass).sum()) == pytest.approx(1.0, abs=1e-14)
    assert float(new.min()) >= 0.0 and float(ground.min()) >= 0.0
    assert (float(ground) == 0.0) == (flux[0] == 0.0)


def test_nitric_acid_goes_with_the_cloud_water_that_becomes_rain():
    """All of it is in the water; a share 1 - exp(-formed / cloud) of that leaves."""
    q = torch.zeros((NZ, 1, 1), dtype=D)
    q[4] = 1e-9
    rain = column([1e-4] * 5 + [0.0], cloud=[0.0, 0.0, 0.0, 0.0, 2e-4, 0.0])
    new, ground = wash("HNO3", q, rain, 600.0)
    share = 1.0 - torch.exp(torch.tensor(-0.06 / 0.2, dtype=D))
    assert float(1.0 - new[4] / q[4]) == pytest.approx(float(share), rel=1e-4)
    assert float(ground) == pytest.approx(float(share) * 1e-9 * 1000.0, rel=1e-4)


def test_a_slightly_soluble_gas_is_in_equilibrium_with_the_rain():
    """Rain from the top through an even column: q L H R T in the water at the ground."""
    q = torch.full((NZ, 1, 1), 1e-9, dtype=D)
    rain = column([1e-3] * NZ, t=298.15)
    _, ground = wash("MEOH", q, rain, 60.0)
    k = float(henry("MEOH", torch.tensor(298.15, dtype=D)))
    assert k == pytest.approx(200.0 * 0.082057 * 298.15, rel=1e-3)
    water = 0.06 / 1000.0  # m in the minute
    assert float(ground) <= 1e-9 * 1.0 * water * k * 1.001
    assert float(ground) > 0.3 * 1e-9 * water * k
