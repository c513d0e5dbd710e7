# SPDX-License-Identifier: BSD-3-Clause
"""Heat in snow and soil: implicit conduction that meets its surface, and phase change that keeps energy.

A layer has a heat capacity c (J m-2 K-1) and a thermal resistance r = thickness/conductivity (m2 K W-1). Layers of
zero thickness (c = r = 0) are allowed anywhere: empty snow layers need no special case.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.science.constants import FREEZING_POINT, GRAVITY, LATENT_FUSION

LOG_COLDEST = 5.0  # ln of the largest depression below freezing considered, 148 K


class Ground(NamedTuple):
    """The ground after one implicit step, as its surface sees it: G = admittance (T_surface - temperature)."""

    admittance: Tensor  # W m-2 K-1
    temperature: Tensor  # K
    below: tuple[tuple[Tensor, Tensor], ...]  # the same pair under the node of every layer


def ground_response(
    temperature: Tensor,
    capacity: Tensor,
    resistance: Tensor,
    seconds: float,
    deep: tuple[Tensor, Tensor] | None = None,
) -> Ground:
    """Eliminate the layers from the bottom up, so that the surface sees one resistance and one temperature.

    Each node obeys c (T - T_old)/dt = F_above - F_below with half its resistance on either side; seen from above,
    a node and all below it are an admittance Y to a temperature X (Norton's theorem). The elimination is
    the Thomas algorithm of the implicit Euler step.

    Parameters
    ----------
    temperature
        At the start, K, shape (layer, ...), uppermost first.
    capacity, resistance
        c and r of each layer, same shape.
    seconds
        Step.
    deep
        Admittance (W m-2 K-1) and temperature (K) under the lowest layer; without it no heat passes.
    """
    if deep is None:
        y, x = torch.zeros_like(temperature[0]), temperature[-1]
    else:
        y, x = deep
    below: list[tuple[Tensor, Tensor]] = []
    for i in range(temperature.shape[0] - 1, -1, -1):
        half = 0.5 * resistance[i]
        y_below = y / (1.0 + half * y)
        store = capacity[i] / seconds
        below.append((y_below, x))
        total = store + y_below
        some = total > 0.0
        x = torch.where(
            some, (store * temperature[i] + y_below * x) / torch.where(some, total, torch.ones_like(total)), x
        )
        y = total / (1.0 + half * total)
    return Ground(y, x, tuple(reversed(below)))


def ground_temperature(
    ground: Ground, capacity: Tensor, resistance: Tensor, old: Tensor, seconds: float, surface: Tensor
) -> tuple[Tensor, Tensor]:
    """Temperatures of the layers (K) and the heat flux into the ground (W m-2) once the surface's is known.

    Arguments as in :func:`ground_response`; ``surface`` is the new surface temperature, K.

    Parameters
    ----------
    ground : response of the ground to its surface
    capacity : (layer, columns) heat capacity, J m-2 K-1
    resistance : (layer, columns) resistance between neighbours, K m2 W-1
    old : (layer, columns) temperatures at the start, K
    seconds : length of the step, s
    surface : (columns,) new surface temperature, K
    """
    flux = ground.admittance * (surface - ground.temperature)
    into_ground, at_top, nodes = flux, surface, []
    for i, (y_below, x_below) in enumerate(ground.below):
        half = 0.5 * resistance[i]
        node = at_top - half * flux
        nodes.append(node)
        flux = y_below * (node - x_below)
        at_top = node - half * flux
    return torch.stack(nodes), into_ground


def surface_for_flux(ground: Ground, flux: Tensor) -> Tensor:
    """Surface temperature at which ``flux`` (W m-2) enters the ground.

    Parameters
    ----------
    ground : response of the ground to its surface
    flux : (columns,) heat into the ground, W m-2
    """
    return ground.temperature + flux / ground.admittance


class Phase(NamedTuple):
    """Result of a phase change."""

    temperature: Tensor  # K
    liquid: Tensor  # kg m-2
    ice: Tensor  # kg m-2


def bulk_phase_change(temperature: Tensor, liquid: Tensor, ice: Tensor, capacity: Tensor) -> Phase:
    """Freeze or melt at 0 C until the excess heat or the water is used up (snow, free water).

    Parameters
    ----------
    temperature
        K, after conduction, beyond the freezing point where heat is left over.
    liquid, ice
        kg m-2.
    capacity
        J m-2 K-1, held during the change.
    """
    heat = capacity * (temperature - FREEZING_POINT)
    melt = torch.minimum(torch.clamp(heat / LATENT_FUSION, min=0.0), ice)
    freeze = torch.minimum(torch.clamp(-heat / LATENT_FUSION, min=0.0), liquid)
    net = melt - freeze
    has = capacity > 0.0
    warmed = temperature - net * LATENT_FUSION / torch.where(has, capacity, torch.ones_like(capacity))
    return Phase(torch.where(has, warmed, temperature), liquid + net, ice - net)


def unfrozen_water(temperature: Tensor, pore_water: Tensor, psi_s: Tensor, b: Tensor) -> Tensor:
    """Most liquid water a freezing soil holds, kg m-2.

    theta_s (L (Tf - T)/(g Tf psi_s))^(-1/b): Niu and Yang (2006, eq. 3) with T ~ Tf in the denominator.

    Parameters
    ----------
    temperature
        K; above freezing there is no bound but ``pore_water``.
    pore_water
        Water of the saturated layer, kg m-2.
    psi_s, b
        Air-entry suction (m, positive) and Campbell exponent.
    """
    return pore_water * torch.exp(-torch.log(torch.clamp(ice_suction(temperature) / psi_s, min=1.0)) / b)


def ice_suction(temperature: Tensor) -> Tensor:
    """Suction of water that is at rest with ice, m of water, 0 above freezing: 125 m a kelvin.

    L (Tf - T)/(g Tf): Niu and Yang (2006, eq. 2) with T ~ Tf in the denominator.

    Parameters
    ----------
    temperature
        K.
    """
    return torch.clamp(FREEZING_POINT - temperature, min=0.0) * (LATENT_FUSION / (GRAVITY * FREEZING_POINT))


def soil_phase_change(
    temperature: Tensor,
    liquid: Tensor,
    ice: Tensor,
    capacity: Tensor,
    pore_water: Tensor,
    psi_s: Tensor,
    b: Tensor,
    iterations: int = 5,
) -> Phase:
    """Freeze or melt soil water to the equilibrium of :func:`unfrozen_water`, energy kept.

    Solves c (T - T*) = L (ice(T) - ice*) with T* the temperature after conduction, by Newton's method; the
    ice is then what the temperature implies, so energy closes to rounding at any iteration count.

    Parameters
    ----------
    temperature : (layer, columns) after conduction, K
    liquid, ice : (layer, columns) kg m-2
    capacity : (layer, columns) heat capacity, J m-2 K-1
    pore_water : (layer, columns) water at saturation, kg m-2
    psi_s, b : suction at saturation (m) and exponent of Clapp and Hornberger
    iterations : of Newton's method
    """
    total = liquid + ice
    thawed = ice + capacity * (FREEZING_POINT - temperature) / LATENT_FUSION <= 0.0
    new_ice = torch.zeros_like(total).flatten()
    cold = (~thawed).flatten().nonzero()[:, 0]  # where the rest, which costs many logarithms, matters
    if cold.numel():
        given = total, temperature, liquid, ice, capacity, pore_water, psi_s, b
        new_ice = new_ice.index_copy(0, cold, _ice(iterations, *(a.expand_as(total).flatten()[cold] for a in given)))
    new_ice = new_ice.view(total.shape)
    warmed = temperature + LATENT_FUSION * (new_ice - ice) / capacity
    return Phase(warmed, total - new_ice, new_ice)


def _ice(
    iterations: int, total: Tensor, temperature: Tensor, liquid: Tensor, ice: Tensor, capacity: Tensor,
    pore_water: Tensor, psi_s: Tensor, b: Tensor,
) -> Tensor:  # fmt: skip
    """Ice in equilibrium with the temperature that it leaves behind, kg m-2; see :func:`soil_phase_change`."""
    with torch.no_grad():
        # Newton in ln(Tf - T), where the curve is nearly straight; it starts at the temperature the
        # present liquid
        # would be in equilibrium with.
        wetness = torch.clamp(liquid / pore_water, 1e-3, 1.0)
        suction = GRAVITY * FREEZING_POINT * psi_s / LATENT_FUSION
        onset = torch.log(suction) - b * torch.log(torch.clamp(total / pore_water, 1e-3, 1.0))
        x = torch.maximum(onset, torch.log(suction) - b * torch.log(wetness))
        x = torch.minimum(x, torch.log(torch.clamp(FREEZING_POINT - temperature, min=1e-3) + 1.0))
        x = torch.maximum(x, onset)
        for _ in range(iterations):
            cold = torch.exp(x)
            most = unfrozen_water(FREEZING_POINT - cold, pore_water, psi_s, b)
            f = capacity * (FREEZING_POINT - cold - temperature) - LATENT_FUSION * (total - most - ice)
            slope = capacity * cold + LATENT_FUSION * most / b
            x = torch.maximum(torch.clamp(x + torch.clamp(f / slope, -2.0, 2.0), max=LOG_COLDEST), onset)
        t = FREEZING_POINT - torch.exp(x)
    return torch.minimum(torch.clamp(total - unfrozen_water(t, pore_water, psi_s, b), min=0.0), total)
