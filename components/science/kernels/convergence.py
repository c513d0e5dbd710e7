# SPDX-License-Identifier: BSD-3-Clause
"""What fluxes of high order bring to cells, a level after another; see `advection.convergence`."""

from typing import Any

import numpy as np

from components.science.kernels import tracer_loops as loop
from components.science.kernels.compiled import compiled


@compiled
def brought(out: Any, x: Any, south: Any, north: Any, inverse_area: Any, bottom: Any, top: Any) -> None:
    """What fluxes through all faces of a row of cells leave there."""
    for i in range(out.size):
        out[i] = -((x[i + 1] - x[i]) + (north[i] - south[i])) * inverse_area[i] - (top[i] - bottom[i])


@compiled
def converge(q: Any, mx: Any, my: Any, mz: Any, inverse_area: Any, out: Any) -> None:
    """Of fifth order along the grid, of third order in the vertical.

    Parameters
    ----------
    q : (nz+4, ny+6, nx+6) advected field, two ghost levels below and above and three cells of halo
    mx, my, mz : (nz, ny, nx+1), (nz, ny+1, nx) and (nz+1, ny, nx) mass fluxes
    inverse_area : (ny, nx)
    out : (nz, ny, nx) is set
    """
    nz, ny, nx = out.shape
    x, across, upward = np.empty(nx + 1, q.dtype), np.empty((2, nx), q.dtype), np.empty((2, ny, nx), q.dtype)
    inner = slice(3, 3 + nx)
    for k in range(-1, nz):
        bottom, top = upward[k % 2], upward[(k + 1) % 2]
        for j in range(ny):
            loop.third_up(
                top[j], mz[k + 1, j], q[k + 1, j + 3][inner], q[k + 2, j + 3][inner], q[k + 3, j + 3][inner],
                q[k + 4, j + 3][inner],
            )  # fmt: skip
        if k < 0:
            continue
        here = q[k + 2]
        for j in range(-1, ny):
            south, north = across[j % 2], across[(j + 1) % 2]
            loop.fifth_across(
                north, my[k, j + 1], here[j + 1][inner], here[j + 2][inner], here[j + 3][inner], here[j + 4][inner],
                here[j + 5][inner], here[j + 6][inner],
            )  # fmt: skip
            if j >= 0:
                loop.fifth_along(x, mx[k, j], here[j + 3])
                brought(out[k, j], x, south, north, inverse_area[j], bottom[j], top[j])
