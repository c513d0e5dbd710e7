# SPDX-License-Identifier: BSD-3-Clause
"""Vertical mixing from a prognostic turbulent kinetic energy e, with breaking waves and Langmuir cells.

    de/dt = K S^2 - K_h N^2 - c_eps e^(3/2) / l + P_LC + d/dz (alpha K de/dz)

Gaspar, P., Y. Gregoris and J.-M. Lefevre (1990): A simple eddy kinetic energy model for simulations of the oceanic
vertical mixing. J. Geophys. Res. 95, 16179-16193 (G90). Blanke, B. and P. Delecluse (1993): Variability of the
tropical Atlantic Ocean simulated by a general circulation model with two different mixed-layer physics. J. Phys.
Oceanogr. 23, 1363-1388 (BD93). Craig, P. D. and M. L. Banner (1994): Modeling wave-enhanced turbulence in the ocean
surface layer. J. Phys. Oceanogr. 24, 2546-2559 (CB94). Axell, L. B. (2002): Wind-driven internal waves and Langmuir
circulations in a numerical ocean model of the southern Baltic Sea. J. Geophys. Res. 107, 3204 (A02). Li, M. and C.
Garrett (1993): Cell merging and the jet/downwelling ratio in Langmuir circulation. J. Mar. Res. 51, 737-769.
"""

import math
from functools import cache
from typing import Any

import torch
from torch import Tensor

from components.ocean.primitive.vertical_mixing import Columns, Mixed
from components.science.column_solver import solve
from components.science.constants import GRAVITY, SEA_WATER_DENSITY, VON_KARMAN
from components.science.kernel_arrays import flat, plain_doubles

C_K, C_EPS = 0.1, 0.7  # G90 eq. 10 and 13
SURFACE_TKE = 3.75  # e = 3.75 u*^2 at the surface, G90 eq. 15
LEAST_TKE, LEAST_SURFACE_TKE = 1.0e-6, 1.0e-4  # m2 s-2
LEAST_LENGTH = 0.01  # m
LEAST_N2 = 1.0e-12  # s-2
ITERATIONS = (
    2  # of e, its length and viscosity: with one, a front of turbulence advances too slowly at steps of an hour
)
WAVE_DECAY = 2.4  # the flux of e falls as (1 + z / z0)^-2.4, CB94 with the constants of Mellor and Yamada
CHARNOCK = 2.0e5  # z0 = CHARNOCK u*^2 / g, Stacey (1999)
STOKES = 0.377  # surface Stokes drift over the root of the stress, m s-1 Pa-1/2 (Li and Garrett 1993)


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


def wave_energy(depth: Tensor, n2: Tensor, friction_velocity2: Tensor, breaking: float) -> Tensor:
    """Turbulent energy that breaking waves keep up, m2 s-2 (CB94).

    Waves give ``breaking`` u*^3 to the water; the flux falls as (1 + z / z0)^-2.4 and what it loses is dissipated where
    it is lost: e = (l epsilon / c_eps)^(2/3), l = kappa (z + z0). Where stratification allows no eddies of that length
    there is none.

    Parameters
    ----------
    depth : (z, y, x) of the points, m
    n2 : (z, y, x) squared buoyancy frequency, s-2
    friction_velocity2 : (y, x) u*^2, m2 s-2
    breaking : flux of energy over u*^3
    """
    z0 = torch.clamp(CHARNOCK / GRAVITY * friction_velocity2, min=0.01)
    x = 1.0 + depth / z0
    factor = (WAVE_DECAY * breaking * VON_KARMAN / C_EPS) ** (2.0 / 3.0)
    e = factor * friction_velocity2 * torch.exp((-2.0 / 3.0) * WAVE_DECAY * torch.log(x))
    length = VON_KARMAN * z0 * x
    return e * torch.clamp(2.0 * e / (torch.clamp(n2, min=LEAST_N2) * length * length), max=1.0)


def langmuir_production(depth: Tensor, n2: Tensor, spacing: Tensor, friction_velocity2: Tensor, c_lc: float) -> Tensor:
    """Production of turbulent energy by Langmuir cells, w^3 / H (m2 s-3), A02 eqs. 22-25.

    The cells reach the depth H to which the kinetic energy of the Stokes drift can lift water against buoyancy; their
    speed is ``c_lc`` times the drift times sin(pi z / H).

    Parameters
    ----------
    depth : (z, y, x) of the cell bottoms, m
    n2 : (z, y, x) squared buoyancy frequency there, s-2
    spacing : (z, y, x) distance of the cell centres on either side, m
    friction_velocity2 : (y, x) u*^2, m2 s-2
    c_lc : speed of the cells over the Stokes drift
    """
    drift = STOKES * torch.sqrt(SEA_WATER_DENSITY * friction_velocity2)
    needed = torch.cumsum(torch.clamp(n2, min=0.0) * depth * spacing, 0)
    energy = 0.5 * drift * drift
    within = (needed <= energy).to(depth.dtype)
    reach = depth[0] + 0.0 * drift
    for k in range(1, depth.shape[0]):
        reach = torch.where(within[k - 1] > 0.0, depth[k], reach)
    inside = torch.clamp(depth / reach, max=1.0)
    w = c_lc * drift * torch.sin(math.pi * inside)
    return torch.where(inside < 1.0, w * w * w / reach, torch.zeros_like(w))


def turbulent_energy(
    c: Columns, dt: float, viscosity0: float, diffusivity0: float, breaking: float = 100.0, langmuir: float = 0.15,
    transport: float = 24.0,
) -> Mixed:  # fmt: skip
    """Advance the turbulent kinetic energy and give the viscosity and diffusivity that follow (G90 eqs. 9-15).

    Shear production is explicit; stable buoyancy destruction and dissipation are linearised and implicit, so that e
    stays positive.

    Parameters
    ----------
    c : Columns
        What the scheme sees.
    dt : float
        Time step, s.
    viscosity0, diffusivity0 : float
        Background values (m2 s-1).
    breaking : float
        Flux of energy from breaking waves over u*^3 (CB94: 100); 0: none. Their turbulence is local: it is added where
        lengths and viscosities are made.
    langmuir : float
        Speed of Langmuir cells over the Stokes drift (A02: 0.15); 0: none.
    transport : float
        Diffusivity of e over the viscosity. With 1 (G90) the energy that convection and wind make is spent before it
        reaches the base of the layer, and nothing is entrained; Gutjahr and others (2021) have 30. With
        24 convection entrains 0.165 of the surface's flux and makes a layer of 42 m; large-eddy simulations have 0.2
        and 41.7 m.

    Notes
    -----
    The Prandtl number of BD93 (1 to 10 by the Richardson number) holds for turbulence that shear has made; what
    convection made above mixes heat as readily as momentum, so it is weighed with the shear's share of the production.
    """
    n2, h, below = c.n2, c.h, c.below
    old = torch.clamp(c.tke, min=LEAST_TKE)  # zero in the halo beyond a closed edge
    depth = torch.cumsum(h, 0)
    spacing = torch.cat([0.5 * (h[1:] + h[:-1]), h[-1:]])
    waves = wave_energy(depth, n2, c.friction_velocity2, breaking) if breaking else torch.zeros_like(old)
    cells = langmuir_production(depth, n2, spacing, c.friction_velocity2, langmuir) if langmuir else 0.0 * old
    surface = torch.clamp(SURFACE_TKE * c.friction_velocity2, min=LEAST_SURFACE_TKE)
    by_shear = torch.clamp(5.0 * n2 / (c.shear2 + 1e-12), min=1.0, max=10.0)
    given = old, spacing, waves, cells, by_shear, surface
    if plain_doubles(n2, c.shear2, h, below, *given):
        return _by_kernel(c, *given, dt, viscosity0, diffusivity0, transport)
    return by_torch(c, *given, dt, viscosity0, diffusivity0, transport)


def _by_kernel(
    c: Columns, old: Tensor, spacing: Tensor, waves: Tensor, cells: Tensor, by_shear: Tensor, surface: Tensor,
    dt: float, viscosity0: float, diffusivity0: float, transport: float,
) -> Mixed:  # fmt: skip
    lengths, advance = _kernels()
    size = old.shape[0], surface.numel()
    below, n2 = flat(c.below, size), torch.clamp(c.n2, min=LEAST_N2)
    columns = [flat(a.expand(old.shape), size) for a in (c.n2, c.shear2, c.h)]
    more = [flat(a.expand(old.shape), size) for a in (old, spacing, cells, by_shear)]
    top, numbers = flat(surface, (-1,)), (float(dt), float(transport), C_EPS, LEAST_TKE)
    length, product, prandtl = (torch.empty_like(old) for _ in range(3))
    e = old
    for _ in range(ITERATIONS):
        allowed = torch.sqrt(2.0 * (e + waves) / n2)
        lengths(flat(allowed, size), columns[2], below, LEAST_LENGTH, *(flat(a, size) for a in (length, product)))
        dissipation = torch.clamp(torch.sqrt(product), min=LEAST_LENGTH)
        momentum, new = C_K * length * torch.sqrt(e + waves), torch.empty_like(old)
        given = e, torch.sqrt(e), dissipation, momentum, new, prandtl
        advance(*columns, below, *more, top, numbers, *(flat(a, size) for a in given))
        e = new
    return _mixed(c, e, C_K * length * torch.sqrt(e + waves), prandtl, viscosity0, diffusivity0)


def _mixed(c: Columns, e: Tensor, momentum: Tensor, prandtl: Tensor, viscosity0: float, diffusivity0: float) -> Mixed:
    """Energy, and viscosity and diffusivity above their background."""
    return Mixed(
        e, torch.clamp(momentum, min=viscosity0) * c.below, torch.clamp(momentum / prandtl, min=diffusivity0) * c.below
    )


@cache
def _kernels() -> tuple[Any, Any]:
    from components.ocean.primitive.kernels import turbulence as k  # numba is slow to load

    return k.lengths, k.advance


def by_torch(
    c: Columns, old: Tensor, spacing: Tensor, waves: Tensor, cells: Tensor, by_shear: Tensor, surface: Tensor,
    dt: float, viscosity0: float, diffusivity0: float, transport: float,
) -> Mixed:  # fmt: skip
    """What `turbulent_energy` gives, by torch's operations, to which the kernel is equal bit by bit.

    Parameters
    ----------
    c : what the scheme sees
    old : energy at the start, m2 s-2
    spacing : distance of the cell centres on either side, m
    waves : energy that breaking waves keep up, m2 s-2
    cells : production by Langmuir cells, m2 s-3
    by_shear : Prandtl number of turbulence that shear has made
    surface : (y, x) energy at the surface, m2 s-2
    dt, viscosity0, diffusivity0, transport : as `turbulent_energy` has them
    """
    n2, h, below = c.n2, c.h, c.below
    e = old
    for _ in range(ITERATIONS):
        length, dissipation_length = mixing_lengths(e + waves, n2, h, below)
        root = torch.sqrt(e)
        momentum = C_K * length * torch.sqrt(e + waves)
        convection = torch.cumsum(torch.clamp(-momentum * n2, min=0.0) * spacing, 0)
        share = convection / (convection + torch.cumsum(momentum * c.shear2 * spacing, 0) + 1e-30)
        prandtl = by_shear + (1.0 - by_shear) * share
        heat = momentum / prandtl
        # vertical diffusion of e: its points are the cell bottoms, so its fluxes are at the cell centres
        flux = (0.5 * dt * transport) * (momentum[1:] + momentum[:-1]) / h[1:] * below[1:]
        first = dt * transport * momentum[:1] / h[:1]
        none = torch.zeros_like(first)
        above = -torch.cat([first, flux]) / spacing
        under = -torch.cat([flux, none]) / spacing
        production = momentum * c.shear2 + torch.clamp(-heat * n2, min=0.0) + cells
        sink = torch.clamp(heat * n2, min=0.0) / e + C_EPS * root / dissipation_length
        rhs = old + dt * production
        # the surface value enters the first row as a boundary condition
        rhs = torch.cat([rhs[:1] - above[:1] * surface, rhs[1:]])
        lower, diagonal = torch.cat([none, above[1:]]), 1.0 - above - under + dt * sink
        new = solve(lower, diagonal, under, rhs)
        e = torch.clamp(new, min=LEAST_TKE)
    return _mixed(c, e, C_K * length * torch.sqrt(e + waves), prandtl, viscosity0, diffusivity0)
