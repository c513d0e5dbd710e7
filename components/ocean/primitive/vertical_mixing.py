# SPDX-License-Identifier: BSD-3-Clause
"""Vertical viscosity and diffusivity: constant, or from a prognostic turbulent kinetic energy.

Gaspar, P., Y. Gregoris and J.-M. Lefevre (1990): A simple eddy kinetic energy model for simulations of the oceanic
vertical mixing. J. Geophys. Res. 95, 16179-16193 (G90). Blanke, B. and P. Delecluse (1993): Variability of the
tropical Atlantic Ocean simulated by a general circulation model with two different mixed-layer physics. J. Phys.
Oceanogr. 23, 1363-1388 (BD93).
"""

from collections.abc import Callable

import torch
from torch import Tensor

from components.ocean.primitive.geometry import Geometry
from components.ocean.primitive.stencil import at
from components.science.column_solver import solve
from components.science.constants import GRAVITY

C_K, C_EPS = 0.1, 0.7  # G90 eq. 10 and 13
SURFACE_TKE = 3.75  # e = 3.75 u*^2 at the surface, G90 eq. 15
LEAST_TKE, LEAST_SURFACE_TKE = 1.0e-6, 1.0e-4  # m2 s-2
LEAST_LENGTH = 0.01  # m
LEAST_N2 = 1.0e-12  # s-2


def buoyancy_frequency(
    tracers: Tensor, eta: Tensor, density: Callable[..., Tensor], rho0: float, g: Geometry
) -> Tensor:
    """N^2 at the bottom of each cell (s-2) from the densities of the two cells at the depth of their interface.

    It is zero at the floor.

    Parameters
    ----------
    tracers : (n, z, y, x) temperature (degrees C) and salinity (g kg-1) first
    eta : (y, x) sea level, m
    density : function of salinity, temperature and depth, kg m-3
    rho0 : reference density, kg m-3
    g : geometry of the block
    """
    temperature, salinity = tracers[0], tracers[1]
    z = g.interface[:-1]
    heavier = density(salinity[1:], temperature[1:], z) - density(salinity[:-1], temperature[:-1], z)
    h = g.h0 * (1.0 + eta / g.depth_t)
    n2 = (GRAVITY / rho0) * heavier / (0.5 * (h[1:] + h[:-1])) * g.below[:-1]
    return torch.cat([n2, torch.zeros_like(n2[:1])])


def shear_squared(u: Tensor, v: Tensor, eta: Tensor, g: Geometry) -> Tensor:
    """Squared vertical shear at the bottom of each cell (s-2), one ring less than ``u``.

    It is the mean over the faces of a cell.

    Parameters
    ----------
    u, v : (z, y, x) velocities at the faces, m s-1
    eta : (y, x) sea level, m
    g : geometry of the block
    """
    h = g.h0 * (1.0 + eta / g.depth_t)
    du, dv = (u[:-1] - u[1:]) * g.mask_u[1:], (v[:-1] - v[1:]) * g.mask_v[1:]
    du, dv = du * du, dv * dv
    dz = at(0.5 * (h[1:] + h[:-1]))
    shear = 0.5 * (at(du, 0, 0) + at(du, 0, -1) + at(dv, 0, 0) + at(dv, -1, 0)) / (dz * dz)
    return torch.cat([shear, torch.zeros_like(shear[:1])])


def mixing_lengths(tke: Tensor, n2: Tensor, h: Tensor, below: Tensor) -> tuple[Tensor, Tensor]:
    """Lengths of mixing and dissipation (m), BD93: sqrt(2 e) / N.

    They grow no faster than the distance from top and bottom.

    ``h``: thickness of the cells; all fields ``(z, y, x)``, at the bottom of each cell except ``h``.

    Parameters
    ----------
    tke : turbulent kinetic energy, m2 s-2
    n2 : squared buoyancy frequency, s-2
    h : thickness of the cells, m
    below : 1 where the cell below is wet
    """
    length = torch.sqrt(2.0 * tke / torch.clamp(n2, min=LEAST_N2))
    rising, falling = [], []
    grown = torch.zeros_like(h[0]) + 0.0
    for k in range(h.shape[0]):
        grown = torch.minimum(length[k], grown + h[k])
        rising.append(grown)
    grown = torch.zeros_like(h[0])
    for k in range(h.shape[0] - 2, -1, -1):
        # below the interface lies cell k + 1; where that is the last wet one its floor is the bound
        grown = torch.minimum(length[k], (grown + h[k + 1]) * below[k])
        falling.append(grown)
    down = torch.stack([*falling[::-1], torch.zeros_like(h[0])])
    up = torch.stack(rising)
    return torch.clamp(torch.minimum(up, down), min=LEAST_LENGTH), torch.clamp(
        torch.sqrt(up * down + 1e-30), min=LEAST_LENGTH
    )


def tke_step(
    tke: Tensor, n2: Tensor, shear2: Tensor, h: Tensor, below: Tensor, friction_velocity2: Tensor, dt: float,
    viscosity0: float, diffusivity0: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Advance the turbulent kinetic energy and give the viscosity and diffusivity that follow (G90 eqs. 9-15).

    Shear production is explicit; stable buoyancy destruction and dissipation are linearised and implicit, so that e
    stays positive.

    Parameters
    ----------
    tke, n2, shear2 : Tensor
        e (m2 s-2), N^2 and squared shear (s-2) at the bottom of each cell ``(z, y, x)``.
    h : Tensor
        Cell thickness, m.
    below : Tensor
        1 where the cell below is wet.
    friction_velocity2 : Tensor
        u*^2 = |stress| / rho0 (m2 s-2), ``(y, x)``.
    dt : float
        Time step, s.
    viscosity0, diffusivity0 : float
        Background values (m2 s-1).

    Returns
    -------
    tuple of Tensor
        New e, viscosity and diffusivity (m2 s-1) at the bottom of each cell.
    """
    tke = torch.clamp(tke, min=LEAST_TKE)  # zero in the halo beyond a closed edge
    length, dissipation_length = mixing_lengths(tke, n2, h, below)
    root = torch.sqrt(tke)
    momentum = C_K * length * root
    richardson = n2 / (shear2 + 1e-12)
    prandtl = torch.clamp(5.0 * richardson, min=1.0, max=10.0)  # BD93: 1 below Ri = 0.2
    heat = momentum / prandtl
    # vertical diffusion of e: its points are the cell bottoms, so its fluxes are at the cell centres
    at_centre = 0.5 * (momentum[1:] + momentum[:-1])
    spacing = torch.cat([0.5 * (h[1:] + h[:-1]), h[-1:]])
    surface = torch.clamp(SURFACE_TKE * friction_velocity2, min=LEAST_SURFACE_TKE)
    first = dt * momentum[:1] / h[:1]
    e = dt * at_centre / h[1:] * below[1:]
    above = -torch.cat([first, e]) / spacing
    under = -torch.cat([e, torch.zeros_like(first)]) / spacing
    production = momentum * shear2 + torch.clamp(-heat * n2, min=0.0)
    sink = torch.clamp(heat * n2, min=0.0) / tke + C_EPS * root / dissipation_length
    rhs = tke + dt * production
    # the surface value enters the first row as a boundary condition
    rhs = torch.cat([rhs[:1] - above[:1] * surface, rhs[1:]])
    diagonal = 1.0 - above - under + dt * sink
    none = torch.zeros_like(first)
    new = torch.stack(solve(torch.cat([none, above[1:]]).unbind(0), diagonal.unbind(0), under.unbind(0), rhs.unbind(0)))
    new = torch.clamp(new, min=LEAST_TKE)
    root = torch.sqrt(new)
    momentum = C_K * length * root
    return new, torch.clamp(momentum, min=viscosity0) * below, torch.clamp(momentum / prandtl, min=diffusivity0) * below
