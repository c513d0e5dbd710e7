# SPDX-License-Identifier: BSD-3-Clause
"""Time axis of a forcing: records on a line or on the circle of the year."""

import bisect
import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cftime

from coupler.clock import Clock
from coupler.errors import ForcingError

Method = Literal["linear", "step"]
GAP = 1.5
"""Of an axis's own step: two records that are farther apart lack one between them."""


@dataclass(frozen=True)
class Coverage:
    """What a forcing has.

    Parameters
    ----------
    first, last : str
        First and last date that can be asked for, ISO-8601 in the file's calendar.
    records : int
        Number of records; 0 of a field that does not change.
    cyclic : bool
        Whether it repeats every year.
    calendar : str
        The file's calendar.
    """

    first: str
    last: str
    records: int
    cyclic: bool
    calendar: str

    def __str__(self) -> str:
        if not self.records:
            return "constant in time"
        kind = "a yearly cycle of" if self.cyclic else ""
        return f"{kind} {self.records} records, {self.first} to {self.last} ({self.calendar})".strip()


class TimeAxis:
    """Records in time: on a line (seconds since the start of the case) or on the circle of the year (0 to 12)."""

    def __init__(
        self,
        dates: Sequence[cftime.datetime],
        bounds: Sequence[tuple[cftime.datetime, cftime.datetime]],
        where: Sequence[tuple[Path, int]],
        cyclic: bool,
        clock: Clock,
        path: str,
    ):
        self.cyclic, self.clock, self.path = cyclic, clock, path
        self.calendar = str(dates[0].calendar)
        place = _place_in_year if cyclic else self._seconds
        edges = [(place(a), place(b)) for a, b in bounds] if len(bounds) == len(dates) else []
        points = [place(date) for date in dates]
        if edges:
            points = [self._centre(p, *edge) for p, edge in zip(points, edges, strict=True)]
        order = sorted(range(len(points)), key=points.__getitem__)
        self.points = [points[n] for n in order]
        self.edges = [edges[n] for n in order] if edges else []
        self.dates, self.where = tuple(dates[n] for n in order), tuple(where[n] for n in order) if where else ()
        self._intervals = [bounds[n] for n in order] if edges else []
        for n, (a, b) in enumerate(itertools.pairwise(self.points)):
            if b <= a:
                same = " and ".join(
                    f"{_iso(d)} (record {order[n + k] + 1})" for k, d in enumerate(self.dates[n : n + 2])
                )
                year = (
                    " within one year, as those of a yearly cycle must: cut out or average one year" if cyclic else ""
                )
                raise ForcingError(f"{path}: times do not increase: {same}{year}")

    def _centre(self, point: float, low: float, high: float) -> float:
        """The time that a record stands for: its own, or the middle of its interval if it marks the interval's end."""
        if not self.cyclic:
            return point if low < point < high else 0.5 * (low + high)
        length = (high - low) % 12.0 or 12.0
        return point if 0.0 < (point - low) % 12.0 < length else (low + 0.5 * length) % 12.0

    def month(self, index: int) -> cftime.datetime:
        """A date in the month that a record stands for."""
        return self._intervals[index][0] if self._intervals else self.dates[index]

    def _seconds(self, date: cftime.datetime) -> float:
        """Model time of a date of the file, by what stands in the calendar."""
        parts = (date.year, date.month, date.day, date.hour, date.minute, date.second, date.microsecond)
        try:
            own = cftime.datetime(*parts, calendar=self.clock.calendar)
        except ValueError as error:
            raise ForcingError(
                f"{self.path}: its calendar ({self.calendar}) has {_iso(date)}, the case's ({self.clock.calendar}) "
                f"does not; run the case with calendar: {self.calendar}"
            ) from error
        delta = own - self.clock.origin
        return float(delta.days * 86400.0 + delta.seconds + 1e-6 * delta.microseconds)

    @functools.cached_property
    def coverage(self) -> Coverage:
        """See `Coverage`."""
        first, last = self.dates[0], self.dates[-1]
        if self._intervals and not self.cyclic:
            first, last = self._intervals[0][0], self._intervals[-1][1]
        return Coverage(_iso(first), _iso(last), len(self.dates), self.cyclic, self.calendar)

    @functools.cached_property
    def gaps(self) -> list[tuple[int, int]]:
        """Records before and after each gap: farther apart than `GAP` of the axis's own step, which is its median.

        An axis has a step of its own where half of its steps or more differ from the median by less than a tenth, as
        those of months and years do. Intervals (time bounds) that touch leave no gap between them.
        """
        pairs = list(itertools.pairwise(range(len(self.points))))
        if self.cyclic:
            pairs.append((len(self.points) - 1, 0))
            steps = [(self.points[b] - self.points[a]) % 12.0 for a, b in pairs]
        else:
            steps = [(self.dates[b] - self.dates[a]).total_seconds() for a, b in pairs]  # in the file's own calendar
        if len(steps) < 2:
            return []
        own = sorted(steps)[(len(steps) - 1) // 2]
        if 2 * sum(abs(s - own) < 0.1 * own for s in steps) < len(steps):
            return []
        return [pair for pair, s in zip(pairs, steps, strict=True) if s > GAP * own and not self._touch(*pair)]

    def _touch(self, before: int, after: int) -> bool:
        if not self._intervals:
            return False
        end, start = self._intervals[before][1], self._intervals[after][0]
        return end == start or (self.cyclic and (end.month, end.day) == (start.month, start.day))

    def lacking(self, start: float, end: float) -> list[str]:
        """The gaps that a run from `start` to `end` (model time, s) would read across, in words."""
        return [
            f"records are missing between {_iso(self.dates[a])} ({self.where[a][0].name}) and {_iso(self.dates[b])} "
            f"({self.where[b][0].name})"
            for a, b in self.gaps
            if self._meets(self.points[a], self.points[b], start, end)
        ]

    def _meets(self, before: float, after: float, start: float, end: float) -> bool:
        """Whether a run asks for a time between two records."""
        if not self.cyclic:
            return before < end and start < after
        at, length = _place_in_year(self.clock.date(int(start))), (end - start) / (86400.0 * 365.2425 / 12.0)
        return 0.0 < (at - before) % 12.0 < (after - before) % 12.0 or (before - at) % 12.0 < length

    def limits(self, method: Method) -> tuple[float, float]:
        """First and last model time of a line."""
        if self.edges:
            return self.edges[0][0], self.edges[-1][1]
        if method == "step" and len(self.points) > 1:  # the last record holds as long as the one before
            return self.points[0], 2 * self.points[-1] - self.points[-2]
        return self.points[0], self.points[-1]

    def around(self, time: int) -> tuple[int, int, float]:
        """Records before and after a time and the weight of the later."""
        point = _place_in_year(self.clock.date(time)) if self.cyclic else float(time)
        n = len(self.points)
        after = bisect.bisect_right(self.points, point)
        if not self.cyclic:
            after = min(after, n - 1)
            before = max(after - 1, 0)
            if before == after or point <= self.points[before]:  # beside the first record, but within its interval
                return before, before, 0.0
            way = (point - self.points[before]) / (self.points[after] - self.points[before])
            return before, after, min(way, 1.0)
        before = (after - 1) % n
        after %= n
        gap = (self.points[after] - self.points[before]) % 12.0
        return before, after, ((point - self.points[before]) % 12.0) / gap if gap else 0.0

    def holding(self, time: int) -> int:
        """Record whose bounds hold a time, or the last one that is not later."""
        point = _place_in_year(self.clock.date(time)) if self.cyclic else float(time)
        for i, (low, high) in enumerate(self.edges):
            if (point - low) % 12.0 < ((high - low) % 12.0 or 12.0) if self.cyclic else low <= point < high:
                return i
        if self.edges and not self.cyclic and point == self.edges[-1][1]:
            return len(self.edges) - 1
        return (bisect.bisect_right(self.points, point) - 1) % len(self.points)


def _place_in_year(date: cftime.datetime) -> float:
    """Months since the start of the year, by date alone: mid-January is 0.5 in every calendar."""
    days = date.daysinmonth
    seconds = date.hour * 3600 + date.minute * 60 + date.second + 1e-6 * date.microsecond
    return float(date.month - 1 + ((date.day - 1) * 86400 + seconds) / (days * 86400))


def _iso(date: cftime.datetime) -> str:
    return str(date.strftime("%Y-%m-%dT%H:%M:%S"))
