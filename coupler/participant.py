# SPDX-License-Identifier: BSD-3-Clause
"""The coupler's side of a program that has its own main loop.

Such a program reads::

    from coupler.participant import Participant

    with Participant("ocean") as ocean:             # its name in the case
        ocean.partition("strips")                   # or "boxes", "serial", or this rank's cell numbers
        ocean.end_definition()
        ocean.put("sea_surface_temperature", ocean.start, temperature)
        for time in ocean.times():
            heat, action = ocean.get("surface_downward_heat_flux_in_sea_water", time)
            temperature = temperature + heat * ocean.step / heat_capacity
            ocean.put("sea_surface_temperature", time + ocean.step, temperature)

Start it together with the case::

    mpirun -n 5 ./run_case.py cases/demo : -n 1 python my_ocean.py

The case says of it ``ocean: {model: external}``, with its grid, step, imports and exports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.errors import CaseError, ExchangeError, FieldError, GridError
from coupler.grids.grid import Grid
from coupler.messages import gather
from coupler.paths import COMMAND

Floats = npt.NDArray[np.float64]
RECEIVED, HELD, FROM_RESTART = "received", "nothing due", "from restart"


class Participant:
    """One process of an external program.

    Parameters
    ----------
    name : str
        Name of the component in the case.
    case : path, optional
        The case; by default the one that ``run_case.py`` was started with in the same mpirun.

    Raises
    ------
    CaseError
        No such component in the case, or it is not ``model: external``.
    """

    def __init__(self, name: str, case: str | Path | None = None):
        from coupler.case.case import make_plan
        from coupler.case.launch import connected, find_participants, guarded
        from coupler.watch import console

        self.name = name
        console.keep()
        self._watch = guarded(self._folder, alone=False)
        self.transport = connected(self._watch)
        with self._watch.watching(f"{name}: waits for the other processes of the case", waits=True):
            placed = find_participants(self.transport, None if case is None else Path(case), name)
        folder = self.transport.case
        if not folder:
            raise CaseError(f"no {COMMAND} CASE was started in the same mpirun, and no case= is given")
        self.plan = make_plan(Path(folder), self.transport.size, placed=placed)
        if name not in {c.name for c in self.plan.components if c.component is None}:
            raise CaseError(f"the case {folder} has no component {name!r} with model: external")
        self.component = self.plan[name]
        self.rank = self.component.ranks.index(self.transport.rank)
        self.ranks = len(self.component.ranks)
        self.step, self.end = self.component.step, self.plan.duration
        self.grid: Grid = self.component.grids["default"]
        self.restored: dict[str, Any] = {}
        self._cells: npt.NDArray[np.int64] | None = None
        self._process: Any = None
        self._initial: dict[str, Floats] = {}
        self._put_at: dict[str, int] = {}
        self._got_at: int | None = None
        self._fresh: set[str] = set()

    def _folder(self) -> Path | None:
        transport = getattr(self, "transport", None)
        return Path(transport.case) if transport is not None and transport.case else None

    # ---------------------------------------------------------------- definition

    def define_grid(self, grid: Grid) -> None:
        """Check the program's grid against the case's.

        Raises
        ------
        GridError
            They differ: both fingerprints and shapes are told.
        """
        if grid.fingerprint != self.grid.fingerprint:
            raise GridError(
                f"{self.name}: the program's grid has shape {grid.shape}, fingerprint {grid.fingerprint[:12]}; "
                f"the case's has shape {self.grid.shape}, fingerprint {self.grid.fingerprint[:12]}"
            )

    def define_field(self, name: str, units: str = "", levels: int = 0) -> None:
        """Check a field of the program against the case's declaration.

        Parameters
        ----------
        name : CF name
        units : of the program's values; the case's where empty
        levels : number of layers, 0 for a plane

        Raises
        ------
        FieldError
            The case does not list it, or says another unit or number of levels.
        """
        spec = self.component.exported(name) or self.component.imported(name)
        if spec is None:
            there = ", ".join(f.name for f in (*self.component.imports, *self.component.exports))
            raise FieldError(f"{self.name}: the case does not list {name!r} among its imports and exports ({there})")
        if (units and units != spec.units) or levels != spec.levels:
            raise FieldError(
                f"{self.name}: {name} is {units or spec.units} with {levels} levels in the program, "
                f"{spec.units} with {spec.levels} in the case"
            )

    def partition(self, how: str | npt.ArrayLike = "strips") -> npt.NDArray[np.int64]:
        """Say which cells live on this process; returns their flat numbers.

        Parameters
        ----------
        how : {'serial', 'strips', 'boxes'} or array of int
            All on the first rank, runs of rows, rectangles, or the flat numbers of this rank's cells (any order).
        """
        from coupler.grids.decomposition import block_cells, split

        if isinstance(how, str):
            if how == "serial":
                cells = np.arange(self.grid.size if self.rank == 0 else 0, dtype=np.int64)
            elif how == "strips":
                bounds = split(self.grid.size, self.ranks)
                cells = np.arange(bounds[self.rank], bounds[self.rank + 1], dtype=np.int64)
            elif how == "boxes":
                cells = block_cells(self.grid.shape, self.ranks, self.rank)
            else:
                raise GridError(f"partition {how!r}: serial, strips, boxes, or an array of cell numbers")
        else:
            cells = np.ascontiguousarray(how, dtype=np.int64)
        self._cells = cells
        return cells

    def end_definition(self) -> None:
        """Connect to the coupler; all processes of the job do this together."""
        from coupler.case.launch import newest_of
        from coupler.case.launched import run_name
        from coupler.exchange.control import Pilot
        from coupler.exchange.endpoint import Endpoint
        from coupler.exchange.runner import Process
        from coupler.files.restart import read_part

        cells = self.partition() if self._cells is None else self._cells
        with self._watch.watching(f"{self.name}: waits for the case's choice of a restart", waits=True):
            restart = newest_of(self.transport, self.plan.folder)
        declared = (self.name, self.rank, cells)
        self._process = Process(self.plan, self.transport, restart, None, declared, run=run_name(), watch=self._watch)
        self.start = self._process.start
        routes = [r for r in self._process.routes if r.component == self.name]
        self._endpoint = Endpoint(
            self.plan, self.component, self.rank, {"default": cells}, {"default": cells.shape}, routes, self.transport,
            self._process.progress,
        )  # fmt: skip
        self._pilot = Pilot(
            self.plan, self.component, self.transport.rank, self.transport, self._process.grants, self._process.progress
        )
        self._pilot.register(self._endpoint.books())
        if restart is not None:
            arrays = read_part(restart, self.name)
            self._endpoint.restore(arrays, self._local, self.start)
            for name, value in arrays.items():
                if name.startswith("state."):
                    whole = value.ndim and value.shape[-len(self.grid.shape) :] == self.grid.shape
                    self.restored[name[6:]] = self._local(value, "default") if whole else value

    # ---------------------------------------------------------------- the loop

    def put(self, name: str, time: int, values: npt.ArrayLike) -> str:
        """Give an export valid at `time`; returns what happened: ``sent``, ``accumulated``, ``nothing due``.

        Parameters
        ----------
        name : CF name of the export
        time : model time at which it is valid, s
        values : (cells,) or (levels, cells)

        Raises
        ------
        ExchangeError
            A time that is not the next one of the schedule (both times are told), or a wrong shape.
        """
        before = self._put_at.get(name)
        due = self.start if before is None else before + self.step
        if before is None and self.start and time == self.start + self.step:
            due = time
        if time != due:
            raise ExchangeError(
                f"{self.name} puts {name} at {self.plan.clock.text(time)} ({time} s), but the next put is due at "
                f"{self.plan.clock.text(due)} ({due} s): every step of {self.step} s, the start included"
            )
        self._put_at[name] = time
        spec = self.component.exported(name)
        array = np.ascontiguousarray(values, dtype=np.float64)
        if spec is not None:
            assert self._cells is not None
            shape = (spec.levels, self._cells.size) if spec.levels else self._cells.shape
            if array.size == int(np.prod(shape)):
                array = array.reshape(shape)
        if time == self.start:
            if self.start and not self._endpoint.begins:
                return HELD
            self._initial[name] = array
            if len(self._initial) == len(self.component.exports):
                self._endpoint.put_initial(self._initial, self.start)
            return "accumulated"
        with self._exchanging("put"):
            return self._endpoint.put(name, time, array)

    def get(self, name: str, time: int) -> tuple[Floats, str]:
        """An import for the step that begins at `time`, flat over this rank's cells, and what happened.

        Parameters
        ----------
        name : CF name of the import
        time : model time at the start of the step, s

        Returns
        -------
        values : ndarray of float64, shape (cells,) or (levels, cells)
        action : ``received``, ``nothing due`` (the value holds) or ``from restart``

        Raises
        ------
        ExchangeError
            A time that is not the present step of the schedule (both times are told).
        """
        if self._got_at != time:
            due = self.start if self._got_at is None else self._got_at + self.step
            if time != due:
                raise ExchangeError(
                    f"{self.name} gets {name} at {self.plan.clock.text(time)} ({time} s), but the present step begins "
                    f"at {self.plan.clock.text(due)} ({due} s)"
                )
            due_now = [r for r in self._endpoint.receivers if r.due(time)]
            self._fresh = {f.name for r in due_now for f in r.delivery.fields}
            with self._exchanging("get"):
                self._endpoint.get_all(time)
            self._got_at = time
        if name not in self._endpoint.imports:
            raise ExchangeError(
                f"{self.name} gets {name!r}, which no rule brings; it gets {list(self._endpoint.imports)}"
            )
        action = RECEIVED if name in self._fresh else FROM_RESTART if time == self.start and self.start else HELD
        return self._endpoint.imports[name], action

    def times(self, state: Callable[[], Mapping[str, Any]] | None = None) -> Iterator[int]:
        """Beginnings of the steps, up to the end or to where everybody stops; writes restarts where they are due.

        Parameters
        ----------
        state : callable, optional
            Gives the program's own state for a restart: arrays over this rank's cells, or numbers. After
            ``--continue`` it is found in `restored`.
        """
        time = self.start
        while time < self.end:
            if time % self.plan.stop_period == 0:
                period = self.plan.restart_period
                if period and time > self.start and period.ends_at(self.plan.clock, time):
                    self._save(time, state)
                if not self._arrive(time):
                    break
            with self._watch.watching(f"{self._who(time)}: the program's step has not ended"):
                yield time
            time += self.step
            self._process.progress()
            self._pilot.alive()
        self._arrive(time)
        self._save(time, state)

    def _who(self, time: int) -> str:
        return f"{self.name}, rank {self.rank}, at {self.plan.clock.text(time)}"

    def _exchanging(self, call: str) -> Any:
        """The program waits for others here, if it takes long."""
        return self._watch.watching(f"{self.name}, rank {self.rank}: waits in {call} for the others", waits=True)

    def _arrive(self, time: int) -> bool:
        endpoint = self._endpoint
        return bool(self._pilot.arrive(time, endpoint.last_exchange, endpoint.budgets(), self._process.stop_signal))

    def finish(self) -> None:
        """Say that this process is done; waits for the others."""
        self._pilot.finish()
        self._process.serve()
        self._process.part(self._process.timer.report())
        self._watch.end()

    # ---------------------------------------------------------------- restart

    def _save(self, time: int, state: Callable[[], Mapping[str, Any]] | None) -> None:
        from coupler.exchange import answers
        from coupler.files.restart import set_name, write_part

        arrays = {}
        for name, value in answers.state(self.name, state() if state else {}).items():
            array = np.asarray(value)
            assert self._cells is not None
            own = array.ndim and array.shape[-1] == self._cells.size
            block = array.reshape(int(np.prod(array.shape[:-1])), array.shape[-1]) if own else array
            arrays[f"state.{name}"] = self._whole(block, "default") if own else array
        arrays.update(self._endpoint.save(time, self._whole))
        entry = None
        if self.rank == 0:
            folder = self.plan.folder / "run" / "restart" / f".{set_name(self.plan.clock.text(time))}.part"
            entry = write_part(folder, self.name, arrays)
        self._pilot.saved(time, entry, self._endpoint.budgets())

    def _whole(self, values: Floats, grid: str) -> Any:
        comm = self._process.groups[self.name]
        with self._watch.watching(f"{self.name}, rank {self.rank}: waits for its other ranks", waits=True):
            parts = [(self._cells, values)] if comm is None else gather(comm, (self._cells, values))
        if parts is None:
            return None
        whole = np.zeros((values.shape[0], self.grid.size))
        for cells, part in parts:
            whole[:, cells] = part
        return whole.reshape(-1, *self.grid.shape)

    def _local(self, whole: Any, grid: str) -> Floats:
        flat = np.asarray(whole).reshape(-1, self.grid.size)
        return np.ascontiguousarray(flat[:, self._cells])

    # ---------------------------------------------------------------- with

    def __enter__(self) -> Participant:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.finish()
            return
        from coupler.case import failing

        self._watch.end()
        text, detail, where = failing.whole_story(error, self.plan.folder)
        if not where:
            text, where = f"{self.name}, rank {self.rank}: {text}", {"component": self.name, "rank": self.rank}
        failing.tell(self.plan.folder, text, detail, **where)
        self.transport.abort(1)
