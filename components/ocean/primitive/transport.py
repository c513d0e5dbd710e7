# SPDX-License-Identifier: BSD-3-Clause
"""Volumes that the flow carries through the faces of the cells, and tracers with them."""

import torch
from torch import Tensor

from components.ocean.primitive.advection import sweep, vertical_sweep
from components.ocean.primitive.geometry import Geometry
from components.ocean.primitive.stencil import at, inner, over_levels


def face_volumes(u: Tensor, v: Tensor, eta: Tensor, dt: float, g: Geometry) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Volumes through the east and north faces in a step (m3), and the faces' thickness (m), on all rings.

    The last column (or row) is missing: no cell lies beyond it.

    Parameters
    ----------
    u, v : (z, y, x) velocities at the faces, m s-1
    eta : (y, x) sea level, m
    dt : step, s
    g : geometry of the block
    """
    volume = eta * g.area_t
    hu = g.hu0[..., :-1] * (1.0 + 0.5 * (volume[:, :-1] + volume[:, 1:]) / g.area_u[:, :-1] / g.depth_u[:, :-1])
    hv = g.hv0[..., :-1, :] * (1.0 + 0.5 * (volume[:-1] + volume[1:]) / g.area_v[:-1] / g.depth_v[:-1])
    return u[..., :-1] * hu * (dt * g.wide_u[:, :-1]), v[..., :-1, :] * hv * (dt * g.wide_v[:-1]), hu, hv


def vertical_volume(
    flux_x: Tensor, flux_y: Tensor, eta_old: Tensor, eta_new: Tensor, water: Tensor, dt: float, g: Geometry
) -> Tensor:
    """Volume that goes up through the bottom of each cell in a step (m3), from continuity of each z* layer.

    The result has one ring less.

    Summed from the surface, where the fresh water enters; what round-off leaves at the sea floor is dropped.

    Parameters
    ----------
    flux_x, flux_y : (z, y, x) volumes through the faces in a step, m3
    eta_old, eta_new : (y, x) sea level before and after, m
    water : (y, x) fresh water through the surface, m s-1
    dt : step, s
    g : geometry of the block
    """
    outflow = flux_x[..., 1:-1, 1:] - flux_x[..., 1:-1, :-1] + flux_y[..., 1:, 1:-1] - flux_y[..., :-1, 1:-1]
    growth = at(g.h0) * (at(eta_new - eta_old) / at(g.depth_t) * at(g.area_t)) + outflow
    surface = at(water) * (dt * at(g.area_t))
    return (torch.cumsum(growth * at(g.mask_t), 0) - surface) * at(g.below)


def advect_horizontally(
    tracers: Tensor, flux_x: Tensor, flux_y: Tensor, hu: Tensor, hv: Tensor, eta: Tensor, diffusivity: float, dt: float,
    x_first: bool, g: Geometry,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
    """Sweeps in x and y (in y and x where ``x_first`` is false).

    Tracers and volumes of the block's own cells after them; what the sweeps carried through the east faces (one
    column more than own cells, to the west) and the north faces (one row more), tracer unit times m3.

    Parameters
    ----------
    tracers : (n, z, y, x) with a halo of two
    flux_x, flux_y : (z, y, x) volumes through the faces in the step, m3
    hu, hv : (z, y, x) thickness of the faces, m
    eta : (y, x) sea level at the start, m
    diffusivity : horizontal, m2 s-1
    dt : step, s
    x_first : whether the sweep in x comes first
    g : geometry of the block
    """
    volume = g.h0 * ((1.0 + eta / g.depth_t) * g.area_t)
    mask_x, mask_y = g.mask_u[..., :-1], g.mask_v[..., :-1, :]
    exchange_x = exchange_y = None
    if diffusivity:
        exchange_x = hu * (dt * diffusivity * g.wide_u[:, :-1] / g.dxu[:, :-1])
        exchange_y = hv * (dt * diffusivity * g.wide_v[:-1] / g.dyv[:-1])

    def rows(a):
        return None if a is None else a[..., 2:-2, :]

    def columns(a):
        return None if a is None else a[..., 2:-2]

    if x_first:
        tracers, volume, through_x = sweep(tracers, volume, flux_x, mask_x, exchange_x, -1)
        tracers, volume, through_y = sweep(tracers, volume, columns(flux_y), columns(mask_y), columns(exchange_y), -2)
        return tracers, volume, rows(through_x), through_y
    tracers, volume, through_y = sweep(tracers, volume, flux_y, mask_y, exchange_y, -2)
    tracers, volume, through_x = sweep(tracers, volume, rows(flux_x), rows(mask_x), rows(exchange_x), -1)
    return tracers, volume, through_x, columns(through_y)


def through_open_faces(through_x: Tensor, through_y: Tensor, g: Geometry) -> Tensor:
    """What entered each own column through faces at open edges, per area.

    Parameters
    ----------
    through_x, through_y : Tensor
        Amounts through east and north faces ``(..., z, y, x)``, with the faces to the west and south of the own cells
        (tracer unit times m3, or m3).
    g : Geometry
        The block.

    Returns
    -------
    Tensor
        ``(..., y, x)``, tracer unit times m (or m); zero away from open edges and on the ring.
    """
    open_u, open_v = torch.abs(g.open_u[2:-2, 1:-2]), torch.abs(g.open_v[1:-2, 2:-2])
    x, y = over_levels(through_x.movedim(-3, 0)) * open_u, over_levels(through_y.movedim(-3, 0)) * open_v
    entered = x[..., :-1] - x[..., 1:] + y[..., :-1, :] - y[..., 1:, :]
    return entered * (inner(g.active_t) / inner(g.area_t))


def advect_vertically(tracers: Tensor, volume: Tensor, volume_up: Tensor, g: Geometry) -> tuple[Tensor, Tensor]:
    """Sweep in z with the volumes of `vertical_volume`; arguments and results for the block's own cells.

    Parameters
    ----------
    tracers : (n, z, y, x) own cells
    volume : (z, y, x) of the cells, m3
    volume_up : (z, y, x) through their bottoms in the step, m3
    g : geometry of the block
    """
    return vertical_sweep(tracers, volume, -volume_up, inner(g.below))
