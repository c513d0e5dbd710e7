"""Namelists: YAML whose every value knows its file and line, read into typed options.

A component describes its options as a `Namelist`, a frozen pydantic model in which
every attribute has a docstring:

>>> class Options(Namelist):
...     depth: Metres = 50.0
...     '''Depth of the mixed layer.'''
>>> read_text("depth: 60 m").parse(Options).depth
60.0
>>> read_text("depht: 60", "ocean.yaml").parse(Options)
Traceback (most recent call last):
coupler.errors.NamelistError: ocean.yaml:1: unknown key 'depht'; did you mean 'depth'?

Numbers are in SI units; a number with a unit (``15 degC``) is converted where that is certain.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from coupler.clock import parse_duration
from coupler.errors import FieldError, NamelistError, Problem
from coupler.fields import conversion, did_you_mean


class Namelist(BaseModel):
    """Base of all options: unknown keys are errors, values are frozen, attribute docstrings are the help."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, strict=False)


@dataclass(frozen=True)
class Unit:
    """Annotation of a number: its SI unit."""

    name: str


def quantity(unit: str) -> Any:
    """Type of a number in `unit`: accepts ``50``, ``'50 m'`` and units that convert with certainty."""

    def read(value: Any) -> Any:
        of_unit = "" if unit == "1" else f" in {unit}"
        if isinstance(value, bool):
            raise PydanticCustomError("quantity", f"a number{of_unit} is wanted, not {str(value).lower()}")
        if not isinstance(value, str):
            return value
        match = re.fullmatch(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*", value)
        if not match:
            raise PydanticCustomError("quantity", f"{value!r} is not a number{of_unit}")
        number, given = float(match[1]), match[2]
        if not given:
            return number
        try:
            factor, offset = conversion(given, unit)
        except FieldError:
            raise PydanticCustomError("quantity", f"wrong unit {given!r}: {unit} is wanted") from None
        return number * factor + offset

    return Annotated[float, BeforeValidator(read), Unit(unit)]


def checked(check: Callable[[Any], Any]) -> Any:
    """Type of a word, or of a mapping with further options, that ``check`` refuses with a ``ValueError``.

    Parameters
    ----------
    check : callable
        Takes what stands in the namelist and returns it; its ``ValueError`` says what is known.
    """
    return Annotated[str | dict[str, Any], AfterValidator(check)]


def _duration(value: Any) -> int:
    if not isinstance(value, str):
        raise PydanticCustomError("duration", f"{value!r} is not an ISO-8601 duration such as PT20M, PT1H or P1D")
    try:
        return parse_duration(value)
    except ValueError as error:
        raise PydanticCustomError("duration", "{reason}", {"reason": str(error)}) from None


Metres = quantity("m")
Kelvin = quantity("K")
Seconds = quantity("s")
Pascals = quantity("Pa")
MetresPerSecond = quantity("m s-1")
Degrees = quantity("degree")
WattsPerSquareMetre = quantity("W m-2")
Fraction = quantity("1")
Duration = Annotated[int, BeforeValidator(_duration)]
"""ISO-8601 duration; whole seconds once read."""


@dataclass(frozen=True)
class Place:
    """Where a value stands."""

    file: str
    line: int


Path_ = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


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
    places: dict[Path_, Place] = field(default_factory=dict)
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
        """The values as typed options.

        Raises
        ------
        NamelistError
            With every mistake, each at its file and line.
        """
        try:
            return model.model_validate(self.values if self.values is not None else {})
        except ValidationError as error:
            problems = sorted(self._problems(error, model), key=lambda p: p.line)
            raise NamelistError(problems) from None

    def _problems(self, error: ValidationError, model: type[BaseModel]) -> Iterator[Problem]:
        for e in error.errors():
            path: Path_ = tuple(p for p in e["loc"])
            real = self._real(path)
            if e["type"] == "extra_forbidden":
                key = str(path[-1])
                yield self.problem(f"unknown key {key!r}{did_you_mean(key, _keys(model, path[:-1]))}", *real)
            elif e["type"] == "missing":
                yield self.problem(f"{'.'.join(map(str, path))!r} is missing", *real[:-1])
            else:
                where = ".".join(str(p) for p in real)
                given = "" if e["type"] in ("quantity", "duration") else f" (given: {e['input']!r})"
                message = e["msg"][0].lower() + e["msg"][1:]
                message = message.removeprefix("value error, ")
                yield self.problem(f"{where}: {message}{given}" if where else message + given, *real)

    def _real(self, path: Path_) -> Path_:
        """`path` without the parts that pydantic adds for unions."""
        real: list[str | int] = []
        values = self.values
        for n, key in enumerate(path):
            try:
                values = values[key]
            except (KeyError, IndexError, TypeError):
                if n == len(path) - 1 and isinstance(values, dict):
                    real.append(key)
                continue
            real.append(key)
        return tuple(real)


def _keys(model: Any, path: Path_) -> list[str]:
    """Keys allowed in the mapping at `path` of a model."""
    for key in path:
        info = getattr(model, "model_fields", {}).get(key)
        if info is None:
            continue
        model = info.annotation
        for argument in getattr(model, "__args__", ()):
            if hasattr(argument, "model_fields"):
                model = argument
    return list(getattr(model, "model_fields", {}))


def read_text(text: str, name: str = "namelist") -> Node:
    """A YAML text as a `Node`.

    Parameters
    ----------
    text : YAML
    name : of the file, for messages

    Raises
    ------
    NamelistError
        Text that is not YAML, or gives a key twice.
    """
    try:
        root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        raise NamelistError([Problem(name, line, f"not YAML: {error.problem or error.context}")]) from None
    places: dict[Path_, Place] = {(): Place(name, 1 if root is not None else 0)}
    problems: list[Problem] = []
    values = {} if root is None else _plain(root, (), name, places, problems)
    if problems:
        raise NamelistError(problems)
    return Node(values, places, name)


def read_file(path: Path, name: str | None = None) -> Node:
    """A YAML file as a `Node`; see `read_text`.

    Parameters
    ----------
    path : YAML file
    name : of the file in messages, where it is another
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise NamelistError([Problem(name or path.name, 0, f"cannot be read: {error.strerror}")]) from None
    return read_text(text, name or path.name)


class _Scalars(yaml.SafeLoader):
    """YAML 1.2 numbers: ``1e-3`` is a number; dates stay text."""


_Scalars.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")


def _plain(node: yaml.Node, path: Path_, name: str, places: dict[Path_, Place], problems: list[Problem]) -> Any:
    places.setdefault(path, Place(name, node.start_mark.line + 1))
    if isinstance(node, yaml.MappingNode):
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = _scalar(key_node)
            line = key_node.start_mark.line + 1
            if key in result:
                problems.append(Problem(name, line, f"key {key!r} stands twice"))
            places[(*path, key)] = Place(name, line)
            result[key] = _plain(value_node, (*path, key), name, places, problems)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_plain(n, (*path, i), name, places, problems) for i, n in enumerate(node.value)]
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    plain = getattr(node, "style", None) in (None, "") and isinstance(node.value, str)
    if plain and node.tag == "tag:yaml.org,2002:timestamp":
        return node.value
    if plain and _NUMBER.fullmatch(node.value):
        return float(node.value)
    loader = _Scalars("")
    try:
        return loader.construct_object(node, deep=True)
    finally:
        loader.dispose()
