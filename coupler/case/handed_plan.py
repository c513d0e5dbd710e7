# SPDX-License-Identifier: BSD-3-Clause
"""The plan on each process: the coupler's first gets it from a component's, and so loads no model and no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from coupler.case.case import make_plan
from coupler.case.plan_data import Words, from_bytes, to_bytes
from coupler.component import Component
from coupler.exchange.routes import TAG_PLAN
from coupler.exchange.transport import Pause, Transport
from coupler.plan import ComponentPlan, Plan


def plan_here(
    folder: Path, transport: Transport, *, offline_checks: bool, placed: Mapping[str, tuple[int, ...]]
) -> Plan:
    """The plan of this process (all processes call).

    Parameters
    ----------
    folder : Path
        The case.
    transport : Transport
        Messages.
    offline_checks : bool
        Whether one process shall check what can be wrong before anything runs.
    placed : mapping
        World ranks of external programs: they may stand anywhere, and every process then makes its own plan.
    """
    last = transport.size - 1  # always a component's, as the first is always the coupler's
    handed = last > 0 and not placed
    if handed and transport.rank == 0:
        pause = Pause(0.02)
        while (found := transport.poll_bytes(TAG_PLAN)) is None:
            pause.sleep()
        return from_bytes(found)
    checks = offline_checks and transport.rank == (last if handed else 0)
    plan = make_plan(folder, transport.size, offline_checks=checks, placed=dict(placed))
    if handed and transport.rank == last:
        transport.send_bytes(0, TAG_PLAN, to_bytes(without_models(plan)))
    return plan


def without_models(plan: Plan) -> Plan:
    """The same plan, with nothing in it that needs a model's code."""

    def bare(c: ComponentPlan) -> ComponentPlan:
        return replace(c, component=Component(None), options=None if c.options is None else Words.of(c.options))

    return replace(plan, components=tuple(bare(c) for c in plan.components))
