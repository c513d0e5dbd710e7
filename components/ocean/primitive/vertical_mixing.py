# SPDX-License-Identifier: BSD-3-Clause
"""What a scheme of vertical mixing sees of the columns, and what it gives: viscosity and diffusivity.

The schemes stand in the table of `mixing_schemes`.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from components.ocean.primitive.geometry import Geometry
from components.ocean.primitive.parameters import Parameters
from components.ocean.primitive.stencil import at
from components.ocean.primitive.surface import SurfaceForcing
from components.science.constants import GRAVITY


class Boundary(NamedTuple):
    """What a scheme of the boundary layer sees besides, own cells and one ring.

    Attributes
    ----------
    buoyancy : (z, y, x) of the cells at the pressure of the surface, less that of the first one, m s-2
    u, v : (z, y, x) velocity at the centres, m s-1
    flux : (y, x) buoyancy flux through the surface without sunlight, positive where it makes water lighter, m2 s-3
    light : (z, y, x) buoyancy flux of the sunlight absorbed above the bottom of each cell, m2 s-3
    coriolis : (y, x) s-1
    """

    buoyancy: Tensor
    u: Tensor
    v: Tensor
    flux: Tensor
    light: Tensor
    coriolis: Tensor


class Columns(NamedTuple):
    """What a scheme sees, ``(z, y, x)`` for own cells and one ring, at the bottom of each cell but for ``h``.

    Attributes
    ----------
    n2, shear2 : squared buoyancy frequency and squared shear, s-2
    h : thickness of the cells, m
    below : 1 where the cell below is wet
    tke : turbulent kinetic energy, m2 s-2
    friction_velocity2 : (y, x) |stress| / rho0, m2 s-2
    boundary : gives what schemes of the boundary layer see besides
    """

    n2: Tensor
    shear2: Tensor
    h: Tensor
    below: Tensor
    tke: Tensor
    friction_velocity2: Tensor
    boundary: Callable[[], Boundary]


class Mixed(NamedTuple):
    """What a scheme gives, ``(z, y, x)`` at the bottom of each cell, zero at the floor and below.

    Attributes
    ----------
    tke : m2 s-2
    viscosity, diffusivity : m2 s-1
    nonlocal_share : share of the fluxes through the surface that plumes carry down, or None
    """

    tke: Tensor
    viscosity: Tensor
    diffusivity: Tensor
    nonlocal_share: Tensor | None = None


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


def boundary(
    tracers: Tensor, u: Tensor, v: Tensor, forcing: SurfaceForcing, absorbed: Tensor, density: Callable[..., Tensor],
    p: Parameters, g: Geometry,
) -> Boundary:  # fmt: skip
    """What schemes of the boundary layer see, one ring less than the state.

    Parameters
    ----------
    tracers : (n, z, y, x) temperature (degrees C) and salinity (g kg-1) first
    u, v : (z, y, x) velocities at the faces, m s-1
    forcing : what passes the surface
    absorbed : (z, y, x) share of the sunlight that each cell absorbs
    density : function of salinity, temperature and depth, kg m-3
    p, g : numbers of the run, and geometry of the block
    """
    temperature, salinity = at(tracers[0]), at(tracers[1])
    surface = torch.zeros_like(temperature)
    rho = density(salinity, temperature, surface)
    buoyancy = -(GRAVITY / p.rho0) * (rho - rho[:1]) * at(g.mask_t)
    warm, salt, top = temperature[0], salinity[0], surface[0]
    alpha = -(density(salt, warm + 0.5, top) - density(salt, warm - 0.5, top)) / p.rho0  # K-1
    beta = (density(salt + 0.5, warm, top) - density(salt - 0.5, warm, top)) / p.rho0  # (g kg-1)-1
    per_heat = GRAVITY * alpha / (p.rho0 * p.heat_capacity)
    flux = per_heat * at(forcing.heat) + (GRAVITY / p.rho0) * beta * salt * at(forcing.water)
    flux = flux - GRAVITY * beta * at(forcing.tracer_flux[1])
    light = per_heat * at(forcing.shortwave) * torch.cumsum(at(absorbed), 0)
    centre_u, centre_v = 0.5 * (at(u) + at(u, 0, -1)), 0.5 * (at(v) + at(v, -1, 0))
    coriolis = 0.25 * (at(g.f_q) + at(g.f_q, 0, -1) + at(g.f_q, -1, 0) + at(g.f_q, -1, -1))
    return Boundary(buoyancy, centre_u, centre_v, flux, light, coriolis)
