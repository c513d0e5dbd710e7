# SPDX-License-Identifier: BSD-3-Clause
"""Dense water that runs down from sills and shelves: exchange of bottom cells along the floor.

The diffusive bottom boundary layer of Beckmann & Doescher (1997, J. Phys. Oceanogr. 27, 581-591): on levels, water
denser than its neighbour over the deeper floor leaves its shelf into the layers beside it and is mixed away above the
floor. Here the bottom cells of two neighbouring columns exchange tracers, as by a diffusivity along the floor, where
the water of the shallower is the denser one at the mean depth of both.
"""

import torch
from torch import Tensor

from components.ocean.primitive.geometry import Geometry
from components.ocean.primitive.isoneutral import Density
from components.ocean.primitive.stencil import at, inner, over_levels


def run_down(tracers: Tensor, density: Density, diffusivity: float, g: Geometry) -> Tensor:
    """What the block's own cells gain, tracer times m s-1, ``(n, z, y, x)``.

    Parameters
    ----------
    tracers : Tensor
        Temperature (degC), salinity (g kg-1) and others ``(n, z, y, x)`` with a halo of two, of which one ring is read.
    density : callable
        Of salinity, temperature and depth, kg m-3.
    diffusivity : float
        Along the floor, m2 s-1.
    g : Geometry
        The block.
    """
    bottom = at(g.bottom_t)
    q = torch.stack([over_levels(a * bottom) for a in at(tracers)])
    depth, thickness = over_levels(at(g.centre) * bottom), over_levels(at(g.h0) * bottom)
    gain = torch.zeros_like(inner(tracers)[:, 0])
    inside_u, inside_v = g.inside  # only the current crosses an open edge
    axes = ((-1, g.dxu, g.wide_u, g.wet_u * inside_u), (-2, g.dyv, g.wide_v, g.wet_v * inside_v))
    for axis, distance, width, wet in axes:
        low, high = slice(None, -1), slice(1, None)
        one, other = ((..., low), (..., high)) if axis == -1 else ((..., low, slice(None)), (..., high, slice(None)))
        own = (..., slice(1, -1), slice(None)) if axis == -1 else (..., slice(1, -1))
        mean = 0.5 * (depth[one] + depth[other])
        heavier = density(q[1][one], q[0][one], mean) - density(q[1][other], q[0][other], mean)
        runs = heavier * (depth[other] - depth[one]) > 0.0
        rate = diffusivity * at(width)[one] / at(distance)[one] * torch.minimum(thickness[one], thickness[other])
        flux = (torch.where(runs, rate, 0.0) * at(wet)[one] * (q[other] - q[one]))[own]
        gain = gain + (flux[other] - flux[one])
    return (gain / inner(g.area_t))[:, None] * inner(g.bottom_t)
