# SPDX-License-Identifier: BSD-3-Clause
"""Namelists: YAML whose every value knows its file and line, read into typed options.

A component describes its options as a `Namelist`, a frozen pydantic model in which every attribute has a docstring:

>>> class Options(Namelist):
...     depth: Length = 50.0
...     '''Depth of the mixed layer.'''
>>> read_text("depth: 60 m").parse(Options).depth
60.0
>>> read_text("depht: 60", "ocean.yaml").parse(Options)
Traceback (most recent call last):
coupler.errors.NamelistError: ocean.yaml:1: unknown key 'depht'; did you mean 'depth'?
>>> read_text("depth: -60", "ocean.yaml").parse(Options)
Traceback (most recent call last):
coupler.errors.NamelistError: ocean.yaml:1: depth: expected more than 0 and at most 100000000 m (given: -60)

Numbers are in SI units; a number with a unit (``15 degC``) is converted where that is certain. What the YAML may hold
is said in `coupler.yaml12`, the types of numbers are those of `coupler.quantities`.
"""

import json
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator

from coupler.errors import NamelistError, Problem
from coupler.fields import did_you_mean
from coupler.quantities import Count as Count
from coupler.quantities import Degrees as Degrees
from coupler.quantities import Depth as Depth
from coupler.quantities import Duration as Duration
from coupler.quantities import Fraction as Fraction
from coupler.quantities import Kelvin as Kelvin
from coupler.quantities import Length as Length
from coupler.quantities import LengthOrNone as LengthOrNone
from coupler.quantities import Metres as Metres
from coupler.quantities import MetresPerSecond as MetresPerSecond
from coupler.quantities import MonthAndDay as MonthAndDay
from coupler.quantities import Pascals as Pascals
from coupler.quantities import Positive as Positive
from coupler.quantities import Range as Range
from coupler.quantities import Recurring as Recurring
from coupler.quantities import Seconds as Seconds
from coupler.quantities import Temperature as Temperature
from coupler.quantities import TemperatureDifference as TemperatureDifference
from coupler.quantities import TimeScale as TimeScale
from coupler.quantities import Unit as Unit
from coupler.quantities import Viscosity as Viscosity
from coupler.quantities import WattsPerSquareMetre as WattsPerSquareMetre
from coupler.quantities import day_of_year as day_of_year
from coupler.quantities import number as number
from coupler.quantities import quantity as quantity
from coupler.quantities import whole as whole
from coupler.yaml12 import BYTES, KeyPath, Place, decode, read

Model = TypeVar("Model", bound=BaseModel)


class Namelist(BaseModel):
    """Base of all options: unknown keys are errors, values are frozen, attribute docstrings are the help.

    No number may be infinite or NaN. Who wants the help reads it from the source (`case.documentation`): pydantic would
    at every start of every process, for a tenth of the time of a check.

    Attributes
    ----------
    at_most_one : names of options that exclude each other
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    at_most_one: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="after")
    def _exclusive(self) -> Self:
        given = [name for name in self.at_most_one if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"expected one of {', '.join(self.at_most_one)}; found {' and '.join(given)}")
        return self


@dataclass
class Node:
    """A YAML document (or a part of it) as plain values, with the place of every key and value.

    Parameters
    ----------
    values : dict or list or scalar
        Plain Python values.
    places : dict
        From the path of a value, such as ``("coupling", 0, "period")``, to its place.
    file : str
        Name used in messages.
    """

    values: Any
    places: dict[KeyPath, Place] = field(default_factory=dict)
    file: str = "namelist"

    def place(self, *path: str | int) -> Place:
        """Place of the value at `path`, or of the nearest value around it."""
        for n in range(len(path), -1, -1):
            if path[:n] in self.places:
                return self.places[path[:n]]
        return Place(self.file, 0)

    def problem(self, message: str, *path: str | int) -> Problem:
        """A `Problem` at the place of `path`."""
        place = self.place(*path)
        return Problem(place.file, place.line, message)

    def came_from(self, name: str, *path: str | int) -> None:
        """Say in messages that the value at `path`, and all within it, came from `name` and stands in no line."""
        self.places = {p: where for p, where in self.places.items() if p[: len(path)] != path}
        self.places[path] = Place(name, 0)

    def part(self, *path: str | int) -> "Node":
        """The part of the document below `path`; empty mapping where there is nothing."""
        values: Any = self.values
        for key in path:
            try:
                values = values[key]
            except (KeyError, IndexError, TypeError):
                values = {}
                break
        n = len(path)
        places = {p[n:]: q for p, q in self.places.items() if p[:n] == path}
        places.setdefault((), self.place(*path))
        return Node({} if values is None else values, places, self.file)

    def mapping(self, example: str, what: str = "") -> Problem | None:
        """What is wrong where a mapping is wanted and this is none; `example` says how one is written."""
        if isinstance(self.values, dict):
            return None
        return self.problem(f"{what + ': ' if what else ''}expected a mapping such as  {example}{_given(self.values)}")

    def without(self, *keys: str) -> "Node":
        """This mapping without some of its top-level keys."""
        values = {k: v for k, v in self.values.items() if k not in keys}
        return Node(values, {p: q for p, q in self.places.items() if not p or p[0] not in keys}, self.file)

    def merged(self, other: "Node") -> "Node":
        """This mapping with the keys of `other` added (top-level; `other` wins)."""
        places = {p: q for p, q in self.places.items() if not p or p[0] not in other.values}
        places.update({p: q for p, q in other.places.items() if p})
        return Node({**self.values, **other.values}, places, self.file)

    def parse(self, model: type[Model]) -> Model:
        """The values as typed options; an empty key (``output:``) is as good as none.

        Raises
        ------
        NamelistError
            With every mistake, each at its file and line.
        """
        found, mistakes = self.read(model)
        if found is None:
            raise NamelistError(sorted(mistakes.values(), key=lambda p: p.line))
        return found

    def read(self, model: type[Model]) -> tuple[Model | None, dict[KeyPath, Problem]]:
        """The values as typed options, or None; and every mistake by the path at which it stands."""
        values = _without_empty(self.values, model)
        try:
            # as JSON and strict: what YAML says is a number, a word or a list is not taken for another
            return model.model_validate_json(json.dumps(values), strict=True), {}
        except ValidationError as error:
            return None, self._mistakes(error, model)

    def _mistakes(self, error: ValidationError, model: type[BaseModel]) -> dict[KeyPath, Problem]:
        said: dict[KeyPath, list[tuple[bool, str]]] = {}
        for e in error.errors():
            path: KeyPath = tuple(p for p in e["loc"])
            real = self._real(path)
            if e["type"] in ("missing", "extra_forbidden") and (not real or real[-1] != path[-1]):
                real = (*real, path[-1])
            of_type = e["type"].endswith("_type") or e["type"] == "none_required"
            said.setdefault(real, []).append((of_type, self._message(e, path, real, model)))
        found = {}
        for real, messages in said.items():  # of a union's mistakes those of the kind that was meant
            meant = [m for of_type, m in messages if not of_type]
            if not meant and any(other[: len(real)] == real != other for other in said):
                continue
            meant = meant or [m for _, m in messages]
            found[real] = self.problem("; or ".join(dict.fromkeys(meant)), *real)
        return found

    def _message(self, e: Any, path: KeyPath, real: KeyPath, model: type[BaseModel]) -> str:
        if e["type"] == "extra_forbidden":
            key = str(path[-1])
            return f"unknown key {key!r}{did_you_mean(key, _keys(model, path[:-1]))}"
        where = ".".join(str(p) for p in real)
        if e["type"] == "missing":
            return f"{where!r} is {'empty: give it a value' if real in self.places else 'missing'}"
        text = _EXPECTED.get(e["type"], "")
        if e["type"] in ("too_long", "too_short"):
            bound, key = ("at most", "max_length") if e["type"] == "too_long" else ("at least", "min_length")
            text = f"expected {bound} {e['ctx'][key]} values"
        elif text:
            text = f"expected {text}"
            if e["type"] == "bool_type" and str(e["input"]).lower() in ("yes", "no", "on", "off"):
                text = "expected true or false (yes, no, on and off are words in YAML 1.2)"
            elif e["type"] == "string_type" and isinstance(e["input"], int | float):
                text += ": put it in quotes"
        else:
            text = (e["msg"][0].lower() + e["msg"][1:]).removeprefix("value error, ")
        given = "" if e["type"] in ("quantity", "duration") else _given(e["input"])
        return f"{where}: {text}{given}" if where else text + given

    def _real(self, path: KeyPath) -> KeyPath:
        """`path` without the parts that pydantic adds for unions."""
        real: list[str | int] = []
        values = self.values
        for key in path:
            try:
                values = values[key]
            except (KeyError, IndexError, TypeError):
                continue
            real.append(key)
        return tuple(real)


_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "finite_number": "a finite number",
}
"""What is expected, by pydantic's names of mistakes."""


def checked(check: Callable[[Any], Any]) -> Any:
    """Type of a word, or of a mapping with further options, that ``check`` refuses with a ``ValueError``.

    Parameters
    ----------
    check : callable
        Takes what stands in the namelist and returns it; its ``ValueError`` says what is known.
    """
    return Annotated[str | dict[str, Any], AfterValidator(check)]


def _given(value: Any) -> str:
    if isinstance(value, dict | list) and len(str(value)) > 60:
        return f" (given: a {'mapping' if isinstance(value, dict) else 'list'} of {len(value)})"
    text = "nothing" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return f" (given: {text if len(text) <= 80 else text[:77] + '...'})"


def _without_empty(values: Any, annotation: Any) -> Any:
    """Values without the keys of options that have none, in all mappings that a model describes."""
    model = _model_in(annotation)
    if isinstance(values, list):
        return [_without_empty(v, annotation) for v in values] if model else values
    if not isinstance(values, Mapping) or model is None:
        return values
    fields = {info.alias or name: info.annotation for name, info in model.model_fields.items()}
    return {k: _without_empty(v, fields.get(k)) for k, v in values.items() if v is not None or k not in fields}


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The namelist that a type is, or has within a list, a mapping or a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for a in getattr(annotation, "__args__", ()) if (m := _model_in(a)) is not None), None)


def _keys(model: Any, path: KeyPath) -> list[str]:
    """Keys allowed in the mapping at `path` of a model."""
    for key in path:
        info = getattr(model, "model_fields", {}).get(key)
        if info is None:
            continue
        model = _model_in(info.annotation) or info.annotation
    return [info.alias or name for name, info in getattr(model, "model_fields", {}).items()]


def read_text(text: str, name: str = "namelist") -> Node:
    """A YAML text as a `Node`.

    Parameters
    ----------
    text : YAML
    name : of the file, for messages

    Raises
    ------
    NamelistError
        Text that is not YAML, or that a namelist cannot be; see `coupler.yaml12.read`.
    """
    values, places = read(text, name)
    return Node(values, places, name)


def read_file(path: Path, name: str | None = None) -> Node:
    """A YAML file as a `Node`; see `read_text`.

    Parameters
    ----------
    path : YAML file
    name : of the file in messages, where it is another
    """
    name = name or path.name
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise NamelistError([Problem(name, 0, "cannot be read: it is not a file")])
        if found.st_size > BYTES:
            raise NamelistError(
                [Problem(name, 0, f"{found.st_size} bytes are too many for a namelist (at most {BYTES})")]
            )
        content = path.read_bytes()
    except OSError as error:
        raise NamelistError([Problem(name, 0, f"cannot be read: {error.strerror}")]) from None
    return read_text(decode(content, name), name)
