# SPDX-License-Identifier: BSD-3-Clause
"""A run's own history as forcing and as observation: the same values, on Lambert, rotated and lon-lat grids."""

import numpy as np
import pytest
import xarray as xr

from coupler.analysis.observations import find
from coupler.case.command import main
from coupler.clock import Clock
from coupler.files.forcing import Forcing
from coupler.grids.grid import Grid

GRIDS = {
    "lambert": '{projection: "+proj=lcc +lat_1=20 +lat_2=40 +lat_0=30 +lon_0=120 +R=6370000", nx: 10, ny: 8, '
    "spacing: 100000}",
    "rotated": '{projection: "+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p=39.25 +lon_0=300 +R=6371000", nx: 10, '
    "ny: 8, spacing: 1.0, center: [120, 30]}",
    "lonlat": "{west: 115, east: 125, south: 26, north: 34, resolution: 1.0}",
}  # fmt: skip


@pytest.fixture(params=sorted(GRIDS))
def run(request, tmp_path):
    """A case of a prescribed ocean that has run for two days; its folder, start and history."""
    case = tmp_path / "case"
    case.mkdir()
    lat, lon = np.arange(20.5, 42), np.arange(105.5, 136)
    values = 300 - 0.3 * lat[:, None] + 0.05 * lon + 0.5 * np.arange(3)[:, None, None]
    attributes = {
        "time": {"units": "days since 2001-01-01"},
        "lat": {"units": "degrees_north"},
        "lon": {"units": "degrees_east"},
    }
    data = xr.Dataset(
        {"sst": (("time", "lat", "lon"), values, {"standard_name": "sea_surface_temperature", "units": "K"})},
        coords={k: (k, v, attributes[k]) for k, v in (("time", [0, 1, 2]), ("lat", lat), ("lon", lon))},
    )
    data.to_netcdf(case / "f.nc")
    (case / "case.yaml").write_text("start: 2001-01-01\nduration: P2D\ncomponents:\n  ocean: {model: data}\n")
    (case / "ocean.yaml").write_text(
        f"step: PT6H\ngrid: {GRIDS[request.param]}\ndata: {{file: f.nc}}\noutput:\n"
        "  - {name: now, fields: [sea_surface_temperature], period: PT6H, statistic: instant}\n"
        "  - {name: mean, fields: [sea_surface_temperature], period: P1D, statistic: mean}\n"
    )
    assert main([str(case), "--serial"]) == 0
    return case / "run" / "history"


def history(path):
    with xr.open_dataset(path, decode_times=False) as data:
        return data.sea_surface_temperature.values.copy()


def test_history_is_forcing_with_the_same_values(run):
    """On the file's grid to the bit, whatever the order of its axes; on a part of it; between its cells bilinearly."""
    path, clock = run / "ocean.now.nc", Clock("2001-01-01")
    wrote, grid = history(path), Grid.from_file(path)
    forcing = Forcing(path, "sea_surface_temperature", clock, grid=grid)
    for n in range(8):
        np.testing.assert_array_equal(forcing.at(21600 * (n + 1)), wrote[n])
    forcing.close()
    with xr.open_dataset(path, decode_times=False) as data:
        turned = data.isel({d: slice(None, None, -1) for d in data.sea_surface_temperature.dims[1:]})
        turned = turned.transpose(*reversed(data.sea_surface_temperature.dims), ...)
        turned.to_netcdf(run / "turned.nc")
    forcing = Forcing(run / "turned.nc", "sea_surface_temperature", clock, grid=grid)
    np.testing.assert_array_equal(forcing.at(21600), wrote[0])
    inner = Grid.projected("inner", "+proj=lcc +lat_1=25 +lat_2=35 +lat_0=30 +lon_0=120 +R=6371000", 4, 4, 50e3)
    got = Forcing(path, "sea_surface_temperature", clock, grid=inner).at(86400)
    expected = 300.5 - 0.3 * inner.latitude + 0.05 * inner.longitude
    np.testing.assert_allclose(got, expected, atol=2e-3)


def test_history_is_an_observation_of_the_month_it_is_the_mean_of(run):
    path = run / "ocean.mean.nc"
    seen = find([path], ["sea_surface_temperature"])["sea_surface_temperature"]
    assert seen.months == ((2001, 1), (2001, 1)) and seen.grid.shape == (8, 10)
    np.testing.assert_allclose(seen.month(2001, 1), history(path).mean(axis=0), rtol=1e-15)
    np.testing.assert_array_equal(seen.grid.longitude, Grid.from_file(run / "ocean.now.nc").longitude)
    assert seen.month(2001, 2) is None
