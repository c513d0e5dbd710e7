# SPDX-License-Identifier: BSD-3-Clause
"""Reading the namelists of a case: ``case.yaml``, and a file for each component that has one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coupler.case.options import CaseOptions
from coupler.errors import CaseError, NamelistError, Problem
from coupler.namelist import Node, read_file
from coupler.paths import COMMAND

COMMON = ("model", "realm", "role", "step", "grid", "device", "output", "imports", "exports", "program")
"""Keys of a component's namelist that do not belong to its model."""
NONE = "none"
"""Model of a component that the case runs without: rules that name it do nothing."""
_NAME = re.compile(r"[^\W\d_][\w-]{0,63}")
_RESERVED = ("case", "coupler")
_STAND_IN: dict[str, Any] = {"start": "2001-01-01", "duration": "P1D", "components": {}}


@dataclass(frozen=True)
class Case:
    """A case's namelists as read, before they are resolved.

    `problems` are the mistakes found so far; what a mistaken key of ``case.yaml`` says is left out of `options`, and
    `dated` is False where start, calendar or duration are among them.
    """

    folder: Path
    node: Node
    options: CaseOptions
    components: Mapping[str, Node]
    files: tuple[Path, ...]
    problems: tuple[Problem, ...] = ()
    dated: bool = True
    absent: tuple[str, ...] = ()
    """Components that are there by name only: their model is `NONE`."""

    @property
    def run_folder(self) -> Path:
        """Where everything that the run makes goes."""
        return self.folder / "run"


def read_case(folder: Path) -> Case:
    """Read a case's namelists.

    Parameters
    ----------
    folder : Path
        Folder of the case.

    Raises
    ------
    CaseError
        No case there.
    NamelistError
        With every mistake in ``case.yaml`` and in the form of the components' files.
    """
    case = read_what_can_be(folder)
    if case.problems:
        raise NamelistError(case.problems)
    return case


def read_what_can_be(folder: Path) -> Case:
    """Read a case's namelists; mistakes are gathered, so that those of other files can be told with them.

    Parameters
    ----------
    folder : Path
        Folder of the case.

    Raises
    ------
    CaseError
        No case there.
    NamelistError
        A ``case.yaml`` that is not YAML, or no mapping.
    """
    if not folder.is_dir() or not (folder / "case.yaml").is_file():
        raise CaseError(
            f"{folder} is not a case: there is no {folder / 'case.yaml'}\n"
            f"Make one:  {COMMAND} new NAME --template east_asia      list them:  {COMMAND} list"
        )
    try:
        str(folder.resolve()).encode()
    except UnicodeEncodeError:
        raise CaseError(
            f"{str(folder)!r}: this path is not UTF-8, and netCDF files need one that is; rename it (convmv does)"
        ) from None
    files = [folder / "case.yaml"]
    node = read_file(files[0])
    wrong = node.mapping("start: 2001-01-01")
    if wrong:
        raise NamelistError([wrong])
    options, mistakes = node.read(CaseOptions)
    problems = list(mistakes.values())
    bad = {str(path[0]) for path in mistakes if path}
    if options is None:
        rest = node.without(*bad)
        options = Node({**_STAND_IN, **rest.values}, rest.places, rest.file).parse(CaseOptions)
    nodes: dict[str, Node] = {}
    for name in options.components:
        choice = node.part("components", name)
        found = _name_mistake(name) or choice.mapping(f"{name}: {{model: slab}}", f"components.{name}")
        if found:
            problems.append(node.problem(found, "components", name) if isinstance(found, str) else found)
            continue
        try:
            nodes[name] = _with_own_file(folder / f"{name}.yaml", choice, files, problems)
        except NamelistError as error:
            problems.extend(error.problems)
    dated = not bad & {"start", "calendar", "duration"}
    if not options.components and "components" not in bad:
        problems.append(node.problem("components: expected at least one, such as  ocean: {model: slab}", "components"))
    absent = tuple(name for name, own in nodes.items() if own.values.get("model") == NONE)
    nodes = {name: own for name, own in nodes.items() if name not in absent}
    kept = {name: value for name, value in options.components.items() if name not in absent}
    options = options.model_copy(update={"components": kept})
    return Case(folder, node, options, nodes, tuple(files), tuple(problems), dated, absent)


def _with_own_file(path: Path, choice: Node, files: list[Path], problems: list[Problem]) -> Node:
    """What case.yaml says of a component, with what its own file says."""
    if not path.is_file():
        return choice
    files.append(path)
    own = read_file(path)
    wrong = own.mapping("step: PT1H")
    if wrong:
        raise NamelistError([wrong])
    for key in [k for k in own.values if k in choice.values and k in COMMON]:
        problems.append(own.problem(f"{key!r} stands in case.yaml too ({choice.place(key).line})", key))
    return own.merged(choice)


def _name_mistake(name: str) -> str:
    if name in _RESERVED:
        return f"a component cannot be called {name!r}: the word has another meaning in a case"
    if not _NAME.fullmatch(name):
        return f"component {name[:80]!r}: expected a name of letters, digits, - and _ that begins with a letter"
    return ""
