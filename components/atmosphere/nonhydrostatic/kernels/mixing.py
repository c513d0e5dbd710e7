# SPDX-License-Identifier: BSD-3-Clause
"""Horizontal mixing by the two-dimensional Smagorinsky viscosity, a level after another; see `diffusion`.

Planes are (ny+2, nx+2), with one halo cell, unless said.
"""

from typing import Any

import numpy as np

from components.atmosphere.nonhydrostatic.kernels import acoustic_loops as steps
from components.atmosphere.nonhydrostatic.kernels import mixing_loops as loop
from components.atmosphere.nonhydrostatic.kernels.compiled import compiled

ONE = 3  # the first cell with one halo cell among those with four


@compiled
def mixed(
    u: Any, v: Any, w: Any, theta: Any, rho: Any, bases: Any, lengths: Any, planes: Any, f_u: Any, f_v: Any, f_w: Any,
    f_theta: Any,
) -> None:  # fmt: skip
    """Rates of change of momentum and heat.

    Parameters
    ----------
    u, v, w, theta : of `Diagnostics`
    rho : (nz, Y, X) of `State`
    bases : of rho and rtheta (nz, Y, X)
    lengths : of the viscosity: its size times the area of a cell, and what turns differences into derivatives: those of
        u along x, v along y, u along y, v along x
    planes : ratios of lengths for u along x (ny, nx+2) and at corners (ny+1, nx+1) and 1 / area (ny, nx+1), for v along
        y (ny+2, nx) and the same, for cells on west and south faces (ny, nx+1), (ny+1, nx), and 1 / area (ny, nx)
    f_u, f_v, f_w, f_theta : (nz, ny, nx+1), (nz, ny+1, nx), (nz-1, ny, nx), (nz, ny, nx) are set
    """
    nz, ny, nx = f_theta.shape
    real, of_cells = u.dtype, planes[6:]
    viscous, root = np.empty((2, ny + 2, nx + 2), real), np.empty((ny + 2, nx + 2), real)
    stretch, shear, field = np.empty_like(root), np.empty_like(root), np.empty_like(root)
    for k in range(nz):
        here = viscous[k % 2]
        deformed(stretch, shear, root, u[k + 2], v[k + 2], lengths)
        for a in range(ny + 2):
            cells = slice(ONE, ONE + nx + 2)
            loop.viscosity(here[a], root[a], lengths[0][a], bases[0][k, a + ONE][cells], rho[k, a + ONE][cells])
            base, heat = bases[0][k, a + ONE][cells], bases[1][k, a + ONE][cells]
            loop.departure(field[a], theta[k + 2, a + 2][2 : nx + 4], heat, base)
        spread(f_theta[k], field, here, of_cells)
        eastward(f_u[k], u[k + 2], here, planes)
        northward(f_v[k], v[k + 2], here, planes)
        if k > 0:
            for a in range(ny + 2):
                steps.mean(root[a], here[a], viscous[(k - 1) % 2][a])
            spread(f_w[k - 1], w[k + 1][2 : ny + 4, 2 : nx + 4], root, of_cells)


@compiled
def deformed(stretch: Any, shear: Any, root: Any, u: Any, v: Any, lengths: Any) -> None:
    """Stretching and shearing deformation of a level, and the root of their squares' sum, s-1."""
    _, along_x, along_y, across_y, across_x = lengths
    n = root.shape[1]
    east, west, here = slice(3, 3 + n), slice(2, 2 + n), slice(2, 2 + n)
    for a in range(root.shape[0]):
        loop.slope(stretch[a], u[a + 2][west], u[a + 2][east], along_x[a])
        loop.less_slope(stretch[a], v[a + 2][here], v[a + 3][here], along_y[a])
        loop.slope_of_means(shear[a], u[a + 1][west], u[a + 1][east], u[a + 3][west], u[a + 3][east], across_y[a])
        loop.more_slope_of_means(
            shear[a], v[a + 2][1 : 1 + n], v[a + 3][1 : 1 + n], v[a + 2][east], v[a + 3][east], across_x[a]
        )
        loop.root_of_squares(root[a], stretch[a], shear[a])


@compiled
def spread(out: Any, q: Any, viscous: Any, of_cells: Any) -> None:
    """Of a field at cell centres (ny+2, nx+2)."""
    face_x, face_y, area = of_cells
    ny, nx = out.shape
    x, y, inner = np.empty(nx + 1, q.dtype), np.empty((2, nx), q.dtype), slice(1, 1 + nx)
    for j in range(-1, ny):
        r = j + 1
        loop.flux_between(y[r % 2], viscous[r][inner], viscous[r + 1][inner], face_y[r], q[r][inner], q[r + 1][inner])
        if j >= 0:
            loop.flux_between(x, viscous[r][:-1], viscous[r][1:], face_x[j], q[r][:-1], q[r][1:])
            loop.brought(out[j], x, y[j % 2], y[r % 2], area[j])


@compiled
def eastward(out: Any, u: Any, viscous: Any, planes: Any) -> None:
    """Of u: fluxes at cell centres along x, at corners along y."""
    ratio, at_corner, area = planes[0], planes[1], planes[2]
    ny, n = out.shape
    x, y, corner, inner = np.empty(n + 1, u.dtype), np.empty((2, n), u.dtype), np.empty(n, u.dtype), slice(3, 3 + n)
    for j in range(-1, ny):
        r = j + 1
        loop.corners(corner, viscous[r], viscous[r + 1])
        loop.flux(y[r % 2], corner, at_corner[r], u[r + 2][inner], u[r + 3][inner])
        if j >= 0:
            loop.flux(x, viscous[r], ratio[j], u[r + 2][2 : 3 + n], u[r + 2][3 : 4 + n])
            loop.brought(out[j], x, y[j % 2], y[r % 2], area[j])


@compiled
def northward(out: Any, v: Any, viscous: Any, planes: Any) -> None:
    """Of v: fluxes at corners along x, at cell centres along y."""
    ratio, at_corner, area = planes[3], planes[4], planes[5]
    n, nx = out.shape
    x, y, corner, inner = (
        np.empty(nx + 1, v.dtype),
        np.empty((2, nx), v.dtype),
        np.empty(nx + 1, v.dtype),
        slice(3, 3 + nx),
    )
    for j in range(-1, n):
        r = j + 1
        loop.flux(y[r % 2], viscous[r][1:-1], ratio[r], v[r + 2][inner], v[r + 3][inner])
        if j >= 0:
            loop.corners(corner, viscous[j], viscous[r])
            loop.flux(x, corner, at_corner[j], v[r + 2][2 : 3 + nx], v[r + 2][3 : 4 + nx])
            loop.brought(out[j], x, y[j % 2], y[r % 2], area[j])
