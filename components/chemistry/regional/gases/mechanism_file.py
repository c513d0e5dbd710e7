# SPDX-License-Identifier: BSD-3-Clause
"""Reading of mechanisms in MusicBox's format, version 1 (JSON), with the line of every mistake."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.chemistry.regional.gases.mechanism import (
    DIFFUSIVITY,
    GIVEN,
    KINDS,
    MOLAR_MASS,
    NITRATE,
    Constant,
    Mechanism,
    Reaction,
)
from components.science.constants import BOLTZMANN
from coupler.errors import CaseError
from coupler.fields import did_you_mean

IGNORED = {"type", "name", "gas phase"}
OTHER_NAMES = {"Ea"}
SIDES = {
    "SURFACE": ("gas-phase species", "gas-phase products"),
    "BRANCHED_NO_RO2": ("reactants", "alkoxy products", "nitrate products"),
}
"""Sides of a reaction, where they have names of their own."""
CONSTANTS = {"constant concentration [mol m-3]": "amount", "constant mixing ratio [mol mol-1]": "share"}


class MechanismError(CaseError):
    """A mechanism that cannot be read: every mistake with file and line."""


class _Lined(dict[str, Any]):
    """A JSON object that knows its line."""

    line = 0


class _LinedDecoder(json.JSONDecoder):
    """Decoder whose objects know their lines."""

    def __init__(self) -> None:
        super().__init__()
        self.repeated: list[tuple[int, str]] = []

        def read_object(text_end: tuple[str, int], *rest: Any) -> tuple[_Lined, int]:
            text, begin = text_end
            line = text.count("\n", 0, begin) + 1

            def made(pairs: list[tuple[str, Any]]) -> _Lined:
                out = _Lined(pairs)
                out.line = line
                self.repeated += [(line, k) for k in {k for k, _ in pairs} if sum(k == j for j, _ in pairs) > 1]
                return out

            strict, scan, _, _, *memo = rest
            return json.decoder.JSONObject(text_end, strict, scan, None, made, *memo)  # type: ignore[attr-defined,no-any-return]

        self.parse_object = read_object
        self.scan_once = json.scanner.py_make_scanner(self)  # type: ignore[attr-defined]


def read_mechanism(path: Path) -> Mechanism:
    """The mechanism of a MusicBox file, or of a file that holds a mechanism alone.

    Parameters
    ----------
    path : JSON

    Raises
    ------
    MechanismError
        No JSON, another version, an unknown kind of reaction or species, a parameter that is no number: all of them,
        each with its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MechanismError(f"{path}: cannot be read as text ({error})") from error
    decoder = _LinedDecoder()
    try:
        found = decoder.decode(text)
    except json.JSONDecodeError as error:
        raise MechanismError(f"{path}:{error.lineno}: not JSON: {error.msg} (column {error.colno})") from error
    reader = _Reader(path)
    for line, key in decoder.repeated:
        reader.wrong(line, f"'{key}' stands twice in one object")
    mechanism = reader.mechanism(found)
    if reader.problems:
        raise MechanismError("\n".join(reader.problems))
    return mechanism


class _Reader:
    """Reads what was decoded, and collects all mistakes."""

    def __init__(self, path: Path):
        self.path = path
        self.problems: list[str] = []
        self.motion: dict[str, dict[str, float]] = {}

    def wrong(self, line: int, what: str) -> None:
        self.problems.append(f"{self.path}:{line}: {what}")

    def mechanism(self, found: Any) -> Mechanism:
        empty = Mechanism(self.path.stem, (), ())
        if not isinstance(found, _Lined):
            self.wrong(1, "expected an object with 'species' and 'reactions', or one with a 'mechanism' of that kind")
            return empty
        root = found.get("mechanism", found)
        if not isinstance(root, _Lined):
            self.wrong(found.line, "'mechanism' is to be an object with 'species' and 'reactions'")
            return empty
        version = str(root.get("version", ""))
        if version.split(".")[0] != "1":
            self.wrong(root.line, f"expected a mechanism of version 1, found version '{version or 'none'}'")
        places: dict[str, str] = {}
        third: list[str] = []
        constants: dict[str, Constant] = {}
        for s in self.objects(root, "species"):
            name = s.get("name")
            if not isinstance(name, str) or not name:
                self.wrong(s.line, "a species without a name")
                continue
            if name in places:
                self.wrong(s.line, f"species {name} is declared twice, first in {places[name]}")
            places[name] = f"{self.path}:{s.line}"
            if s.get("is third body"):
                third.append(name)
            held = {word: s[key] for key, word in CONSTANTS.items() if key in s}
            for n in held.values():
                if not _number(n) or n < 0.0:
                    self.wrong(s.line, f"species {name} is constant: expected a number of 0 or more, found {n!r}")
            if held:
                constants[name] = Constant(**held)
            self.moves(s)
        for phase in self.objects(root, "phases") if "phases" in root else ():
            for s in phase.get("species", ()):
                self.moves(s)
        reactions = [r for given in self.objects(root, "reactions") for r in self.reactions(given, places)]
        names: set[str] = set()
        for r in reactions:
            if r.name and r.name in names:
                self.wrong(root.line, f"two reactions are named {r.name}: their rates could not be told apart")
            names.add(r.name)
        if not places and not self.problems:
            self.wrong(root.line, "the mechanism has no species")
        species = tuple(s for s in places if s not in third and s not in constants)
        name = str(root.get("name", self.path.stem))
        return Mechanism(name, species, tuple(reactions), tuple(third), places, constants)

    def moves(self, species: Any) -> None:
        """Keep what an entry says of a gas's motion; 0 stands for what is not known."""
        for key in (DIFFUSIVITY, MOLAR_MASS):
            n: Any = species.get(key) if isinstance(species, _Lined) else None
            if _number(n) and n > 0.0:
                self.motion.setdefault(str(species.get("name")), {})[key] = float(n)

    def objects(self, parent: _Lined, key: str) -> Iterator[_Lined]:
        """The objects of a list."""
        found = parent.get(key)
        if not isinstance(found, list):
            what = "there is none" if found is None else f"found {found!r}"
            self.wrong(parent.line, f"expected a list '{key}'; {what}")
            return
        for n, entry in enumerate(found):
            if isinstance(entry, _Lined):
                yield entry
            else:
                self.wrong(parent.line, f"entry {n + 1} of '{key}' is to be an object, not {entry!r}")

    def reactions(self, given: _Lined, species: Mapping[str, str]) -> list[Reaction]:
        """What an entry says: one reaction, or two branches."""
        kind = given.get("type")
        if kind not in KINDS:
            hint = did_you_mean(str(kind), KINDS)
            self.wrong(given.line, f"unknown type of reaction {kind!r}{hint}; known: {', '.join(KINDS)}")
            return []
        before = len(self.problems)
        left, *right = SIDES.get(kind, ("reactants", "products"))
        reactants: list[str] = []
        if kind != "EMISSION":
            for s, n in self.members(given, left, species):
                if n < 1.0 or n != int(n):
                    self.wrong(given.line, f"reactant {s} with coefficient {n:g}: expected a whole number from 1")
                else:
                    reactants += [s] * int(n)
            if not reactants and len(self.problems) == before:
                self.wrong(given.line, f"a reaction of type {kind} without reactants; a source is of type EMISSION")
        elif given.get("reactants"):
            self.wrong(given.line, "an EMISSION has no reactants")
        products = [tuple(self.members(given, key, species)) for key in right]
        if kind in ("PHOTOLYSIS", "FIRST_ORDER_LOSS") and len(reactants) > 1:
            self.wrong(given.line, f"{kind} has one reactant, not {len(reactants)}: {' + '.join(reactants)}")
        name = ""
        if kind in GIVEN:
            if not isinstance(given.get("name"), str) or not given["name"]:
                self.wrong(given.line, f"a reaction of type {kind} needs a name, by which its rate is found")
            name = f"{GIVEN[kind]}.{given.get('name')}"
        parameters = self.parameters(given, kind, (left, *right))
        if kind == "SURFACE":
            parameters |= self.motion_of(given, reactants)
        if len(self.problems) > before:
            return []
        if kind == "BRANCHED_NO_RO2":
            parts = [(parameters | {NITRATE: float(n)}, made) for n, made in enumerate(products)]
        else:
            parts = [(parameters, products[0])]
        return [Reaction(kind, tuple(reactants), made, numbers, name) for numbers, made in parts]

    def motion_of(self, given: _Lined, reactants: Sequence[str]) -> dict[str, float]:
        """How the gas that meets a surface moves."""
        for s in reactants:
            found = self.motion.get(s, {})
            for key, place in ((DIFFUSIVITY, "a phase"), (MOLAR_MASS, "the list of species")):
                if key not in found:
                    self.wrong(given.line, f"{s} meets a surface: give its '{key}' in {place}")
            return found
        return {}

    def members(self, given: _Lined, key: str, species: Mapping[str, str]) -> list[tuple[str, float]]:
        """Species and coefficients of one side of a reaction."""
        if key.endswith("products") and key not in given:
            return []
        out = []
        alone = given.get(key)
        if key == "gas-phase species" and isinstance(alone, str):  # one word in the place of a list
            entries: Iterator[_Lined] = iter([_Lined({"species name": alone})])
        else:
            entries = self.objects(given, key)
        for m in entries:
            name, n = m.get("species name", m.get("name")), m.get("coefficient", 1.0)
            if not isinstance(name, str) or name not in species:
                hint = did_you_mean(str(name), list(species))
                line = m.line or given.line
                self.wrong(line, f"unknown species {name!r} among the {key}{hint}; it is not in the list of species")
            elif not _number(n):
                self.wrong(m.line, f"coefficient of {name}: expected a number, found {n!r}")
            else:
                out.append((name, float(n)))
        return out

    def parameters(self, given: _Lined, kind: str, sides: Sequence[str]) -> dict[str, float]:
        defaults = KINDS[kind]
        allowed: Sequence[str] = [*defaults, *(OTHER_NAMES if kind == "ARRHENIUS" else ())]
        for key in given:
            if key not in (*allowed, *sides, *IGNORED) and not key.startswith("__"):
                hint = did_you_mean(key, allowed)
                self.wrong(given.line, f"{kind} has no parameter {key!r}{hint}; it has: {', '.join(allowed)}")
        out = dict(defaults)
        for key in allowed:
            if key not in given:
                continue
            if not _number(given[key]):
                self.wrong(given.line, f"{key}: expected a number, found {given[key]!r}")
            elif key == "Ea":
                if "C" in given:
                    self.wrong(given.line, "give either C or Ea, not both")
                out["C"] = -float(given[key]) / BOLTZMANN
            else:
                out[key] = float(given[key])
        for key in ("D", "Fc", "N", "a0"):
            if out.get(key, 1.0) <= 0.0:
                self.wrong(given.line, f"{key} = {out[key]:g}: expected a number above 0")
        for key in ("a0", "reaction probability"):
            if not 0.0 <= out.get(key, 1.0) <= 1.0:
                self.wrong(given.line, f"{key} = {out[key]:g}: expected a share between 0 and 1")
        return out


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
