# SPDX-License-Identifier: BSD-3-Clause
"""Tracers at the sides of the domain: each takes there what its declaration says."""

from collections.abc import Callable, Mapping, Sequence

import torch

from components.atmosphere.nonhydrostatic.dynamics.lateral import INNER, impose_field
from components.science.halo import Edges
from components.science.tracers import Species

AtTime = Callable[[float], torch.Tensor]


class TracerSides:
    """What comes in through the sides, tracer by tracer.

    Parameters
    ----------
    species : Species
        The tracers; their ``boundary`` says where values come from.
    start : tensor (n, nz, Y, X)
        The tracers at the start of the case, for those that are held there.
    files : mapping of str to callable
        Values (nz, Y, X) at a time (s) of the tracers that are read from files.
    water : float
        Share of the rate of relaxation at which water is drawn.

    Attributes
    ----------
    shares : tuple of float
        Share of the rate of relaxation at which each tracer is drawn.
    """

    def __init__(self, species: Species, start: torch.Tensor, files: Mapping[str, AtTime], water: float = 1.0):
        self.species = species
        self.shares = tuple(water if t.is_water else 1.0 for t in species)
        self._held = {t.name: start[n].clone() for n, t in enumerate(species) if t.boundary == "hold"}
        self._files = files
        self._zero = start.new_zeros(())

    def at(self, time: float, driver: Mapping[str, torch.Tensor]) -> list[torch.Tensor | None]:
        """Values (nz, Y, X) outside at ``time`` (s) of each tracer; ``driver`` are the driving model's, by name.

        None is for clouds and precipitation of which the driver says nothing.

        Raises
        ------
        KeyError
            A tracer from the driver that the driver does not have.
        """
        unknown = [t.is_water and t.boundary == "zero" for t in self.species]
        known = [self._of(t.name, t.boundary, time, driver) for t in self.species]
        return [None if a else b for a, b in zip(unknown, known, strict=True)]

    def _of(self, name: str, boundary: str, time: float, driver: Mapping[str, torch.Tensor]) -> torch.Tensor:
        if boundary == "hold":
            return self._held[name]
        if boundary == "file":
            return self._files[name](time)
        if boundary == "zero":
            return self._zero.expand_as(next(iter(driver.values())))
        if name not in driver:
            raise KeyError(f"the driver has no tracer {name!r}, only {', '.join(driver)}: choose another boundary")
        return driver[name]


def draw(
    q: torch.Tensor,
    outside: list[torch.Tensor | None],
    share: torch.Tensor,
    edges: Edges,
    of_each: Sequence[float] | None = None,
) -> None:
    """Draw tracers (n, nz, Y, X) towards the values outside and set the specified row to them, in place.

    What is known of none comes in through that row as nothing, and is not drawn: clouds live up to it.

    Parameters
    ----------
    q : (n, nz, Y, X) tracers of the block
    outside : (nz, Y, X) values of each, or None
    share : (ny, nx) part of the difference that is made up in the step
    edges : kinds of the block's sides
    of_each : part of that which counts for each tracer; all of it if not given
    """
    parts = of_each or [1.0] * len(outside)
    for n, (there, part) in enumerate(zip(outside, parts, strict=True)):
        if there is None:
            impose_field(q[n], torch.zeros_like(q[n]), edges)
            continue
        q[n, :, INNER, INNER] += part * share * (there[:, INNER, INNER] - q[n, :, INNER, INNER])
        impose_field(q[n], there, edges)
