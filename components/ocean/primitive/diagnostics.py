# SPDX-License-Identifier: BSD-3-Clause
"""Integrals and indices of an ocean state: what tests, budgets and readers ask for."""

import numpy as np
import torch
from torch import Tensor

from components.ocean.primitive.geometry import Geometry
from components.ocean.primitive.state import State
from components.ocean.primitive.stencil import HALO, inner
from components.ocean.primitive.transport import face_volumes
from components.science.constants import GRAVITY


def cell_volume(eta: Tensor, g: Geometry) -> Tensor:
    """Volume of the own wet cells (m3), ``(z, y, x)``.

    Parameters
    ----------
    eta : (y, x) sea level with halo, m
    g : geometry of the block
    """
    return inner(g.h0 * (1.0 + eta / g.depth_t) * g.area_t * g.mask_t)


def inventories(s: State, g: Geometry) -> tuple[float, list[float]]:
    """Volume (m3) and the content of each tracer (tracer unit times m3) of the own cells.

    They are summed exactly (`math.fsum`).

    Parameters
    ----------
    s : state of the block
    g : its geometry
    """
    from math import fsum

    volume = cell_volume(s.eta, g)
    return fsum(volume.flatten().tolist()), [fsum((inner(q) * volume).flatten().tolist()) for q in s.tracers]


def stream_function(U: Tensor, g: Geometry) -> np.ndarray:
    """Barotropic stream function at the corners in Sv, ``psi = -integral U dy`` from the southern wall; own corners.

    Parameters
    ----------
    U : (y, x) eastward transport with halo, m2 s-1
    g : geometry of the block
    """
    return np.cumsum(-inner(U * g.wide_u).numpy(), 0) * 1e-6


def overturning(v: Tensor, eta: Tensor, g: Geometry) -> np.ndarray:
    """Meridional stream function in Sv at the interfaces of the levels, ``(z + 1, y)``: what flows north above each.

    It is zero at the surface; at the sea floor it is the net transport through the row. Rows are the block's own, at
    the north faces of its cells. Sums of ranks' blocks side by side are the sum over the whole row.

    Parameters
    ----------
    v : (z, y, x) northward velocity with halo, m s-1
    eta : (y, x) sea level with halo, m
    g : geometry of the block
    """
    northward = face_volumes(v, v, eta, 1.0, g)[1][..., HALO : HALO + g.shape[0], HALO:-HALO]  # m3 in a second
    per_level = northward.sum(-1).numpy() * 1e-6
    return np.concatenate([np.zeros_like(per_level[:1]), np.cumsum(per_level, 0)])


def kinetic_energy(s: State, g: Geometry) -> Tensor:
    """Kinetic energy per mass at the own cell centres (m2 s-2).

    Parameters
    ----------
    s : state of the block
    g : its geometry
    """
    u2, v2 = s.u * s.u, s.v * s.v
    return 0.25 * (u2[..., 2:-2, 2:-2] + u2[..., 2:-2, 1:-3] + v2[..., 2:-2, 2:-2] + v2[..., 1:-3, 2:-2])


def reference_potential_energy(density: Tensor, volume: Tensor, area: float) -> float:
    """Potential energy (J) of the adiabatically sorted state, in a basin of uniform area (Winters and others 1995).

    Parameters
    ----------
    density : Tensor
        Potential density of the wet cells (kg m-3), any shape.
    volume : Tensor
        Their volumes (m3).
    area : float
        Horizontal area of the basin (m2).
    """
    order = torch.argsort(density.flatten(), descending=True)
    rho, v = density.flatten()[order], volume.flatten()[order]
    top = torch.cumsum(v, 0) / area
    return float(torch.sum(GRAVITY * rho * v * (top - 0.5 * v / area)))
