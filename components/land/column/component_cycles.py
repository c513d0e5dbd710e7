# SPDX-License-Identifier: BSD-3-Clause
"""The cycles of carbon and nutrients of a land component: their deposition, and their rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from torch import Tensor

from components.land.column.cycles import spin_up
from components.land.column.cycles.pools import Cycles, Traits
from components.science.sums import in_order
from coupler.component import Array, Context, Setting
from coupler.errors import CaseError
from coupler.files.forcing import Forcing as File

DEPOSITION = "minus_tendency_of_atmosphere_mass_content_of_nitrogen_compounds_expressed_as_nitrogen_due_to_deposition"
YEAR_OF_DAYS = 365
PER_YEAR = 365.0 * 86400.0 * 1e4  # kg m-2 s-1 to kg ha-1 a-1


class Deposition:
    """Nitrogen that falls on the land: imported, else out of a file, else a constant; the log says which.

    Parameters
    ----------
    context : Context
        Of the component.
    file : str
        CF file of the options, or empty.
    constant : float
        kg N m-2 s-1.
    cells : array
        The block's cells with land.
    """

    def __init__(self, context: Context, file: str, constant: float, cells: Array) -> None:
        self.constant, self.cells, self.file, self.said, self.log = constant, cells, None, False, context.log
        self.name = file
        if file:
            b = context.decomposition.block_of(context.rank)
            block = (slice(b.y0, b.y1), slice(b.x0, b.x1))
            self.file = File(context.file(file), DEPOSITION, context.clock, grid=context.grid, block=block)

    def at(self, time: int, imported: Any) -> Array | Tensor:
        """By cell of the block, kg N m-2 s-1.

        Parameters
        ----------
        time : of the middle of the step, s
        imported : field of the block, or None
        """
        if not self.said:
            self.said = True
            self.log(f"nitrogen deposition: {self._source(imported is not None)}")
        if imported is not None:
            given = imported if isinstance(imported, Tensor) else np.asarray(imported)
            return given.clip(0.0)  # an air with rounding below nothing takes no nitrogen out of the soil
        if self.file is None:
            return np.full(self.cells.shape, self.constant)
        values = self.file.at(time)
        return np.where(np.isfinite(values), values, self.constant)

    def _source(self, imported: bool) -> str:
        if imported:
            return "imported"
        if self.file is not None:
            return f"{self.name}; cells that it lacks get {self.constant * PER_YEAR:.3g} kg N ha-1 a-1"
        return f"{self.constant * PER_YEAR:.3g} kg N ha-1 a-1 everywhere (nitrogen_deposition); none is imported"


def check_deposition(file: str, setting: Setting) -> None:
    """Open the file of deposition, where one is named, and close it again.

    Parameters
    ----------
    file : of the options, or empty
    setting : of the component

    Raises
    ------
    TesseraError
        It is missing, of another grid or unit, or ends before the run.
    """
    if file:
        File(setting.file(file), DEPOSITION, setting.clock, grid=setting.grid).close()


def to_rest(
    cycles: Cycles | None, traits: Traits | None, years: float | None, report: Callable[[str, float], None]
) -> Cycles:
    """Cycles whose wood, debris and organic matter are at rest, or as they are ``years`` later; see `spin_up.at_rest`.

    Parameters
    ----------
    cycles, traits : of the columns
    years : of steady means, or None
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
    rested = spin_up.at_rest(cycles, traits, years)
    report("stores at rest" if years is None else f"stores {years:g} years later", 1.0)
    return rested


def totals(before: Cycles | None, after: Cycles, mean: Callable[[Tensor], Tensor]) -> Mapping[str, tuple[float, float]]:
    """Mean stores of carbon before and after, by name and unit.

    Parameters
    ----------
    before, after : of the columns
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

    found = [{k: float(mean(v).mean()) for k, v in of(c).items()} for c in (before or after, after)]
    return {f"carbon in {k}, kg m-2": (v, found[1][k]) for k, v in found[0].items()}
