# SPDX-License-Identifier: BSD-3-Clause
"""The air of the layers and what moves it, as fields between the atmosphere and the chemistry.

Fluxes, diffusivity and updraught are means over a period; the air is that at its end. Fluxes along the grid go through
the west and south faces of the cells; those through the last faces in the east and north are not needed, as the
outermost cells are held.
"""

from typing import Protocol

import torch

from coupler.fields import FieldSpec

AIR = "atmosphere_mass_content_of_dry_air_in_layer"
WEST, SOUTH = "dry_air_mass_flux_through_west_faces", "dry_air_mass_flux_through_south_faces"
UPWARD = "upward_mass_flux_of_air"
UPDRAUGHT = "atmosphere_updraft_convective_mass_flux"
DIFFUSIVITY = "atmosphere_heat_diffusivity"
STRATIFORM = "stratiform_precipitation_flux_at_bottom_of_layer"
CONVECTIVE = "convective_precipitation_flux_at_bottom_of_layer"


class MeanFluxes(Protocol):
    """Mean mass fluxes of a step: west (nz, ny, nx+1), south (nz, ny+1, nx), upward (nz+1, ny, nx)."""

    @property
    def ru(self) -> torch.Tensor:
        """Through west faces, kg m-1 s-1."""

    @property
    def rv(self) -> torch.Tensor:
        """Through south faces, kg m-1 s-1."""

    @property
    def omega(self) -> torch.Tensor:
        """Upward through interfaces, kg m-2 s-1."""


def air_fields(levels: int) -> tuple[FieldSpec, ...]:
    """Declarations; each says which statistic of a period it must be.

    Parameters
    ----------
    levels : number of layers
    """
    means = (FieldSpec(name, levels=n, window="mean") for name, n in _sizes(levels).items())
    return (FieldSpec(AIR, levels=levels, window="instant"), *means)


def moved(
    flux: MeanFluxes,
    diffusivity: torch.Tensor | None,
    updraught: torch.Tensor | None,
    falling: tuple[torch.Tensor, torch.Tensor] | None,
    like: torch.Tensor,
) -> dict[str, torch.Tensor]:
    """What moved the air in a step, by name, in double precision.

    Parameters
    ----------
    flux : mean mass fluxes of the step
    diffusivity : (nz-1, ny, nx) of heat, m2 s-1, or None
    updraught : (nz-1, ny, nx) kg m-2 s-1, or None
    falling : (nz, ny, nx) precipitation of clouds and of convection at the layers' bottoms, kg m-2 s-1, or None
    like : (ny, nx) a plane of the block
    """
    out = still(flux.ru.shape[0], like)
    out |= {WEST: flux.ru[..., :-1], SOUTH: flux.rv[:, :-1], UPWARD: flux.omega[1:-1]}
    out |= {} if diffusivity is None else {DIFFUSIVITY: diffusivity}
    out |= {} if updraught is None else {UPDRAUGHT: updraught}
    out |= {} if falling is None else {STRATIFORM: falling[0], CONVECTIVE: falling[1]}
    return {name: a.double() for name, a in out.items()}


def still(levels: int, like: torch.Tensor) -> dict[str, torch.Tensor]:
    """Air that nothing moves.

    Parameters
    ----------
    levels : number of layers
    like : (ny, nx) a plane of the block
    """
    shapes = {name: (n, *like.shape) for name, n in _sizes(levels).items()}
    return {name: torch.zeros(shape, dtype=torch.float64, device=like.device) for name, shape in shapes.items()}


def _sizes(levels: int) -> dict[str, int]:
    """Layers or inner interfaces of each field that is a mean."""
    layers = dict.fromkeys((WEST, SOUTH, STRATIFORM, CONVECTIVE), levels)
    return {**layers, **dict.fromkeys((UPWARD, UPDRAUGHT, DIFFUSIVITY), levels - 1)}
