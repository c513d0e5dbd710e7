# SPDX-License-Identifier: BSD-3-Clause
"""A long run by pieces of calendar months: each ends with a restart, and its output goes into a folder of its own."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coupler.case.case import UNTIL, make_plan
from coupler.clock import Clock, Period
from coupler.errors import CaseError
from coupler.files.atomic import write_text
from coupler.files.restart import newest, read_manifest
from coupler.paths import typed
from coupler.plan import Plan
from coupler.watch.experiment import path_of, read_experiment

LEFT_EXIT = 75
"""Exit code where pieces are left to run: a batch job submits itself again (EX_TEMPFAIL)."""
SPIN_UP = {
    "land": "soil below a metre remembers its start for years",
    "ocean": "the mixed layer remembers its start for months, the deep ocean for decades",
}


@dataclass(frozen=True)
class Piece:
    """A part of a long run: model time from ``start`` to ``end``, s, and the name of its folder of output."""

    name: str
    start: int
    end: int


def pieces(clock: Clock, duration: int, every: Period) -> list[Piece]:
    """The pieces of a run.

    Parameters
    ----------
    clock : dates of the case
    duration : of the case, s
    every : length of a piece

    Examples
    --------
    >>> [p.name for p in pieces(Clock("2001-01-15", "noleap"), 60 * 86400, Period.of("P1M"))]
    ['2001-01', '2001-02', '2001-03']
    """
    ends = [t for t in every.ends(clock, 0, duration) if t < duration] + [duration]
    starts = [0, *ends[:-1]]
    return [Piece(_name(clock, a, every), a, b) for a, b in zip(starts, ends, strict=True)]


def _name(clock: Clock, start: int, every: Period) -> str:
    pattern = "%Y-%m-%dT%H%M" if every.seconds % 86400 else "%Y-%m-%d"
    if every.months:
        pattern = "%Y-%m" if every.months % 12 else "%Y"
    return str(clock.date(start).strftime(pattern))


def resubmit(
    folder: Path,
    every: str,
    run: Callable[[bool], int],
    *,
    at_most: int | None = None,
    say: Callable[[str], None] = print,
) -> int:
    """Run the pieces of a case that are left, from the newest restart on; returns the exit code.

    Parameters
    ----------
    folder : of the case
    every : ISO-8601 length of a piece, such as P1M
    run : runs the case up to the end of the piece (`UNTIL` in the environment), from its restart or not; its exit code
    at_most : pieces to run now
    say : takes a line of text

    Raises
    ------
    CaseError
        A length that does not fit, or an experiment of other pieces.
    """
    plan = make_plan(folder)
    period = _period(plan, every)
    parts = pieces(plan.clock, plan.duration, period)
    known = read_experiment(folder)
    if known is not None and known["every"] != str(period):
        raise CaseError(
            f"{path_of(folder)}: the experiment was begun in pieces of {known['every']}, not {period}; go on with"
            f"  --every {known['every']}, or remove this file to begin anew"
        )
    reached = _reached(folder) if known is not None else 0
    if known is not None:
        _file_away(folder, parts, reached)
    _say_spin_up(plan, say)
    left = [p for p in parts if p.end > reached]
    if not left:
        say(f"{folder}: all {len(parts)} pieces are done, up to {plan.clock.text(plan.duration)}; raise duration in"
            f" case.yaml to go on, or remove {path_of(folder)} to begin anew")  # fmt: skip
        return 0
    content: dict[str, Any] = {
        "start": plan.clock.text(0), "end": plan.clock.text(plan.duration), "every": str(period), "pieces": len(parts),
        "done": [p.name for p in parts if p.end <= reached], "elapsed_s": (known or {}).get("elapsed_s", 0.0),
    }  # fmt: skip
    now = left[:at_most]
    for number, piece in enumerate(now):
        content |= {"piece": piece.name, "until": plan.clock.text(piece.end)}
        _note(folder, content)
        say(f"piece {piece.name}: {plan.clock.text(max(reached, piece.start))} to {plan.clock.text(piece.end)}")
        began = time.monotonic()
        code = _run_to(plan.clock.text(piece.end), lambda: run(reached > 0))  # noqa: B023
        content["elapsed_s"] = round(content["elapsed_s"] + time.monotonic() - began, 1)
        if code:
            _note(folder, content)
            return code
        reached = piece.end
        _file_away(folder, parts, reached)
        content["done"] = [*content["done"], piece.name]
        for following in left[number + 1 : number + 2]:
            content |= {"piece": following.name, "until": plan.clock.text(following.end)}
        _note(folder, content)
    rest = len(left) - len(now)
    if rest:
        say(f"{rest} piece{'s are' if rest > 1 else ' is'} left:  {typed('resubmit', folder)}")
        return LEFT_EXIT
    return 0


def _period(plan: Plan, every: str) -> Period:
    try:
        period = Period.of(every)
    except ValueError as error:
        raise CaseError(f"--every {error}") from None
    wrong = period.misfit(plan.clock, plan.stop_period, plan.duration)
    if wrong is not None:
        raise CaseError(
            f"--every {every}: a piece would end at {plan.clock.text(wrong)}, where the components cannot stop together"
            f" (every {plan.stop_period} s they can)"
        )
    return period


def _reached(folder: Path) -> int:
    """Model time of the newest restart, s; 0 without one."""
    chosen = newest(folder / "run" / "restart", lambda text: None)
    return 0 if chosen is None else int(read_manifest(chosen)["time"])


def _run_to(until: str, run: Callable[[], int]) -> int:
    before = os.environ.get(UNTIL)
    os.environ[UNTIL] = until
    try:
        return run()
    finally:
        os.environ.pop(UNTIL)
        if before is not None:
            os.environ[UNTIL] = before


def _file_away(folder: Path, parts: list[Piece], reached: int) -> None:
    """Move the output of a piece that has just ended into its folder; nothing is left for the next to go on with."""
    done = next((p for p in parts if p.end == reached), None)
    history = folder / "run" / "history"
    if done is None or not history.is_dir():
        return
    for path in sorted(history.glob("*.nc")):
        target = history / done.name / path.name
        target.parent.mkdir(exist_ok=True)
        os.replace(path, target)


def _note(folder: Path, content: dict[str, Any]) -> None:
    write_text(path_of(folder), json.dumps(content, indent=1) + "\n")


def _say_spin_up(plan: Plan, say: Callable[[str], None]) -> None:
    for component in plan.components:
        realm = component.realm
        if realm in SPIN_UP and not component.model.endswith("data"):
            say(f"note: {component.name}: {SPIN_UP[realm]}; leave its spin-up out of scores, or start from a restart")
