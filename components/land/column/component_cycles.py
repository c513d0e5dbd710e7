# SPDX-License-Identifier: BSD-3-Clause
"""The cycles of carbon and nutrients of a land component: their deposition, and their rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from components.land.column.cycles import disturbance, spin_up
from components.land.column.cycles.disturbance import Disturbance, Past, Removed
from components.land.column.cycles.pools import Cycles, Traits
from components.science.sums import in_order
from coupler.clock import Clock
from coupler.component import Array, Context, Setting
from coupler.errors import CaseError
from coupler.files.forcing import Cycle
from coupler.files.forcing import Forcing as File

DEPOSITION = "minus_tendency_of_atmosphere_mass_content_of_nitrogen_compounds_expressed_as_nitrogen_due_to_deposition"
PHOSPHORUS_DEPOSITION = (
    "minus_tendency_of_atmosphere_mass_content_of_phosphorus_compounds_expressed_as_phosphorus_due_to_deposition"
)
YEAR_OF_DAYS = 365
PER_YEAR = 365.0 * 86400.0 * 1e4  # kg m-2 s-1 to kg ha-1 a-1


class Falling(NamedTuple):
    """An element that falls on the land.

    Attributes
    ----------
    element : its name
    symbol : of units
    field : that is imported
    variable : standard name or name in a file
    small, most : kg m-2 s-1, rounding below nothing, and beyond what falls anywhere
    """

    element: str
    symbol: str
    field: str
    variable: str
    small: float
    most: float


NITROGEN = Falling("nitrogen", "N", DEPOSITION, DEPOSITION, 1e-13, 1e-8)
PHOSPHORUS = Falling("phosphorus", "P", PHOSPHORUS_DEPOSITION, "phosphorus_deposition", 1e-15, 1e-9)


class Deposition:
    """What falls of an element: imported, else out of a file, else a constant; the log says which.

    Parameters
    ----------
    what : Falling
        Nitrogen or phosphorus.
    context : Context
        Of the component.
    file : str
        CF file of the options, or empty.
    cycle : {'auto', 'yearly', 'none'}
        Whether its records repeat every year.
    constant : float
        kg m-2 s-1.
    cells : array
        The block's cells with land.
    """

    def __init__(self, what: Falling, context: Context, file: str, cycle: Cycle, constant: float, cells: Array) -> None:
        self.what, self.constant, self.cells, self.log = what, constant, cells, context.log
        self.file, self.said = None, False
        self.name = file
        if file:
            b = context.decomposition.block_of(context.rank)
            block = (slice(b.y0, b.y1), slice(b.x0, b.x1))
            self.file = File(
                context.file(file), what.variable, context.clock, cycle=cycle, grid=context.grid, block=block
            )

    def at(self, time: int, imports: Mapping[str, Any] | None = None) -> Array | Tensor:
        """By cell of the block, kg m-2 s-1.

        Parameters
        ----------
        time : of the middle of the step, s
        imports : fields of the block, with or without it; None: without
        """
        imported = (imports or {}).get(self.what.field)
        if not self.said:
            self.said = True
            self.log(f"{self.what.element} deposition: {self._source(imported is not None)}")
        if imported is not None:
            given = imported if isinstance(imported, Tensor) else np.asarray(imported)
            return given.clip(0.0)  # an air with rounding below nothing takes nothing out of the soil
        if self.file is None:
            return np.full(self.cells.shape, self.constant)
        values = self.file.at(time)
        return np.where(np.isfinite(values), values.clip(0.0), self.constant)

    def _source(self, imported: bool) -> str:
        if imported:
            return "imported"
        if self.file is not None:
            return f"{self.name}; cells that it lacks get {self._everywhere()}"
        return f"{self._everywhere()} everywhere ({self.what.element}_deposition)"

    def _everywhere(self) -> str:
        return f"{self.constant * PER_YEAR:.3g} kg {self.what.symbol} ha-1 a-1"


class Depositions(NamedTuple):
    """Of both elements that come with the air."""

    nitrogen: Deposition
    phosphorus: Deposition


def depositions(context: Context, options: Any, cells: Array) -> Depositions:
    """What falls on a land, as its options have it.

    Parameters
    ----------
    context : of the component
    options : ColumnOptions
    cells : the block's cells with land
    """
    o = options
    return Depositions(
        Deposition(NITROGEN, context, o.deposition_file, o.deposition_cycle, o.nitrogen_deposition, cells),
        Deposition(
            PHOSPHORUS, context, o.phosphorus_deposition_file, o.deposition_cycle, o.phosphorus_deposition, cells
        ),
    )


def check_deposition(what: Falling, file: str, cycle: Cycle, setting: Setting) -> list[str]:
    """What is wrong with the file of deposition, where one is named: its times and its values at the start.

    Parameters
    ----------
    what : nitrogen or phosphorus
    file, cycle : of the options
    setting : of the component

    Raises
    ------
    TesseraError
        It is missing, of another grid or unit.
    """
    if not file:
        return []
    found = File(setting.file(file), what.variable, setting.clock, cycle=cycle, grid=setting.grid)
    try:
        half = setting.step // 2
        lacking = found.problems(half, setting.duration - half)
        if lacking:
            return [text.replace("cycle: yearly", "deposition_cycle: yearly") for text in lacking]
        values = found.at(half)
        low, high = float(np.nanmin(values, initial=0.0)), float(np.nanmax(values, initial=0.0))
    finally:
        found.close()
    if low < -what.small or high > what.most:
        return [
            f"{found.path}: {found.variable} goes from {low:g} to {high:g} kg m-2 s-1; expected 0 to"
            f" {what.most:g} (what is gained by the land, {what.most * PER_YEAR:.0f} kg ha-1 a-1 at most):"
            f" mend its sign or its units, {found.file_units!r}"
        ]
    return []


class Rested(NamedTuple):
    """Cycles after a spin-up, and what left the land when the stand was replaced, if one was."""

    cycles: Cycles
    removed: Removed | None


def rested(
    c: Cycles, t: Traits, years: float | None, last: Disturbance | None, clock: Clock, past: Sequence[Past] = ()
) -> Rested:
    """Wood, debris and organic matter at rest, or as old as the stand is; or as they are ``years`` from now.

    Parameters
    ----------
    c, t : of the columns
    years : of steady means from the present stores, or None
    last : what replaced the stands of trees and shrubs last, or None
    clock : of the run, whose days the means have counted
    past : growth of plants in the past
    """
    if years is not None or (last is None and not past):
        return Rested(spin_up.at_rest(c, t, years), None)
    days = c.means.days.flatten()
    date = clock.date(round(86400 * float(days[0])) if days.numel() else 0)
    now = date.year + (date.timetuple().tm_yday - 1) / YEAR_OF_DAYS
    if last is None:
        return Rested(spin_up.through(c, t, disturbance.spans_of(past, None, now)), None)
    before = disturbance.spans_of(past, None, float(last.year)) if past else ()
    since = disturbance.spans_of(past, float(last.year), now) if past else ()
    return Rested(*disturbance.regrown(c, t, last.kind, now - last.year, last.share, before, since))


def to_rest(
    cycles: Cycles | None, traits: Traits | None, years: float | None, last: Disturbance | None, clock: Clock,
    report: Callable[[str, float], None], past: Sequence[Past] = (),
) -> Rested:  # fmt: skip
    """As `rested`, for the command: it refuses what knows too little and says what it does.

    Parameters
    ----------
    cycles, traits : of the columns
    years, last, clock, past : as of `rested`
    report : takes a line of text and the share of the work done

    Raises
    ------
    CaseError
        No cycles, or less than a year of means.
    """
    if cycles is None or traits is None:
        raise CaseError(
            "spinup: this land has no cycles of carbon; turn them on with  nitrogen: fun  or  leaves: prognostic"
        )
    days = cycles.means.days.flatten()
    lived = int(days.min()) if days.numel() else YEAR_OF_DAYS
    if lived < YEAR_OF_DAYS:
        raise CaseError(
            f"spinup: the restart knows {lived} days of means, expected {YEAR_OF_DAYS} at least; run the case on"
        )
    report(f"{traits.sla.shape[-1]} columns, means of the last {YEAR_OF_DAYS} days", 0.0)
    found = rested(cycles, traits, years, last, clock, past)
    what = "stores at rest" if years is None else f"stores {years:g} years later"
    if last is not None and years is None:
        what = f"stores since {last.kind} at the beginning of {last.year}; of herbs and crops at rest"
    if past and years is None:
        what += f"; growth of the past from {past[0].growth:g} of the last year's until {past[0].until}"
    report(what, 1.0)
    return found


def totals(before: Cycles | None, after: Rested, mean: Callable[[Tensor], Tensor]) -> Mapping[str, tuple[float, float]]:
    """Mean stores of carbon before and after, by name and unit; and what left with the last stand.

    Parameters
    ----------
    before : of the columns
    after : of the columns
    mean : over the columns of a cell
    """

    def of(cycles: Cycles) -> dict[str, Tensor]:
        c = cycles.carbon
        return {
            "leaves, roots and reserves": c.plant.leaf + c.plant.root + c.plant.storage + c.plant.harvest,
            "wood": c.plant.live_wood + c.plant.dead_wood,
            "debris": c.debris,
            "litter and organic matter": in_order(c.organic.flatten(0, 1), 0),
        }

    stores = (before or after.cycles, after.cycles)
    found = [{k: float(mean(v).mean()) for k, v in of(c).items()} for c in stores]
    said = {f"carbon in {k}, kg m-2": (v, found[1][k]) for k, v in found[0].items()}
    for how, left in () if after.removed is None else after.removed._asdict().items():
        named = {k: float(mean(v).mean()) for k, v in left._asdict().items()}
        said |= {f"{k} {how}, kg m-2": (0.0, v) for k, v in named.items() if v > 0.0}
    return said
