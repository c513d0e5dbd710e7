# SPDX-License-Identifier: BSD-3-Clause
"""What the schemes of each process give back, and what the ground gives them.

The arguments of a scheme's function, then its options by name; ``air`` are `columns.Columns`, ``q`` mixing ratios
(nz, y, x) by the tracers' names, ``dt`` seconds::

    microphysics     (air, theta, q, dt, *its places) -> Clouds         q: the scheme's own species
    boundary layer   (air, u, v, theta, q, fluxes, sources, dt) -> Turbulence      q: what turbulence mixes; theta:
                     that of air and what radiation did to it in the step
    convection       (air, Convecting, dt) -> Convection
    radiation        (components.radiation.scheme.Air) -> components.radiation.scheme.Radiation

A function works on columns: no value may depend on another column's, or the bits depend on the number of ranks.
"""

from typing import NamedTuple

import torch

Parts = dict[str, torch.Tensor]


class Fluxes(NamedTuple):
    """Fluxes through the ground (y, x): upward heat W m-2 and water kg m-2 s-1, stress on the ground Pa."""

    sensible_heat: torch.Tensor
    water: torch.Tensor
    stress_x: torch.Tensor
    stress_y: torch.Tensor


class Clouds(NamedTuple):
    """After a cloud scheme: theta (nz, y, x) K, its species (kg/kg), rain and snow at the ground (y, x) kg m-2."""

    theta: torch.Tensor
    q: Parts
    rain: torch.Tensor
    snow: torch.Tensor


class Turbulence(NamedTuple):
    """After a boundary layer: u, v (m s-1), theta (K) and what it mixes, all (nz, y, x).

    ``diffusivity`` of heat on inner interfaces (nz-1, y, x), m2 s-1, is what the chemistry mixes its tracers with.
    """

    u: torch.Tensor
    v: torch.Tensor
    theta: torch.Tensor
    q: Parts
    diffusivity: torch.Tensor | None = None


class Convecting(NamedTuple):
    """What convection starts from.

    Attributes
    ----------
    u, v : (nz, y, x) wind, m s-1
    t : (nz, y, x) temperature, K
    q : (nz, y, x) all water by the tracers' names, kg/kg
    fluxes : through the ground, or None
    """

    u: torch.Tensor
    v: torch.Tensor
    t: torch.Tensor
    q: Parts
    fluxes: Fluxes | None


class Convection(NamedTuple):
    """After convection.

    Attributes
    ----------
    t : (nz, y, x) temperature, K
    q : (nz, y, x) the water that it has changed, kg/kg, by the tracers' names
    rain, snow : (y, x) at the ground in the step, kg m-2
    updraught : (nz-1, y, x) mass that rises through the inner interfaces, kg m-2 s-1, which carries tracers; or None
    u, v : (nz, y, x) wind, m s-1; None: as it was
    cover, condensate : (nz, y, x) share of the layer that its clouds fill, and the water in it, kg per kg of all the
        layer's air, which radiation sees and the tracers do not hold; or None
    """

    t: torch.Tensor
    q: Parts
    rain: torch.Tensor
    snow: torch.Tensor
    updraught: torch.Tensor | None = None
    u: torch.Tensor | None = None
    v: torch.Tensor | None = None
    cover: torch.Tensor | None = None
    condensate: torch.Tensor | None = None
