# SPDX-License-Identifier: BSD-3-Clause
"""Ten days of everything active at 100 km, from each initial state: stable, nothing lost between the components.

The functions read any finished run of `east_asia_coupled` with daily output.
"""

import csv

import netCDF4
import numpy as np
import pytest

from tests.science.test_atmosphere_real_cases import CASES, driver
from tests.toys.cases import edit, tessera

FIELDS = "surface_air_pressure, surface_temperature, column_water_residual, column_energy_residual"


def ten_days(folder, shared, state, scheme):
    """The template for ten days from a real state or from the analytic one; atmosphere and ocean compiled."""
    tessera("new", folder, "--template", "east_asia_coupled")
    start, options = "2001-01-01", "  "
    if state != "analytic":
        start = CASES[state][1]
        options = "".join(f"\n  {name}: {value}" for name, value in driver(shared, state).items()) + "  "
    return edit(
        folder,
        [
            ("case.yaml", "duration: P1D", "duration: P10D"),
            ("case.yaml", "start: 2001-01-01", f"start: {start}"),
            ("case.yaml", "radiation: {model: rrtmgp}", f"radiation: {{model: {scheme}}}"),
            ("atmosphere.yaml", "  driver: []", f"  column_budget: true{options}"),
            ("atmosphere.yaml", "compile: false", "compile: true"),
            ("atmosphere.yaml", "toa_outgoing_longwave_flux]", f"toa_outgoing_longwave_flux, {FIELDS}]"),
            ("ocean.yaml", "open_edges: [east, south]", "open_edges: [east, south]\n  compile: true"),
        ],
    )


def assert_stable(folder):
    """Print the days' means and hold the run to its limits."""
    history = folder / "run" / "history"
    day = {}
    with netCDF4.Dataset(history / "atmosphere.daily.nc") as f:
        for name in (*FIELDS.split(", "), "air_temperature", "precipitation_flux"):
            if name in f.variables:
                values = np.asarray(f[name][:])
                assert np.isfinite(values).all(), name
                day[name] = values.mean((1, 2))
    with netCDF4.Dataset(history / "ocean.daily.nc") as f:
        sst = np.ma.masked_invalid(f["sea_surface_temperature"][:])
        day["sea_surface_temperature"] = sst.mean((1, 2)).filled(np.nan)
        speed = np.hypot(
            *(np.ma.masked_invalid(f[f"surface_{d}ward_sea_water_velocity"][:]) for d in ("east", "north"))
        )
    with netCDF4.Dataset(history / "atmosphere.instant.nc") as f:
        wind = np.hypot(f["eastward_wind"][:], f["northward_wind"][:]).max((1, 2))
    for name in ("precipitation_flux", "column_water_residual"):
        if name in day:
            day[name] = 86400.0 * day[name]  # mm a day
    for name, values in day.items():
        print(f"{name:<26}" + " ".join(f"{v:10.4g}" for v in values))
    rows = list(csv.DictReader((folder / "run" / "budget.csv").open()))
    worst = max(float(r["worst_relative_residual"]) for r in rows)
    print(
        f"strongest wind at the lowest level {wind.max():.1f} m/s, current {speed.max():.2f} m/s; exchanges {worst:.1e}"
    )
    assert worst <= 1e-13
    drift = day["surface_air_pressure"][-1] - day["surface_air_pressure"][0]
    assert abs(drift) < 200.0
    assert wind.max() < 60.0 and speed.max() < 3.0
    late = day["air_temperature"][5:]
    assert abs(late[-1] - late[0]) < 2.0  # it has settled
    assert abs(day["sea_surface_temperature"][-1] - day["sea_surface_temperature"][0]) < 1.5
    if "column_water_residual" in day:
        assert np.abs(day["column_water_residual"]).max() < 1e-3
        assert np.abs(day["column_energy_residual"]).max() < 2.0


@pytest.mark.slow
@pytest.mark.timeout(10000)
@pytest.mark.parametrize(
    ("state", "scheme"),
    [("era5_1959_january", "rrtmgp"), ("era_interim_2005_january", "rrtmgp"), ("ncep_june", "radiation_emulator"),
     ("analytic", "radiation_emulator")],
)  # fmt: skip
def test_ten_days_are_stable_and_nothing_is_lost(tmp_path, shared, state, scheme):
    case = ten_days(tmp_path / "case", shared, state, scheme)
    tessera(case, "--serial", timeout=9000)
    assert_stable(case)
