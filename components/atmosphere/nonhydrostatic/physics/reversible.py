# SPDX-License-Identifier: BSD-3-Clause
"""Cloudy air that the dynamics have moved, with the heat capacity of its water (`dynamics.moist_heat`).

The expansion of the step is corrected for it, then cloud condenses or evaporates reversibly at constant volume. What
comes after, precipitation and its melting and evaporation, has the heat capacity of dry air as in the cloud schemes.
"""

import torch

from components.atmosphere.nonhydrostatic.dynamics import moist_heat
from components.atmosphere.nonhydrostatic.dynamics import thermodynamics as thermo
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.atmosphere.nonhydrostatic.dynamics.timestep import MeanFlux
from components.atmosphere.nonhydrostatic.physics.columns import INNER, columns, put_back
from components.atmosphere.nonhydrostatic.physics.species import CLOUD_WATER, VAPOUR
from components.science.constants import GAMMA, R_DRY
from components.science.halo import HaloFiller
from components.science.tracers import Species


def reversible(
    g: Geometry, halo: HaloFiller, species: Species, s0: State, s: State, q: torch.Tensor, flux: MeanFlux, dt: float
) -> tuple[State, torch.Tensor]:
    """State and tracers after the expansion and the condensation of the step from ``s0`` to ``s``, halos filled.

    Parameters
    ----------
    g, halo, species : of the block
    s0, s : states with halos before and after the dynamics
    q : (n, nz, Y, X) tracers after the transport, kg per kg of dry air
    flux : mean mass fluxes of the step
    dt : time step, s
    """
    parts = species.by_name(q[..., INNER, INNER])
    q_v = parts[VAPOUR.name]
    none = torch.zeros_like(q_v)
    cloud = parts.get(CLOUD_WATER.name, none)
    water = [t for t in species if t.is_water and t.name not in (VAPOUR.name, CLOUD_WATER.name)]
    liquid = sum((parts[t.name] for t in water if not t.is_ice), none)
    ice = sum((parts[t.name] for t in water if t.is_ice), none)
    capacity = moist_heat.heat_capacity(q_v, cloud + liquid, ice)
    c = columns(g, s, q[species.number(VAPOUR.name)])
    theta = moist_heat.expand(c.theta, q_v, capacity, moist_heat.expansion(g, s0, s, flux, dt))
    p = c.p * torch.exp(GAMMA * torch.log(theta / c.theta))
    if CLOUD_WATER in species:
        others = capacity - moist_heat.heat_capacity(q_v, cloud)
        t, q_v, cloud = moist_heat.condense(theta * thermo.exner(p), q_v, cloud, c.rho, others)
        theta = t / thermo.exner(c.rho * R_DRY * t * (1.0 + thermo.VAPOUR_FACTOR * q_v))
        parts |= {VAPOUR.name: q_v, CLOUD_WATER.name: cloud}
    return put_back(g, halo, s, c, theta, species.ordered(parts), q_v)
