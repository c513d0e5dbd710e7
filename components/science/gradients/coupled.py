# SPDX-License-Identifier: BSD-3-Clause
"""A coupled case as a function: its schedule, lags and windows played on one process, with gradients through all of it.

    plan = make_plan(Path("cases/mine"))
    coupled = Coupled(plan)
    start = coupled.start()
    end = coupled.advance(start, 3 * 1200)
    J = end.exports["ocean"]["sea_surface_temperature"].sum()

The numbers are those of the serial run. Components step through ``advance(state, forcing, seconds)``; prescribed ones
(model `data`) give what their files hold. What has no derivative is refused by name when the object is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from components.science.gradients.checkpoint import made_again
from components.science.gradients.exchange import delivered, merged
from components.science.gradients.trees import Rebuild, flatten
from coupler.errors import CaseError
from coupler.exchange.played import imports_of, order, played_tasks, standard, started

Fields = Mapping[str, Tensor]


class Running(NamedTuple):
    """A window that is not over: the samples added up, or the last one, and their number."""

    number: int
    values: Tensor


class System(NamedTuple):
    """All that a coupled case carries from one exchange to the next; every entry is a tensor or made of tensors.

    Attributes
    ----------
    time : model time, s
    states : of the active components, by name
    exports : of the components at `time`, by name and field (levels, y, x), in the component's units
    imports : that hold, by component and field
    held : what was delivered last, by task and output
    windows : that run, by task and bundle
    sent : windows that are over, by task, bundle and number
    """

    time: int
    states: dict[str, Any]
    exports: dict[str, dict[str, Tensor]]
    imports: dict[str, dict[str, Tensor]]
    held: dict[str, Tensor]
    windows: dict[str, Running]
    sent: dict[str, Tensor]


class Coupled:
    """A case that can be played, again and again, from any state.

    Parameters
    ----------
    plan : Plan
        Of the case; `coupler.case.case.make_plan` makes it.
    forcing : mapping, optional
        By component: ``function(forcing, parameters)`` that returns its forcing of a step changed, such as by the
        depth of a layer that is to be estimated.
    fluxes : callable, optional
        ``function(task, fluxes, parameters)`` that returns the fluxes of a law, tensors of points by name, changed.

    Raises
    ------
    CaseError
        Rules, laws or components through which no gradient passes, all by name.
    """

    def __init__(
        self,
        plan: Any,
        forcing: Mapping[str, Callable[[Any, Fields], Any]] | None = None,
        fluxes: Callable[[Any, Fields, Fields], Fields] | None = None,
    ):
        self.plan = plan
        self.tasks = played_tasks(plan)
        wrong = [_refusal(c) for c in plan.components] + [
            f"{t.task.name}: this law works on numpy arrays alone (FluxLaw(differentiable=True) says otherwise)"
            for t in self.tasks
            if t.law is not None and not t.law.differentiable
        ]
        if any(wrong):
            raise CaseError("no gradient passes through\n" + "\n".join(filter(None, wrong)))
        self._imports = {c.name: imports_of(plan, self.tasks, c) for c in plan.components}
        self._forcing, self._fluxes = dict(forcing or {}), fluxes
        self._given: dict[tuple[str, int], dict[str, Tensor]] = {}
        self._steps = {c.name: c.step for c in plan.components}
        self._begun = {c.name: _tensors(exports) for c, exports in started(plan)}

    def start(self) -> System:
        """The case at its start; its tensors may be replaced by others that require gradients."""
        active = [c for c in self.plan.components if c.model != "data"]
        states = {c.name: _of_arrays(c.component.now) for c in active}
        exports = {name: {n: v.clone() for n, v in fields.items()} for name, fields in self._begun.items()}
        return self._with_initial(System(0, states, exports, {n: {} for n in self._begun}, {}, {}, {}))

    def _with_initial(self, system: System) -> System:
        """Send the initial exports as the windows before the start, one for every period of lag."""
        sent = {}
        for played in self.tasks:
            task = played.task
            for slot, bundle in enumerate(task.inputs):
                for k in range(task.lag_windows, 0, -1):
                    sample = self._sample(bundle, system.exports[bundle.component])
                    sent[f"{task.index}.{slot}@{-k}"] = sample
        return system._replace(sent=sent)

    def restart(self, system: System) -> System:
        """The start with states, and so exports, that have been replaced: what is sent of them follows.

        Parameters
        ----------
        system : System
            At the start, with other states.
        """
        exports = dict(system.exports)
        for c in self.plan.components:
            if c.model != "data":
                exports[c.name] = {**exports[c.name], **_exports_of(c.component, system.states[c.name])}
        return self._with_initial(system._replace(exports=exports))

    def advance(
        self, system: System, seconds: int, parameters: Fields | None = None, keep_every: int | None = None
    ) -> System:
        """Play the schedule.

        Parameters
        ----------
        system : System
            At its time.
        seconds : int
            How far, a multiple of the time after which all components can stop together.
        parameters : mapping of str to Tensor, optional
            What `forcing` and `fluxes` get.
        keep_every : int, optional
            Seconds after which the whole system is kept for the way back, and nothing in between: memory grows by one
            system each, and every step is made twice.

        Returns
        -------
        System

        Raises
        ------
        CaseError
            Another length, or one beyond the case's end.
        """
        whole = self.plan.stop_period
        for length in (seconds, keep_every or whole):
            if length <= 0 or length % whole:
                raise CaseError(f"expected a multiple of {whole} s, after which all components can stop, not {length}")
        if system.time + seconds > self.plan.duration:
            raise CaseError(f"{system.time} + {seconds} s lie beyond the case's duration of {self.plan.duration} s")
        end = system.time + seconds
        given = dict(parameters or {})
        while system.time < end:
            until = min(system.time + (keep_every or seconds), end)
            if keep_every is None:
                system = self._play(system, until, given)
            else:
                system = self._kept(system, until, given)
        return system

    def _kept(self, system: System, until: int, parameters: dict[str, Tensor]) -> System:
        """`_play` of which only the beginning is kept."""
        tensors, rebuild = flatten((system, parameters))
        back: list[Rebuild] = []

        def run(given: Sequence[Tensor]) -> list[Tensor]:
            begin, values = rebuild(given)
            out, again = flatten(self._play(begin, until, values))
            back.append(again)
            return out

        made = made_again(run, tensors)
        result: System = back[0](made)
        return result

    def _play(self, system: System, until: int, parameters: dict[str, Tensor]) -> System:
        now = System(system.time, *(dict(part) for part in system[1:]))
        for time, name in order(self.plan, system.time, until):
            component = self.plan[name]
            end = time + component.step
            imports = self._imported(now, name, time, parameters)
            if component.model == "data":
                exports = self._prescribed(component, time)
            else:
                model = component.component
                forcing = imports
                if hasattr(model, "forcing"):
                    forcing = model.forcing(time, component.step, imports)
                if name in self._forcing:
                    forcing = self._forcing[name](forcing, parameters)
                now.states[name], out = model.advance(now.states[name], forcing, float(component.step))
                exports = _tensors(out)
            now.exports[name] = exports
            self._put(now, name, exports, end)
        return now._replace(time=until)

    def _prescribed(self, component: Any, time: int) -> dict[str, Tensor]:
        """Exports of a data model at the end of a step; kept, as its files are read forward."""
        if (component.name, time) not in self._given:
            fields = component.component.step(time, component.step, {})
            self._given[component.name, time] = _tensors(fields)
        return self._given[component.name, time]

    def _imported(self, now: System, name: str, time: int, parameters: Fields) -> dict[str, Tensor]:
        """Imports for the step from `time` on, taking up what is due."""
        due = False
        for task, slot in self.plan.outputs_of(name):
            if time % task.period == 0:
                due = True
                now.held[f"{task.index}.{slot}"] = self._deliver(now, task, slot, task.window_for(time), parameters)
        if due:
            fresh = {}
            for wanted in self._imports[name]:
                spec, values, covers = wanted.spec, [], []
                for s in wanted.sources:
                    field = now.held[f"{s.task}.{s.slot}"]
                    values.append(field[s.row : s.row + spec.columns])
                    fixed = torch.from_numpy(self.tasks[s.task].covered[s.slot])
                    covers.append(field[-1] if s.share.varying else fixed)
                shape = self.plan[name].grids[spec.grid].shape
                field = merged(wanted, values, covers)
                fresh[spec.name] = field.reshape((spec.levels, *shape) if spec.levels else shape)
            now.imports[name] = fresh
        return now.imports[name]

    def _deliver(self, now: System, task: Any, slot: int, window: int, parameters: Fields) -> Tensor:
        """One target's part of a window; computed for all targets when the first asks, kept until the last has."""
        key = f"{task.index}>{slot}@{window}"
        if key not in now.sent:
            windows = [now.sent.pop(f"{task.index}.{i}@{window}") for i in range(len(task.inputs))]
            adjust = None
            if self._fluxes is not None:
                fluxes = self._fluxes
                adjust = lambda made: fluxes(task, made, parameters)  # noqa: E731
            for k, field in enumerate(delivered(self.tasks[task.index], windows, adjust)):
                now.sent[f"{task.index}>{k}@{window}"] = field
        return now.sent.pop(key)

    def _put(self, now: System, name: str, exports: Fields, end: int) -> None:
        """Add exports to the windows that they belong to, and send those that are over."""
        for task, slot in self.plan.inputs_of(name):
            bundle, key = task.inputs[slot], f"{task.index}.{slot}"
            over = end % task.period == 0
            if bundle.statistic == "instant" and not over:
                continue
            sample, before = self._sample(bundle, exports), now.windows.pop(key, None)
            if before is None or bundle.statistic == "instant":
                running = Running(1, sample)
            else:
                running = Running(before.number + 1, before.values + sample)
            if not over:
                now.windows[key] = running
                continue
            values = running.values
            if running.number > 1:
                if bundle.statistic == "mean":
                    values = values / running.number
                elif bundle.fraction is not None:
                    values = torch.cat([values[:-1], values[-1:] / running.number])
            now.sent[f"{key}@{end // task.period - 1}"] = values

    def _sample(self, bundle: Any, exports: Fields) -> Tensor:
        """What a window takes of some exports (columns, cells), in the units in which they travel."""
        blocks = [_standard(f, exports) for f in bundle.fields]
        if bundle.fraction is None:
            return torch.cat(blocks)
        fraction = _standard(bundle.fraction, exports)
        return torch.cat([*(b * fraction[0] for b in blocks), fraction])


def _standard(spec: Any, exports: Fields) -> Tensor:
    factor, offset = standard(spec)
    values = exports[spec.name]
    if (factor, offset) != (1.0, 0.0):
        values = values * factor + offset
    return values.reshape(spec.columns, -1)


def _refusal(component: Any) -> str:
    model = component.component
    if component.model == "data" or model is None:
        return ""
    lacking = [name for name in ("advance", "exports_of") if not hasattr(type(model), name)]
    return f"{component.name} (model {component.model}): it has no {' and '.join(lacking)}" if lacking else ""


def _tensors(fields: Mapping[str, Any]) -> dict[str, Tensor]:
    """Fields in double precision, as they enter the exchange."""
    return {
        name: v.to(torch.float64) if isinstance(v, Tensor) else torch.tensor(np.asarray(v), dtype=torch.float64)
        for name, v in fields.items()
    }


def _of_arrays(state: Any) -> Any:
    """A state whose arrays are tensors of its own."""
    if isinstance(state, np.ndarray):
        return torch.tensor(state)
    if isinstance(state, tuple) and hasattr(state, "_fields"):
        return type(state)(*(_of_arrays(value) for value in state))
    tensors, rebuild = flatten(state)
    return rebuild([t.clone() for t in tensors])


def _exports_of(model: Any, state: Any) -> dict[str, Tensor]:
    return _tensors(model.exports_of(state))
