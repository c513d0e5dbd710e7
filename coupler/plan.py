# SPDX-License-Identifier: BSD-3-Clause
"""The one resolved plan of a run, which every process derives identically.

`check`, the serial run, the component loops, the coupler loop and the timing table all work from this object. It
holds no state and never changes.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from coupler.clock import Clock, Period
from coupler.fields import FieldSpec

if TYPE_CHECKING:
    from coupler.component import Component, Setting
    from coupler.grids.grid import Grid

Statistic = Literal["instant", "mean", "sum", "min", "max"]


@dataclass(frozen=True)
class Stream:
    """One history file of a component: some fields, instant or a statistic of every `period`."""

    name: str
    fields: tuple[str, ...]
    period: Period
    statistic: Statistic


@dataclass(frozen=True)
class ComponentPlan:
    """One component of the case: what it is, its step, grids, fields, ranks.

    `ranks` are world ranks in the order of the component's own ranks; `component` is an instance made from the
    options (None for an external program).
    """

    name: str
    realm: str
    model: str
    component: Component | None
    setting: Setting
    step: int
    grids: Mapping[str, Grid]
    imports: tuple[FieldSpec, ...]
    exports: tuple[FieldSpec, ...]
    device: str = "cpu"
    streams: tuple[Stream, ...] = ()
    options: Any = None
    ranks: tuple[int, ...] = (0,)
    program: str = ""
    role: Literal["model", "prescribed"] = "model"
    shapes_state: tuple[str, ...] = ()
    """Options that a state belongs to; see `Component.shapes_state`."""
    state_marks: Mapping[str, str] = field(default_factory=dict)
    """What of its files a state belongs to; see `Component.state_marks`."""

    def exported(self, name: str) -> FieldSpec | None:
        """The declaration of an export, or None."""
        return next((f for f in self.exports if f.name == name), None)

    def imported(self, name: str) -> FieldSpec | None:
        """The declaration of an import, or None."""
        return next((f for f in self.imports if f.name == name), None)


@dataclass(frozen=True)
class Bundle:
    """Fields of one component that travel together, from the source's windows to the coupler.

    `fraction` names the export that weights the fields where it varies in time; it travels as the last column.
    """

    component: str
    grid: str
    fields: tuple[FieldSpec, ...]
    statistic: Statistic
    fraction: FieldSpec | None = None

    @property
    def columns(self) -> int:
        """Values a cell."""
        return sum(f.columns for f in self.fields) + (1 if self.fraction else 0)


@dataclass(frozen=True)
class Delivery:
    """Fields that arrive together at one component from the coupler, with their fraction last if it varies."""

    component: str
    grid: str
    fields: tuple[FieldSpec, ...]
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    fraction: bool = False

    @property
    def columns(self) -> int:
        """Values a cell."""
        return sum(f.columns for f in self.fields) + (1 if self.fraction else 0)


@dataclass(frozen=True)
class Subgrid:
    """Correction of a flux by the receiving cell's own state (OASIS3 ``SUBGRID``).

    ``solar``: by the albedo `state` of the target; ``nonsolar``: by its temperature `state` and the flux's
    derivative with it, a number (W m-2 K-1) or, where None, the second field of the source's bundle.
    """

    kind: Literal["solar", "nonsolar"]
    state: str
    derivative: float | None = None


@dataclass(frozen=True)
class Remap:
    """How a connection maps: ordered methods, normalisation, limited gradients, corrections."""

    methods: tuple[Any, ...] = ("conservative",)
    normalization: Literal["fracarea", "destarea"] = "fracarea"
    conserve: Literal["global", "global_positive", "basin", "basin_positive"] | None = None
    limiter: bool = False
    subgrid: Subgrid | None = None


@dataclass(frozen=True)
class Tile:
    """Part of the surface mosaic on which an exchange takes place.

    ``land``: what `ocean` leaves dry (and `prescribed` does not have outside its domain);
    ``outside``: the sea of `prescribed` outside the domain of `ocean`; empty: all that both grids share.
    """

    kind: Literal["", "land", "outside"] = ""
    ocean: str = ""
    prescribed: str = ""


@dataclass(frozen=True)
class Task:
    """One recurring exchange: bundles in, a remapping or a flux law, deliveries out.

    A connection has one bundle and one delivery (and the target's state as a second bundle, where that corrects the
    flux: `Remap.subgrid`). A flux node has two bundles (one a side) and up to two deliveries. For the target's
    interval ``[n period, (n + 1) period)`` the windows number ``n - lag_windows`` of all bundles are used; window m
    covers ``[m period, (m + 1) period]``, and a negative number stands for the initial exports.

    `index` is where the task stands in this plan; `key` says what it is, and lasts from run to run.
    """

    index: int
    name: str
    kind: Literal["connection", "flux"]
    inputs: tuple[Bundle, ...]
    outputs: tuple[Delivery, ...]
    period: int
    lag: int
    remap: Remap = Remap()
    route: Literal["coupler", "direct"] = "coupler"
    scheme: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    tile: Tile = Tile()
    key: str = ""

    @property
    def lag_windows(self) -> int:
        """Lag in whole windows."""
        return self.lag // self.period

    def window_for(self, time: int) -> int:
        """Number of the window that feeds the target's interval that starts at `time`."""
        return time // self.period - self.lag_windows

    def needed_until(self, time: int) -> int:
        """Model time that the sources must have reached before a target may step from `time` (0: nothing)."""
        return max(0, (self.window_for(time) + 1) * self.period)


@dataclass(frozen=True)
class Inactive:
    """A rule, or a field of it, that does nothing, and why."""

    rule: str
    why: str


@dataclass(frozen=True)
class Plan:
    """Everything that is fixed before the run."""

    folder: Path
    title: str
    clock: Clock
    duration: int
    components: tuple[ComponentPlan, ...]
    tasks: tuple[Task, ...]
    inactive: tuple[Inactive, ...] = ()
    coupler_ranks: tuple[int, ...] = (0,)
    restart_period: Period | None = None
    restart_keep: int = 3
    deadline: float = 600.0
    check_values: bool = True
    check_budget: bool = True
    budget_tolerance: float = 1e-12
    trace: bool = False
    seed: int = 0
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> ComponentPlan:
        return self._by_name[name]

    @functools.cached_property
    def _by_name(self) -> dict[str, ComponentPlan]:
        return {c.name: c for c in self.components}

    @functools.cached_property
    def stop_period(self) -> int:
        """Seconds between the times at which the whole system can stop: all steps, and the periods without lag."""
        return math.lcm(*(c.step for c in self.components), *(t.period for t in self.tasks if t.lag == 0))

    @functools.cached_property
    def run_ahead(self) -> int:
        """Seconds that a component may be ahead of the slowest: what no-lag targets need, and some slack.

        Whole stop periods: a wish to stop is met where the components have leave to go.
        """
        return (4 if any(t.lag == 0 for t in self.tasks) else 3) * self.stop_period

    @property
    def size(self) -> int:
        """Number of processes."""
        return 1 + max(max(self.coupler_ranks), *(max(c.ranks) for c in self.components))

    def inputs_of(self, component: str) -> list[tuple[Task, int]]:
        """Tasks that take a bundle from the component, with the bundle's number."""
        return [(t, i) for t in self.tasks for i, b in enumerate(t.inputs) if b.component == component]

    def outputs_of(self, component: str) -> list[tuple[Task, int]]:
        """Tasks that deliver to the component, with the delivery's number."""
        return [(t, i) for t in self.tasks for i, d in enumerate(t.outputs) if d.component == component]

    def on_rank(self, rank: int) -> list[ComponentPlan]:
        """Components that live on a process."""
        return [c for c in self.components if rank in c.ranks]
