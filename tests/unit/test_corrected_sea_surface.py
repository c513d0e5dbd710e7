# SPDX-License-Identifier: BSD-3-Clause
"""Sea surface temperature with its bias taken off: another grid, another coast, another calendar and unit."""

import cftime
import netCDF4
import numpy as np
import pytest
import yaml

from coupler.case.command import main
from coupler.files.bias.moments import anomalies

YEARS = range(1991, 2002)


def write(path, lat, lon, calendar, units, bias, scale, land):
    dates = [cftime.datetime(y, m, 16, calendar=calendar) for y in YEARS for m in range(1, 13)]
    noise = np.random.default_rng(5).standard_normal((len(YEARS), 12))
    noise = anomalies(np.array(YEARS, float), noise).rest  # without a trend, which stays the driver's own
    with netCDF4.Dataset(path, "w") as f:
        f.createDimension("time", None)
        for name, values, u in (("lat", lat, "degrees_north"), ("lon", lon, "degrees_east")):
            f.createDimension(name, len(values))
            f.createVariable(name, "f8", (name,))[:] = values
            f[name].units = u
        t = f.createVariable("time", "f8", ("time",))
        t.units, t.calendar = "days since 1990-01-01", calendar
        t[:] = cftime.date2num(dates, t.units, calendar)
        v = f.createVariable("sst", "f4", ("time", "lat", "lon"), fill_value=1e20)
        v.standard_name, v.units = "sea_surface_temperature", units
        x, y = np.meshgrid(lon, lat)
        for n, d in enumerate(dates):
            value = 300.0 - 0.3 * (y - 20.0) + 3.0 * np.sin(2 * np.pi * d.month / 12) + bias
            value = value + scale * noise[d.year - YEARS[0], d.month - 1] + 0.0 * x
            value = value - (273.15 if units == "degC" else 0.0)
            v[n] = np.ma.masked_where(land(x, y), value)
    return path


@pytest.mark.parametrize("method", ["mean", "mean_variance", "quantile"])
def test_sea_surface_temperature(tmp_path, method):
    case = tmp_path / "case"
    case.mkdir()
    parts = {"start": "1995-06-01", "duration": "P1D", "calendar": "360_day",
             "components": {"sea": {"model": "data", "realm": "ocean"}}}  # fmt: skip
    (case / "case.yaml").write_text(yaml.safe_dump(parts))
    box = {"west": 110, "east": 130, "south": 20, "north": 40, "resolution": 2.0}
    (case / "sea.yaml").write_text(yaml.safe_dump({"step": "PT1H", "grid": box, "data": {"file": "driver.nc"}}))
    fine, coarse = np.arange(111.0, 130.0, 2.0), np.arange(105.0, 140.0, 3.0)
    driver = write(case / "driver.nc", fine - 90.0, fine, "360_day", "degC", 1.5, 1.4, lambda x, y: x < 113)
    reference = write(
        tmp_path / "oisst.nc", np.arange(50.0, 14.0, -3.0), coarse, "standard", "K", 0.0, 1.0, lambda x, y: x < 118
    )
    done = main(["prepare", str(case), str(driver), "--reference", str(reference), "--method", method])
    assert done == 0
    with netCDF4.Dataset(case / "sea.corrected.nc") as f, netCDF4.Dataset(driver) as old:
        new = np.ma.filled(f["sea_surface_temperature"][:], np.nan)
        raw = np.ma.filled(old["sst"][:], np.nan) + 273.15
        assert f["sea_surface_temperature"].units == "K" and f["time"].calendar == "360_day"
    np.testing.assert_array_equal(np.isnan(new), np.isnan(raw))
    np.testing.assert_allclose(np.nanmean(raw - new), 1.5, atol=0.02)
    by = (a.reshape(len(YEARS), 12, *a.shape[1:])[:, :, 5, 5] for a in (new, raw))
    ratio = np.divide(*(a.std(axis=0) for a in by))
    np.testing.assert_allclose(ratio, 1.0 if method == "mean" else 1 / 1.4, rtol=0.02)
    assert (case / "sea.corrected.bias.nc").exists() and (case / "sea.corrected.bias.png").exists()
