# SPDX-License-Identifier: BSD-3-Clause
"""Tables of schemes: a process has several, the namelist names one, and one from another package is as good as ours.

In a namelist a scheme is a word, or a mapping with options of its own::

    convection: betts_miller
    convection: {scheme: betts_miller, tau: 3600}
    microphysics: my_package.clouds:THREE_CLASSES      # a `Scheme` in a package that python finds

>>> table = Table("convection", Scheme("none"), Scheme("plume", function=max, options={"tau": 7200.0}))
>>> table.choose({"scheme": "plume", "tau": 60}).options["tau"]
60.0
>>> bounded = Table("convection", Scheme("plume", options={"tau": 7200.0}, bounds={"tau": Range(least=60, unit="s")}))
>>> bounded.choose({"scheme": "plume", "tau": -1})
Traceback (most recent call last):
ValueError: plume: tau: expected at least 60 s, not -1
>>> table.choose("plum")
Traceback (most recent call last):
ValueError: unknown convection 'plum'; did you mean 'plume'?; known: none, plume, or package.module:Name
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from components.science.tracers import Tracer
from coupler.by_name import load
from coupler.errors import CaseError
from coupler.fields import did_you_mean
from coupler.namelist import Range


@dataclass(frozen=True)
class Scheme:
    """A scheme of a process.

    Parameters
    ----------
    name : str
        Word in the namelist.
    function : callable or None
        What computes; its arguments are those of the process, then the options by name. None: nothing is done.
    species : tuple of Tracer
        Tracers that it needs.
    options : mapping
        Its options and their defaults.
    prepare : callable or None
        Makes the function once, at the start of a run, from the options: where tables have to be loaded.
    needs : tuple of str
        Names of what its model gives besides the options, such as ``gases`` to radiation.
    bounds : mapping
        Of its options that are numbers, those between which they must lie.
    places : tuple of str
        Names of fields (y, x) of the place, such as ``land``, which its function takes after the process's arguments;
        without them it goes on as where nobody knows them.
    """

    name: str
    function: Callable[..., Any] | None = None
    species: tuple[Tracer, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    prepare: Callable[..., Callable[..., Any]] | None = None
    needs: tuple[str, ...] = ()
    bounds: Mapping[str, Range] = field(default_factory=dict)
    places: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chosen:
    """A scheme with the options that a namelist gives it."""

    scheme: Scheme
    options: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Word of the scheme."""
        return self.scheme.name

    def ready(self, **there: Any) -> Callable[..., Any] | None:
        """The function with its options and what it needs; None where nothing is done.

        Parameters
        ----------
        **there : what the model has to give, by name
        """
        options = {**self.options, **{name: there[name] for name in self.scheme.needs}}
        if self.scheme.prepare is not None:
            return self.scheme.prepare(**options)
        function = self.scheme.function
        return partial(function, **options) if function is not None and options else function


class Table:
    """The schemes of a process by the words they have in a namelist.

    Parameters
    ----------
    process : str
        What they are schemes of, for messages.
    *schemes : Scheme
        Those that come with the project.
    """

    def __init__(self, process: str, *schemes: Scheme):
        self.process = process
        self.schemes = {s.name: s for s in schemes}

    def choose(self, given: str | Mapping[str, Any]) -> Chosen:
        """The scheme that a namelist names.

        Parameters
        ----------
        given : str or mapping
            A word, ``package.module:Name``, or a mapping with ``scheme`` and options.

        Raises
        ------
        ValueError
            No such scheme, an option that it does not have, or a value out of its bounds.
        """
        if isinstance(given, Mapping):
            options = {k: v for k, v in given.items() if k != "scheme"}
            if "scheme" not in given:
                raise ValueError(f"expected a word or {{scheme: word, option: value}}; {self._known()}")
            given = given["scheme"]
        else:
            options = {}
        scheme = self._find(given)
        return Chosen(scheme, {**scheme.options, **{k: self._option(scheme, k, v) for k, v in options.items()}})

    def check(self, given: Any) -> Any:
        """What was given, if `choose` finds it: a validator for options of a namelist."""
        self.choose(given)
        return given

    def _find(self, word: Any) -> Scheme:
        if isinstance(word, str) and ":" in word:
            try:
                found = load(word)
            except CaseError as error:
                raise ValueError(f"{self.process} {error}") from error
            if not isinstance(found, Scheme):
                raise ValueError(f"{self.process} {word!r} is not a components.science.schemes.Scheme")
            return found
        if word not in self.schemes:
            raise ValueError(f"unknown {self.process} {word!r}{did_you_mean(str(word), self.schemes)}; {self._known()}")
        return self.schemes[word]

    def _known(self) -> str:
        return f"known: {', '.join(self.schemes)}, or package.module:Name"

    def _option(self, scheme: Scheme, name: str, value: Any) -> Any:
        if name not in scheme.options:
            there = ", ".join(scheme.options) or "none"
            raise ValueError(
                f"{scheme.name} has no option {name!r}{did_you_mean(name, scheme.options)}; it has: {there}"
            )
        default = scheme.options[name]
        if isinstance(default, float):
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"{scheme.name}: {name} is a number, not {value!r}")
            return float(self._within(scheme, name, value))
        if not isinstance(value, type(default)):
            raise ValueError(f"{scheme.name}: {name} is of type {type(default).__name__}, not {value!r}")
        return self._within(scheme, name, value)

    def _within(self, scheme: Scheme, name: str, value: Any) -> Any:
        bounds = scheme.bounds.get(name)
        if bounds is not None and not bounds.holds(value):
            raise ValueError(f"{scheme.name}: {name}: expected {bounds}, not {value!r}")
        return value
