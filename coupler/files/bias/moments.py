# SPDX-License-Identifier: BSD-3-Clause
r"""A driver with the mean and the variance of a reference, its own weather and its own trend.

A record is the sum of a mean by calendar month, a trend, what a year's month differs by, and the weather:

    x = C(m) + T(y, m) + A(y, m) + d

The correction replaces C by the reference's, keeps T, and, beside ``mean``, makes the standard deviation of A over the
years of a common period that of the reference; d may be scaled too (Xu & Yang 2012, J. Climate 25, 6271; Xu et al.
2021, Sci. Data 8, 293). Changes of monthly means are laid on as curves that keep them (`months.knots_of`), so that
nothing jumps where a month ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coupler.component import BiasMethod
from coupler.files.bias.gathering import MonthlyData
from coupler.files.bias.months import Month, Stamp, knots_of, neighbour, shifted

Floats = npt.NDArray[np.float64]
LEAST_YEARS = 10
"""Years of a month from which a variance is known well enough to be corrected."""
HINGE = 10
"""Years after which the trend outside the common period may turn."""


@dataclass(frozen=True)
class Anomalies:
    """A calendar month of some years: mean, trend (per year) about the middle year, and what is left (n, ...)."""

    years: Floats
    mean: Floats
    slope: Floats
    rest: Floats

    @property
    def spread(self) -> Floats:
        """Standard deviation of the rest."""
        return np.asarray(np.sqrt(np.mean(self.rest * self.rest, axis=0)))


def anomalies(years: Floats, values: Floats) -> Anomalies:
    """Mean, linear trend and the rest of a calendar month.

    Parameters
    ----------
    years : (n,)
    values : (n, ...)
    """
    mean = values.mean(axis=0)
    about = years - years.mean()
    square = float(about @ about)
    slope = np.tensordot(about, values - mean, 1) / square if square > 0.0 else np.zeros_like(mean)
    return Anomalies(years, mean, slope, values - mean - np.multiply.outer(about, slope))


def trend(common: Anomalies, years: Floats, values: Floats) -> Floats:
    """The driver's trend (n, ...) in all its years: a line in the common period, and a chain of lines outside.

    Parameters
    ----------
    common : the month in the common period
    years, values : (n,), (n, ...) all that the driver has
    """
    first, last = common.years[0], common.years[-1]
    middle = common.years.mean()
    line = np.multiply.outer(np.clip(years, first, last) - middle, common.slope)
    for sign, end in ((1.0, last), (-1.0, first)):
        beyond = np.flatnonzero(sign * (years - end) > 0.0)
        start, level, slope = end, common.mean + (end - middle) * common.slope, common.slope
        while beyond.size:
            far = sign * (years[beyond] - start)
            part = beyond[far <= HINGE] if far.max() > HINGE + HINGE // 2 else beyond
            run = years[part] - start
            if part.size >= HINGE // 2:
                slope = np.tensordot(run, values[part] - level, 1) / float(run @ run)
            line[part] = level - common.mean + np.multiply.outer(run, slope)
            level, start = level + sign * HINGE * slope, start + sign * HINGE
            beyond = beyond[~np.isin(beyond, part)]
    return np.asarray(line)


def ratio(wanted: Floats, own: Floats) -> Floats:
    """``wanted / own``; one where the driver has no variance that could be scaled.

    Parameters
    ----------
    wanted, own : standard deviations
    """
    some = own > 0.0
    return np.asarray(np.where(some, wanted / np.where(some, own, 1.0), 1.0))


def mapped(rest: Floats, own: Anomalies, wanted: Anomalies) -> Floats:
    """Anomalies (n, ...) by quantiles: where they stand among the driver's, there among the reference's.

    Beyond the ends the change of the ends is kept. The result has no mean, no trend and the reference's standard
    deviation over the common period.

    Parameters
    ----------
    rest : anomalies of any years
    own, wanted : of driver and reference in the common period
    """
    a, b = np.sort(own.rest, axis=0), np.sort(wanted.rest, axis=0)
    if len(b) != len(a):  # the same plotting positions
        x, y = ((np.arange(n) + 0.5) / n for n in (len(b), len(a)))
        b = np.apply_along_axis(lambda column: np.interp(y, x, column), 0, b)
    taken = _through(own.rest, a, b)
    fit = anomalies(own.years, taken)
    scale = ratio(wanted.spread, fit.spread)
    if rest is own.rest:
        return fit.rest * scale
    return (_through(rest, a, b) - fit.mean) * scale


def _through(x: Floats, a: Floats, b: Floats) -> Floats:
    """``x`` (n, ...) along the line through the points (a, b), each (k, ...) and increasing."""
    below = np.clip((a[None] <= x[:, None]).sum(axis=1) - 1, 0, len(a) - 2)
    low, high, start, end = (np.take_along_axis(q, below + n, 0) for q, n in ((a, 0), (a, 1), (b, 0), (b, 1)))
    share = np.clip(np.where(high > low, (x - low) / np.where(high > low, high - low, 1.0), 0.0), 0.0, 1.0)
    outside = np.maximum(x - a[-1], 0.0) + np.minimum(x - a[0], 0.0)
    return np.asarray(start + share * (end - start) + outside)


class Correction:
    """What must be added to each record of one variable of a driver.

    Parameters
    ----------
    driver, reference : their monthly data
    name : variable in them
    common : by calendar month the years whose mean and variance are made equal
    method : what is made equal: the mean; the variance of the years too, by scaling or by quantiles
    daily : whether the variance from day to day is too

    Attributes
    ----------
    change, spread, weather : (12, ...) change of the mean, and factors of the standard deviations of years and of days
    """

    def __init__(
        self,
        driver: MonthlyData,
        reference: MonthlyData,
        name: str,
        common: dict[int, list[int]],
        method: BiasMethod,
        *,
        daily: bool = False,
    ):
        self._means, self._months, self._whole = driver.means[name], driver.months, driver.whole
        self._where = {month: n for n, month in enumerate(driver.months)}
        self._hats = driver.hats
        shape = self._means.shape[1:]
        self.change, self.spread, self.weather = np.zeros((12, *shape)), np.ones((12, *shape)), np.ones((12, *shape))
        self._extra = np.zeros_like(self._means) if method != "mean" else None
        there = {month: n for n, month in enumerate(reference.months)}
        hats = np.zeros((12, 3))
        for m, years in common.items():
            numbers = [self._where[(y, m)] for y in years]
            theirs = [there[(y, m)] for y in years]
            wanted = reference.means[name][theirs]
            own = self._means[numbers]
            self.change[m - 1] = wanted.mean(axis=0) - own.mean(axis=0)
            hats[m - 1] = self._hats[numbers].mean(axis=0)
            if self._extra is not None:
                self._match(m, np.array(years, float), own, wanted, method)
            if daily:
                spreads = (reference.daily[name][theirs].mean(axis=0), driver.daily[name][numbers].mean(axis=0))
                self.weather[m - 1] = ratio(*(np.sqrt(v) for v in spreads))
        self._places = sorted(common)
        self._cycle_hats = hats
        self._lay_cycle()
        self._series = knots_of(self._months, self._hats)
        self._knots: dict[int, dict[int, Floats]] = {}

    def _lay_cycle(self) -> None:
        """Knots of the yearly cycle of the change, by number of the month."""
        self._cycle = np.zeros((13, *self.change.shape[1:]))
        rows = [m - 1 for m in self._places]
        self._cycle[self._places] = np.tensordot(knots_of(self._places, self._cycle_hats[rows]), self.change[rows], 1)

    def hold_outside(self, reached: npt.NDArray[np.bool_]) -> None:
        """Change levels that the reference does not have by what the nearest that it has is changed, in the mean alone.

        Parameters
        ----------
        reached : (level,) whether the reference has it
        """
        inside = np.flatnonzero(reached)
        for k in np.flatnonzero(~reached):
            self.change[:, k] = self.change[:, inside[np.argmin(np.abs(inside - k))]]
            self.spread[:, k] = self.weather[:, k] = 1.0
            if self._extra is not None:
                self._extra[:, k] = 0.0
        self._lay_cycle()

    def _match(self, m: int, years: Floats, own: Floats, wanted: Floats, method: BiasMethod) -> None:
        """Make the anomalies of a month those of the reference in size."""
        assert self._extra is not None
        here, there = anomalies(years, own), anomalies(years, wanted)
        self.spread[m - 1] = ratio(there.spread, here.spread)
        numbers = [n for n, month in enumerate(self._months) if month[1] == m]
        all_years = np.array([self._months[n][0] for n in numbers], float)
        rest = self._means[numbers] - here.mean - trend(here, all_years, self._means[numbers])
        if method == "quantile":
            new = mapped(rest, here, there)
            inside = np.isin(all_years, years)
            new[inside] = mapped(here.rest, here, there)
            self._extra[numbers] = new - rest
        else:
            self._extra[numbers] = (self.spread[m - 1] - 1.0) * rest
        partial = [n for n in numbers if self._months[n] not in self._whole]
        self._extra[partial] = 0.0  # a few days are no anomaly of a month

    def _knot(self, values: Floats, n: int) -> Floats:
        """Knot in the middle of the driver's month ``n`` of the curve that keeps monthly values (n, ...)."""
        kept = self._knots.setdefault(id(values), {})
        if n not in kept:
            if len(kept) > 6:
                kept.clear()
            row = self._series[n]
            near = np.flatnonzero(np.abs(row) > 1e-17)  # weights fall by factors of six from month to month
            kept[n] = np.tensordot(row[near], values[near], 1)
        return kept[n]

    def __call__(self, when: Stamp, values: Floats) -> Floats:
        """The corrected values of one record.

        Parameters
        ----------
        when : stamp of the record, one of the driver's
        values : of the record, as they were gathered
        """
        month: Month = when.month
        if month[1] not in self._places:  # the midnight that ends the last month of the data
            month = shifted(month, -1)
            when = Stamp(month, 0, 1.0)
        out = values.copy()
        for weight, by in zip(when.hats, (-1, 0, 1), strict=True):
            if not weight:
                continue
            place = neighbour(month[1], by)
            out += weight * self._cycle[place if place in self._places else month[1]]
        if self._extra is not None:
            out += self._curve(when, self._extra)
        factor = self.weather[month[1] - 1]
        if (factor != 1.0).any():
            out += (factor - 1.0) * (values - self._curve(when, self._means))
        return out

    def _curve(self, when: Stamp, values: Floats) -> Floats:
        """At a record, the curve that keeps monthly values (n, ...) of the driver's months."""
        n = self._where[when.month]
        places = [self._where.get(neighbour(when.month, by), n) for by in (-1, 0, 1)]
        some = [(w, k) for w, k in zip(when.hats, places, strict=True) if w]
        return np.asarray(sum(w * self._knot(values, k) for w, k in some))
