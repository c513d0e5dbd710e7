# SPDX-License-Identifier: BSD-3-Clause
"""The grid that a component's namelist describes, names, or has in common with another component."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coupler.case.models import find_model, realm_of
from coupler.case.options import GridOptions
from coupler.errors import CaseError, GridError
from coupler.fields import did_you_mean
from coupler.grids.grid import Grid
from coupler.namelist import Node, read_file
from coupler.paths import NAMELISTS


def grid_of(value: Any, name: str, components: Mapping[str, Node], folder: Path, node: Node) -> Grid:
    """The grid of a component.

    Parameters
    ----------
    value : mapping or str
        What stands under ``grid``: a description, a name in namelists/grids, or another component of the case.
    name : str
        Name of the component.
    components : mapping of str to Node
        Namelists of the case's components.
    folder : Path
        Folder of the case.
    node : Node
        The component's namelist.

    Raises
    ------
    GridError
        A name of nothing.
    NamelistError
        Mistakes in the description.
    """
    if not isinstance(value, str):
        return node.part("grid").parse(GridOptions).build(name, folder)
    path = NAMELISTS / "grids" / f"{value}.yaml"
    if path.parent == NAMELISTS / "grids" and path.is_file():
        return read_file(path).parse(GridOptions).build(name, folder)
    other = components.get(value)
    if other is None:
        there = sorted(p.stem for p in (NAMELISTS / "grids").glob("*.yaml"))
        hint = did_you_mean(value, [*there, *components])
        raise GridError(
            f"unknown grid {value!r}{hint}; known grids: {', '.join(there)}, and those of {', '.join(components)}"
        )
    theirs = other.values.get("grid")
    if isinstance(theirs, str) and theirs in components:
        raise GridError(f"grid {value!r}: {value} takes its grid from {theirs} itself")
    return grid_of(theirs, name, components, folder, other)


def levels_of(value: Any, components: Mapping[str, Node], folder: Path) -> int | None:
    """Number of levels of the component whose grid another one takes: a grid in common is one in the vertical too.

    Parameters
    ----------
    value, components, folder
        As in `grid_of`.

    Returns
    -------
    int or None
        None where the grid is no other component's, or that has no levels.
    """
    if not isinstance(value, str) or value not in components:
        return None
    node = components[value]
    model = str(node.values.get("model"))
    section = node.part("options" if ":" in model else model).values
    given = {**section, **node.values}.get("levels")
    if given is None:
        try:
            options = find_model(model, realm_of(value, node), folder).Options
        except CaseError:  # said where that component is resolved
            return None
        field = options.model_fields.get("levels")
        given = None if field is None else field.default
    return given if isinstance(given, int) else None
