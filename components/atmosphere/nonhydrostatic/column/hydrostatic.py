# SPDX-License-Identifier: BSD-3-Clause
"""A column of layers of fixed mass, in hydrostatic balance.

The mass of dry air of each layer and the pressure at the lid stay. The pressure of an interface is that of the lid and
the weight of the air and the water above it; a layer's is the mean of its interfaces; its thickness follows from its
density. Warmed layers thus expand at constant pressure, where those of the map keep their volume; at constant pressure
the column's energy is its enthalpy.
"""

from typing import NamedTuple

import numpy as np
import torch

from components.atmosphere.nonhydrostatic.column.parameters import Case, Grid
from components.atmosphere.nonhydrostatic.dynamics.levels import stretched_levels
from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import VAPOUR_FACTOR, exner
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.interfaces import Parts
from components.atmosphere.nonhydrostatic.physics.species import VAPOUR
from components.science.constants import GRAVITY, KAPPA, P_REFERENCE, R_DRY
from components.science.tracers import Species
from coupler.errors import CaseError


class Column(NamedTuple):
    """State of a column, lowest layer first.

    Attributes
    ----------
    mass : (nz, 1, 1) of dry air, kg m-2; it stays
    lid : pressure at the lid, Pa; it stays
    u, v : (nz, 1, 1) wind, m s-1
    theta : (nz, 1, 1) potential temperature, K
    parts : (nz, 1, 1) tracers by their names, kg per kg of dry air
    """

    mass: torch.Tensor
    lid: float
    u: torch.Tensor
    v: torch.Tensor
    theta: torch.Tensor
    parts: Parts


def interfaces(grid: Grid) -> np.ndarray:
    """Heights (nz+1,) of the layers' interfaces at the start, m."""
    if grid.spacing:
        n = max(3, round(grid.top / grid.spacing))
        return np.linspace(0.0, grid.top, n + 1)
    return stretched_levels(grid.levels, grid.top, grid.lowest_layer).numpy()


def start(case: Case, species: Species) -> Column:
    """The column at the start: profiles of the case, hydrostatic from the pressure at the ground upwards.

    Parameters
    ----------
    case : its namelist
    species : all tracers; those but vapour are zero

    Raises
    ------
    CaseError
        Layers too thick for hydrostatic balance.
    """
    z_i = interfaces(case.grid)
    z, dz = 0.5 * (z_i[1:] + z_i[:-1]), np.diff(z_i)
    given = case.start
    humid = given.specific_humidity.at(z)
    q_v = humid / (1.0 - humid)
    below, mass, theta = case.surface_pressure, np.zeros_like(z), np.zeros_like(z)
    for k in range(z.size):
        p = below
        for _ in range(40):
            pi = (p / P_REFERENCE) ** KAPPA
            if given.temperature is not None:
                t = float(given.temperature.at(z[k]))
                theta[k] = t / pi
            else:
                theta[k] = float(given.potential_temperature.at(z[k]))  # type: ignore[union-attr]
                t = theta[k] * pi
            mass[k] = p * dz[k] / (R_DRY * t * (1.0 + VAPOUR_FACTOR * q_v[k]))
            p = below - 0.5 * GRAVITY * mass[k] * (1.0 + q_v[k])
            if p <= 0.0:
                raise CaseError(f"{case.title}: layer {k + 1} would weigh more than all air: take thinner layers")
        below -= GRAVITY * mass[k] * (1.0 + q_v[k])
    tensor = lambda a: torch.as_tensor(np.asarray(a), dtype=torch.float64).reshape(-1, 1, 1).clone()  # noqa: E731
    parts = {name: torch.zeros((z.size, 1, 1), dtype=torch.float64) for name in species.names}
    parts[VAPOUR.name] = tensor(q_v)
    u, v = tensor(given.eastward_wind.at(z)), tensor(given.northward_wind.at(z))
    return Column(tensor(mass), float(below), u, v, tensor(theta), parts)


def columns(a: Column, species: Species) -> Columns:
    """What column physics works on."""
    water = torch.stack([a.parts[species.names[n]] for n in species.where(lambda t: t.is_water)]).sum(0)
    weight = GRAVITY * a.mass * (1.0 + water)
    above = torch.flip(torch.cumsum(torch.flip(weight, [0]), 0), [0])
    p_lower = a.lid + above
    p = p_lower - 0.5 * weight
    pi = exner(p)
    t = a.theta * pi
    rho = p / (R_DRY * t * (1.0 + VAPOUR_FACTOR * a.parts[VAPOUR.name]))
    dz = a.mass / rho
    z_i = torch.cat([torch.zeros_like(dz[:1]), torch.cumsum(dz, 0)])
    return Columns(t, a.theta, p, pi, rho, a.mass, 0.5 * (z_i[1:] + z_i[:-1]), dz, z_i)
