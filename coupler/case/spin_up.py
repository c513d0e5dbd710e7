# SPDX-License-Identifier: BSD-3-Clause
"""Slow stores of a case at rest without the centuries: ``./run_case.py spinup``.

The framework knows nothing of the stores: the component works on its own state out of the newest complete restart
(`Component.spin_up`), and the set is written whole with the new state in place of the old one.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from coupler.case.case import make_plan
from coupler.case.continuation import belongings, compare
from coupler.case.preparation import Progress
from coupler.component import Component, Context
from coupler.errors import CaseError
from coupler.fields import did_you_mean
from coupler.files.restart import complete, newest, read_part, verify, write_part
from coupler.grids.decomposition import Decomposition
from coupler.paths import typed
from coupler.plan import ComponentPlan, Plan


def spin_up(
    folder: Path, name: str | None = None, years: float | None = None, say: Callable[[str], None] = print
) -> int:
    """Set the slow stores of one component to rest in the newest complete restart of a case; returns the exit code.

    Parameters
    ----------
    folder : of the case
    name : of the component; None where there is only one that can
    years : of steady means; None: for ever
    say : takes a line of text

    Raises
    ------
    CaseError
        No component that has such stores, or none that could be meant.
    RestartError
        No complete restart, or not one of this case.
    """
    if years is not None and not 0.0 < years <= 1e5:
        raise CaseError(f"--years {years:g}: expected more than 0, at most 100000; without it the stores come to rest")
    plan = make_plan(folder)
    chosen = _choose(plan, name)
    restart = newest(folder / "run" / "restart", say)
    if restart is None:
        raise CaseError(
            f"{folder} has no complete restart in {folder / 'run' / 'restart'}; run it for a year:  {typed(folder)}"
        )
    for note in compare(restart, belongings(plan)):
        say(note)
    say(f"{chosen.name} ({chosen.model}): restart {restart.name}")
    progress = Progress()
    try:
        arrays = read_part(restart, chosen.name)
        totals, state = _rested(plan, chosen, arrays, years, progress)
    finally:
        progress.end()
    kept = _write(restart, chosen.name, {**arrays, **state}, folder / "run" / "before_spin_up")
    for store, (before, after) in totals.items():
        share = "" if before == 0.0 else f"  ({(after - before) / before:+.1%})"
        say(f"  {store:<46}{before:12.5g} -> {after:.5g}{share}")
    say(f"done in {progress.elapsed:.0f} s; the restart before is kept: {kept}")
    say(f"go on from it (raise duration where the run is at its end):  {typed(folder)} --continue")
    return 0


def _choose(plan: Plan, name: str | None) -> ComponentPlan:
    able = {c.name: c for c in plan.components if _can(c)}
    if name is None and len(able) == 1:
        return next(iter(able.values()))
    if name is None and able:
        raise CaseError(f"say whose stores: --component with one of {', '.join(able)}")
    if name in able:
        return able[name]
    all_ = {c.name: c for c in plan.components}
    if name is not None and name not in all_:
        raise CaseError(f"{plan.folder} has no component {name!r}{did_you_mean(name, all_)}; it has {', '.join(all_)}")
    models = ", ".join(f"{c.name} ({c.model})" for c in plan.components)
    raise CaseError(f"no component with stores that a spin-up sets to rest: {models}")


def _can(c: ComponentPlan) -> bool:
    return c.component is not None and type(c.component).spin_up is not Component.spin_up


def _rested(
    plan: Plan, c: ComponentPlan, arrays: Mapping[str, Any], years: float | None, progress: Progress
) -> tuple[Mapping[str, tuple[float, float]], dict[str, Any]]:
    """What the component says of its stores, and its new state as a restart has it."""
    model = c.component
    assert model is not None
    context = Context(
        name=c.name, clock=plan.clock, step=c.step, duration=plan.duration, grid=c.grids["default"],
        folder=plan.folder, seed=plan.seed, grids=c.grids,
        decompositions={name: Decomposition(g.shape) for name, g in c.grids.items()}, device=c.device,
        logger=lambda line: progress(line, 0.0),
    )  # fmt: skip
    progress("reading the state", 0.1)
    model.initialize(context)
    model.restore({name.removeprefix("state."): v for name, v in arrays.items() if name.startswith("state.")})
    totals = model.spin_up(years, lambda text, share: progress(text, 0.2 + 0.7 * share))
    progress("writing the restart", 0.95)
    return totals, {f"state.{name}": value for name, value in model.state().items()}


def _write(restart: Path, name: str, arrays: Mapping[str, Any], store: Path) -> Path:
    """Write the set again with one component's new arrays; the old one is copied aside first. Returns where to."""
    manifest = verify(restart)
    kept = store / restart.name
    number = 1
    while kept.exists():
        number += 1
        kept = store / f"{restart.name}_{number}"
    shutil.copytree(restart, kept)
    part = restart.parent / f".{restart.name}.part"
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(restart, part)
    (part / f"{name}.nc").unlink()
    entry = write_part(part, name, arrays)
    content = {k: v for k, v in manifest.items() if k not in ("sha256", "version")}
    content["components"] = {**manifest["components"], name: entry}
    complete(part, restart, content)
    return kept
