# SPDX-License-Identifier: BSD-3-Clause
"""What sea and land give the atmosphere: imports by name, as `model.Surface` along the grid's axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch

from components.atmosphere.nonhydrostatic.model import Surface
from components.atmosphere.nonhydrostatic.physics.interfaces import Fluxes
from components.atmosphere.nonhydrostatic.physics.sequence import radiating_temperature
from components.science.surface_fields import RADIATING, STRESS, UPWELLING
from components.science.tracers import Species

SURFACE = ("surface_downward_sensible_heat_flux", "water_evapotranspiration_flux", *STRESS, *UPWELLING)


def surface_of(
    tensors: Callable[[Sequence[str]], Mapping[str, torch.Tensor]],
    species: Species,
    turn: tuple[torch.Tensor, torch.Tensor],
) -> Surface | None:
    """What sea and land give; None where nothing is imported.

    Parameters
    ----------
    tensors : callable
        Gives those of some imports that are there (ny, nx), in the model's precision.
    species : Species
        Tracers, of which some have a flux at the ground.
    turn : pair of Tensor (ny, nx)
        Cosine and sine of the angle from east to the grid's x axis.
    """
    given = tensors(SURFACE)
    if SURFACE[0] not in given:
        return None
    heat, water, east, north, long, short = given.values()
    cos, sin = (part.to(heat) for part in turn)
    fluxes = Fluxes(-heat, water, east * cos + north * sin, north * cos - east * sin)
    sources = {}
    for t in species:
        if isinstance(t.surface_flux, str):
            sources[t.name] = tensors([t.surface_flux])[t.surface_flux]
        elif t.surface_flux is not None:
            sources[t.name] = torch.full_like(heat, t.surface_flux)
    emitted, emissivity, albedo = map(tensors(RADIATING).get, RADIATING)
    if emitted is None or emissivity is None:  # then the ground is as if black
        emitted, emissivity = long, torch.ones_like(long)
    return Surface(fluxes, radiating_temperature(emitted, emissivity), emissivity, long, short, sources, albedo)
