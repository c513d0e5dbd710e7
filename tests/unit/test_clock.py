# SPDX-License-Identifier: BSD-3-Clause
"""Durations, calendars and alarms."""

import cftime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupler.clock import CALENDARS, Clock, Period, format_duration, parse_duration


@given(st.integers(1, 10**10))
def test_a_duration_survives_being_written_and_read(seconds):
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("PT20M", 1200), ("PT1H", 3600), ("P1D", 86400), ("P2W", 1209600), ("P1DT12H30M5S", 131405), ("PT90M", 5400)],
)
def test_durations_mean_what_iso_8601_says(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "P", "PT", "P1DT", "1h", "PT1.5H", "P1H", "3600", "PT-1H", " PT1H", "PT0S", 3600])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match=r"ISO-8601|zero"):
        parse_duration(text)


def test_months_are_refused_where_their_length_is_unknown():
    with pytest.raises(ValueError, match="years and months have no fixed length: say days"):
        parse_duration("P1M")


@pytest.mark.parametrize(
    ("calendar", "days"),
    [("standard", 29), ("proleptic_gregorian", 29), ("noleap", 28), ("all_leap", 29), ("360_day", 30), ("julian", 29)],
)
def test_february_2004_has_the_length_of_its_calendar(calendar, days):
    assert Clock("2004-02-01", calendar).seconds_of("P1M") == days * 86400


@pytest.mark.parametrize("calendar", CALENDARS)
@given(seconds=st.integers(0, 100 * 365 * 86400))
def test_a_date_leads_back_to_its_model_time(calendar, seconds):
    clock = Clock("1999-11-30T06:00:00", calendar)
    assert clock.seconds_at(clock.text(seconds)) == seconds
    units = "seconds since 1999-11-30 06:00:00"
    assert round(cftime.date2num(clock.date(seconds), units, calendar)) == seconds


def test_a_year_and_a_month_and_a_day_are_counted_in_that_order():
    assert Clock("2001-01-31", "noleap").seconds_of("P1Y1D") == 366 * 86400
    with pytest.raises(ValueError, match="not a date of the calendar"):
        Clock("2001-01-31", "noleap").seconds_of("P1M")


@pytest.mark.parametrize("start", ["2001-1-1", "yesterday", "2001-01-01T06", "2001-02-30"])
def test_a_start_that_is_no_date_is_refused(start):
    with pytest.raises(ValueError):
        Clock(start, "noleap").date(0)


@given(period=st.integers(1, 10**6), time=st.integers(0, 10**9))
def test_a_period_of_seconds_ends_next_at_the_first_multiple_after_now(period, time):
    clock = Clock("2001-01-01")
    following = Period(period).next_end(clock, time)
    assert Period(period).ends_at(clock, following) and Period(period).begin(clock, following) == following - period
    assert time < following <= time + period


@given(
    months=st.integers(1, 30),
    day=st.integers(1, 28),
    hour=st.integers(0, 23),
    start_month=st.integers(1, 12),
    calendar=st.sampled_from(CALENDARS),
    time=st.integers(0, 10**9),
)
def test_a_period_of_months_ends_on_the_first_of_a_month(months, day, hour, start_month, calendar, time):
    clock = Clock(f"1999-{start_month:02d}-{day:02d}T{hour:02d}:00:00", calendar)
    period = Period(months=months)
    end = period.next_end(clock, time)
    date, now = clock.date(end), clock.date(time)
    assert end > time and (date.day, date.hour, date.minute, date.second) == (1, 0, 0, 0)
    assert (12 * (date.year - 1999) + date.month - 1) % months == 0
    assert 0 < 12 * (date.year - now.year) + date.month - now.month <= months
    assert period.ends_at(clock, end) and not period.ends_at(clock, end + 1) and not period.ends_at(clock, end - 1)
    assert period.begin(clock, end) == max(0, period.begin(clock, end)) <= time


def test_a_month_mixed_with_days_is_no_period():
    with pytest.raises(ValueError, match="mixes calendar months with days"):
        Period.of("P1M2D")
    assert [str(Period.of(t)) for t in ("P1M", "P1Y", "P18M", "P3M", "PT90M")] == [
        "P1M",
        "P1Y",
        "P1Y6M",
        "P3M",
        "PT1H30M",
    ]
