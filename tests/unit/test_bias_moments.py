# SPDX-License-Identifier: BSD-3-Clause
"""A driver corrected by months: its mean and variances are the reference's, its weather and trend its own.

The driver: climatology + 1.3 x (anomalies of the reference, detrended by month) + 2 K + .3 K a decade, its days 1.5
times as far from their month; a noleap calendar beside a standard one, and 360_day.
"""

import cftime
import numpy as np
import pytest

from coupler.component import BIAS_METHODS
from coupler.files.bias.common_period import common_years, problems
from coupler.files.bias.gathering import gather
from coupler.files.bias.moments import Correction, anomalies
from coupler.files.bias.months import knots_of, stamp

YEARS = range(1981, 1993)
TREND = 0.03  # K a year


def stamps(calendar):
    first, end = (cftime.datetime(y, 1, 1, calendar=calendar) for y in (YEARS[0], YEARS[-1] + 1))
    unit = f"days since {YEARS[0]}-01-01"
    days = int(cftime.date2num(end, unit, calendar) - cftime.date2num(first, unit, calendar))
    return [stamp(d) for d in cftime.num2date(np.arange(days) + 0.5, unit, calendar)]


def months(data, name="t"):
    return np.array(data.means[name]).reshape(len(YEARS), 12, -1)


@pytest.fixture(scope="module")
def truth():
    when = stamps("standard")
    rng = np.random.default_rng(4)
    values = np.zeros((len(when), 3))
    noise = rng.standard_normal(values.shape)
    for n in range(1, len(when)):
        values[n] = 0.8 * values[n - 1] + noise[n]
    phase = 2.0 * np.pi * np.array([s.month[1] - 1 + s.share for s in when]) / 12.0
    values = 280.0 + 2.0 * values - 12.0 * np.cos(phase)[:, None]
    return when, values, gather(when, lambda n: {"t": values[n]}, daily=True)


def driver_like(truth, calendar):
    when, values, data = truth
    by_month = months(data)
    parts = [anomalies(np.array(YEARS, float), by_month[:, m]) for m in range(12)]
    place = {(s.month, s.day): n for n, s in enumerate(when)}
    own = stamps(calendar)
    made = []
    for s in own:
        year, m = s.month[0] - YEARS[0], s.month[1] - 1
        day = place.get((s.month, s.day), place[(s.month, 28)])
        weather = values[day] - by_month[year, m]
        trend = TREND * (year + s.month[1] / 12.0 - 6.0)
        made.append(parts[m].mean + 1.3 * parts[m].rest[year] + 2.0 + trend + 1.5 * weather)
    made = np.array(made)
    return own, made, gather(own, lambda n: {"t": made[n]}, daily=True)


@pytest.mark.parametrize("calendar", ["noleap", "360_day"])
@pytest.mark.parametrize("method", BIAS_METHODS)
@pytest.mark.parametrize("daily", [False, True])
def test_moments_are_the_references_and_weather_and_trend_the_drivers(truth, calendar, method, daily):
    own, raw, data = driver_like(truth, calendar)
    correct = Correction(data, truth[2], "t", common_years(own, truth[0]), method, daily=daily)
    new = np.array([correct(s, x) for s, x in zip(own, raw, strict=True)])
    made = gather(own, lambda n: {"t": new[n]}, daily=True)
    years = np.array(YEARS, float)
    here, there = (
        [anomalies(years, months(d)[:, m]) for m in range(12)] for d in (made, truth[2])
    )  # fmt: skip
    mean = max(float(np.abs(a.mean - b.mean).max()) for a, b in zip(here, there, strict=True))
    spread = max(float(np.abs(a.spread / b.spread - 1).max()) for a, b in zip(here, there, strict=True))
    days = [d.daily["t"].reshape(len(YEARS), 12, -1).mean(0) ** 0.5 for d in (made, truth[2])]
    day = float(np.abs(days[0] / days[1] - 1).max())
    slopes = [anomalies(years, months(d).mean(1)).slope for d in (made, data)]
    trend = float(np.abs(slopes[0] / slopes[1] - 1).max())
    alike = min(np.corrcoef(new[:, k], raw[:, k])[0, 1] for k in range(3))
    print(f"{method} daily={daily} {calendar}: mean {mean:.1e} K years {spread:.1e} days {day:.1e} trend {trend:.1e}"
          f" r {alike:.4f}")  # fmt: skip
    assert mean < 0.02 and trend < 0.01
    assert alike > (0.99 if method == "mean" and not daily else 0.97)
    if method != "mean":
        assert spread < 0.01
    if daily:
        assert day < 0.01
    if method == "mean" and not daily:
        change = new - raw  # the same in every year
        first = {}
        for s, x in zip(own, change, strict=True):
            np.testing.assert_allclose(x, first.setdefault((s.month[1], s.share), x), atol=1e-10)


def test_days_scaled_by_a_factor_cost_the_correlation_that_they_must(truth):
    """Why ``mean --daily`` is below the .99 of ``mean``.

    Slow part S, weather d, apart from each other: S + d and S + w d have r = (S2 + w d2) / sqrt((S2 + d2)(S2 + w2 d2)),
    which is least where S2 = w d2: 2 sqrt(w) / (1 + w). For days 1.5 times too far from their month that is .980, and
    no correction of the days' variance can promise more.
    """
    own, raw, data = driver_like(truth, "noleap")
    common = common_years(own, truth[0])
    new, slow = (
        np.array([correct(s, x) for s, x in zip(own, raw, strict=True)])
        for correct in (Correction(data, truth[2], "t", common, "mean", daily=d) for d in (True, False))
    )
    number = np.array([12 * (s.month[0] - YEARS[0]) + s.month[1] - 1 for s in own])
    weather = raw - np.array([raw[number == k].mean(axis=0) for k in range(12 * len(YEARS))])[number]
    a, b = (raw - weather).var(axis=0), weather.var(axis=0)
    w = 1.0 / 1.5
    wanted = (a + w * b) / np.sqrt((a + b) * (a + w * w * b))
    found = [np.corrcoef(new[:, k], raw[:, k])[0, 1] for k in range(3)]
    print("daily: r", found, "closed form", wanted)
    np.testing.assert_allclose(found, wanted, atol=2e-3)
    assert (wanted >= 2.0 * np.sqrt(w) / (1.0 + w)).all() and (wanted < 0.99).all()
    assert min(np.corrcoef(slow[:, k], raw[:, k])[0, 1] for k in range(3)) > 0.9995, "the mean alone"


@pytest.mark.parametrize("method", BIAS_METHODS)
def test_a_driver_that_is_the_reference_is_changed_by_rounding_only(truth, method):
    when, values, data = truth
    correct = Correction(data, data, "t", common_years(when, when), method, daily=True)
    assert max(float(np.abs(correct(s, x) - x).max()) for s, x in zip(when[:800], values, strict=False)) < 1e-9


def test_years_outside_the_common_period_keep_their_warming(truth):
    """60 years of which the first 12 have a reference; the later warm ten times as fast."""
    own = [(y, m) for y in range(1981, 2041) for m in range(1, 13)]
    rng = np.random.default_rng(2)
    x = np.array([rng.standard_normal(2) + 0.02 * (y - 1981) + 0.2 * max(y - 2000, 0) for y, _ in own])
    when = [stamp(cftime.datetime(y, m, 15, calendar="noleap")) for y, m in own]
    data = gather(when, lambda n: {"t": x[n]}, daily=False)
    reference = gather(when[: 12 * 12], lambda n: {"t": 3.0 * x[n]}, daily=False)
    common = common_years(when, when[: 12 * 12])
    for method in BIAS_METHODS:
        correct = Correction(data, reference, "t", common, method)
        new = np.array([correct(s, v) for s, v in zip(when, x, strict=True)])
        rise = [a[-120:].mean() - a[240:360].mean() for a in (new, x)]
        print(method, rise)
        assert abs(rise[0] / rise[1] - 1.0) < 0.05, method


def test_the_midnight_that_ends_the_data_is_corrected_as_its_last_month():
    days = [cftime.datetime(y, 6, d, calendar="noleap") for y in YEARS for d in range(1, 31)]
    end = cftime.datetime(YEARS[-1], 7, 1, calendar="noleap")
    when = [stamp(d) for d in (*days, end)]
    x = np.random.default_rng(1).standard_normal((len(when), 2))
    data = gather(when, lambda n: {"t": x[n]}, daily=False)
    reference = gather(when[:-1], lambda n: {"t": x[n] - 3.0}, daily=False)
    correct = Correction(data, reference, "t", common_years(when, when[:-1]), "mean_variance")
    np.testing.assert_allclose(correct(when[-1], x[-1]) - x[-1], -3.0, atol=1e-12)
    assert problems(when, when[:-1], [(YEARS[-1], 6)], "mean_variance", False) == []


def test_curves_through_monthly_means_keep_them():
    when = stamps("noleap")[:365]
    hats = np.array([np.mean([s.hats for s in when if s.month[1] == m], axis=0) for m in range(1, 13)])
    wanted = np.random.default_rng(0).standard_normal(12)
    knots = knots_of(list(range(1, 13)), hats) @ wanted
    curve = [s.hats @ [knots[(s.month[1] - 1 + by) % 12] for by in (-1, 0, 1)] for s in when]
    means = [np.mean([c for c, s in zip(curve, when, strict=True) if s.month[1] == m]) for m in range(1, 13)]
    np.testing.assert_allclose(means, wanted, atol=1e-13)


def test_what_is_missing_is_told_at_once():
    june = [stamp(cftime.datetime(2001, 6, 1))]
    january = [stamp(cftime.datetime(1959, 1, 2))]
    found = "\n".join(problems(june, january, [(2001, 6)], "mean_variance", False))
    assert "the reference lacks June, which the run needs; it has January" in found
    assert "at least 10 years" in found and "found 0" in found
    both = [stamp(cftime.datetime(y, 6, 1)) for y in range(2001, 2006)]
    assert problems(both, both, [(2001, 6)], "mean", False) == []
    assert "found 5" in problems(both, both, [(2001, 6)], "quantile", False)[0]
