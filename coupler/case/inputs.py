# SPDX-License-Identifier: BSD-3-Clause
"""The files that a run will open: namelists, inputs that options name, grids, weights."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coupler.case.reading import Case
from coupler.paths import input_file
from coupler.plan import ComponentPlan, Plan


def inputs_of(component: ComponentPlan) -> list[Path]:
    """Files that a component's options name, also in lists and by patterns.

    Parameters
    ----------
    component : ComponentPlan
        The component.
    """
    values = {} if component.options is None else component.options.model_dump(mode="json")
    return [path for word in _strings(values) for path in _found(component.setting.file(word))]


def files_opened(case: Case, plan: Plan) -> list[tuple[str, Path]]:
    """Every file that a run will open, with who opens it.

    Parameters
    ----------
    case : Case
        The namelists.
    plan : Plan
        The plan made of them.
    """
    found = [("namelist", path) for path in case.files]
    for c in plan.components:
        found += [(c.name, path) for path in inputs_of(c)]
        grid = case.components[c.name].part("grid").values
        if isinstance(grid, dict) and grid.get("file"):
            found.append((c.name, input_file(str(grid["file"]), case.folder)))
    for task in plan.tasks:
        methods = task.remap.methods if task.kind == "connection" else ()
        names = [m["file"] for m in methods if isinstance(m, dict) and "file" in m]
        found += [(task.name, input_file(str(name), case.folder)) for name in names]
    return list(dict.fromkeys(found))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value:
            yield value
    elif isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)


def _found(path: Path) -> list[Path]:
    try:
        if path.is_file():
            return [path]
        return sorted(Path(p) for p in glob.glob(str(path))) if glob.has_magic(str(path)) else []
    except (OSError, ValueError):  # a text that is no path
        return []
