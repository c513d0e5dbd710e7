# SPDX-License-Identifier: BSD-3-Clause
"""What the namelists of single columns share: values by time, and changes from the command line."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
from pydantic import AfterValidator, model_validator

from coupler.errors import CaseError, NamelistError, Problem
from coupler.namelist import Namelist, Range, read_file, read_text

Value = Annotated[float, Range(least=-1.0e6, most=1.0e6)]
Moment = Annotated[float, Range(least=0.0, most=1.0e9, unit="s")]
Model = TypeVar("Model", bound=Namelist)


def increasing(values: Sequence[float], name: str) -> None:
    """Refuse values that do not increase.

    Parameters
    ----------
    values : to look at
    name : of their entry, for the message

    Raises
    ------
    ValueError
        None, or not increasing.
    """
    if not values or any(b <= a for a, b in pairwise(values)):
        raise ValueError(f"{name}: expected increasing values")


def as_many(values: Sequence[Any], others: Sequence[Any], name: str, other: str) -> None:
    """Refuse two lists of different length.

    Parameters
    ----------
    values, others : the lists
    name, other : of their entries, for the message

    Raises
    ------
    ValueError
        They differ.
    """
    if len(values) != len(others):
        raise ValueError(f"{name} has {len(values)} entries, {other} {len(others)}")


class Series(Namelist):
    """Values by time, linear in between and constant outside: {time: [0, 3600], value: [1.0, 2.0]}."""

    time: list[Moment]
    """Times since the start, s, increasing."""
    value: list[Value]
    """A value a time."""

    @model_validator(mode="after")
    def _alike(self) -> "Series":
        increasing(self.time, "time")
        as_many(self.value, self.time, "value", "time")
        return self

    def at(self, time: float) -> float:
        """Value at ``time`` s."""
        return float(np.interp(time, self.time, self.value))


Number = Value | Series
"""A number, or values by time."""


def within(kind: Any, unit: str, least: float, most: float) -> Any:
    """Type of a number, of values by time or of a profile, all within bounds that its unit has in nature.

    So grams for kilograms, degrees C for K, hPa for Pa and days for seconds are refused, not run.

    Parameters
    ----------
    kind : type of what is given
    unit : in which it is
    least, most : bounds, included
    """

    def check(given: Any) -> Any:
        for value in np.ravel(getattr(given, "value", given)):
            if not least <= value <= most:
                raise ValueError(f"expected {least:g} to {most:g} {unit}, not {value:g}")
        return given

    return Annotated[kind, AfterValidator(check)]


def at(number: Any, time: float) -> float:
    """Value of a `Number` at a time.

    Parameters
    ----------
    number : number or values by time
    time : s since the start
    """
    return number.at(time) if isinstance(number, Series) else float(number)


def find(name: str, folder: Path) -> Path:
    """The file of a case: a path, or the word of one that comes with the project.

    Parameters
    ----------
    name : path or word
    folder : where those of the project lie

    Raises
    ------
    CaseError
        No such file and no such word.
    """
    for path in (Path(name), folder / f"{name}.yaml"):
        if path.is_file():
            return path
    known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml")))
    raise CaseError(f"{name}: no such file, and no column of that name; known columns: {known}")


def read(path: Path, model: type[Model], changes: Sequence[str] = ()) -> Model:
    """A column's namelist from its file.

    Parameters
    ----------
    path : YAML file
    model : its namelist
    changes : such as ``grid.spacing=50``, which win over the file

    Raises
    ------
    NamelistError
        Every mistake at its file and line, or at the change it came with.
    """
    node = read_file(path, str(path))
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals or not key.strip():
            raise NamelistError(
                [Problem("--set", 0, f"expected KEY=VALUE, such as grid.spacing=50 (given: {change!r})")]
            )
        value = read_text(f"value: {text}", f"--set {key}").values["value"]
        *around, last = key.strip().split(".")
        place = node.values
        for word in around:
            place = place.setdefault(word, {}) if isinstance(place, dict) else {}
        if not isinstance(place, dict):
            raise NamelistError([Problem("--set", 0, f"{key}: {'.'.join(around)} is not a mapping")])
        place[last] = value
        node.came_from("--set", *around, last)
    return node.parse(model)
