# SPDX-License-Identifier: BSD-3-Clause
"""A day of the atmosphere's template at 295 km with the mass-flux convection, graupel and RRTMGP: sound, and closed."""

import numpy as np
import pytest
import xarray as xr

from coupler.case.command import main

STATIONS = "air_temperature_at_2m, specific_humidity_at_2m, eastward_wind_at_10m, northward_wind_at_10m"
MORE = "column_water_residual, column_energy_residual, largest_upward_air_velocity"


def neighbours(a, axis):
    """Correlation of a field with itself a cell further."""
    n = a.shape[axis]
    one, two = np.take(a, range(1, n), axis), np.take(a, range(n - 1), axis)
    return float(np.corrcoef(one.ravel(), two.ravel())[0, 1])


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_winter_day_has_rain_in_bands_and_no_storms_of_a_cell(tmp_path):
    folder = tmp_path / "day"
    assert main(["new", str(folder), "--template", "east_asia_atmosphere"]) == 0
    for path in folder.glob("*.yaml"):
        text = path.read_text().replace("PT5M", "PT10M").replace("duration: P2D", "duration: P1D")
        text = text.replace("grid: east_asia_100km", "grid: east_asia_300km")
        text = text.replace(
            "microphysics: mixed_phase", "microphysics: wsm6\n  convection: mass_flux\n  column_budget: true"
        )
        path.write_text(text.replace(f"fields: [{STATIONS}]", f"fields: [{STATIONS}, {MORE}]"))
    assert main([str(folder), "--serial"]) == 0
    history = folder / "run" / "history"
    with xr.open_dataset(history / "atmosphere.surface.nc") as f:
        rain = f.precipitation_flux.mean("time").values[1:-1, 1:-1] * 86400.0
    with xr.open_dataset(history / "atmosphere.stations.nc") as f:
        water, energy = (np.abs(f[name].values[:, 1:-1, 1:-1]) for name in MORE.split(", ")[:2])
        rising, t = f["largest_upward_air_velocity"].values.max(), f["air_temperature_at_2m"].values
        wind = np.hypot(f["eastward_wind_at_10m"].values, f["northward_wind_at_10m"].values)
    lag = neighbours(rain, 0), neighbours(rain, 1)
    print(f"RESULT rain {rain.mean():.2f}, most {rain.max():.1f} mm/d, lag {lag[0]:.2f} {lag[1]:.2f}")
    print(f"RESULT residual of water {water.max():.1e} kg m-2 s-1, of energy {energy.max():.2f} W m-2")
    print(f"RESULT w {rising:.2f} m/s, at 2 m {t.min():.0f} to {t.max():.0f} K, wind at 10 m {wind.max():.0f} m/s")
    assert 0.5 < rain.mean() < 8.0 and rain.max() < 20.0 * rain.mean()
    assert min(lag) > 0.5
    assert rising < 1.0 and wind.max() < 40.0
    assert 220.0 < t.min() and t.max() < 320.0
