# SPDX-License-Identifier: BSD-3-Clause
"""Members of an ensemble: each is a whole case in ``run/member_NNN``, written from the namelists of its own.

A member differs from its case by the seed (that of the case + the member's number), by the keys that ``members:``
varies, and by ``{member}`` in texts, which becomes its number. It can be looked at, run and continued by itself like
any case.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
import zlib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from coupler.case.case import make_plan
from coupler.case.options import VariedKey
from coupler.case.reading import Case, read_case
from coupler.errors import CaseError, NamelistError
from coupler.files.atomic import write_text
from coupler.namelist import read_file, read_text
from coupler.quantities import split_quantity

OF_THE_ENSEMBLE = ("instances", "at_once", "members")
"""Keys of case.yaml that a member's has not."""


@dataclass(frozen=True)
class Member:
    """One member: its number, the name of its folder, varied values by key, and namelists by file name."""

    number: int
    name: str
    varied: Mapping[str, Any]
    namelists: Mapping[str, Any]

    def write(self, run: Path, case: Path) -> Path:
        """Write its namelists, and the link by which it finds the inputs of its case.

        Parameters
        ----------
        run : Path
            Where its folder is made.
        case : Path
            Folder of the ensemble.

        Returns
        -------
        Path
            Its folder.

        Raises
        ------
        DiskError
            A file cannot be written.
        """
        folder = run / self.name
        folder.mkdir(parents=True, exist_ok=True)
        for name, values in self.namelists.items():
            text = f"# Member {self.number} of an ensemble; written from the case's {name}.\n{_text(values)}"
            path = folder / name
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                write_text(path, text)
        link = folder / "inputs"
        if not link.is_symlink():
            link.symlink_to(os.path.relpath(case.resolve(), folder.resolve()), target_is_directory=True)
        return folder


def ensemble_of(folder: Path) -> Case | None:
    """The case, where its case.yaml asks for instances; None of other cases and of mistaken ones.

    Parameters
    ----------
    folder : Path
        Folder of the case.
    """
    try:
        if b"instances" not in (folder / "case.yaml").read_bytes():
            return None  # as most: its namelists are read once, by those who run it
        case = read_case(folder)
    except (OSError, CaseError, NamelistError):
        return None  # told by those who read it to run it
    return None if case.options.instances is None else case


def members_of(case: Case) -> list[Member]:
    """All members of an ensemble, as its namelists describe them; nothing is written.

    Parameters
    ----------
    case : Case
        Its namelists.

    Raises
    ------
    NamelistError
        With every key that cannot be varied as asked.
    """
    options = case.options
    assert options.instances is not None
    problems = [
        case.node.problem(text, "members", n) for n, v in enumerate(options.members) for text in _mistakes(case, v)
    ]
    if problems:
        raise NamelistError(problems)
    own = {path.name: read_file(path).values for path in case.files}
    return [_member(case, number, own) for number in range(options.instances)]


def check_members(case: Case, members: list[Member]) -> None:
    """Make the plan of each member, so that a value that no option takes is told before any member runs.

    Parameters
    ----------
    case : Case
        The ensemble's namelists.
    members : list of Member
        Its members.

    Raises
    ------
    NamelistError
        With the mistakes of all members.
    """
    problems = []
    with tempfile.TemporaryDirectory() as place:
        for member in members if case.options.members else members[:1]:
            try:
                make_plan(member.write(Path(place), case.folder))
            except NamelistError as error:
                values = ", ".join(f"{key}: {value}" for key, value in member.varied.items())
                who = f"member {member.number} ({values})"
                problems += [case.node.problem(f"{who}: {p.message}", "members") for p in error.problems]
    if problems:
        raise NamelistError(problems)


def describe(case: Case, members: list[Member], at_once: int) -> str:
    """The ensemble in words: how many at once, and what varies.

    Parameters
    ----------
    case : Case
        Its namelists.
    members : list of Member
        Its members.
    at_once : int
        How many run at one time.
    """
    first, last = case.options.seed, case.options.seed + len(members) - 1
    lines = [f"ensemble: {len(members)} members, {at_once} at once, seeds {first} to {last}"]
    for v in case.options.members:
        values = [str(m.varied[v.key]) for m in members]
        shown = values if len(values) <= 6 else [*values[:4], "...", values[-1]]
        lines.append(f"  {v.key}: {', '.join(shown)}")
    return "\n".join(lines)


def _member(case: Case, number: int, own: Mapping[str, Any]) -> Member:
    options = case.options
    assert options.instances is not None
    digits = f"{number:0{max(3, len(str(options.instances - 1)))}d}"
    namelists = {name: _filled(deepcopy(values), digits) for name, values in own.items()}
    top = namelists["case.yaml"]
    for key in OF_THE_ENSEMBLE:
        top.pop(key, None)
    top["seed"] = options.seed + number
    top["title"] = f"{top.get('title') or case.folder.resolve().name}, member {number}"
    varied = {v.key: _filled(_value(v, number, options.seed), digits) for v in options.members}
    for key, value in varied.items():
        _put(namelists, key, value)
    return Member(number, f"member_{digits}", varied, namelists)


def _mistakes(case: Case, varied: VariedKey) -> list[str]:
    """What is wrong with a key that is to vary."""
    name, *path = varied.key.split(".")
    known = ["case", *case.components]
    if name not in known or not path or "" in path:
        return [f"{varied.key}: expected NAME.KEY of one of {', '.join(known)}, such as ocean.slab.depth"]
    if name == "case" and path[0] in (*OF_THE_ENSEMBLE, "components", "seed"):
        return [f"{varied.key}: this key cannot vary between members"]
    count = case.options.instances
    if varied.values is not None:
        if len(varied.values) != count:
            return [f"{varied.key}: expected {count} values, one a member (instances: {count}; {len(varied.values)})"]
        return []
    try:
        first, last, _ = _numbers(varied)
    except ValueError as error:
        return [f"{varied.key}: {error}"]
    if varied.uniform is not None and not first < last:
        return [f"{varied.key}: uniform: expected the least value before the largest (given: {first:g}, {last:g})"]
    if varied.uniform is None and last < 0.0:
        return [f"{varied.key}: expected a standard deviation of 0 or more (given: {last:g})"]
    if varied.lognormal is not None and first <= 0.0:
        return [f"{varied.key}: lognormal: expected a median above 0 (given: {first:g})"]
    return []


def _numbers(varied: VariedKey) -> tuple[float, float, str]:
    """The two numbers of a distribution, and their unit."""
    given = varied.normal or varied.lognormal or varied.uniform
    assert given is not None
    parts = [split_quantity(v) if isinstance(v, str) else (float(v), "") for v in given]
    (first, unit), (second, other) = parts
    if varied.lognormal is not None and other:
        raise ValueError(f"the standard deviation of a logarithm has no unit (given: {given[1]})")
    if varied.lognormal is None and unit != other:
        raise ValueError(f"expected both numbers in one unit (given: {given[0]} and {given[1]})")
    return first, second, unit


def _value(varied: VariedKey, number: int, seed: int) -> Any:
    """The value of a member: it depends on seed, key and number alone, so that more members change none."""
    if varied.values is not None:
        return varied.values[number]
    first, second, unit = _numbers(varied)
    draw = np.random.default_rng([seed, zlib.crc32(varied.key.encode()), number])
    if varied.uniform is not None:
        value = float(draw.uniform(first, second))
    elif varied.normal is not None:
        value = first + second * float(draw.standard_normal())
    else:
        value = first * math.exp(second * float(draw.standard_normal()))
    return f"{value!r} {unit}" if unit else value


def _put(namelists: Mapping[str, Any], key: str, value: Any) -> None:
    """Set a key where it stands: in the component's own file, else in case.yaml."""
    name, *path = key.split(".")
    place = namelists["case.yaml"]
    if name != "case":
        choice = place["components"][name]
        own = namelists.get(f"{name}.yaml")
        place = choice if own is None or path[0] in choice else own
    for word in path[:-1]:
        if not isinstance(place.get(word), dict):
            place[word] = {}
        place = place[word]
    place[path[-1]] = value


def _filled(value: Any, digits: str) -> Any:
    """The same with ``{member}`` in texts replaced."""
    if isinstance(value, str):
        return value.replace("{member}", digits)
    if isinstance(value, dict):
        return {k: _filled(v, digits) for k, v in value.items()}
    return [_filled(v, digits) for v in value] if isinstance(value, list) else value


def _text(values: Any) -> str:
    """YAML that reads as these values; JSON, which is YAML too, where its common form would not."""
    text = str(yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=120))
    try:
        same = read_text(text).values == values
    except NamelistError:
        same = False
    return text if same else json.dumps(values, indent=1) + "\n"
