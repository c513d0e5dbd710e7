# SPDX-License-Identifier: BSD-3-Clause
"""The sun against NREL's algorithm, Meeus and the almanac's equinoxes, and through the years of models' calendars."""

import math
from datetime import datetime, timedelta
from itertools import pairwise

import cftime
import pytest
import torch

from components.science.sun import (
    DECEMBER_SOLSTICE,
    JUNE_SOLSTICE,
    YEAR,
    cosine_zenith,
    days_since_2000,
    sun_position,
)


@pytest.mark.parametrize(
    ("moment", "declination", "equation", "distance"),
    [
        # Reda and Andreas (2004, NREL/TP-560-34302), table A5.1; equation of time of appendix A.1
        (datetime(2003, 10, 17, 19, 30, 30), -9.31434, 14.641503 * 60.0, 0.9965422974),
        # Meeus (1998), examples 25.b and 28.b
        (datetime(1992, 10, 13), -7.78507, 822.7, 0.99766),
    ],
)
def test_published_positions(moment, declination, equation, distance):
    found, time, square = sun_position(days_since_2000(moment))
    assert math.degrees(found) == pytest.approx(declination, abs=0.01)
    assert time == pytest.approx(equation, abs=2.0)
    assert square**-0.5 == pytest.approx(distance, abs=3e-5)


@pytest.mark.parametrize(
    "equinox",
    [
        datetime(1976, 3, 20, 11, 50), datetime(2000, 3, 20, 7, 35), datetime(2015, 9, 23, 8, 21),
        datetime(2021, 3, 20, 9, 37), datetime(2021, 9, 22, 19, 21), datetime(2024, 3, 20, 3, 6),
    ],
)  # fmt: skip
def test_the_sun_crosses_the_equator_when_the_almanac_says(equinox):
    """By the day of a year of 365 days it was up to .33 degrees away (September 2021)."""
    assert abs(math.degrees(sun_position(days_since_2000(equinox))[0])) < 0.01


def test_the_solstices_are_the_ends_of_the_declination():
    for day, sign in ((JUNE_SOLSTICE, 1.0), (DECEMBER_SOLSTICE, -1.0)):
        at, before, after = (sign * sun_position(day + d)[0] for d in (0.0, -2.0, 2.0))
        assert at > max(before, after)
        assert math.degrees(at) == pytest.approx(23.439, abs=0.002)


def test_a_zenith_of_nrel():
    """Example of Reda and Andreas: 50.11162 degrees, of which parallax (+.0018) and refraction (-.016) are not ours."""
    x = torch.ones(1, dtype=torch.float64)
    mu = cosine_zenith(-105.1786 * x, 39.742476 * x, days_since_2000(datetime(2003, 10, 17, 19, 30, 30)))
    assert math.degrees(math.acos(float(mu))) == pytest.approx(50.11162 + 0.016 - 0.0018, abs=0.01)


@pytest.mark.parametrize("calendar", ["360_day", "noleap", "all_leap", "julian", "standard", "proleptic_gregorian"])
def test_every_calendar_keeps_its_hours_and_its_sun_runs_on_over_new_year(calendar):
    start = cftime.datetime(1999, 1, 1, 12, calendar=calendar)
    days = [days_since_2000(start + timedelta(days=n)) for n in range(800)]
    assert all(day % 1.0 == 0.5 for day in days)
    declination = [math.degrees(sun_position(day)[0]) for day in days]
    leap = 2 if calendar == "360_day" else 1  # days of the real sun from one day to the next, at most
    assert max(abs(a - b) for a, b in pairwise(declination)) < 0.4 * leap


@pytest.mark.parametrize(("calendar", "length"), [("360_day", 360), ("noleap", 365), ("all_leap", 366)])
def test_each_year_of_a_models_calendar_has_the_same_sun_and_the_whole_of_it(calendar, length):
    def year(number):
        first = cftime.datetime(number, 1, 1, calendar=calendar)
        return [days_since_2000(first + timedelta(days=n)) for n in range(length)]

    assert year(1850) == year(2001)
    assert len(set(year(1850))) >= length - 1
    assert 0.0 <= 366.0 + YEAR - year(2001)[-1] < 2.0
