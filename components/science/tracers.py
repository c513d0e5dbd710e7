# SPDX-License-Identifier: BSD-3-Clause
"""Tracers by declaration: what a species is and what moves it, found by name.

A model holds its tracers in one array (n, ...) in the order of a `Species`; whoever wants one asks for it by name, and
whatever treats several alike loops over those that declare it.

>>> species = Species([Tracer("vapour", is_water=True), Tracer("dust", settles=0.01)])
>>> species.number("dust"), species.where(lambda t: t.is_water)
(1, (0,))
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

Boundary = Literal["driver", "zero", "hold", "file"]


@dataclass(frozen=True)
class Tracer:
    """What a species is and what moves it.

    Parameters
    ----------
    name : str
        Name, by which it is found; also its key in restarts.
    units : str
        Of its mixing ratio to dry air.
    is_water : bool
        Whether it is water: it then weighs on the air and enters the budgets of water and mass.
    is_ice : bool
        Whether it is frozen water: it then carries minus the heat of fusion in the budget of energy.
    mixed_by_turbulence : bool
        Whether the boundary layer mixes it.
    carried_by_convection : bool
        Whether the convection's updraughts carry it. Water is moved by the schemes themselves.
    settles : float
        Fall speed, m s-1; 0: it does not fall, or its own scheme lets it fall.
    boundary : {'driver', 'zero', 'hold', 'file'}
        What comes in through the sides: the driving model's values, nothing, the values of the start, or a file's.
    surface_flux : str or float or None
        Upward flux through the ground: the name of a field that is imported, a number, or none. In the tracer's units
        times kg m-2 s-1.
    """

    name: str
    units: str = "kg kg-1"
    is_water: bool = False
    is_ice: bool = False
    mixed_by_turbulence: bool = True
    carried_by_convection: bool = False
    settles: float = 0.0
    boundary: Boundary = "zero"
    surface_flux: str | float | None = None


class Species(Sequence[Tracer]):
    """The tracers of a model, in the order in which its arrays hold them.

    Parameters
    ----------
    tracers : sequence of Tracer
        Every name once.

    Raises
    ------
    ValueError
        Two of the same name.
    """

    def __init__(self, tracers: Sequence[Tracer]):
        self._tracers = tuple(tracers)
        self.names = tuple(t.name for t in self._tracers)
        twice = sorted({n for n in self.names if self.names.count(n) > 1})
        if twice:
            raise ValueError(f"tracer {', '.join(twice)} is declared twice; the tracers are {', '.join(self.names)}")
        self._numbers = {name: n for n, name in enumerate(self.names)}

    def __len__(self) -> int:
        return len(self._tracers)

    def __getitem__(self, n):  # type: ignore[no-untyped-def]
        return self._tracers[n]

    def __iter__(self) -> Iterator[Tracer]:
        return iter(self._tracers)

    def __contains__(self, name: object) -> bool:
        return name in self._numbers or name in self._tracers

    def number(self, name: str) -> int:
        """Place of a tracer in the arrays.

        Raises
        ------
        KeyError
            A name that no scheme and no list declares.
        """
        if name not in self._numbers:
            raise KeyError(f"unknown tracer {name!r}; known tracers: {', '.join(self.names)}")
        return self._numbers[name]

    def where(self, which: Callable[[Tracer], bool]) -> tuple[int, ...]:
        """Places of the tracers for which ``which`` holds, in order."""
        return tuple(n for n, t in enumerate(self._tracers) if which(t))

    def by_name(self, q: torch.Tensor) -> dict[str, torch.Tensor]:
        """The parts of ``q`` (n, ...) by name."""
        return dict(zip(self.names, q, strict=True))

    def stacked(self, parts: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """One array (n, ...) of the parts by name."""
        return torch.stack(self.ordered(parts))

    def ordered(self, parts: Mapping[str, torch.Tensor]) -> list[torch.Tensor]:
        """The parts by name in the order of the tracers."""
        return [parts[name] for name in self.names]

    def water(self, q: torch.Tensor) -> torch.Tensor:
        """Mixing ratio of all water (...) of ``q`` (n, ...), added in order, in a new tensor."""
        first, *others = self.where(lambda t: t.is_water)
        total = q[first].clone()
        for n in others:
            total = total + q[n] if q.requires_grad else total.add_(q[n])
        return total
