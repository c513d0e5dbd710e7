# SPDX-License-Identifier: BSD-3-Clause
"""Rain takes gases up, carries them down and gives them back; nothing is lost on the way."""

import numpy as np
import pytest
import torch

from components.chemistry.regional.aerosol import cloud_sulfur
from components.chemistry.regional.deposition import rain
from components.chemistry.regional.deposition.solubility import HENRY, henry, uptake

NZ = 6
D = torch.float64
MASS, DEPTH = torch.full((NZ, 1, 1), 1000.0, dtype=D), torch.full((NZ, 1, 1), 1000.0, dtype=D)


def washed(species, q, flux, seconds, t=285.0, kind=rain.stratiform):
    """One column after rain; ``flux`` at the bottoms of the layers from the lowest up, kg m-2 s-1."""
    falls = kind(torch.tensor([*flux, 0.0], dtype=D).reshape(-1, 1, 1))
    after, ground = rain.fallen(q[None], falls, uptake((species,), torch.full_like(q, t)), MASS, DEPTH, seconds)
    return after[0], ground[0]


@pytest.mark.parametrize("species", sorted(HENRY))
@pytest.mark.parametrize("kind", [rain.stratiform, rain.convective])
@pytest.mark.parametrize(
    "flux",
    [
        [2e-3, 2e-3, 2e-3, 1e-3, 0.0, 0.0],
        [5e-4, 1e-3, 2e-3, 1e-3, 0.0, 0.0],
        [0.0, 0.0, 1e-3, 1e-3, 5e-4, 0.0],
    ],
    ids=["falls", "evaporates in part", "evaporates whole"],
)
def test_nothing_is_lost_and_nothing_is_negative(species, flux, kind):
    g = torch.Generator().manual_seed(1)
    q = 1e-9 * torch.rand((NZ, 1, 1), generator=g, dtype=D)
    new, ground = washed(species, q, flux, 600.0, kind=kind)
    assert float(((new * MASS).sum() + ground.sum()) / (q * MASS).sum()) == pytest.approx(1.0, abs=1e-14)
    assert float(new.min()) >= 0.0 and float(ground.min()) >= 0.0
    assert (float(ground) == 0.0) == (flux[0] == 0.0)


def test_nitric_acid_goes_as_sulfate_does_with_the_cloud_water_that_becomes_rain():
    """All of it is in the water: f (1 - exp(-k t)) leaves (Jacob et al. 2000), of the gas and of a particle."""
    q = torch.zeros((NZ, 1, 1), dtype=D)
    q[4] = 1e-9
    flux = [1e-4] * 5 + [0.0]
    new, ground = washed("HNO3", q, flux, 600.0)
    k = 1e-4 + 1e-7 / 1e-3
    lost = 1e-7 / (k * 1e-3) * (1.0 - np.exp(-600.0 * k))
    assert float(1.0 - new[4] / q[4]) == pytest.approx(lost, rel=1e-6)
    assert float(ground) == pytest.approx(lost * 1e-9 * 1000.0, rel=1e-6)
    water = rain.of_particles(torch.ones(1, dtype=D), torch.zeros((1, NZ, 1, 1), dtype=D))
    falls = rain.stratiform(torch.tensor([*flux, 0.0], dtype=D).reshape(-1, 1, 1))
    particle, _ = rain.fallen(q[None], falls, water, MASS, DEPTH, 600.0)
    assert float(particle[0, 4]) == pytest.approx(float(new[4]), rel=1e-6)


def test_gases_that_dissolve_leave_drops_that_evaporate_and_particles_leave_half_of_them():
    q = torch.zeros((NZ, 1, 1), dtype=D)
    q[4] = 1e-9
    flux = [5e-5, 5e-5, 5e-5, 1e-4, 1e-4, 0.0]  # half evaporates in the third layer
    gas, fell = washed("HNO3", q, flux, 600.0)
    taken = float((q[4] - gas[4]) * 1000.0)
    assert float(gas[2]) * 1000.0 == pytest.approx(0.5 * taken, rel=1e-6)
    water = rain.of_particles(torch.ones(1, dtype=D), torch.zeros((1, NZ, 1, 1), dtype=D))
    falls = rain.stratiform(torch.tensor([*flux, 0.0], dtype=D).reshape(-1, 1, 1))
    particle, reached = rain.fallen(q[None], falls, water, MASS, DEPTH, 600.0)
    assert float(particle[0, 2]) * 1000.0 == pytest.approx(0.25 * taken, rel=1e-6)
    assert float(reached) > float(fell) > 0.0


def test_a_slightly_soluble_gas_is_in_equilibrium_with_the_rain():
    """Rain from the top through an even column: q L H R T in the water at the ground."""
    q = torch.full((NZ, 1, 1), 1e-9, dtype=D)
    _, ground = washed("MEOH", q, [1e-3] * NZ, 60.0, t=298.15)
    k = float(henry("MEOH", torch.tensor(298.15, dtype=D)))
    assert k == pytest.approx(200.0 * 0.082057 * 298.15, rel=1e-3)
    water = 0.06 / 1000.0  # m in the minute
    assert float(ground) <= 1e-9 * 1.0 * water * k * 1.001
    assert float(ground) > 0.3 * 1e-9 * water * k


@pytest.mark.parametrize("temperature", [298.15, 288.0, 273.15, 260.0])
def test_rain_dissolves_what_clouds_of_its_acidity_dissolve(temperature):
    """H (1 + K1 / [H] (1 + K2 / [H])) of sulphur dioxide (Seinfeld & Pandis 2006, eq. 7.41), of which rain leaves the
    second dissociation out, and H (1 + Kb [H] / Kw) of ammonia (eq. 7.42): both molecules and ions grow in the cold.
    """
    x = 1.0 / temperature - 1.0 / 298.15
    t, per_volume = torch.tensor(temperature, dtype=D), 0.0820574 * temperature
    sulfite = 6.6e-3 * np.exp(1120.0 * x)
    in_cloud, in_rain = cloud_sulfur.henry(5.0, temperature), float(henry("SO2", t)) / per_volume
    ions = 1300.0 * np.exp(2090.0 * x)
    assert in_cloud / in_rain == pytest.approx((1.0 + ions * (1.0 + sulfite)) / (1.0 + ions), rel=1e-5)
    ammonia = 62.0 * np.exp(4110.0 * x) * (1.0 + 1.7e4 * np.exp((6720.0 - 450.0) * x))
    assert float(henry("NH3", t)) / per_volume == pytest.approx(ammonia, rel=1e-5)


@pytest.mark.parametrize(
    "species, effective",
    [("SO2", 1.6e3), ("NH3", 1.05e6), ("HNO3", 3.2e11), ("FACD", 1.7e5), ("AACD", 1.1e4), ("HONO", 2.5e3)],
)
def test_effective_constants_at_25_degrees(species, effective):
    """H (1 + K / [H]) of Seinfeld & Pandis (2006, ch. 7) at pH 5, mol l-1 atm-1."""
    k = float(henry(species, torch.tensor(298.15, dtype=D))) / (0.082057 * 298.15)
    assert k == pytest.approx(effective, rel=0.02)
