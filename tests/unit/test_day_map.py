# SPDX-License-Identifier: BSD-3-Clause
"""A day on one map: the mean of that day's records, in a box, with lines and arrows; errors name what there is."""

import numpy as np
import pytest

from coupler.analysis import day_map
from coupler.case.command import main
from coupler.errors import CaseError
from tests.unit.test_figures import history


@pytest.fixture
def case(tmp_path):
    """Five days of a cooling sea, and instants at midnight of a wind and of rain."""
    history(tmp_path)
    for name, unit in (("eastward_wind", "m s-1"), ("northward_wind", "m s-1"), ("precipitation_flux", "kg m-2 s-1")):
        history(tmp_path, component="atmosphere", stream=name, units=unit, bounds=False, name=name)
    return tmp_path


def test_the_day_is_that_of_the_interval_and_midnight_ends_a_day(case):
    sea, wind = day_map._find(case, "sea_surface_temperature"), day_map._find(case, "eastward_wind")
    assert day_map._days(sea) == [f"2001-01-0{n}" for n in range(1, 6)]
    assert day_map._days(wind) == ["2001-01-02", "2001-01-02", "2001-01-03", "2001-01-04", "2001-01-05"]
    assert np.nanmean(day_map._mean(sea, "2001-01-03") - day_map._mean(sea, "2001-01-01")) == pytest.approx(-0.2)
    assert np.nanmean(day_map._mean(wind, "2001-01-02") - wind.values[0]) == pytest.approx(-0.05)


def test_the_map_appears_and_differs_with_what_is_on_it(case, capsys):
    plain = day_map.draw_day(case, "sea_surface_temperature").read_bytes()
    assert main(["plot", str(case), "sea_surface_temperature", "--wind", "--lines", "precipitation_flux",
                 "--box", "110", "150", "10", "45", "--day", "2001-01-05"]) == 0  # fmt: skip
    path = capsys.readouterr().out.strip()
    assert path.endswith("sea_surface_temperature.2001-01-05.png")
    full = open(path, "rb").read()
    assert full.startswith(b"\x89PNG") and len(full) > 20_000 and full != plain


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"day": "2001-02-01"}, "no record of 2001-02-01: they are from 2001-01-02 to 2001-01-06"),
        ({"box": (200, 210, 0, 10)}, "no value in the box 200 to 210 E"),
        ({"contours": "precipitation_fluxes"}, "did you mean 'precipitation_flux'"),
    ],
)
def test_what_is_not_there_is_said(case, options, words):
    with pytest.raises(CaseError, match=words):
        day_map.draw_day(case, "sea_surface_temperature", **options)
