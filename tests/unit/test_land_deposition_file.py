# SPDX-License-Identifier: BSD-3-Clause
"""A file of nitrogen deposition: times that the run needs, repeated years, signs and units, told before it runs."""

import netCDF4
import numpy as np
import pytest

from components.land.column.component import ColumnLand
from components.land.column.component_cycles import DEPOSITION, NITROGEN, PHOSPHORUS, Deposition
from coupler.clock import Clock
from coupler.component import Context
from coupler.grids.decomposition import Decomposition
from coupler.grids.grid import Grid
from tests.unit.test_land_component import OneOf

CONSTANT = 6.69e-11  # kg m-2 s-1


@pytest.fixture
def setting(tmp_path):
    grid = Grid.regular_lonlat("land", 100, 112, 20, 32, resolution=4)
    made = Context("land", Clock("2001-06-21"), 3600, 30 * 86400, grid, tmp_path, logger=lambda line: None)
    made.grids = {"default": grid}
    made.decompositions = {"default": Decomposition(grid.shape, OneOf(0, 1))}
    return made


def write(folder, values, units="kg m-2 s-1", first="2001-01-01", name="falls.nc"):
    """Monthly means, one value a month on all cells."""
    with netCDF4.Dataset(folder / name, "w") as data:
        axes = {"lat": np.arange(22.0, 32.0, 4.0), "lon": np.arange(102.0, 112.0, 4.0)}
        for axis, points in axes.items():
            data.createDimension(axis, points.size)
            variable = data.createVariable(axis, "f8", (axis,))
            variable[:], variable.units = points, "degrees_north" if axis == "lat" else "degrees_east"
        data.createDimension("time", None)
        time = data.createVariable("time", "f8", ("time",))
        time.units, time.calendar = f"days since {first}", "standard"
        time[:] = 30.4 * np.arange(len(values)) + 15.0
        falls = data.createVariable("falls", "f8", ("time", "lat", "lon"))
        falls.standard_name, falls.units = DEPOSITION, units
        falls[:] = np.broadcast_to(np.reshape(values, (-1, 1, 1)), (len(values), 3, 3))
    return name


def checked(setting, name, **more):
    return ColumnLand(ColumnLand.Options(nitrogen="fun", deposition_file=name, **more)).check(setting)


def test_a_file_of_these_months_is_read(setting, tmp_path):
    name = write(tmp_path, [7e-11] * 12)
    assert checked(setting, name) == []


@pytest.mark.parametrize(
    ("values", "how", "wanted"),
    [
        ([7e-11] * 5, {}, "deposition_cycle: yearly"),
        ([7e-11] * 12, {"first": "1990-01-01"}, "deposition_cycle: yearly"),
        ([-7e-11] * 12, {}, "mend its sign or its units"),
        ([21.0] * 12, {}, "mend its sign or its units"),
        ([21.0] * 12, {"units": "kg m-2"}, "cannot convert"),
    ],
)
def test_what_cannot_be_is_told_before_the_run(setting, tmp_path, values, how, wanted):
    (problem,) = checked(setting, write(tmp_path, values, **how))
    assert wanted in problem and "falls.nc" in problem


def test_a_year_of_old_is_repeated_where_that_is_said(setting, tmp_path):
    """6.3e-11 in June and 6.5e-11 in July of 1990 for 2001; where the file has nothing the constant holds."""
    name = write(tmp_path, [1e-12 * m + 5.3e-11 for m in range(0, 24, 2)], first="1990-01-01")
    assert checked(setting, name, deposition_cycle="yearly") == []
    falls = Deposition(NITROGEN, setting, name, "yearly", CONSTANT, np.ones(setting.grid.shape, bool))
    assert 6.2e-11 < falls.at(1800, None).min() <= falls.at(29 * 86400, None).max() < 6.6e-11
    poor = write(tmp_path, [-1e-14, np.nan] * 6, name="poor.nc")
    falls = Deposition(NITROGEN, setting, poor, "auto", CONSTANT, np.ones(setting.grid.shape, bool))
    assert falls.at(25 * 86400, None).tolist() == [[CONSTANT] * 3] * 3


def test_phosphorus_of_a_file_falls_and_what_is_wrong_with_it_is_told(setting, tmp_path):
    """A field of that name in grams a year, and the constant where the file has nothing; .38 kg ha-1 a-1 without."""
    name = write(tmp_path, [0.05, np.nan] * 6, units="g m-2 yr-1", name="dust.nc")
    with netCDF4.Dataset(tmp_path / name, "a") as data:
        data.renameVariable("falls", "phosphorus_deposition")
        del data["phosphorus_deposition"].standard_name
    ask = ColumnLand.Options(nitrogen="fun", phosphorus_deposition_file=name)
    assert ColumnLand(ask).check(setting) == []
    assert ask.phosphorus_deposition * 1e4 * 365 * 86400 == pytest.approx(0.38, rel=0.01)
    falls = Deposition(PHOSPHORUS, setting, name, "yearly", 1.2e-12, np.ones(setting.grid.shape, bool))
    found = {round(float(falls.at(day * 86400).min()), 16) for day in range(0, 29, 7)}
    assert max(found) == pytest.approx(0.05e-3 / (365.2425 * 86400), rel=0.01) or found == {1.2e-12}
    (problem,) = ColumnLand(ColumnLand.Options(nitrogen="fun", phosphorus_deposition_file="none.nc")).check(setting)
    assert "none.nc" in problem
