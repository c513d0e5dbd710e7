# SPDX-License-Identifier: BSD-3-Clause
"""The East Asian seas through the coupler: surface temperature against COADS, and a Kuroshio.

The functions read the daily history of any run of the template `east_asia_ocean`; a whole year's numbers are in the
README of the model.
"""

import gzip
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

RADIUS = 6371.0e3
MONTH_ENDS = np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
# transport of the Kuroshio: name, latitude, longitudes of a section from the shelf or coast to the open sea
SECTIONS = (
    ("east of Taiwan", 24.25, 121.5, 125.0),
    ("East China Sea (near the PN line)", 28.25, 125.0, 129.0),
)


def coads(shared: Path) -> xr.DataArray:
    raw = gzip.open(shared / "data" / "ocean" / "coads_climatology.cdf.gz").read()
    return xr.open_dataset(io.BytesIO(raw), engine="scipy", decode_times=False).SST


def monthly_errors(
    history: xr.Dataset, reference: xr.DataArray, first_month: int = 1
) -> dict[int, tuple[float, float]]:
    """Month -> root mean square and mean difference (K) on the 2-degree cells that are at least half sea here."""
    out = {}
    sst = history.sea_surface_temperature - 273.15
    x, y = reference.COADSX.values, reference.COADSY.values
    columns = np.abs(history.lon.values[:, None] - x).argmin(1)
    rows = np.abs(history.lat.values[:, None] - y).argmin(1)
    index = (rows[:, None] * x.size + columns[None]).ravel()
    for month in range(first_month, 13):
        start, end = (
            MONTH_ENDS[month - 1] - MONTH_ENDS[first_month - 1],
            MONTH_ENDS[month] - MONTH_ENDS[first_month - 1],
        )
        if end > history.sizes["time"]:
            break
        mean = sst.isel(time=slice(start, end)).mean("time").values.ravel()
        wet = np.isfinite(mean)
        count = np.bincount(index[wet], minlength=x.size * y.size)
        model = np.bincount(index[wet], mean[wet], minlength=x.size * y.size) / np.maximum(count, 1)
        observed = reference.isel(TIME=month - 1).values.ravel()
        both = (count >= 8) & np.isfinite(observed)
        difference = (model - observed)[both]
        out[month] = float(np.sqrt(np.mean(difference**2))), float(difference.mean())
    return out


def kuroshio(history: xr.Dataset, days: int) -> dict[str, float]:
    """Largest mean surface speed along the shelf break (m/s) and mean transports (Sv) over the last ``days``.

    The sections hold the Kuroshio with its recirculation; `north` is what goes on, net at 24.25N up to 130E.
    """
    late = history.isel(time=slice(-days, None)).mean("time")
    speed = np.hypot(late.surface_eastward_sea_water_velocity, late.surface_northward_sea_water_velocity)
    out = {"speed": float(speed.sel(lon=slice(121, 132), lat=slice(22, 32)).max())}
    for name, latitude, west, east in SECTIONS:
        v = late.northward_sea_water_transport.sel(lat=latitude, method="nearest").sel(lon=slice(west, east))
        width = np.radians(0.5) * RADIUS * np.cos(np.radians(latitude))
        out[name] = float(v.where(v > 0).sum() * width / 1e6)
    v = late.northward_sea_water_transport.sel(lat=24.25, method="nearest").sel(lon=slice(117, 130))
    out["north"] = float(v.sum() * np.radians(0.5) * RADIUS * np.cos(np.radians(24.25)) / 1e6)
    return out


def along_japan(history: xr.Dataset, days: int, latitude: float) -> float:
    """Mean transport (Sv) of the last ``days`` that flows north in one band from Japan's Pacific coast on.

    The section ends where the water first turns south: crests of the Kuroshio's extension farther out are not counted.
    """
    v = history.northward_sea_water_transport.sel(lat=latitude, method="nearest").sel(lon=slice(139.5, 149))
    v = v.isel(time=slice(-days, None)).mean("time").dropna("lon").values
    south = np.nonzero(v < 0.0)[0]
    width = np.radians(0.5) * RADIUS * np.cos(np.radians(latitude))
    return float(v[: south[0] if south.size else None].sum() * width / 1e6)


def run_case(folder: Path, root: Path, duration: str, *more: str, compiled: bool = False) -> xr.Dataset:
    """Make the case where it is not there, set its duration, run it; return its daily history."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(root / "run_case.py")]
    if not folder.exists():
        new = [*command, "new", str(folder), "--template", "east_asia_ocean"]
        subprocess.run(new, check=True, cwd=root, env=environment)
        if compiled:
            ocean = folder / "ocean.yaml"
            ocean.write_text(ocean.read_text().replace("primitive:\n", "primitive:\n  compile: true\n"))
    text = (folder / "case.yaml").read_text()
    (folder / "case.yaml").write_text(re.sub(r"(?m)^duration: \S+", f"duration: {duration}", text))
    subprocess.run([*command, str(folder), *more], check=True, cwd=root, env=environment)
    return xr.open_dataset(folder / "run" / "history" / "ocean.daily.nc")


def assert_realistic(history: xr.Dataset, shared: Path, months: int, days: int) -> None:
    """Print the scores and hold them to their limits."""
    errors, current = monthly_errors(history, coads(shared)), kuroshio(history, days)
    print({m: [round(e, 2) for e in v] for m, v in errors.items()}, current)
    assert set(errors) == set(range(1, months + 1))
    assert all(rmse < 1.1 for rmse, _ in errors.values())
    assert current["speed"] > 0.3
    assert all(10.0 < current[name] < 40.0 for name, *_ in SECTIONS)
    assert days < 365 or 18.0 < current["north"] < 28.0  # Sverdrup: 21.7 Sv; in the first weeks the sea adjusts
    japan = {latitude: along_japan(history, days, latitude) for latitude in (35.75, 37.25)}
    print({latitude: round(flow, 1) for latitude, flow in japan.items()})
    assert days < 365 or japan[37.25] < 0.5 * japan[35.75]  # more than half has left the coast by 37N


@pytest.mark.slow
@pytest.mark.ranks
@pytest.mark.timeout(7200)
def test_two_months_are_stable_with_a_kuroshio(tmp_path, root, shared):
    """Stable for 59 days; monthly SST within 1.1 K of COADS; surface speed > 0.3 m/s; transport of 10 to 40 Sv."""
    assert_realistic(run_case(tmp_path / "seas", root, "P59D"), shared, 2, 28)


@pytest.mark.slow
@pytest.mark.ranks
@pytest.mark.timeout(20000)
def test_two_years_the_second_resumed_from_the_first(tmp_path, root, shared):
    """Each year by itself: every month within 1.1 K of COADS, annual means of the Kuroshio; some half hour a year."""
    assert_realistic(run_case(tmp_path / "seas", root, "P1Y", "--serial", compiled=True), shared, 12, 365)
    both = run_case(tmp_path / "seas", root, "P2Y", "--serial", "--continue", compiled=True)
    assert both.sizes["time"] == 730
    assert_realistic(both.isel(time=slice(365, None)), shared, 12, 365)
