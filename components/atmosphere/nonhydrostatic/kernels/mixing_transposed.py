# SPDX-License-Identifier: BSD-3-Clause
"""The transpose of `mixing.mixed`, a level after another; what it needs of its inputs is worked out again."""

from typing import Any

import numpy as np

from components.atmosphere.nonhydrostatic.kernels import acoustic_loops as steps
from components.atmosphere.nonhydrostatic.kernels import mixing_loops as loop
from components.atmosphere.nonhydrostatic.kernels import transposed_loops as back
from components.atmosphere.nonhydrostatic.kernels.compiled import compiled
from components.atmosphere.nonhydrostatic.kernels.mixing import ONE, deformed
from components.science.kernels.tracer_loops import product


@compiled
def mixed_back(
    grads: Any, u: Any, v: Any, w: Any, theta: Any, rho: Any, bases: Any, lengths: Any, planes: Any, to_u: Any,
    to_v: Any, to_w: Any, to_theta: Any, to_rho: Any,
) -> None:  # fmt: skip
    """Gradients of what mixing is made of, from those of its rates.

    Parameters
    ----------
    grads : of the rates of u, v, w and theta
    u, v, w, theta, rho, bases, lengths, planes : as `mixing.mixed` has them
    to_u, to_v, to_w, to_theta, to_rho : gradients, which are added to
    """
    of_u, of_v, of_w, of_theta = grads
    nz, ny, nx = of_theta.shape
    real, of_cells = u.dtype, planes[6:]
    zero, half = real.type(0.0), real.type(0.5)
    # of a level and of that below it: the viscosity, both deformations and their root; and the viscosity's gradient
    viscous, root = np.empty((2, ny + 2, nx + 2), real), np.empty((2, ny + 2, nx + 2), real)
    stretch, shear, grad = np.empty_like(root), np.empty_like(root), np.empty_like(root)
    field, to_mean = np.empty((ny + 2, nx + 2), real), np.empty((ny + 2, nx + 2), real)
    cells = slice(ONE, ONE + nx + 2)
    for k in range(nz):
        now, last = k % 2, (k + 1) % 2
        here, to_here = viscous[now], grad[now]
        to_here[:] = zero
        deformed(stretch[now], shear[now], root[now], u[k + 2], v[k + 2], lengths)
        for a in range(ny + 2):
            base, heat = bases[0][k, a + ONE][cells], bases[1][k, a + ONE][cells]
            loop.viscosity(here[a], root[now, a], lengths[0][a], base, rho[k, a + ONE][cells])
            loop.departure(field[a], theta[k + 2, a + 2][2 : nx + 4], heat, base)
        spread_back(of_theta[k], field, here, of_cells, to_theta[k + 2][2 : ny + 4, 2 : nx + 4], to_here)
        eastward_back(of_u[k], u[k + 2], here, planes, to_u[k + 2], to_here)
        northward_back(of_v[k], v[k + 2], here, planes, to_v[k + 2], to_here)
        if k > 0:
            to_mean[:] = zero
            for a in range(ny + 2):
                steps.mean(field[a], here[a], viscous[last, a])
            inner_w, to_inner_w = w[k + 1][2 : ny + 4, 2 : nx + 4], to_w[k + 1][2 : ny + 4, 2 : nx + 4]
            spread_back(of_w[k - 1], inner_w, field, of_cells, to_inner_w, to_mean)
            for a in range(ny + 2):
                back.add_scaled(to_here[a], to_mean[a], half)
                back.add_scaled(grad[last, a], to_mean[a], half)
            viscosity_back(
                grad[last], stretch[last], shear[last], root[last], lengths, bases[0][k - 1], rho[k - 1], to_u[k + 1],
                to_v[k + 1], to_rho[k - 1],
            )  # fmt: skip
    now = (nz - 1) % 2
    viscosity_back(
        grad[now], stretch[now], shear[now], root[now], lengths, bases[0][nz - 1], rho[nz - 1], to_u[nz + 1],
        to_v[nz + 1], to_rho[nz - 1],
    )  # fmt: skip


@compiled
def viscosity_back(
    grad: Any, stretch: Any, shear: Any, root: Any, lengths: Any, rho_base: Any, rho: Any, to_u: Any, to_v: Any,
    to_rho: Any,
) -> None:  # fmt: skip
    """The transpose of `mixing.deformed` and of the mass times the viscosity; planes of one level."""
    size, along_x, along_y, across_y, across_x = lengths
    n = root.shape[1]
    scale, line = np.empty(n, grad.dtype), np.empty(n, grad.dtype)
    cells, half = slice(ONE, ONE + n), grad.dtype.type(0.5)
    east, west, here, far = slice(3, 3 + n), slice(2, 2 + n), slice(2, 2 + n), slice(1, 1 + n)
    for a in range(root.shape[0]):
        mass = rho_base[a + ONE][cells], rho[a + ONE][cells]
        loop.root_back(to_rho[a + ONE][cells], scale, grad[a], root[a], size[a], *mass)
        product(stretch[a], stretch[a], scale)
        product(shear[a], shear[a], scale)
        product(line, stretch[a], along_x[a])
        back.add(to_u[a + 2][east], line)
        back.take(to_u[a + 2][west], line)
        product(line, stretch[a], along_y[a])
        back.take(to_v[a + 3][here], line)
        back.add(to_v[a + 2][here], line)
        product(line, shear[a], across_y[a])
        for side in (east, west):
            back.add_scaled(to_u[a + 3][side], line, half)
            back.add_scaled(to_u[a + 1][side], line, -half)
        product(line, shear[a], across_x[a])
        for r in (a + 2, a + 3):
            back.add_scaled(to_v[r][east], line, half)
            back.add_scaled(to_v[r][far], line, -half)


@compiled
def side_back(line: Any, grad: Any, area: Any, j: int) -> None:
    """The transpose of `mixing_loops.brought` to the fluxes through the south side of row j."""
    line[:] = line.dtype.type(0.0)
    if j > 0:
        back.add_product(line, grad[j - 1], area[j - 1])
    if j < grad.shape[0]:
        back.take_product(line, grad[j], area[j])


@compiled
def spread_back(grad: Any, q: Any, viscous: Any, of_cells: Any, to_q: Any, to_viscous: Any) -> None:
    """The transpose of `mixing.spread`."""
    face_x, face_y, area = of_cells
    ny, nx = grad.shape
    real, inner = q.dtype, slice(1, 1 + nx)
    half = real.type(0.5)
    line, side, mean, to_mean = np.empty(nx, real), np.empty(nx, real), np.empty(nx, real), np.empty(nx, real)
    long, along, long_mean, long_to = (
        np.empty(nx + 1, real),
        np.empty(nx + 1, real),
        np.empty(nx + 1, real),
        np.empty(nx + 1, real),
    )
    for r in range(ny + 1):
        side_back(side, grad, area, r)
        steps.mean(mean, viscous[r + 1][inner], viscous[r][inner])
        to_mean[:] = real.type(0.0)
        loop.flux_back(to_mean, line, side, mean, face_y[r], q[r][inner], q[r + 1][inner])
        back.add(to_q[r + 1][inner], line)
        back.take(to_q[r][inner], line)
        back.add_scaled(to_viscous[r][inner], to_mean, half)
        back.add_scaled(to_viscous[r + 1][inner], to_mean, half)
        if r == ny:
            continue
        product(line, grad[r], area[r])
        loop.brought_along_back(along, line)
        here = viscous[r + 1]
        steps.mean(long_mean, here[1:], here[:-1])
        long_to[:] = real.type(0.0)
        loop.flux_back(long_to, long, along, long_mean, face_x[r], q[r + 1][:-1], q[r + 1][1:])
        back.add(to_q[r + 1][1:], long)
        back.take(to_q[r + 1][:-1], long)
        back.add_scaled(to_viscous[r + 1][1:], long_to, half)
        back.add_scaled(to_viscous[r + 1][:-1], long_to, half)


@compiled
def corners_back(to_viscous: Any, grad: Any, r: int) -> None:
    """The transpose of `mixing_loops.corners` of rows r and r + 1."""
    n, quarter = grad.size, grad.dtype.type(0.25)
    for row in (r, r + 1):
        back.add_scaled(to_viscous[row][1 : n + 1], grad, quarter)
        back.add_scaled(to_viscous[row][:n], grad, quarter)


@compiled
def eastward_back(grad: Any, u: Any, viscous: Any, planes: Any, to_u: Any, to_viscous: Any) -> None:
    """The transpose of `mixing.eastward`."""
    ratio, at_corner, area = planes[0], planes[1], planes[2]
    ny, n = grad.shape
    real, inner = u.dtype, slice(3, 3 + n)
    line, side, corner, to_corner = np.empty(n, real), np.empty(n, real), np.empty(n, real), np.empty(n, real)
    along, long = np.empty(n + 1, real), np.empty(n + 1, real)
    for r in range(ny + 1):
        side_back(side, grad, area, r)
        loop.corners(corner, viscous[r], viscous[r + 1])
        to_corner[:] = real.type(0.0)
        loop.flux_back(to_corner, line, side, corner, at_corner[r], u[r + 2][inner], u[r + 3][inner])
        back.add(to_u[r + 3][inner], line)
        back.take(to_u[r + 2][inner], line)
        corners_back(to_viscous, to_corner, r)
        if r == ny:
            continue
        product(line, grad[r], area[r])
        loop.brought_along_back(along, line)
        west, east = slice(2, 3 + n), slice(3, 4 + n)
        loop.flux_back(to_viscous[r + 1], long, along, viscous[r + 1], ratio[r], u[r + 3][west], u[r + 3][east])
        back.add(to_u[r + 3][east], long)
        back.take(to_u[r + 3][west], long)


@compiled
def northward_back(grad: Any, v: Any, viscous: Any, planes: Any, to_v: Any, to_viscous: Any) -> None:
    """The transpose of `mixing.northward`."""
    ratio, at_corner, area = planes[3], planes[4], planes[5]
    n, nx = grad.shape
    real, inner = v.dtype, slice(3, 3 + nx)
    line, side = np.empty(nx, real), np.empty(nx, real)
    along, long, corner, to_corner = (
        np.empty(nx + 1, real),
        np.empty(nx + 1, real),
        np.empty(nx + 1, real),
        np.empty(nx + 1, real),
    )
    for r in range(n + 1):
        side_back(side, grad, area, r)
        loop.flux_back(to_viscous[r][1:-1], line, side, viscous[r][1:-1], ratio[r], v[r + 2][inner], v[r + 3][inner])
        back.add(to_v[r + 3][inner], line)
        back.take(to_v[r + 2][inner], line)
        if r == n:
            continue
        product(line, grad[r], area[r])
        loop.brought_along_back(along, line)
        loop.corners(corner, viscous[r], viscous[r + 1])
        to_corner[:] = real.type(0.0)
        west, east = slice(2, 3 + nx), slice(3, 4 + nx)
        loop.flux_back(to_corner, long, along, corner, at_corner[r], v[r + 3][west], v[r + 3][east])
        back.add(to_v[r + 3][east], long)
        back.take(to_v[r + 3][west], long)
        corners_back(to_viscous, to_corner, r)
