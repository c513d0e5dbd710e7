# SPDX-License-Identifier: BSD-3-Clause
"""Several fields of a run at the times that all of them have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cftime
import numpy as np
import numpy.typing as npt

from coupler.analysis.records import Record, fields_of, outputs, read
from coupler.errors import CaseError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Gathered:
    """Fields of one grid at common times.

    Attributes
    ----------
    times : (n,) cftime dates
    values : by name (n, ny, nx), in the units that `records` shows (degrees Celsius, hPa, mm/day; else the file's)
    longitude, latitude : (ny, nx) degrees
    """

    times: list[Any]
    values: dict[str, Floats]
    longitude: Floats
    latitude: Floats

    @property
    def hours(self) -> Floats:
        """Hours (n,) since the first time."""
        return np.array([(t - self.times[0]).total_seconds() / 3600.0 for t in self.times])

    def daily(self, name: str) -> tuple[list[Any], Floats]:
        """Means by calendar day: the days, as dates at noon, and the values (days, ny, nx).

        Parameters
        ----------
        name : of a field
        """
        days = [t.replace(hour=12, minute=0, second=0, microsecond=0) for t in self.times]
        kept = list(dict.fromkeys(days))
        number = np.array([kept.index(d) for d in days])
        return kept, np.stack([self.values[name][number == k].mean(axis=0) for k in range(len(kept))])


def find(history: Path, name: str) -> Record | None:
    """A field of a run's output, from the stream with most records; None where there is none.

    Parameters
    ----------
    history : folder of the output
    name : of the field
    """
    there = [read(path, name) for path in outputs(history) if name in fields_of(path)]
    return max(there, key=lambda r: len(r.times), default=None)


def gather(history: Path, names: Sequence[str], what: str) -> Gathered:
    """Fields of a run's output at the times that all have.

    Parameters
    ----------
    history : folder of the output
    names : of the fields
    what : needs them, for messages

    Raises
    ------
    CaseError
        Fields that no output has, other grids, or no common time.
    """
    found = {name: find(history, name) for name in names}
    missing = [name for name, record in found.items() if record is None]
    if missing:
        raise CaseError(
            f"{what}: no output in {history} has {', '.join(missing)}; add them to an output of the component's"
            " namelist, such as  - {name: upper_air, fields: [...], period: PT6H, statistic: instant}  and run the case"
        )
    records = [record for record in found.values() if record is not None]
    first = records[0]
    if any(r.longitude.shape != first.longitude.shape for r in records):
        raise CaseError(f"{what}: {', '.join(names)} stand on different grids")
    times = sorted(set.intersection(*({middle(r, k) for k in range(len(r.times))} for r in records)))
    if not times:
        raise CaseError(f"{what}: {', '.join(names)} have no time in common; write them into one output")
    values = {}
    for record in records:
        place = {middle(record, k): k for k in range(len(record.times))}
        values[record.name] = record.values[[place[t] for t in times]]
    return Gathered(times, values, first.longitude, first.latitude)


def middle(record: Record, k: int) -> Any:
    """Time for which a record stands: its instant, or the middle of its interval.

    Parameters
    ----------
    record : of a run's output
    k : its number
    """
    if not record.intervals:
        return record.times[k]
    begin, end = record.intervals[k]
    return begin + (end - begin) / 2


def standard_date(date: Any) -> cftime.datetime:
    """The same date of the standard calendar, which agencies and stations use.

    Raises
    ------
    CaseError
        A date that it does not have, such as 30 February.
    """
    try:
        return cftime.datetime(*date.timetuple()[:6], calendar="standard")
    except ValueError:
        raise CaseError(f"{date} of the calendar {date.calendar} is not a date of the standard calendar") from None
