# SPDX-License-Identifier: BSD-3-Clause
"""Which years of each month a driver and a reference share, and what is said where they are too few."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from coupler.component import BiasMethod
from coupler.files.bias.moments import LEAST_YEARS
from coupler.files.bias.months import Month, Stamp, name_of, whole_months


def common_years(driver: Sequence[Stamp], reference: Sequence[Stamp]) -> dict[int, list[int]]:
    """Years of each calendar month that both have whole.

    Parameters
    ----------
    driver, reference : stamps of the records
    """
    both = sorted({*whole_months(driver)} & {*whole_months(reference)})
    return {m: [y for y, month in both if month == m] for m in range(1, 13) if any(month == m for _, month in both)}


def problems(
    driver: Sequence[Stamp], reference: Sequence[Stamp], wanted: Iterable[Month], method: BiasMethod, daily: bool
) -> list[str]:
    """What keeps a driver from being corrected by a reference, all at once.

    Parameters
    ----------
    driver, reference : stamps of the records; empty of a file without dates
    wanted : years and months of the run
    method, daily : as `moments.Correction` takes them
    """
    common = common_years(driver, reference)
    numbers = list(dict.fromkeys(m for _, m in sorted(wanted)))
    found = []
    for who, stamps in (("driver", driver), ("reference", reference)):
        there = {m for _, m in whole_months(stamps)}
        missing = [m for m in numbers if m not in there]
        if missing:
            has = names(sorted(there)) if there else "no record with a date"
            found.append(f"the {who} lacks {names(missing)}, which the run needs; it has {has}")
    apart = [m for m in numbers if m not in common]
    if not found and apart:
        spans = [f"{who} {span(stamps)}" for who, stamps in (("driver", driver), ("reference", reference))]
        found.append(f"driver and reference share no year of {names(apart)}: {', '.join(spans)}")
    few = min((len(common.get(m, ())) for m in numbers), default=0)
    needs = f"the variance of a month needs at least {LEAST_YEARS} years that both have"
    if method != "mean" and few < LEAST_YEARS:
        found.append(f"{needs}, found {few}; add data, or correct the mean alone with  --method mean")
    elif found:
        found.append(f"{needs}, the mean at least one; found {few}")
    return found


def names(months: Sequence[int]) -> str:
    """Months by name; a long list by its first and last.

    Parameters
    ----------
    months : 1 to 12
    """
    words = [name_of(m) for m in months]
    return ", ".join(words) if len(words) < 12 else "all months"


def span(stamps: Sequence[Stamp]) -> str:
    """First and last month of some records.

    Parameters
    ----------
    stamps : of the records
    """
    months = sorted({s.month for s in stamps})
    return "{:04d}-{:02d}".format(*months[0]) + (" to {:04d}-{:02d}".format(*months[-1]) if len(months) > 1 else "")
