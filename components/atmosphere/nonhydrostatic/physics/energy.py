# SPDX-License-Identifier: BSD-3-Clause
"""Energy of the air: what a column holds, and what the wind carries into a part of the domain.

    E = sum over layers of m (c_v T + g z + k + L0 q_v - L_f q_ice),    m: mass of dry air, kg m-2

Water has latent heat and no warmth, weight or motion of its own, as in the physics (`column_budget`) and at every
interface (docs/coupling.md); the dynamics lift its weight and expand its pressure all the same, which is left over:
some 2 W m-2 in a moist jet, where the dynamics' own energy leaks .35 (tests/science/test_energy_of_the_dynamics.py).
"""

from typing import NamedTuple

import torch

from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import VAPOUR_FACTOR
from components.atmosphere.nonhydrostatic.dynamics.timestep import MeanFlux
from components.atmosphere.nonhydrostatic.physics.columns import INNER, columns
from components.atmosphere.nonhydrostatic.physics.sequence import centre_wind
from components.atmosphere.nonhydrostatic.physics.species import VAPOUR
from components.science.constants import CV_DRY, GRAVITY, LATENT_FUSION, LATENT_VAPORISATION, R_DRY
from components.science.tracers import Species


class Energy(NamedTuple):
    """Parts of the energy of air, per mass (nz, ny, nx) J kg-1, or of a column (ny, nx) J m-2."""

    internal: torch.Tensor
    potential: torch.Tensor
    kinetic: torch.Tensor
    latent: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        """Sum of the parts."""
        return self.internal + self.potential + self.kinetic + self.latent


def specific(g: Geometry, s: State, q: torch.Tensor, species: Species) -> Energy:
    """Energy of the layers, J per kg of dry air (nz, ny, nx).

    Parameters
    ----------
    g : geometry of the block
    s, q : state and tracers (n, nz, Y, X) kg/kg, with halos
    species : names of the tracers
    """
    vapour = q[species.number(VAPOUR.name)]
    c = columns(g, s, vapour)
    u, v = centre_wind(g, s)
    w = s.rw[:, INNER, INNER] * 2.0 / (c.mass[1:] + c.mass[:-1])
    still = torch.zeros_like(w[:1])
    w2 = torch.cat([still, w * w, still])
    latent = LATENT_VAPORISATION * vapour[:, INNER, INNER]
    for n in species.where(lambda t: t.is_ice):
        latent = latent - LATENT_FUSION * q[n][:, INNER, INNER]
    kinetic = 0.5 * (u * u + v * v + 0.5 * (w2[1:] + w2[:-1]))
    return Energy(*(a.double() for a in (CV_DRY * c.t, GRAVITY * c.z, kinetic, latent)))


def stored(g: Geometry, s: State, q: torch.Tensor, species: Species) -> Energy:
    """Energy of the columns, J m-2 (ny, nx).

    Parameters
    ----------
    g : geometry of the block
    s, q : state and tracers (n, nz, Y, X) kg/kg, with halos
    species : names of the tracers
    """
    mass = (g.rho_base + s.rho)[:, INNER, INNER].double()
    return Energy(*((mass * part).cumsum(0)[-1] for part in specific(g, s, q, species)))


def carried_in(
    g: Geometry, s: State, q: torch.Tensor, species: Species, flux: MeanFlux, frame: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Energy and the work of pressure that the wind brings into all but the ``frame`` outermost rows of a domain.

    Parameters
    ----------
    g : geometry of the whole domain
    s, q : state and tracers (n, nz, Y, X) kg/kg in the middle of a step, with halos
    species : names of the tracers
    flux : mass fluxes of the step
    frame : rows left out on each side

    Returns
    -------
    energy and work : W, of the whole inner part
    """
    e = specific(g, s, q, species).total
    vapour = q[species.number(VAPOUR.name)]
    c = columns(g, s, vapour)
    work = (R_DRY * c.t * (1.0 + VAPOUR_FACTOR * vapour[:, INNER, INNER])).double()
    x = (flux.ru * g.length_u[INNER, INNER]).double()
    y = (flux.rv * g.length_v[INNER, INNER]).double()
    f, rows, cut = frame, slice(frame, -frame), -frame
    totals = []
    for a in (e, work):
        west = (x[:, rows, f] * 0.5 * (a[:, rows, f - 1] + a[:, rows, f])).sum()
        east = (x[:, rows, cut - 1] * 0.5 * (a[:, rows, cut - 1] + a[:, rows, cut])).sum()
        south = (y[:, f, rows] * 0.5 * (a[:, f - 1, rows] + a[:, f, rows])).sum()
        north = (y[:, cut - 1, rows] * 0.5 * (a[:, cut - 1, rows] + a[:, cut, rows])).sum()
        totals.append(west - east + south - north)
    return totals[0], totals[1]
