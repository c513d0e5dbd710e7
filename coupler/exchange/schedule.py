# SPDX-License-Identifier: BSD-3-Clause
"""The order of the steps, played without any model: finds waits that never end.

A component may step from t once every task that delivers to it at t has its windows: the sources have run far enough.
The order found is one that works, and processes that hold several components follow it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from coupler.clock import format_duration
from coupler.errors import ScheduleError
from coupler.plan import Plan, Task


def waits(plan: Plan, component: str, time: int, reached: dict[str, int]) -> list[tuple[Task, str, int]]:
    """What a component waits for before it can step from `time`: (task, source, time the source must reach).

    Parameters
    ----------
    plan : of the run
    component : name in the case
    time : model time of its next step, s
    reached : model time that each component has reached, s
    """
    result = []
    for task, _ in plan.outputs_of(component):
        if time % task.period == 0:
            until = task.needed_until(time)
            for bundle in task.inputs:
                if reached[bundle.component] < until:
                    result.append((task, bundle.component, until))
    return result


def order(plan: Plan, start: int = 0, end: int | None = None) -> Iterator[tuple[int, str]]:
    """Steps ``(time, component)`` in an order in which nobody waits for a later one.

    Parameters
    ----------
    plan : of the run
    start, end : model times, s; the end of the case where None

    Raises
    ------
    ScheduleError
        Components that wait for each other for ever.
    """
    end = plan.duration if end is None else end
    reached = {c.name: start for c in plan.components}
    steps = {c.name: c.step for c in plan.components}
    outputs = {c.name: plan.outputs_of(c.name) for c in plan.components}
    while True:
        candidates = sorted((t, i, name) for i, (name, t) in enumerate(reached.items()) if t < end)
        if not candidates:
            return
        for time, _, name in candidates:
            free = True
            for task, _ in outputs[name]:
                if time % task.period == 0:
                    until = task.needed_until(time)
                    if any(reached[b.component] < until for b in task.inputs):
                        free = False
                        break
            if free:
                yield time, name
                reached[name] = time + steps[name]
                break
        else:
            raise ScheduleError(_circle(plan, reached, end))


def _circle(plan: Plan, reached: dict[str, int], end: int) -> str:
    """Say who waits for whom, round the circle."""
    name = next(n for n, t in reached.items() if t < end)
    seen: list[str] = []
    said: dict[str, tuple[str, Task]] = {}
    while name not in seen:
        seen.append(name)
        task, source, _ = waits(plan, name, reached[name], reached)[0]
        said[name] = (source, task)
        name = source
    circle = seen[seen.index(name) :]
    text = ", ".join(f"{n} waits for {said[n][0]} at {plan.clock.text(reached[n])} ({said[n][1].name})" for n in circle)
    if len(circle) == 1:
        return f"{text}: a component cannot feed itself without a lag"
    return (
        f"endless wait: {text}; give one of them a lag, for example "
        f"'lag: {format_duration(said[circle[-1]][1].period)}' on {said[circle[-1]][1].name}"
    )


def rehearse(plan: Plan) -> int:
    """Play the schedule over its first cycle; returns the number of steps played.

    Raises
    ------
    ScheduleError
        Components that wait for each other for ever.
    """
    cycle = math.lcm(*(c.step for c in plan.components), *(t.period for t in plan.tasks))
    horizon = min(plan.duration, 2 * cycle + max([t.lag for t in plan.tasks], default=0))
    limit = 200_000
    played = 0
    for played, _ in enumerate(order(plan, end=horizon), start=1):
        if played >= limit:
            break
    return played
