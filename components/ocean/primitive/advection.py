# SPDX-License-Identifier: BSD-3-Clause
"""Tracer advection that makes no new extremes: direction by direction, third order in space and time, limited.

Each sweep is the direct space-time scheme of third order with the limiter of Sweby (1984) (Hundsdorfer and Trompert
1994; DST-3), written for the volumes that the flow itself leaves behind: volume and content are carried by the same
fluxes, so a constant stays constant whatever the divergence in one direction. The limiter uses the total outflow of
the donor cell in the sweep's direction as its Courant number; then the new value is a mean, with positive weights,
of old values of the cell and its two neighbours, if that number is below one.
"""

from functools import cache
from typing import Any

import torch
from torch import Tensor

from components.science.kernel_arrays import flat, plain_doubles


def sweep(
    q: Tensor, volume: Tensor, flux: Tensor, mask: Tensor, exchange: Tensor | None, axis: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Advance tracers by advection (and diffusion) along one axis.

    Parameters
    ----------
    q : Tensor
        Tracers ``(n, z, y, x)``; N cells along ``axis``.
    volume : Tensor
        Cell volumes before the sweep (m3), ``(z, y, x)``.
    flux : Tensor
        Volume through the face between cells i and i + 1 in this step (m3, positive towards i + 1); N - 1 along
        ``axis``.
    mask : Tensor
        1 where that face is open, as ``flux``.
    exchange : Tensor or None
        Volume exchanged by lateral diffusion, ``dt kappa area / distance`` (m3), as ``flux``.
    axis : int
        -1, -2 or -3.

    Returns
    -------
    tuple of Tensor
        Tracers and volumes after the sweep, N - 4 along ``axis``; what was carried through the N - 3 faces of these
        cells (tracer unit times m3, positive towards i + 1).
    """
    if plain_doubles(q, volume, flux, mask, exchange):
        return _by_kernel(q, volume, flux, mask, exchange, axis)
    return by_torch(q, volume, flux, mask, exchange, axis)


def _by_kernel(
    q: Tensor, volume: Tensor, flux: Tensor, mask: Tensor, exchange: Tensor | None, axis: int
) -> tuple[Tensor, Tensor, Tensor]:
    cells, behind = list(volume.shape), volume[(0,) * (volume.dim() + axis + 1)].numel()
    n, tracers = cells[axis], q.shape[0]

    def new(length: int) -> list[int]:
        cells[axis] = length
        return list(cells)

    after, out = q.new_empty(new(n - 4)), q.new_empty([tracers, *new(n - 4)])
    carried = q.new_empty([tracers, *new(n - 3)])
    sizes = volume.numel() // (n * behind), n, behind
    given = (flat(a, (-1,)) for a in (volume, flux, mask.expand(flux.shape)))
    mixed = flat(volume.new_empty(0) if exchange is None else exchange, (-1,))
    _kernel()(
        flat(q, (tracers, -1)), *given, mixed, sizes, flat(out, (tracers, -1)), flat(after, (-1,)),
        flat(carried, (tracers, -1)),
    )  # fmt: skip
    return out, after, carried


@cache
def _kernel() -> Any:
    from components.ocean.primitive.kernels.sweep import sweep as kernel  # numba is slow to load

    return kernel


def by_torch(
    q: Tensor, volume: Tensor, flux: Tensor, mask: Tensor, exchange: Tensor | None, axis: int
) -> tuple[Tensor, Tensor, Tensor]:
    """As `sweep`, by torch's operations, to which the kernel is equal bit by bit.

    Parameters
    ----------
    q, volume, flux, mask, exchange, axis : as `sweep` has them
    """
    n = q.shape[axis]

    def cut(a: Tensor, start: int, stop: int) -> Tensor:
        return a.narrow(axis, start, stop - start)

    difference = (cut(q, 1, n) - cut(q, 0, n - 1)) * mask
    away = torch.clamp(flux, min=0.0)
    leaving = cut(away, 1, n - 1) + cut(away - flux, 0, n - 2)  # out of cells 1 .. n - 2, both faces
    rest = torch.clamp(1.0 - leaving / cut(volume, 1, n - 1), min=0.0)

    f = cut(flux, 1, n - 2)  # faces with two cells on either side
    forward = f > 0
    donor = torch.where(forward, cut(q, 1, n - 2), cut(q, 2, n - 1))
    ahead = torch.where(forward, cut(difference, 1, n - 2), -cut(difference, 1, n - 2))
    behind = torch.where(forward, cut(difference, 0, n - 3), -cut(difference, 2, n - 1))
    courant = torch.abs(f) / torch.where(forward, cut(volume, 1, n - 2), cut(volume, 2, n - 1))
    room = torch.where(forward, cut(rest, 0, n - 3), cut(rest, 1, n - 2)) / (courant + 1e-30)
    d0 = (2.0 - courant) * (1.0 - courant) * (1.0 / 6.0)
    d1 = (1.0 - courant * courant) * (1.0 / 6.0)
    third_order = torch.abs(d0 * ahead + d1 * behind)
    size = torch.minimum(torch.minimum(third_order, torch.abs(ahead)), room * torch.abs(behind))
    increment = torch.where(ahead * behind > 0, torch.where(ahead > 0, size, -size), 0.0)
    carried = f * (donor + increment)
    if exchange is not None:
        carried = carried - cut(exchange, 1, n - 2) * cut(difference, 1, n - 2)

    after = cut(volume, 2, n - 2) - (cut(flux, 2, n - 2) - cut(flux, 1, n - 3))
    m = n - 3
    content = cut(q, 2, n - 2) * cut(volume, 2, n - 2) - (
        carried.narrow(axis, 1, m - 1) - carried.narrow(axis, 0, m - 1)
    )
    return content / after, after, carried


def vertical_sweep(q: Tensor, volume: Tensor, flux_down: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Advance tracers by vertical advection.

    ``flux_down``: volume through the bottom of each cell in this step (m3, positive downwards), zero at the sea
    floor; ``mask`` is 1 where the cell below is wet. Nothing passes the surface here. Other arguments as in `sweep`.

    Parameters
    ----------
    q : (n, z, y, x) tracers
    volume : (z, y, x) of the cells, m3
    flux_down : (z, y, x) volume through the bottom in this step, m3
    mask : (z, y, x) 1 where the cell below is wet
    """
    q = torch.cat([q[:, :1], q[:, :1], q, q[:, -1:], q[:, -1:]], 1)
    wide = torch.cat([volume[:1], volume[:1], volume, volume[-1:], volume[-1:]])
    none = torch.zeros_like(flux_down[:1])
    flux_down = torch.cat([none, none, flux_down[:-1], none, none])
    mask = torch.cat([none, none, mask[:-1], none, none])
    q, volume, _ = sweep(q, wide, flux_down, mask, None, -3)
    return q, volume
