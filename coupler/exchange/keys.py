# SPDX-License-Identifier: BSD-3-Clause
"""Names of rules that last: what a restart holds of a rule is found by what the rule is, not by where it stands.

A key is made of the two sides, the statistic and the fields (of a flux node: the flux and its scheme). It stays the
same when rules are reordered, added or removed, and when what does not touch windows and deliveries in flight (the
remapping) changes.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from coupler.clock import format_duration
from coupler.errors import RestartError
from coupler.plan import Bundle, Delivery, Task


def keyed(tasks: Sequence[Task]) -> list[Task]:
    """The same tasks with their keys; true twins are counted, in their names too."""
    seen: Counter[str] = Counter()
    out = []
    for task in tasks:
        key = _key(task)
        seen[key] += 1
        twin = seen[key]
        out.append(replace(task, key=key, name=task.name) if twin == 1 else
                   replace(task, key=f"{key}.{twin}", name=f"{task.name} ({twin})"))  # fmt: skip
    return out


def _key(task: Task) -> str:
    sides = [_side(b) for b in task.inputs], [_side(d) for d in task.outputs]
    if task.kind == "flux":
        words = [str(task.options.get("flux", "")), task.scheme, *(b.component for b in task.inputs)]
        exact = [*words, task.inputs[0].statistic]
    else:
        words = [task.inputs[0].component, "to", *(d.component for d in task.outputs)]
        exact = [*words, *(b.statistic for b in task.inputs), *map(str, sides)]
    readable = re.sub(r"[^A-Za-z0-9_-]+", "_", "-".join([*words, task.inputs[0].statistic]))
    return f"{readable[:120]}.{hashlib.sha256(repr(exact).encode()).hexdigest()[:8]}"


def _side(part: Bundle | Delivery) -> str:
    weight = part.fraction.name if isinstance(part, Bundle) and part.fraction else ""
    return f"{part.component}/{part.grid} {', '.join(f.name for f in part.fields)} {weight}".strip()


def in_flight(tasks: Sequence[Task]) -> dict[str, dict[str, Any]]:
    """All that windows and deliveries in flight depend on, by key, for the manifest of a restart.

    Returns
    -------
    dict
        For each rule ``name``, ``brings`` (one text for each source, target and field) and ``terms``, one line.
    """
    rules: dict[str, dict[str, Any]] = {}
    for t in tasks:
        sources = " and ".join(b.component for b in t.inputs)
        inputs = " and ".join(f"{_side(b)} ({b.statistic}, {_columns(b)})" for b in t.inputs)
        outputs = " and ".join(f"{_side(d)} ({_columns(d)})" for d in t.outputs)
        times = f"every {format_duration(t.period)}, lag {format_duration(t.lag)}"
        rules[t.key] = {
            "name": t.name,
            "brings": [f"{f.name} from {sources} to {d.component}" for d in t.outputs for f in d.fields],
            "terms": f"{t.scheme} {inputs} to {outputs}, {times}".strip(),
        }
    return rules


def _columns(part: Bundle | Delivery) -> str:
    return f"{part.columns} value{'s' if part.columns > 1 else ''} a cell"


def compare(then: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What has become of the rules since a restart was written, a line for each that came or went.

    Parameters
    ----------
    then, now : mapping
        `in_flight` of the run that wrote the restart, and of this one.

    Raises
    ------
    RestartError
        Rules have changed: what is in flight belongs to others. All of them are named.
    """
    gone, new = then.keys() - now.keys(), now.keys() - then.keys()
    changed = [(then[key], now[key]) for key in now if key in then and then[key]["terms"] != now[key]["terms"]]
    for key in now:
        before = next((k for k in then if k in gone and set(then[k]["brings"]) & set(now[key]["brings"])), None)
        if key in new and before is not None:
            changed.append((then[before], now[key]))
    if changed:
        lines = "".join(f"\n  {b['name']}\n    then: {b['terms']}\n    now:  {n['terms']}" for b, n in changed)
        raise RestartError(
            "the restart was written under other rules, and what is in flight belongs to them:" + lines + "\n"
            "Put these rules of case.yaml (and what the models import and export) back as they were, or start anew "
            "without --continue"
        )
    return [
        *(f"{now[k]['name']} is new since the restart: it starts from the initial exports" for k in now if k in new),
        *(f"{then[k]['name']} is gone since the restart: what it held is left out" for k in then if k in gone),
    ]
