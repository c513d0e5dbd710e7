# SPDX-License-Identifier: BSD-3-Clause
"""Flux laws: what their author meets. The framework calls them on the overlaps of two components' cells.

A law is a function and two lists: what it needs from either side, and what each side gets of it. Which components
those sides are, the namelist says: ``{flux: my_package.ice:AIR_ICE, between: [atmosphere, ice], period: PT1H}``.

>>> import numpy as np
>>> class Options(Namelist):
...     conductance: float = 15.0
...     '''Heat per area and difference in temperature, W m-2 K-1.'''
>>> heat = "surface_downward_sensible_heat_flux"
>>> def fluxes(air, ice, options):
...     return {heat: options.conductance * (air["air_temperature"] - ice["surface_temperature"])}
>>> air, ice = Side(("air_temperature",), gets=(heat,)), Side(("surface_temperature",), gets=(heat,))
>>> law = FluxLaw(fluxes, air, ice, Options)
>>> law(air_temperature=np.array([263.0]), surface_temperature=np.array([260.0]), conductance=10.0)[heat]
array([30.])
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.by_name import load
from coupler.errors import FieldError
from coupler.fields import did_you_mean
from coupler.namelist import Namelist

Points = Mapping[str, npt.NDArray[np.float64]]
"""Fields by name, one value a point."""

KINDS = {"air_sea": "components.atmosphere.air_sea.surface_fluxes"}
"""Modules, imported when a namelist asks for them, whose ``SCHEMES`` hold the laws of a kind of flux."""


class NoOptions(Namelist):
    """A law without options."""


@dataclass(frozen=True)
class Side:
    """One side of a flux law: the component above or below an interface.

    Parameters
    ----------
    needs : tuple of str
        Exports of the component without which the law cannot work.
    optional : tuple of str
        Exports that it takes where the component has them.
    gets : tuple of str
        Fluxes that the component gets, as far as it imports them.
    """

    needs: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    gets: tuple[str, ...] = ()

    @property
    def takes(self) -> tuple[str, ...]:
        """All fields that may come from this side."""
        return (*self.needs, *self.optional)


@dataclass(frozen=True)
class FluxLaw:
    """A law of the fluxes between two components.

    Every point is computed by itself, so that no bit depends on how the points are shared out. What both sides get by
    one name is one flux: what leaves one side enters the other.

    Parameters
    ----------
    law : callable
        ``law(first, second, options)`` with the fields of either side by name, 1-D arrays in the units of
        `fields.yaml`, and an instance of `Options`; returns the fluxes by name, arrays of the same points.
    first, second : Side
        Upper and lower side, in the order of the namelist's ``between``.
    Options : type of Namelist
        Options of the law, with types, ranges and defaults.
    differentiable : bool
        Whether the law works on torch tensors, too, and so passes gradients.
    """

    law: Callable[[Points, Points, Any], Points]
    first: Side
    second: Side
    Options: type[Namelist] = NoOptions
    differentiable: bool = False

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both sides, the upper one first."""
        return self.first, self.second

    @property
    def delivers(self) -> tuple[str, ...]:
        """Names of all fluxes that either side gets."""
        return tuple(dict.fromkeys((*self.first.gets, *self.second.gets)))

    def fluxes(self, first: Points, second: Points, options: Namelist) -> Points:
        """The fluxes at some points, all there and of the points' shape.

        Parameters
        ----------
        first, second : mapping of str to array (n,)
            Fields of either side by name.
        options : Namelist
            An instance of `Options`.

        Returns
        -------
        mapping of str to array (n,)

        Raises
        ------
        FieldError
            The law's function left out what it says it gives, or gave another shape.
        """
        made = self.law(first, second, options)
        shape = np.shape(next(iter((*first.values(), *second.values())), 0.0))
        for name in self.delivers:
            if name not in made:
                raise FieldError(f"{self.law.__qualname__} must return {name!r}; it returned {', '.join(made)}")
            if np.shape(made[name]) != shape:
                found = np.shape(made[name])
                raise FieldError(
                    f"{self.law.__qualname__}: {name} must have the shape of the points, {shape}, not {found}"
                )
        return made

    def __call__(self, **given: Any) -> Points:
        """The fluxes from fields of both sides and options, all by name: for work outside a case.

        Parameters
        ----------
        **given
            Fields, 1-D arrays; and options.

        Returns
        -------
        mapping of str to array (n,)
        """
        fields = {*self.first.takes, *self.second.takes}
        options = self.Options(**{name: value for name, value in given.items() if name not in fields})
        first, second = ({n: np.asarray(given[n]) for n in side.takes if n in given} for side in self.sides)
        return self.fluxes(first, second, options)


def find_law(flux: str, scheme: str = "", folder: Path | None = None) -> FluxLaw:
    """The flux law of a rule.

    Parameters
    ----------
    flux : str
        A kind of flux (`KINDS`), or ``package.module:NAME`` of a law.
    scheme : str
        Law of that kind, or ``package.module:NAME``.
    folder : Path, optional
        Folder of the case, where packages are looked for too.

    Raises
    ------
    FieldError
        No such kind of flux, no such law, or something that is no law.
    CaseError
        A law from outside that cannot be loaded.
    """
    if ":" in flux and scheme:
        raise FieldError(f"flux: {flux} names a law by itself: leave scheme: {scheme} out")
    name = flux if ":" in flux else scheme
    if ":" in name:
        law = load(name, folder)
        if not isinstance(law, FluxLaw):
            raise FieldError(f"{name} is a {type(law).__name__}, and must be a coupler.flux_law.FluxLaw")
        return law
    if flux not in KINDS:
        known = ", ".join([*KINDS, "package.module:NAME"])
        raise FieldError(f"unknown flux {flux!r}{did_you_mean(flux, KINDS)}; known: {known}")
    schemes: Mapping[str, FluxLaw] = importlib.import_module(KINDS[flux]).SCHEMES
    known = ", ".join([*schemes, "package.module:NAME"])
    if not scheme:
        raise FieldError(f"flux {flux} needs a scheme: one of {known}")
    if scheme not in schemes:
        raise FieldError(f"unknown scheme {scheme!r} of flux {flux}{did_you_mean(scheme, schemes)}; known: {known}")
    return schemes[scheme]
