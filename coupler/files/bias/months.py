# SPDX-License-Identifier: BSD-3-Clause
"""Records by calendar month, and curves through monthly means that keep them."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Month = tuple[int, int]
"""Year, and month 1 to 12."""
WHOLE = 0.75
"""Share of the usual number of records from which a month counts as whole."""


@dataclass(frozen=True)
class Stamp:
    """When a record is: its month, its day in it, and the share of the month that has passed (0 to 1)."""

    month: Month
    day: int
    share: float

    @property
    def hats(self) -> Floats:
        """(3,) weights of the knots in the middle of the month before, of this and of the next; their sum is one."""
        u = self.share - 0.5
        return np.array([max(-u, 0.0), 1.0 - abs(u), max(u, 0.0)])


def stamp(date: Any) -> Stamp:
    """Stamp of a cftime date of any calendar.

    Parameters
    ----------
    date : cftime date

    Examples
    --------
    >>> import cftime
    >>> stamp(cftime.datetime(2001, 2, 16, calendar="360_day")).share
    0.5
    """
    seconds = 3600.0 * date.hour + 60.0 * date.minute + date.second
    return Stamp((date.year, date.month), date.day, (date.day - 1 + seconds / 86400.0) / date.daysinmonth)


def shifted(month: Month, by: int) -> Month:
    """The month some months later.

    Parameters
    ----------
    month : year and month
    by : months, also negative

    Examples
    --------
    >>> shifted((2001, 12), 1)
    (2002, 1)
    """
    number = 12 * month[0] + month[1] - 1 + by
    return number // 12, number % 12 + 1


def name_of(month: int) -> str:
    """Name of a month, 1 to 12.

    Parameters
    ----------
    month : 1 to 12
    """
    return calendar.month_name[month]


def whole_months(stamps: Iterable[Stamp]) -> list[Month]:
    """Months that have about as many records as the others, in order.

    Parameters
    ----------
    stamps : of all records
    """
    counts: dict[Month, int] = {}
    for s in stamps:
        counts[s.month] = counts.get(s.month, 0) + 1
    usual = float(np.median(list(counts.values()))) if counts else 0.0
    return sorted(month for month, count in counts.items() if count >= WHOLE * usual)


def knots_of(places: Sequence[int | Month], hats: Floats) -> Floats:
    """Inverse of the matrix that takes knots of a curve to the means of its records over months.

    The curve is linear between knots in the middle of the months; its means over each month's records are then the
    given ones to rounding (Sheng & Zwiers 1998, Clim. Dyn. 14, 609; Taylor et al. 2000, PCMDI report 60).

    Parameters
    ----------
    places : months in order: numbers 1 to 12 of a yearly cycle, or years and months of a series; where a neighbour
        is missing the curve is level
    hats : (n, 3) means of `Stamp.hats` over the records of each

    Returns
    -------
    array (n, n)
        Rows give each knot from the monthly means.
    """
    where = {place: n for n, place in enumerate(places)}
    matrix = np.zeros((len(places), len(places)))
    for n, place in enumerate(places):
        for weight, by in zip(hats[n], (-1, 0, 1), strict=True):
            matrix[n, where.get(neighbour(place, by), n)] += weight
    return np.asarray(np.linalg.inv(matrix))


def neighbour(place: Any, by: int) -> Any:
    """The place some months later, of a yearly cycle (1 to 12) or of a series (year, month).

    Parameters
    ----------
    place : number of a month, or year and month
    by : months
    """
    return (place - 1 + by) % 12 + 1 if isinstance(place, int) else shifted(place, by)
