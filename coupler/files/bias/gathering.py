# SPDX-License-Identifier: BSD-3-Clause
"""What a correction must know of a data set: its monthly means and its variance from day to day, in one reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coupler.files.bias.months import Month, Stamp, knots_of, shifted, whole_months

Floats = npt.NDArray[np.float64]
Fields = Mapping[str, Floats]
REACH = 4
"""Months beyond which a monthly mean moves a knot by less than a thousandth of itself."""


@dataclass
class MonthlyData:
    """Monthly means of a data set, and its variance from day to day.

    Attributes
    ----------
    months : of all records, in order
    whole : those with about as many records as the others
    hats : (n, 3) means of `Stamp.hats` over each month's records
    means : by variable (n, ...)
    daily : by variable (n, ...), variance of the days' means about the curve that keeps the monthly means; empty unless
        asked
    """

    months: list[Month]
    whole: set[Month]
    hats: Floats
    means: dict[str, Floats]
    daily: dict[str, Floats]


class _Days:
    """Sums over the days of a month: of the values, their squares and their products with the hats."""

    def __init__(self, first: Fields):
        self.base = {name: np.array(x) for name, x in first.items()}
        self.count = 0
        self.hats = np.zeros(3)
        self.products = np.zeros((3, 3))
        self.squares = {name: np.zeros_like(x) for name, x in self.base.items()}
        self.along = {name: np.zeros((3, *x.shape)) for name, x in self.base.items()}

    def add(self, hats: Floats, day: Fields) -> None:
        """One day's mean, and the mean of the hats over it."""
        self.count += 1
        self.hats += hats
        self.products += np.outer(hats, hats)
        for name, x in day.items():
            x = x - self.base[name]
            self.squares[name] += x * x
            for n in np.flatnonzero(hats):
                self.along[name][n] += hats[n] * x

    def variance(self, name: str, knots: Sequence[Floats]) -> Floats:
        """Variance about the curve with the knots in the middle of the month before, of this and of the next."""
        n = self.count
        x = [k - self.base[name] for k in knots]
        total = sum(self.along[name])
        level = sum(h * k for h, k in zip(self.hats, x, strict=True))
        mean = (total - level) / n
        square = self.squares[name] - 2.0 * sum(a * k for a, k in zip(self.along[name], x, strict=True))
        square = square + sum(self.products[i, j] * x[i] * x[j] for i in range(3) for j in range(3))
        return np.asarray(np.maximum(square / n - mean * mean, 0.0))


def gather(
    stamps: Sequence[Stamp],
    read: Callable[[int], Fields],
    *,
    daily: bool,
    progress: Callable[[float], None] = lambda share: None,
) -> MonthlyData:
    """Read all records of a data set once.

    Parameters
    ----------
    stamps : of the records, in order of time
    read : gives the fields of a record by its number
    daily : also the variance from day to day
    progress : takes the share of the records read
    """
    months = sorted({s.month for s in stamps})
    place = {month: n for n, month in enumerate(months)}
    means: dict[str, Floats] = {}
    variances: dict[str, Floats] = {}
    hats = np.zeros((len(months), 3))
    counts = np.zeros(len(months))
    days: dict[Month, _Days] = {}
    day: dict[str, Floats] = {}
    in_day, day_hats = 0, np.zeros(3)

    def close(n: int, end: int) -> None:
        """The variance of month ``n`` once those before ``end`` are known: what is farther off moves no knot."""
        month, window = months[n], range(max(n - REACH, 0), end)
        if month not in days:
            return
        knots = knots_of([months[k] for k in window], hats[window])
        rows = [knots[place.get(shifted(month, by), n) - window.start] for by in (-1, 0, 1)]
        for name, values in means.items():
            around = [np.tensordot(row, values[window.start : end], 1) for row in rows]
            variances[name][n] = days[month].variance(name, around)
        del days[month]

    for number, s in enumerate(stamps):
        fields, n = read(number), place[s.month]
        if not means:
            means = {name: np.zeros((len(months), *x.shape)) for name, x in fields.items()}
            variances = {name: np.zeros((len(months), *x.shape)) for name, x in fields.items()} if daily else {}
        hats[n] += s.hats
        counts[n] += 1
        for name, x in fields.items():
            means[name][n] += x
        if daily:
            for name, x in fields.items():
                day[name] = day[name] + x if in_day else np.array(x)
            in_day, day_hats = in_day + 1, day_hats + s.hats
        last = number + 1 == len(stamps)
        if daily and (last or (stamps[number + 1].month, stamps[number + 1].day) != (s.month, s.day)):
            mean = {name: x / in_day for name, x in day.items()}
            days.setdefault(s.month, _Days(mean)).add(day_hats / in_day, mean)
            in_day, day_hats = 0, np.zeros(3)
        if last or stamps[number + 1].month != s.month:
            hats[n] /= counts[n]
            for values in means.values():
                values[n] /= counts[n]
            if n >= REACH:
                close(n - REACH, n + 1)
        progress((number + 1) / len(stamps))
    for n in range(len(months)):
        close(n, min(n + REACH + 1, len(months)))
    return MonthlyData(months, set(whole_months(stamps)), hats, means, variances)
