# SPDX-License-Identifier: BSD-3-Clause
"""What column physics leaves over of a column's water and energy: what came in, less what is there more.

Water is vapour, cloud and precipitation. Energy is enthalpy with the latent heats of the schemes, at the pressure that
the layers had: c_p T + L_v q_v - L_f q_ice. It comes in as radiative heating, sensible heat, vapour (L_v) and leaves
with snow (-L_f). Turbulence conserves theta, not c_p T: the work of buoyancy that it does is left over.
"""

from typing import NamedTuple

import torch

from components.atmosphere.nonhydrostatic.dynamics import thermodynamics as thermo
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.atmosphere.nonhydrostatic.physics import energy as energy_of_air
from components.atmosphere.nonhydrostatic.physics.columns import INNER, Columns
from components.atmosphere.nonhydrostatic.physics.species import VAPOUR
from components.science.constants import CP_DRY, LATENT_FUSION, LATENT_VAPORISATION
from components.science.tracers import Species


class Residual(NamedTuple):
    """What is left over (ny, nx): ``water`` kg m-2 s-1, ``energy`` W m-2; positive where the column gained too much."""

    water: torch.Tensor
    energy: torch.Tensor


def content(g: Geometry, s: State, q: torch.Tensor, species: Species) -> dict[str, torch.Tensor]:
    """Dry air and water (kg m-2) and energy (J m-2) of the columns (ny, nx), by the names of what increments add.

    Parameters
    ----------
    g, s, q : geometry, state and tracers (n, nz, Y, X; kg/kg) of the block, with halos
    species : the tracers
    """
    mass = (g.rho_base + s.rho)[:, INNER, INNER].double()
    return {
        "column_dry_air_increment": mass.cumsum(0)[-1],
        "column_water_increment": (mass * species.water(q)[:, INNER, INNER].double()).cumsum(0)[-1],
        "column_energy_increment": energy_of_air.stored(g, s, q, species).total,
    }


def residual(
    g: Geometry,
    before: Columns,
    tracers: torch.Tensor,
    s: State,
    q: torch.Tensor,
    species: Species,
    heating: torch.Tensor,
    sensible_heat: torch.Tensor | float,
    evaporation: torch.Tensor | float,
    rain: torch.Tensor,
    snow: torch.Tensor,
    dt: float,
) -> Residual:
    """The residual of one step of physics.

    Parameters
    ----------
    g : geometry of the block
    before : the columns that the physics started from; ``tracers`` (n, nz, Y, X) with halo, its water, kg/kg
    s, q : state and tracers after the physics
    species : the tracers
    heating : radiative heating (nz, ny, nx), K s-1
    sensible_heat, evaporation : upward through the ground (ny, nx), W m-2 and kg m-2 s-1
    rain, snow : at the ground in the step (ny, nx), kg m-2
    dt : step, s
    """
    gained = (q - tracers)[..., INNER, INNER].double()
    mass = before.mass.double()
    wet = [gained[n] for n in species.where(lambda t: t.is_water)]
    water = (mass * torch.stack(wet).sum(0)).sum(0) / dt - evaporation + (rain + snow) / dt
    n_v = species.number(VAPOUR.name)
    heat = (g.rtheta_base + s.rtheta)[:, INNER, INNER]
    theta = heat / (before.mass * (1.0 + thermo.VAPOUR_FACTOR * q[n_v][:, INNER, INNER]))
    enthalpy = CP_DRY * before.pi * (theta - before.theta).double() + LATENT_VAPORISATION * gained[n_v]
    for n in species.where(lambda t: t.is_ice):
        enthalpy = enthalpy - LATENT_FUSION * gained[n]
    into = (CP_DRY * before.mass * heating).double().sum(0) + sensible_heat + LATENT_VAPORISATION * evaporation
    return Residual(water, (mass * enthalpy).sum(0) / dt - into - LATENT_FUSION * snow / dt)
