# SPDX-License-Identifier: BSD-3-Clause
"""Water and energy that column physics leaves over: water to round-off, energy by what turbulence works."""

import numpy as np
import pytest

from components.atmosphere.nonhydrostatic.component import NonhydrostaticAtmosphere
from components.atmosphere.nonhydrostatic.physics import convection_betts_miller
from tests.mpi.atmosphere_ranks import context, surface

DAY = 86400.0


def budget(steps=6, **options):
    """Mean and largest residual of water (mm a day) and energy (W m-2) of some steps of 10 minutes over relief."""
    c = context()
    air = NonhydrostaticAtmosphere(
        NonhydrostaticAtmosphere.Options(radiation="gray", precision="double", column_budget=True, **options)
    )
    exports = air.initialize(c)
    water, energy, rain, snow = 0.0, 0.0, 0.0, 0.0
    for n in range(steps):
        exports = air.step(600 * n, 600, surface(c, exports))
        out = air.diagnostics()
        water = water + DAY * out["column_water_residual"] / steps
        energy = energy + out["column_energy_residual"] / steps
        rain = rain + exports["precipitation_flux"].mean() * DAY / steps
        snow = snow + exports["snowfall_flux"].mean() * DAY / steps
    print(f"{options}: rain and snow {rain:.2f}, snow {snow:.3f} mm/day")
    print(f"residual of water {np.abs(water).max():.1e} mm/day, of energy {energy.mean():.3f} W m-2,"
          f" {np.abs(energy).max():.2f} at most")  # fmt: skip
    return water, energy, rain, snow


def test_water_closes_to_round_off_with_everything_on():
    water, _, rain, _ = budget()
    assert rain > 0.1
    assert np.abs(water).max() < 1e-8


@pytest.mark.parametrize(("scheme", "value"), [("microphysics", "mixed_phase"), ("convection", "betts_miller")])
def test_energy_of_condensation_closes_to_round_off(scheme, value):
    off = {"boundary_layer": "none", "microphysics": "none", "convection": "none"}
    _, energy, _, _ = budget(**{**off, scheme: value})
    assert np.abs(energy).max() < 1e-5


def test_convective_snow_releases_its_heat_of_fusion(monkeypatch):
    """All convective rain of a warm day made to fall as snow."""
    monkeypatch.setattr(convection_betts_miller, "FREEZING_POINT", 400.0)
    _, energy, _, snow = budget(boundary_layer="none", microphysics="none")
    assert snow > 0.01
    assert np.abs(energy).max() < 1e-5


def test_turbulence_leaves_over_the_work_of_buoyancy_only():
    _, energy, _, _ = budget(microphysics="none", convection="none")
    assert np.abs(energy).max() < 1.0
