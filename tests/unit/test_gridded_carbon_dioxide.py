# SPDX-License-Identifier: BSD-3-Clause
"""Files of CarbonTracker and CMIP6: the lowest level in ppm, south to north, and the years of each part."""

import netCDF4
import numpy as np
import pytest

from components.ml_surrogates.co2_reconstruction.gridded import SPLITS, of_part, read
from coupler.errors import CaseError


def carbontracker(path, year=2005):
    """As CT2022.molefrac_glb3x2: layers from the ground up, longitudes from -180."""
    with netCDF4.Dataset(path, "w") as file:
        for name, n in (("time", 2), ("level", 3), ("latitude", 4), ("longitude", 6)):
            file.createDimension(name, n)
        for name, values in (
            ("time", [0.0, 0.125]), ("level", [1, 2, 3]), ("latitude", [-67.5, -22.5, 22.5, 67.5]),
            ("longitude", [-150.0, -90.0, -30.0, 30.0, 90.0, 150.0]),
        ):  # fmt: skip
            file.createVariable(name, "f8", (name,))[:] = values
        file["time"].units = f"days since {year}-01-01"
        v = file.createVariable("co2", "f8", ("time", "level", "latitude", "longitude"))
        v.units = "micromol mol-1"
        v[:] = 380.0 + np.arange(4)[:, None] + 0.01 * np.arange(6) + 100.0 * np.arange(3)[:, None, None]
    return path


def cmip6(path, year=2010):
    """As co2_Amon: pressures in any order, latitudes from the north, 365 days."""
    with netCDF4.Dataset(path, "w") as file:
        for name, n in (("time", 12), ("plev", 2), ("lat", 3), ("lon", 4)):
            file.createDimension(name, n)
        for name, values in (
            ("time", 15.0 + 30.4 * np.arange(12)), ("plev", [50000.0, 100000.0]), ("lat", [60.0, 0.0, -60.0]),
            ("lon", [45.0, 135.0, 225.0, 315.0]),
        ):  # fmt: skip
            file.createVariable(name, "f8", (name,))[:] = values
        file["time"].setncatts({"units": f"days since {year}-01-01", "calendar": "noleap"})
        file["plev"].units = "Pa"
        v = file.createVariable("co2", "f8", ("time", "plev", "lat", "lon"))
        v.setncatts({"units": "mol mol-1", "standard_name": "mole_fraction_of_carbon_dioxide_in_air"})
        v[:] = 1e-6 * (300.0 + 100.0 * np.arange(2)[:, None, None] + np.arange(3)[:, None])
    return path


def test_carbontracker(tmp_path):
    f = read(carbontracker(tmp_path / "a.nc"))
    assert f.value.shape == (2, 4, 6) and f.longitude[0] == 30.0 and f.latitude[0] == -67.5
    np.testing.assert_allclose(f.value[0, :, 0], 380.03 + np.arange(4))  # 30 E was the fourth
    assert set(f.year) == {2005}


def test_cmip6(tmp_path):
    f = read(cmip6(tmp_path / "a.nc"))
    assert f.value.shape == (12, 3, 4) and list(f.latitude) == [-60.0, 0.0, 60.0]
    np.testing.assert_allclose(f.value[0, :, 0], [402.0, 401.0, 400.0])


@pytest.mark.parametrize(
    "data, years",
    [
        ("carbontracker", {2002: "training", 2018: "training", 2001: "validation", 2019: "validation", 2000: "test",
                           2020: "test", 2021: None, 1999: None}),
        ("cmip6", {1865: "training", 1999: "training", 1860: "validation", 1864: "validation", 2000: "validation",
                   2004: "validation", 1850: "test", 1859: "test", 2005: "test", 2014: "test", 2015: None}),
    ],
)  # fmt: skip
def test_years_are_split_as_published(data, years):
    assert {year: SPLITS[data].part(year) for year in years} == years


def test_parts_of_files(tmp_path):
    paths = [carbontracker(tmp_path / f"{year}.nc", year) for year in (2000, 2003, 2019)]
    assert list(of_part(paths, "carbontracker", "training").year) == [2003, 2003]
    assert list(of_part(paths, "carbontracker", "test").year) == [2000, 2000]
    with pytest.raises(CaseError, match="expected fields of 2002-2018 for training, found none"):
        of_part(paths[:1], "carbontracker", "training")
    with pytest.raises(CaseError, match="expected a grid"):
        of_part([paths[0], cmip6(tmp_path / "b.nc")], "carbontracker", "test")
    with pytest.raises(CaseError, match=r"none\.nc cannot be read"):
        read(tmp_path / "none.nc")


@pytest.mark.parametrize(("units", "words"), [(None, "has the unit ''"), ("furlongs since 2001-01-01", "has the unit")])
def test_dates_that_cannot_be_read_are_named(tmp_path, units, words):
    path = carbontracker(tmp_path / "a.nc")
    with netCDF4.Dataset(path, "a") as file:
        file["time"].delncattr("units") if units is None else file["time"].setncattr("units", units)
    with pytest.raises(CaseError, match=words):
        read(path)
