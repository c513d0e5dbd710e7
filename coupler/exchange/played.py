# SPDX-License-Identifier: BSD-3-Clause
"""The exchange of a plan as maps of whole fields, for who plays its schedule by himself: gradients do.

What a run does between its processes is here a chain of plain steps on one: windows, what stands in `PlayedTask` for
each task, and the merges of `imports_of`. The numbers are those of the run.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.component import Context
from coupler.errors import CaseError
from coupler.exchange.flux_operator import FluxOperator
from coupler.exchange.mapping import compact_counts, product
from coupler.exchange.merge import Merge, Share
from coupler.exchange.operators import LinearOperator
from coupler.exchange.schedule import order as order
from coupler.fields import FieldSpec, conversion, is_water
from coupler.flux_law import FluxLaw
from coupler.grids.decomposition import Decomposition
from coupler.plan import ComponentPlan, Plan, Task
from coupler.remap.matrix import CSR, transpose_rows
from coupler.remap.shared import shared_overlaps

Floats = npt.NDArray[np.float64]


class Map:
    """A linear map of fields, and its transpose.

    Parameters
    ----------
    rows : CSR
        First link of each row, then the points and weights of all links.
    points : int
        Number of points that the rows read.
    """

    def __init__(self, rows: CSR, points: int):
        self.indptr, self.indices, self.data = rows
        self.shape = (self.indptr.size - 1, points)

    def __call__(self, values: Floats) -> Floats:
        """Fields ``(columns, rows)`` of those ``(points, columns)``, by the product that a run makes."""
        out = np.empty((values.shape[1], self.shape[0]))
        product(compact_counts(self.indptr), self.indices, self.data, np.ascontiguousarray(values), out)
        return out

    def transposed(self, fields: Floats) -> Floats:
        """From fields ``(columns, rows)`` to ``(points, columns)``."""
        indptr, indices, data = self._turned
        out = np.empty((fields.shape[0], self.shape[1]))
        product(compact_counts(indptr), indices, data, np.ascontiguousarray(fields.T), out)
        return out.T

    @functools.cached_property
    def _turned(self) -> CSR:
        indptr, row, links = transpose_rows(self.indptr, self.indices, self.shape[1])
        return indptr, row.astype(np.int32), self.data[links]


@dataclass(frozen=True)
class PlayedTask:
    """One task: from the windows of its bundles to what each target gets.

    Attributes
    ----------
    task : Task
    states : tuple of Map
        Of a flux node: from the cells of either side to the points; empty of a connection.
    law, options : FluxLaw and its options, or None
    rows : tuple of Map, or None
        From the points (the source's cells, of a connection) to the cells of each target; None: they are the same.
    constants : tuple of array (cells,) or None
        Fixed values of some cells of each target, NaN elsewhere.
    covered : tuple of array (cells,)
        Covered fraction of each target's cells.
    """

    task: Task
    states: tuple[Map, ...]
    law: FluxLaw | None
    options: Any
    rows: tuple[Map | None, ...]
    constants: tuple[Floats | None, ...]
    covered: tuple[Floats, ...]


@dataclass(frozen=True)
class Source:
    """Where an import comes from: number of the task, output, first column; and the factor and offset on the way."""

    task: int
    slot: int
    row: int
    share: Share


@dataclass(frozen=True)
class PlayedImport:
    """An import: its sources in the order in which they are merged, and the merge."""

    spec: FieldSpec
    sources: tuple[Source, ...]
    merge: Merge


def played_tasks(plan: Plan) -> list[PlayedTask]:
    """All tasks of a plan as maps.

    Parameters
    ----------
    plan : Plan
        Of the case, for any number of processes.

    Raises
    ------
    CaseError
        What is no composition of linear maps and a law of points, by the rule's name.
    """
    wrong = [f"{t.name}: {text}" for t in plan.tasks if (text := _not_played(t))]
    if wrong:
        raise CaseError("these rules cannot be played:\n" + "\n".join(wrong))
    with shared_overlaps():
        return [_played(plan, t) for t in plan.tasks]


def imports_of(plan: Plan, tasks: list[PlayedTask], component: ComponentPlan) -> list[PlayedImport]:
    """The imports of a component that some task brings.

    Parameters
    ----------
    plan : Plan
    tasks : of `played_tasks`
    component : ComponentPlan

    Raises
    ------
    CaseError
        Active cells that get a field from nobody.
    """
    found = []
    for spec in component.imports:
        sources = []
        for task, slot in sorted(plan.outputs_of(component.name), key=lambda pair: pair[0].key):
            d, row = task.outputs[slot], 0
            for k, f in enumerate(d.fields):
                if f.name == spec.name:
                    share = Share(d.scale[k], d.offset[k], d.fraction, task.remap.normalization == "destarea")
                    sources.append(Source(task.index, slot, row, share))
                row += f.columns
        if sources:
            bare = np.asarray(sum(tasks[s.task].covered[s.slot] for s in sources)) <= 0.0
            active = np.asarray(component.grids[spec.grid].mask).reshape(-1)
            if np.any(bare & active) and not spec.partial:
                names = " and ".join(tasks[s.task].task.name for s in sources)
                raise CaseError(
                    f"{component.name}: {int(np.sum(bare & active))} active cells get no {spec.name} from {names}"
                )
            holes = any(s.share.varying for s in sources) or bool(np.any(bare))
            found.append(PlayedImport(spec, tuple(sources), Merge(spec, [s.share for s in sources], holes)))
    return found


def started(plan: Plan) -> Iterator[tuple[ComponentPlan, Any]]:
    """Every component of a plan with its initial exports, initialised as the only process of a serial run.

    Parameters
    ----------
    plan : Plan

    Raises
    ------
    CaseError
        An external program.
    """
    for c in plan.components:
        if c.component is None:
            raise CaseError(f"{c.name} is an external program: only models of this process can be played")
        context = Context(
            name=c.name, clock=plan.clock, step=c.step, duration=plan.duration, grid=c.grids["default"],
            folder=plan.folder, seed=plan.seed, grids=c.grids,
            decompositions={name: Decomposition(g.shape) for name, g in c.grids.items()}, device=c.device,
            logger=lambda line: None,
        )  # fmt: skip
        yield c, c.component.initialize(context)


def standard(spec: FieldSpec) -> tuple[float, float]:
    """Factor and offset from a component's unit of an export to that in which it travels."""
    return conversion(spec.units, spec.standard_units, is_water(spec.name))


def _not_played(task: Task) -> str:
    if task.remap.limiter:
        return "a limiter of gradients switches with the values (limiter: true); leave it out"
    if task.remap.conserve:
        return f"the correction conserve: {task.remap.conserve} needs whole fields at once; leave it out"
    if task.remap.subgrid is not None:
        return "corrections by the receiving cell's state (subgrid) are not played"
    for b in task.inputs:
        if b.statistic in ("min", "max"):
            return f"statistic: {b.statistic} has no derivative where two steps are equal; take mean or instant"
    return ""


def _played(plan: Plan, task: Task) -> PlayedTask:
    sizes = [plan[d.component].grids[d.grid].size for d in task.outputs]
    cells = [np.arange(n, dtype=np.int64) for n in sizes]
    if task.route == "direct":
        return PlayedTask(task, (), None, None, (None,), (None,), (np.ones(sizes[0]),))
    if task.kind == "flux":
        node = FluxOperator(plan, task, 0, 1)
        states = tuple(Map(node.state_rows(i), plan[b.component].grids[b.grid].size) for i, b in enumerate(task.inputs))
        rows = tuple(Map(node.rows(k, c), node.points()) for k, c in enumerate(cells))
        covered = tuple(node.output_area(k, c)[1] for k, c in enumerate(cells))
        return PlayedTask(task, states, node.law, node.options, rows, (None,) * len(cells), covered)
    line = LinearOperator(plan, task, 0, 1)
    source = plan[task.inputs[0].component].grids[task.inputs[0].grid]
    line.bind([np.arange(source.size)])
    return PlayedTask(
        task, (), None, None, (Map(line.rows(0, cells[0]), source.size),), (line.constants(0, cells[0]),),
        (line.output_area(0, cells[0])[1],),
    )  # fmt: skip
