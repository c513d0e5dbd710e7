# SPDX-License-Identifier: BSD-3-Clause
"""The transposes of `momentum`: from gradients of the tendencies to those of what they are made of, to which they add.

What a tendency needs of its inputs is worked out again. Arrays are those of `momentum`; a gradient has the shape of
its field.
"""

from typing import Any

import numpy as np

from components.atmosphere.nonhydrostatic.kernels import acoustic_loops as steps
from components.atmosphere.nonhydrostatic.kernels import momentum_loops as loop
from components.atmosphere.nonhydrostatic.kernels import transposed_loops as back
from components.atmosphere.nonhydrostatic.kernels.compiled import compiled
from components.atmosphere.nonhydrostatic.kernels.slopes import H, differences, differences_back
from components.science.kernels import tracer_loops as flux
from components.science.kernels.convergence_transposed import transposed


@compiled
def eastward_back(
    grad: Any, u: Any, ru: Any, rv: Any, omega: Any, p: Any, q: Any, v: Any, resting: Any, g: Any, planes: Any,
    open_: Any, weights: Any, to_u: Any, to_ru: Any, to_rv: Any, to_omega: Any, to_p: Any, to_q: Any, to_v: Any,
) -> None:  # fmt: skip
    """The transpose of `momentum.eastward`.

    Parameters
    ----------
    grad : (nz, ny, nx+1) gradient of the tendency
    u, ru, rv, omega, p, q, v, resting, g, planes, open_ : as `momentum.eastward` has them
    weights : of `advection.convergence`'s transpose
    to_u, to_ru, to_rv, to_omega, to_p, to_q, to_v : gradients, which are added to
    """
    inverse_dz, dz, rise = g
    length_u, length_v, inverse_area, inverse_dx, coriolis, curvature_x, curvature_y = planes
    nz, ny, n = grad.shape
    wide, real = n + 1, u.dtype
    fifth, third = weights
    cells, faces, three = slice(H - 1, H - 1 + wide), slice(H, H + n), slice(H - 1, H + wide)
    mx, my, mz = np.empty((nz, ny, wide), real), np.empty((nz, ny + 1, n), real), np.empty((nz + 1, ny, n), real)
    to_x, to_y, to_z = np.empty((nz, ny, wide), real), np.empty((nz, ny + 1, n), real), np.empty((nz + 1, ny, n), real)
    rate, area = np.empty((nz, ny, n), real), np.empty((ny, n), real)
    long = np.empty(wide + 1, real)
    for j in range(ny):
        area[j][:] = inverse_area[j + H][faces]
    for k in range(nz):
        for j in range(ny):
            flux.product(rate[k, j], grad[k, j], open_[j])
            flux.product(long, ru[k, j + H][three], length_u[j + H][three])
            loop.mean_along(mx[k, j], long)
        for j in range(ny + 1):
            flux.product(long[:wide], rv[k, j + H][cells], length_v[j + H][cells])
            loop.mean_along(my[k, j], long[:wide])
    for k in range(nz + 1):
        for j in range(ny):
            loop.mean_along(mz[k, j], omega[k, j + 1])
    transposed(rate, u, mx, my, mz, area, fifth, third, to_u, to_x, to_y, to_z)
    for k in range(nz):
        for j in range(ny):
            back.spread(long, to_x[k, j])
            back.add_product(to_ru[k, j + H][three], long, length_u[j + H][three])
        for j in range(ny + 1):
            back.spread(long[:wide], to_y[k, j])
            back.add_product(to_rv[k, j + H][cells], long[:wide], length_v[j + H][cells])
    for k in range(nz + 1):
        for j in range(ny):
            back.spread(long[:wide], to_z[k, j])
            back.add(to_omega[k, j + 1], long[:wide])
    # pressure
    step, slope, weight, before = np.empty((nz, n), real), np.empty((nz + 1, n), real), np.empty(n, real), cells.start
    for j in range(ny):
        row = j + H
        differences(step, slope, p, inverse_dz, rise, resting, j, (j + 1, 0), (j + 1, 1))
        for k in range(nz):
            one, two, here = dz[k, row][before : before + n], dz[k, row][faces], rate[k, j]
            if q.shape[0] > 0:
                west, east = q[k, row][before : before + n], q[k, row][faces]
                loop.moist_weight(weight, one, two, west, east, inverse_dx[row][faces])
                flux.product(long[:n], here, step[k])
                to = to_q[k, row]
                back.moist_weight_back(to[before : before + n], to[faces], long[:n], weight, west, east)
            else:
                loop.dry_weight(weight, one, two, inverse_dx[row][faces])
            steps.negative_product(step[k], here, weight)
        differences_back(to_p, step, slope, inverse_dz, rise, j, (j + 1, 0), (j + 1, 1))
    if coriolis.shape[0] == 0:
        return
    rotation, turning, mean = np.empty(wide, real), np.empty(wide, real), np.empty(wide, real)
    for k in range(nz):
        here, to_here = u[k + 2], to_u[k + 2]
        for j in range(ny):
            row, half = j + H, real.type(0.5)
            turn = coriolis[row][cells]
            back.spread(turning, rate[k, j])
            if curvature_x.shape[0] > 0:
                x, y = curvature_x[row][cells], curvature_y[row][cells]
                across = slice(2, 3 + n)
                loop.curved(
                    rotation, turn, here[j + 3][2 : 4 + n], v[k + 2, j + 3][across], v[k + 2, j + 4][across], x, y
                )
                turn = rotation
                steps.mean(mean, rv[k, row][cells], rv[k, row + 1][cells])
                flux.product(mean, mean, turning)
                flux.product(long[:wide], mean, x)
                back.add_scaled(to_v[k + 2, j + 3][across], long[:wide], half)
                back.add_scaled(to_v[k + 2, j + 4][across], long[:wide], half)
                flux.product(long[:wide], mean, y)
                back.add_scaled(to_here[j + 3][2 : 3 + n], long[:wide], -half)
                back.add_scaled(to_here[j + 3][3 : 4 + n], long[:wide], -half)
            back.add_half_product(to_rv[k, row][cells], turning, turn)
            back.add_half_product(to_rv[k, row + 1][cells], turning, turn)


@compiled
def northward_back(
    grad: Any, v: Any, ru: Any, rv: Any, omega: Any, p: Any, q: Any, u: Any, resting: Any, g: Any, planes: Any,
    open_: Any, weights: Any, to_v: Any, to_ru: Any, to_rv: Any, to_omega: Any, to_p: Any, to_q: Any, to_u: Any,
) -> None:  # fmt: skip
    """The transpose of `momentum.northward`.

    Parameters
    ----------
    grad : (nz, ny+1, nx) gradient of the tendency
    v, ru, rv, omega, p, q, u, resting, g, planes, open_ : as `momentum.northward` has them
    weights : of `advection.convergence`'s transpose
    to_v, to_ru, to_rv, to_omega, to_p, to_q, to_u : gradients, which are added to
    """
    inverse_dz, dz, rise = g
    length_u, length_v, inverse_area, inverse_dy, coriolis, curvature_x, curvature_y = planes
    nz, ny, n = grad.shape
    real = v.dtype
    fifth, third = weights
    inner, cells, faces = slice(3, 3 + n), slice(H, H + n), slice(H, H + n + 1)
    mx, my, mz = np.empty((nz, ny, n + 1), real), np.empty((nz, ny + 1, n), real), np.empty((nz + 1, ny, n), real)
    to_x, to_y, to_z = np.empty((nz, ny, n + 1), real), np.empty((nz, ny + 1, n), real), np.empty((nz + 1, ny, n), real)
    rate, area = np.empty((nz, ny, n), real), np.empty((ny, n), real)
    for j in range(ny):
        area[j][:] = inverse_area[j + H][cells]
    for k in range(nz):
        for j in range(ny):
            row = j + H
            flux.product(rate[k, j], grad[k, j], open_[j])
            loop.mean_of_products(
                mx[k, j], ru[k, row - 1][faces], length_u[row - 1][faces], ru[k, row][faces], length_u[row][faces]
            )
        for j in range(ny + 1):
            row = j + H - 1
            loop.mean_of_products(
                my[k, j], rv[k, row][cells], length_v[row][cells], rv[k, row + 1][cells], length_v[row + 1][cells]
            )
    for k in range(nz + 1):
        for j in range(ny):
            steps.mean(mz[k, j], omega[k, j][1 : n + 1], omega[k, j + 1][1 : n + 1])
    transposed(rate, v, mx, my, mz, area, fifth, third, to_v, to_x, to_y, to_z)
    half = real.type(0.5)
    for k in range(nz):
        for j in range(ny):
            for row in (j + H - 1, j + H):
                back.add_half_product(to_ru[k, row][faces], to_x[k, j], length_u[row][faces])
        for j in range(ny + 1):
            for row in (j + H - 1, j + H):
                back.add_half_product(to_rv[k, row][cells], to_y[k, j], length_v[row][cells])
    for k in range(nz + 1):
        for j in range(ny):
            back.add_scaled(to_omega[k, j][1 : n + 1], to_z[k, j], half)
            back.add_scaled(to_omega[k, j + 1][1 : n + 1], to_z[k, j], half)
    # pressure
    step, slope, weight, work = (
        np.empty((nz, n), real),
        np.empty((nz + 1, n), real),
        np.empty(n, real),
        np.empty(n, real),
    )
    for j in range(ny):
        row = j + H
        differences(step, slope, p, inverse_dz, rise, resting, j, (j, 1), (j + 1, 1))
        for k in range(nz):
            one, two, here = dz[k, row - 1][cells], dz[k, row][cells], rate[k, j]
            if q.shape[0] > 0:
                south, north = q[k, row - 1][cells], q[k, row][cells]
                loop.moist_weight(weight, one, two, south, north, inverse_dy[row][cells])
                flux.product(work, here, step[k])
                back.moist_weight_back(to_q[k, row - 1][cells], to_q[k, row][cells], work, weight, south, north)
            else:
                loop.dry_weight(weight, one, two, inverse_dy[row][cells])
            steps.negative_product(step[k], here, weight)
        differences_back(to_p, step, slope, inverse_dz, rise, j, (j, 1), (j + 1, 1))
    if coriolis.shape[0] == 0:
        return
    rotation, turning, mean, long = np.empty(n, real), np.empty(n, real), np.empty(n, real), np.empty(n + 1, real)
    for k in range(nz):
        here, to_here = v[k + 2], to_v[k + 2]
        for j in range(-1, ny):
            row = j + H  # the cells south of face j + 1 and north of face j
            turning[:] = real.type(0.0)
            if j >= 0:
                back.add_scaled(turning, rate[k, j], -half)
            if j < ny - 1:
                back.add_scaled(turning, rate[k, j + 1], -half)
            turn = coriolis[row][cells]
            if curvature_x.shape[0] > 0:
                x, y = curvature_x[row][cells], curvature_y[row][cells]
                loop.curved(rotation, turn, u[k + 2, j + 3][3 : 4 + n], here[j + 3][inner], here[j + 4][inner], x, y)
                turn = rotation
                loop.mean_along(mean, ru[k, row][faces])
                flux.product(mean, mean, turning)
                flux.product(weight, mean, x)
                back.add_scaled(to_here[j + 3][inner], weight, half)
                back.add_scaled(to_here[j + 4][inner], weight, half)
                flux.product(weight, mean, y)
                back.spread(long, weight)
                back.take(to_u[k + 2, j + 3][3 : 4 + n], long)
            flux.product(weight, turning, turn)
            back.spread(long, weight)
            back.add(to_ru[k, row][faces], long)


@compiled
def upward_back(
    grad: Any, w: Any, ru: Any, rv: Any, omega: Any, p: Any, rho: Any, rho_base: Any, q: Any, planes: Any,
    rayleigh: Any, half_gravity: Any, weights: Any, to_w: Any, to_ru: Any, to_rv: Any, to_omega: Any, to_p: Any,
    to_rho: Any, to_q: Any, to_rw: Any,
) -> None:  # fmt: skip
    """The transpose of `momentum.upward`.

    Parameters
    ----------
    grad : (nz-1, ny, nx) gradient of the tendency
    w, ru, rv, omega, p, rho, rho_base, q, planes, rayleigh, half_gravity : as `momentum.upward` has them
    weights : of `advection.convergence`'s transpose
    to_w, to_ru, to_rv, to_omega, to_p, to_rho, to_q, to_rw : gradients, which are added to
    """
    length_u, length_v, inverse_area = planes
    nz, ny, n = grad.shape
    real = w.dtype
    fifth, third = weights
    cells, faces, one = slice(H, H + n), slice(H, H + n + 1), slice(1, 1 + n)
    mx, my, mz = np.empty((nz, ny, n + 1), real), np.empty((nz, ny + 1, n), real), np.empty((nz + 1, ny, n), real)
    to_x, to_y, to_z = np.empty((nz, ny, n + 1), real), np.empty((nz, ny + 1, n), real), np.empty((nz + 1, ny, n), real)
    area = np.empty((ny, n), real)
    for j in range(ny):
        area[j][:] = inverse_area[j + H][cells]
    for k in range(nz):
        for j in range(ny):
            row = j + H
            loop.mean_of_products_alike(mx[k, j], ru[k, row][faces], ru[k + 1, row][faces], length_u[row][faces])
        for j in range(ny + 1):
            row = j + H
            loop.mean_of_products_alike(my[k, j], rv[k, row][cells], rv[k + 1, row][cells], length_v[row][cells])
    for k in range(nz + 1):
        for j in range(ny):
            steps.mean(mz[k, j], omega[k, j + 1][one], omega[k + 1, j + 1][one])
    transposed(grad, w, mx, my, mz, area, fifth, third, to_w, to_x, to_y, to_z)
    half = real.type(0.5)
    for k in range(nz):
        for level in (k, k + 1):
            for j in range(ny):
                back.add_half_product(to_ru[level, j + H][faces], to_x[k, j], length_u[j + H][faces])
            for j in range(ny + 1):
                back.add_half_product(to_rv[level, j + H][cells], to_y[k, j], length_v[j + H][cells])
    for k in range(nz + 1):
        for j in range(ny):
            back.add_scaled(to_omega[k, j + 1][one], to_z[k, j], half)
            back.add_scaled(to_omega[k + 1, j + 1][one], to_z[k, j], half)
    below, above, force, share = np.empty(n, real), np.empty(n, real), np.empty(n, real), np.empty(n, real)
    for k in range(nz):
        for j in range(ny):
            row, here = j + H, grad[k, j]
            back.take_product(to_rw[k, row][cells], here, rayleigh[k, j])
            if q.shape[0] > 0:
                loop.moist_mass(below, rho_base[k, row][cells], rho[k, row][cells], q[k, row][cells])
                loop.moist_mass(above, rho_base[k + 1, row][cells], rho[k + 1, row][cells], q[k + 1, row][cells])
                back.moist_force_back(
                    force, share, here, p[k, j + 1][one], p[k + 1, j + 1][one], below, above, q[k, row][cells],
                    q[k + 1, row][cells], half_gravity,
                )  # fmt: skip
                back.add(to_q[k, row][cells], share)
                back.add(to_q[k + 1, row][cells], share)
            else:
                steps.negative(force, here)
            back.take(to_p[k, j + 1][one], force)
            back.add(to_p[k + 1, j + 1][one], force)
            steps.scaled(below, force, half_gravity)
            for level in (k, k + 1):
                if q.shape[0] > 0:
                    back.moist_mass_back(
                        to_rho[level, row][cells], to_q[level, row][cells], below, rho_base[level, row][cells],
                        rho[level, row][cells], q[level, row][cells],
                    )  # fmt: skip
                else:
                    back.add(to_rho[level, row][cells], below)
