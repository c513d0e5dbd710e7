# SPDX-License-Identifier: BSD-3-Clause
"""Fertiliser by crop, date or stage, amount and form; without a plan, half of the table's at sowing and half later.

Urea is ammonium from the day on which it is given: in warm, moist soil most of it is hydrolysed within one to a few
days, so that a store of it would change little at the daily clock. It then volatilises and is nitrified as ammonium;
the high pH around granules of urea, by which fields lose more ammonia, is not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from components.science.sums import in_order
from coupler.namelist import MonthAndDay, Namelist, day_of_year, quantity, whole

SECOND_DRESSING = 0.5  # stage at which the second half of the table's fertiliser is given
SOWING = -1.0  # stands for the day of sowing among stages
Amount = quantity("kg m-2", least=0.0, most=0.1)
Stage = quantity("1", least=0.0, most=2.0)
DayOfYear = whole(1, 366)
Crop = Literal["maize", "rice", "soybean", "wheat"]
Form = Literal["ammonium", "nitrate", "ammonium_nitrate", "urea", "phosphate"]
SHARES: Mapping[str, tuple[float, float, float]] = {
    "ammonium": (1.0, 0.0, 0.0), "nitrate": (0.0, 1.0, 0.0), "ammonium_nitrate": (0.5, 0.5, 0.0),
    "urea": (1.0, 0.0, 0.0), "phosphate": (0.0, 0.0, 1.0),
}  # fmt: skip
"""Of an amount: nitrogen as ammonium and as nitrate, phosphorus."""


class Dressing(Namelist):
    """``{date: 05-20, amount: 60 kg ha-1, form: urea}``: at sowing where no day, date or stage is given."""

    at_most_one = ("day", "date", "stage")
    amount: Amount
    """Of nitrogen, or of phosphorus where it is phosphate."""
    form: Form = "ammonium_nitrate"
    """What it is; a compound fertiliser is several dressings of one day."""
    day: DayOfYear | None = None
    """Day of the year on which it is given, every year, whether the crop stands or not."""
    date: MonthAndDay | None = None
    """The same as month and day, 05-20."""
    stage: Stage | None = None
    """Stage of development at which it is given: 0 at emergence, 1 at flowering, 2 at maturity."""

    @property
    def day_of_year(self) -> int | None:
        """Of a year of 365 days; None where it goes by stage."""
        return day_of_year(self.date) if self.date else None if self.day is None else min(self.day, 365)


Plans = Mapping[Any, list[Dressing]]  # by Crop
"""Dressings by crop; an empty list: none."""


class Plan(NamedTuple):
    """Dressings of columns, (dressing, columns).

    Attributes
    ----------
    day : of the year, NaN where it goes by stage
    stage : of development, :data:`SOWING`, or NaN where it goes by date
    ammonium, nitrate, phosphorus : kg m-2
    planned : (1, columns) 1 where the plan holds, 0 where the table does
    """

    day: Tensor
    stage: Tensor
    ammonium: Tensor
    nitrate: Tensor
    phosphorus: Tensor
    planned: Tensor


class Given(NamedTuple):
    """Fertiliser of a day, (columns,), kg m-2."""

    ammonium: Tensor
    nitrate: Tensor
    phosphorus: Tensor


class Moments(NamedTuple):
    """What happens in a day, (columns,).

    Attributes
    ----------
    sown, emerged : whether the crop is, today
    before, after : its stage
    date : day of the year, or None
    """

    sown: Tensor
    emerged: Tensor
    before: Tensor
    after: Tensor
    date: Tensor | None


def plan_of(plans: Plans, plants: Sequence[str], like: Tensor) -> Plan | None:
    """Dressings of columns; None without any.

    Parameters
    ----------
    plans : by crop
    plants : one name a column
    like : (columns,) for type and device
    """
    if not plans:
        return None
    most = max(1, *(len(v) for v in plans.values()))
    rows: dict[str, list[list[float]]] = {k: [] for k in Plan._fields[:-1]}
    for k in range(most):
        named = {name: v[k] for name, v in plans.items() if k < len(v)}
        of = [named.get(name) for name in plants]
        for name, values in zip(rows, zip(*(_row(d) for d in of), strict=True), strict=True):
            rows[name].append(list(values))
    planned = [[float(name in plans) for name in plants]]
    made = [torch.tensor(v, dtype=like.dtype, device=like.device) for v in (*rows.values(), planned)]
    return Plan(*made)


def _row(d: Dressing | None) -> tuple[float, ...]:
    nan = float("nan")
    if d is None:
        return nan, nan, 0.0, 0.0, 0.0
    day = d.day_of_year
    if day is not None:
        when = float(day), nan
    else:
        when = nan, SOWING if d.stage is None else d.stage
    return *when, *(share * d.amount for share in SHARES[d.form])


def scaled(plan: Plan, nitrogen: Tensor | None, phosphorus: Tensor | None) -> Plan:
    """A plan whose dressings share out the amounts of a map, in proportion to their own.

    Parameters
    ----------
    plan : of columns
    nitrogen, phosphorus : (columns,) kg m-2 a season, NaN where the map has none; None: no map
    """

    def factor(whole: Tensor | None, own: Tensor) -> Tensor:
        if whole is None:
            return torch.ones_like(own)
        known = torch.isfinite(whole) & (own > 0.0)
        return torch.where(known, whole / torch.where(known, own, torch.ones_like(own)), torch.ones_like(own))

    n = factor(nitrogen, in_order(plan.ammonium + plan.nitrate, 0))
    p = factor(phosphorus, in_order(plan.phosphorus, 0))
    return plan._replace(ammonium=n * plan.ammonium, nitrate=n * plan.nitrate, phosphorus=p * plan.phosphorus)


def by_table(m: Moments, nitrogen: Tensor, urea: Tensor, phosphorus: Tensor) -> Given:
    """Half of the table's at sowing and half at :data:`SECOND_DRESSING`.

    Parameters
    ----------
    m : of the day
    nitrogen, phosphorus : of a season, kg m-2
    urea : share of the nitrogen that is urea or ammonium
    """
    share = 0.5 * (m.sown | _reached(m, torch.full_like(m.after, SECOND_DRESSING))).to(nitrogen.dtype)
    n = share * nitrogen
    return Given(urea * n, n - urea * n, share * phosphorus)


def _reached(m: Moments, stage: Tensor) -> Tensor:
    return (m.before < stage) & (m.after >= stage)


def by_plan(m: Moments, plan: Plan, otherwise: Given) -> Given:
    """Fertiliser of a day by the plan, and as otherwise where it has none.

    Parameters
    ----------
    m : of the day
    plan : of the columns
    otherwise : where the plan does not hold
    """
    due = torch.where(plan.stage == SOWING, m.sown, (plan.stage == 0.0) & m.emerged | _reached(m, plan.stage))
    if m.date is not None:
        due = due | (m.date == plan.day)
    planned = plan.planned[0] > 0.5
    none = torch.zeros_like(plan.ammonium)
    amounts = plan.ammonium, plan.nitrate, plan.phosphorus
    given = [in_order(torch.where(due, v, none), 0) for v in amounts]
    return Given(*(torch.where(planned, a, b) for a, b in zip(given, otherwise, strict=True)))


def days_of(plans: Plans) -> dict[str, list[int]]:
    """Days of the year on which a crop is fertilised whatever its stage.

    Parameters
    ----------
    plans : by crop
    """
    return {k: [d.day_of_year for d in v if d.day_of_year is not None] for k, v in plans.items()}


def problems(plans: Plans, grown: Sequence[str]) -> list[str]:
    """What is wrong with plans beyond the range of each value.

    Parameters
    ----------
    plans : by crop
    grown : names of all plants of the case where they are listed, else empty
    """
    return [
        f"fertiliser: {k} does not grow here; plants has {', '.join(grown)}" for k in plans if grown and k not in grown
    ]
