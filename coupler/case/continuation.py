# SPDX-License-Identifier: BSD-3-Clause
"""What a restart must have in common with the case that goes on from it, and what may have changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from coupler.errors import RestartError
from coupler.exchange import keys
from coupler.files.restart import newest, read_manifest
from coupler.plan import Plan

KINDS = ("start", "calendar", "model", "grid", "mask", "inputs", "options")
"""Words that ``--accept-changes`` takes, beside the full name of a change such as ``ocean.mask``."""


@dataclass(frozen=True)
class Change:
    """One thing that is not as it was when the restart was written."""

    name: str
    kind: str
    then: Any
    now: Any
    fatal: bool = True
    """Whether it is refused unless accepted; else it is only said."""
    possible: bool = True
    """Whether it can be accepted at all."""

    def __str__(self) -> str:
        if self.then is None:
            return f"{self.name} ({self.now}) is new: the restart has no state of it"
        if self.now is None:
            return (
                f"{self.name} ({self.then}) is gone: the restart has a state of it, and the case has no such component"
            )
        return f"{self.name}: {self.then} then, {self.now} now"


def identity(plan: Plan) -> dict[str, Any]:
    """What of a case a restart belongs to, as plain values for its manifest."""
    components = {}
    for c in plan.components:
        grids = {}
        for name, g in c.grids.items():
            active = int(np.count_nonzero(g.mask))
            marks = {"fingerprint": g.fingerprint, "mask": g.mask_fingerprint(), "place": _place(g)}
            grids[name] = {"shape": list(g.shape), "active": active, **marks}
        options = {} if c.options is None else c.options.model_dump(mode="json")
        shaping = list(c.shapes_state)
        said = {"options": options, "shaping": shaping, "inputs": dict(c.state_marks)}
        components[c.name] = {"model": c.model, "grids": grids, **said}
    whole = {"start": plan.clock.start, "calendar": plan.clock.calendar, "components": components}
    return dict(json.loads(json.dumps(whole, default=str)))


def _place(grid: Any) -> str:
    lon, lat = np.asarray(grid.longitude), np.asarray(grid.latitude)
    size = " x ".join(str(n) for n in grid.shape)
    return f"{size} cells, centres {lon.min():.6g} to {lon.max():.6g} E, {lat.min():.6g} to {lat.max():.6g} N"


def choose(
    folder: Path, plan: Plan, say: Callable[[str], None], accepted: Sequence[str] = ()
) -> tuple[Path, dict[str, Any], list[str]]:
    """The restart that a case goes on from, what this run's own restarts will belong to, and changes since then.

    Nothing is touched, so the launcher asks before it starts any process.

    Parameters
    ----------
    folder : Path
        The case.
    plan : Plan
        Its plan.
    say : callable
        Takes a line for each set that is passed over.
    accepted : sequence of str
        As `compare` takes them.

    Raises
    ------
    RestartError
        There is none, it is at the end already, or it does not belong to the case.
    """
    chosen = newest(folder / "run" / "restart", say)
    if chosen is None:
        raise RestartError(
            f"{folder} has no complete restart in {folder / 'run' / 'restart'}; run it without --continue"
        )
    ours = belongings(plan)
    changes = compare(chosen, ours, accepted)
    if int(read_manifest(chosen)["time"]) >= plan.duration:
        raise RestartError(
            f"the restart {chosen.name} is at the end of the run already ({plan.clock.text(plan.duration)}); raise "
            "duration in case.yaml to go on"
        )
    return chosen, ours, changes


def belongings(plan: Plan) -> dict[str, Any]:
    """What the manifests of a run's restarts hold of their case and its exchanges."""
    return {"exchanges": keys.in_flight(plan.tasks), "belongs_to": identity(plan)}


def compare(restart: Path, provenance: Mapping[str, Any], accepted: Sequence[str] = ()) -> list[str]:
    """Changes since a restart was written that are harmless or have been accepted, a line each.

    Parameters
    ----------
    restart : Path
        The set to go on from.
    provenance : mapping
        What the manifest of this run's own restarts will hold.
    accepted : sequence of str
        Words of `KINDS`, or full names of changes.

    Raises
    ------
    RestartError
        Another case or grid, or a change that has not been accepted: by name, with both values.
    """
    manifest = read_manifest(restart)
    then = manifest.get("belongs_to")
    notes = []
    if then is None:
        notes.append(f"{restart.name} does not say which case it belongs to; nothing could be compared")
    else:
        try:
            changes = list(_changes(then, provenance["belongs_to"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise RestartError(f"{restart}: its manifest is damaged ({error!r} in 'belongs_to')") from None
        _refuse(restart, changes, accepted)
        notes += [f"changed since the restart: {c}" + (" (accepted)" if c.fatal else "") for c in changes]
    return notes + keys.compare(manifest.get("exchanges", {}), provenance["exchanges"])


def _changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    found = [Change(k, k, then[k], now[k]) for k in ("start", "calendar") if then[k] != now[k]]
    was, are = then["components"], now["components"]
    for name in sorted({*was, *are}):
        if name not in was or name not in are:
            words = [f"model {c[name]['model']}" if name in c else None for c in (was, are)]
            found.append(Change(name, "model", words[0], words[1], possible=False))
            continue
        a, b = was[name], are[name]
        if a["model"] != b["model"]:
            found.append(Change(f"{name}.model", "model", a["model"], b["model"], possible=False))
            continue
        for grid in sorted({*a["grids"], *b["grids"]}):
            found += _grid_changes(f"{name}." + ("" if grid == "default" else f"{grid}."), a, b, grid)
        marks, marks_now = a.get("inputs", {}), b["inputs"]  # a restart of before there were marks has none
        for key in sorted({*marks} & {*marks_now}):
            if marks[key] != marks_now[key]:
                found.append(Change(f"{name}.inputs.{key}", "inputs", marks[key], marks_now[key]))
        for key in sorted({*a["options"], *b["options"]}):
            before, after = a["options"].get(key, "not there"), b["options"].get(key, "not there")
            if before != after:
                shaping = key in {*a["shaping"], *b["shaping"]}
                found.append(Change(f"{name}.options.{key}", "options", before, after, fatal=shaping))
    return found


def _grid_changes(prefix: str, a: Mapping[str, Any], b: Mapping[str, Any], grid: str) -> list[Change]:
    if grid not in a["grids"] or grid not in b["grids"]:
        there = ["there" if grid in c["grids"] else "not there" for c in (a, b)]
        return [Change(prefix + "grid", "grid", there[0], there[1], possible=False)]
    then, now = a["grids"][grid], b["grids"][grid]
    if then["fingerprint"] != now["fingerprint"]:
        places = [g["place"] for g in (then, now)]
        if places[0] == places[1]:
            places = [f"{g['place']} (fingerprint {g['fingerprint'][:12]})" for g in (then, now)]
        same = then["shape"] == now["shape"]
        return [Change(prefix + "grid", "grid", places[0], places[1], possible=same)]
    if then["mask"] != now["mask"]:
        words = [f"{g['active']} active cells (fingerprint {g['mask'][:12]})" for g in (then, now)]
        return [Change(prefix + "mask", "mask", words[0], words[1])]
    return []


def _refuse(restart: Path, changes: Sequence[Change], accepted: Sequence[str]) -> None:
    unknown = [w for w in accepted if w not in KINDS and w not in {c.name for c in changes}]
    if unknown:
        names = ", ".join(c.name for c in changes if c.fatal) or "nothing that matters"
        raise RestartError(
            f"--accept-changes {unknown[0]}: no such change; changed since {restart.name}: {names}; "
            f"words for all of a kind: {', '.join(KINDS)}"
        )
    wrong = [c for c in changes if c.fatal and (not c.possible or not {c.name, c.kind} & {*accepted})]
    if not wrong:
        return
    lines = [f"the restart {restart} does not belong to this case:", *(f"  {c}" for c in wrong)]
    if all(c.possible for c in wrong):
        words = " ".join(dict.fromkeys(c.name for c in wrong))
        lines.append(
            "Put that back, start anew without --continue, or take the state as it is: "
            f"--continue --accept-changes {words}\n"
            "(what has no state in the restart, such as a new sea cell, then begins with what the restart holds there)"
        )
    else:
        lines.append(
            "Put that back in case.yaml, or start anew without --continue: a state fits no other grid or model, and a "
            "component without a state has nothing to go on from"
        )
    raise RestartError("\n".join(lines))
