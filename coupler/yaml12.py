# SPDX-License-Identifier: BSD-3-Clause
"""YAML 1.2 as namelists use it: plain values, the line of each, and a limit to every size.

PyYAML's parser gives the events; what plain words mean is YAML 1.2's core schema, and not PyYAML's YAML 1.1:

>>> values, places = read("{ocean: no, west: 120:00, small: 1e-3, start: 2001-01-01}", "case.yaml")
>>> values
{'ocean': 'no', 'west': '120:00', 'small': 0.001, 'start': '2001-01-01'}

Keys are text as they were typed. No tag makes an object, and aliases expand to a limited size, so that a stranger's
file can be read safely.
"""

import codecs
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from coupler.errors import NamelistError, Problem

BYTES = 4_000_000
"""Largest file that is taken for a namelist."""
VALUES = 100_000
"""Most values of a document, after its aliases are expanded."""
LEVELS = 50
"""Most mappings and lists within one another."""

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """Where a value stands."""

    file: str
    line: int


_LEADING_ZERO = re.compile(r"[-+]?0[0-9]{1,99}")
_WHOLE = re.compile(r"[-+]?[0-9]+")
_OCTAL, _HEX = re.compile(r"0o[0-7]+"), re.compile(r"0x[0-9a-fA-F]+")
_REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE, _NAN = re.compile(r"[-+]?\.(inf|Inf|INF)"), re.compile(r"\.(nan|NaN|NAN)")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
_MARKS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
          (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
_HINTS = {
    "mapping values are not allowed": "a ': ' within text? put the text in quotes",
    "cannot start any token": "a tab, or text that begins with @, ` or %? indent with blanks, put text in quotes",
    "unexpected end of stream": "a quote or a bracket is not closed",
    "did not find expected": "a bracket or quote is not closed, or a line is not indented as its neighbours",
}
_PLAIN_TAGS = {"!", *(f"tag:yaml.org,2002:{t}" for t in ("str", "int", "float", "bool", "null", "map", "seq"))}


def _refuse(name: str, line: int, message: str) -> NamelistError:
    return NamelistError([Problem(name, line, message)])


def decode(content: bytes, name: str) -> str:
    """Text of a file: UTF-8, or UTF-16 and UTF-32 where the first bytes say so.

    Raises
    ------
    NamelistError
        Another encoding, or no text at all.
    """
    encoding = next((e for mark, e in _MARKS if content.startswith(mark)), "")
    if not encoding:  # without a mark the zero bytes of the first character tell, as YAML 1.2 says (section 5.2)
        wide = [content[:4][i : i + 1] == b"\0" for i in range(4)]
        guesses = {(True, False): "utf-16-be", (False, True): "utf-16-le"}
        encoding = guesses.get((wide[0], wide[1]), "utf-8") if wide[:2] == wide[2:] else "utf-8"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        bad, line = content[error.start], content.count(b"\n", 0, error.start) + 1
        kind = encoding.upper().removesuffix("-SIG")
        text = f"byte 0x{bad:02X} is not {kind}: is the file Latin-1? Save it as UTF-8, or put the letter in ASCII"
        raise _refuse(name, line, text) from None


def read(text: str, name: str = "namelist") -> tuple[Any, dict[KeyPath, Place]]:
    """Plain values of a YAML text, and the place of every key and value.

    Parameters
    ----------
    text : str
        One YAML document.
    name : str
        What messages call it.

    Returns
    -------
    (object, dict)
        Values (an empty text is an empty mapping), and places by the path of keys and numbers.

    Raises
    ------
    NamelistError
        Text that is not YAML, is too large or too deep, says a key twice, or has tags of its own.
    """
    text = text.removeprefix("\ufeff")
    found = _INVISIBLE.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        kind = "a zero byte: is the file damaged, or no text?" if found[0] == "\0" else "remove it"
        raise _refuse(name, line, f"an invisible character, U+{ord(found[0]):04X}, that text cannot have; {kind}")
    try:
        return _Reader(text, name).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(t for t in (error.problem, error.context) if t)
        hint = next((f" ({h})" for part, h in _HINTS.items() if part in said), "")
        start = error.context_mark
        begun = f", begun in line {start.line + 1}" if start and mark and start.line != mark.line else ""
        raise _refuse(name, mark.line + 1 if mark else 0, f"not YAML: {said}{begun}{hint}") from None
    except yaml.YAMLError as error:
        raise _refuse(name, 0, f"not YAML: {' '.join(str(error).split())}") from None


@dataclass
class _Anchored:
    """What an alias stands for."""

    value: Any
    places: dict[KeyPath, Place]
    size: int


class _Reader:
    """Values from the events of one document; `path` is that of the value being read."""

    def __init__(self, text: str, name: str):
        self.name = name
        self.places: dict[KeyPath, Place] = {}
        self.problems: list[Problem] = []
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        self._anchors: dict[str, _Anchored | None] = {}
        self._count = 0

    def document(self) -> tuple[Any, dict[KeyPath, Place]]:
        """The only document of the text."""
        self.places[()] = Place(self.name, 1)
        next(self._events)
        event, value = next(self._events), {}
        if isinstance(event, yaml.DocumentStartEvent):
            value = self._value(next(self._events), ())
            next(self._events)
            event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise _refuse(self.name, event.start_mark.line + 1, "a second document begins here; a namelist is one")
        if self.problems:
            raise NamelistError(sorted(self.problems, key=lambda p: p.line))
        return {} if value is None else value, self.places

    def _say(self, event: Any, message: str) -> None:
        self.problems.append(Problem(self.name, event.start_mark.line + 1, message))

    def _counted(self, event: Any, more: int = 1) -> None:
        self._count += more
        if self._count > VALUES:
            line = event.start_mark.line + 1
            raise _refuse(
                self.name, line, f"more than {VALUES} values with its aliases expanded: no namelist is so large"
            )

    def _value(self, event: Any, path: KeyPath) -> Any:
        self._counted(event)
        self.places.setdefault(path, Place(self.name, event.start_mark.line + 1))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        if event.tag is not None and event.tag not in _PLAIN_TAGS:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._say(event, f"unknown tag {tag}: a namelist holds text, numbers, lists and mappings; leave it out")
        if len(path) > LEVELS:
            raise _refuse(self.name, event.start_mark.line + 1, f"more than {LEVELS} levels within one another")
        before, placed = self._count, len(self.places)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        value: Any
        if isinstance(event, yaml.MappingStartEvent):
            value = self._mapping(path)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = []
            while not isinstance(inner := next(self._events), yaml.SequenceEndEvent):
                value.append(self._value(inner, (*path, len(value))))
        else:
            value = self._scalar(event, path)
        if event.anchor is not None:
            n = len(path)
            inside = itertools.islice(reversed(self.places.items()), len(self.places) - placed)
            places = {p[n:]: q for p, q in inside}
            self._anchors[event.anchor] = _Anchored(value, places, self._count - before + 1)
        return value

    def _alias(self, event: Any, path: KeyPath) -> Any:
        if event.anchor not in self._anchors:
            self._say(event, f"alias *{event.anchor} stands for nothing: no &{event.anchor} before it")
            return None
        anchored = self._anchors[event.anchor]
        if anchored is None:
            self._say(event, f"alias *{event.anchor} stands within &{event.anchor}, and so for itself")
            return None
        self._counted(event, anchored.size)
        depth = len(path) + max(map(len, anchored.places), default=0)
        if depth > LEVELS:
            raise _refuse(self.name, event.start_mark.line + 1, f"more than {LEVELS} levels within one another")
        self.places.update({(*path, *p): q for p, q in anchored.places.items() if p})
        return _copied(anchored.value)

    def _mapping(self, path: KeyPath) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        merged_places: dict[KeyPath, Place] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            merge = isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]
            key = self._key(event, path)
            if merge:
                self._merge(event, path, merged, merged_places)
                continue
            if key in own:
                self._say(event, f"key {key!r} stands twice")
            here = (*path, key)
            self.places[here] = Place(self.name, event.start_mark.line + 1)
            own[key] = self._value(next(self._events), here)
        for p, place in merged_places.items():
            if p[len(path)] not in own:
                self.places[p] = place
        return {**{k: v for k, v in merged.items() if k not in own}, **own}

    def _merge(self, event: Any, path: KeyPath, merged: dict[str, Any], places: dict[KeyPath, Place]) -> None:
        """The mapping, or the mappings in a list, of a key ``<<``: what stands in the mapping itself goes before it."""
        outer, self.places = self.places, {}
        value = self._value(next(self._events), path)
        inner, self.places = self.places, outer
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(s, dict) for s in sources):
            self._say(event, "'<<' takes a mapping, such as  <<: *defaults, or a list of mappings")
            return
        new: dict[str, int] = {}  # of several mappings the first that has a key gives it
        for i, source in enumerate(sources):
            for key in source:
                if key not in merged:
                    merged[key], new[key] = source[key], i
        n = len(path) + isinstance(value, list)
        for p, place in inner.items():
            if len(p) > n and new.get(str(p[n])) == (p[n - 1] if isinstance(value, list) else 0):
                places[(*path, *p[n:])] = place

    def _key(self, event: Any, path: KeyPath) -> str:
        if isinstance(event, yaml.ScalarEvent):
            if not event.value and event.implicit[0]:
                self._say(event, "a key is missing before ':'")
            if event.anchor is not None:
                self._anchors[event.anchor] = _Anchored(event.value, {}, 1)
            return str(event.value)
        value = self._value(event, (*path, "?"))
        if not isinstance(value, str):
            self._say(event, "expected a key here, not a mapping, a list or an alias of one")
        return str(value)

    def _scalar(self, event: Any, path: KeyPath) -> Any:
        text = event.value
        if "\0" in text:
            self._say(event, "a zero byte (\\0) within text")
        kind = (event.tag or "").removeprefix("tag:yaml.org,2002:")
        if (not event.implicit[0] and not kind) or kind in ("!", "str") or (event.style and not kind):
            return text
        if text in _WORDS:
            value = _WORDS[text]
        elif _LEADING_ZERO.fullmatch(text):
            where = ".".join(map(str, path)) or "value"
            self._say(
                event, f"{where}: {text} has a leading zero: {int(text)} in YAML 1.2, another number in older YAML;"
                " leave the zero out, or put text in quotes"
            )  # fmt: skip
            return text
        else:
            value = _number(text)
        fits: dict[str, Any] = {"int": int, "float": int | float, "bool": bool, "null": type(None)}
        wrong = kind in fits and (not isinstance(value, fits[kind]) or (kind != "bool" and isinstance(value, bool)))
        if wrong:
            self._say(event, f"{text!r} is not a value of the tag !!{kind}")
        return float(value) if kind == "float" and not wrong else value


def _number(text: str) -> Any:
    """Number of a plain word, or the word."""
    try:
        if _WHOLE.fullmatch(text):
            return int(text)
        if _OCTAL.fullmatch(text):
            return int(text[2:], 8)
        if _HEX.fullmatch(text):
            return int(text[2:], 16)
    except ValueError:  # more digits than Python takes
        return text
    if _REAL.fullmatch(text):
        return float(text)
    if _INFINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return float("nan") if _NAN.fullmatch(text) else text


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _copied(v) for k, v in value.items()}
    return [_copied(v) for v in value] if isinstance(value, list) else value
