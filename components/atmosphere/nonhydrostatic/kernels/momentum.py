# SPDX-License-Identifier: BSD-3-Clause
"""Large-step tendencies of momentum, a level after another; see `dynamics.tendencies`.

Arrays come whole, with their halo; an array that there is not has no levels.
"""

from typing import Any

import numpy as np

from components.atmosphere.nonhydrostatic.kernels import acoustic_loops as steps
from components.atmosphere.nonhydrostatic.kernels import momentum_loops as loop
from components.atmosphere.nonhydrostatic.kernels.compiled import compiled
from components.atmosphere.nonhydrostatic.kernels.slopes import H, steepness
from components.science.kernels import tracer_loops as flux
from components.science.kernels.convergence import brought


@compiled
def eastward(
    u: Any, ru: Any, rv: Any, omega: Any, p: Any, q: Any, v: Any, resting: Any, g: Any, planes: Any, open_: Any,
    out: Any,
) -> None:  # fmt: skip
    """Rate of change of ``ru``; see `tendencies.u_tendency`.

    Parameters
    ----------
    u, v, omega, p : of `state.Diagnostics`
    ru, rv : of `state.State`
    q : (nz, Y, X) mixing ratio of all water, or of no levels
    resting : (nz, ny, nx+1) of `resting_air`, or of no levels
    g : inverse_dz_interface, dz and rise_x of the geometry
    planes : length_u, length_v, inverse_area_u, inverse_dx, coriolis, curvature_x, curvature_y; the last three may have
        no rows
    open_ : (ny, nx+1)
    out : (nz, ny, nx+1) is set
    """
    inverse_dz, dz, rise = g
    length_u, length_v, inverse_area, inverse_dx, coriolis, curvature_x, curvature_y = planes
    nz, ny, n = out.shape
    wide = n + 1  # cells of a row with one more on both sides
    cells, faces = slice(H - 1, H - 1 + wide), slice(H, H + n)
    mass, west = np.empty(wide, u.dtype), np.empty(wide, u.dtype)
    long = np.empty(wide + 1, u.dtype)
    across, upward = np.empty((2, n), u.dtype), np.empty((2, ny, n), u.dtype)
    slopes, pz = np.empty((2, ny, n), u.dtype), np.empty(wide, u.dtype)
    step, weight, rotation, turning = (
        np.empty(n, u.dtype), np.empty(n, u.dtype), np.empty(wide, u.dtype), np.empty(wide, u.dtype),
    )  # fmt: skip
    for k in range(-1, nz):
        bottom, top = upward[k % 2], upward[(k + 1) % 2]
        low, high = slopes[k % 2], slopes[(k + 1) % 2]
        for j in range(ny):
            row = j + 3
            loop.mean_along(mass[:n], omega[k + 1, j + 1])
            flux.third_up(
                top[j], mass[:n], u[k + 1, row][3 : 3 + n], u[k + 2, row][3 : 3 + n], u[k + 3, row][3 : 3 + n],
                u[k + 4, row][3 : 3 + n],
            )  # fmt: skip
            if rise.shape[0] > 0:
                steepness(pz, p, inverse_dz, k + 1, j + 1, 0)
                steps.steep(high[j], rise[k + 1, j + H][faces], pz[:n], pz[1:])
        if k < 0:
            continue
        here = u[k + 2]
        for j in range(-1, ny):
            south, north = across[j % 2], across[(j + 1) % 2]
            row = j + 1 + H
            flux.product(long[:wide], rv[k, row][cells], length_v[row][cells])
            loop.mean_along(mass[:n], long[:wide])
            inner = slice(3, 3 + n)
            flux.fifth_across(
                north, mass[:n], here[j + 1][inner], here[j + 2][inner], here[j + 3][inner], here[j + 4][inner],
                here[j + 5][inner], here[j + 6][inner],
            )  # fmt: skip
            if j < 0:
                continue
            row, rate = j + H, out[k, j]
            three = slice(H - 1, H + wide)
            flux.product(long, ru[k, row][three], length_u[row][three])
            loop.mean_along(mass, long)
            flux.fifth_along(west, mass, here[j + 3])
            brought(rate, west, south, north, inverse_area[row][faces], bottom[j], top[j])
            steps.between(step, p[k, j + 1][:n], p[k, j + 1][1:])
            if rise.shape[0] > 0:
                steps.less(step, low[j], high[j])
            if resting.shape[0] > 0:
                loop.take(step, resting[k, j])
            before, after = slice(H - 1, H - 1 + n), faces
            if q.shape[0] > 0:
                loop.moist_weight(
                    weight, dz[k, row][before], dz[k, row][after], q[k, row][before], q[k, row][after],
                    inverse_dx[row][faces],
                )  # fmt: skip
            else:
                loop.dry_weight(weight, dz[k, row][before], dz[k, row][after], inverse_dx[row][faces])
            loop.pushed_back(rate, weight, step)
            if coriolis.shape[0] > 0:
                turn = coriolis[row][cells]
                if curvature_x.shape[0] > 0:
                    loop.curved(
                        rotation, turn, here[j + 3][2 : 4 + n], v[k + 2, j + 3][2 : 3 + n], v[k + 2, j + 4][2 : 3 + n],
                        curvature_x[row][cells], curvature_y[row][cells],
                    )  # fmt: skip
                    turn = rotation
                loop.turned(turning, turn, rv[k, row][cells], rv[k, row + 1][cells])
                loop.with_turning_u(rate, turning, open_[j])
            else:
                flux.product(rate, rate, open_[j])


@compiled
def northward(
    v: Any, ru: Any, rv: Any, omega: Any, p: Any, q: Any, u: Any, resting: Any, g: Any, planes: Any, open_: Any,
    out: Any,
) -> None:  # fmt: skip
    """Rate of change of ``rv``; see `tendencies.v_tendency`.

    Parameters
    ----------
    v, u, omega, p : of `state.Diagnostics`
    ru, rv : of `state.State`
    q : (nz, Y, X) mixing ratio of all water, or of no levels
    resting : (nz, ny+1, nx) of `resting_air`, or of no levels
    g : inverse_dz_interface, dz and rise_y of the geometry
    planes : length_u, length_v, inverse_area_v, inverse_dy, coriolis, curvature_x, curvature_y; the last three may have
        no rows
    open_ : (ny+1, nx)
    out : (nz, ny+1, nx) is set
    """
    inverse_dz, dz, rise = g
    length_u, length_v, inverse_area, inverse_dy, coriolis, curvature_x, curvature_y = planes
    nz, ny, n = out.shape
    inner, cells, faces = slice(3, 3 + n), slice(H, H + n), slice(H, H + n + 1)
    mass, west = np.empty(n + 1, v.dtype), np.empty(n + 1, v.dtype)
    across, upward = np.empty((2, n), v.dtype), np.empty((2, ny, n), v.dtype)
    slopes, pz = np.empty((2, ny, n), v.dtype), np.empty((2, n + 2), v.dtype)
    step, weight, rotation = np.empty(n, v.dtype), np.empty(n, v.dtype), np.empty(n, v.dtype)
    turning = np.empty((2, n), v.dtype)
    for k in range(-1, nz):
        bottom, top = upward[k % 2], upward[(k + 1) % 2]
        low, high = slopes[k % 2], slopes[(k + 1) % 2]
        for j in range(ny):
            row = j + 3
            steps.mean(mass[:n], omega[k + 1, j][1 : n + 1], omega[k + 1, j + 1][1 : n + 1])
            flux.third_up(
                top[j], mass[:n], v[k + 1, row][inner], v[k + 2, row][inner], v[k + 3, row][inner], v[k + 4, row][inner]
            )
        if rise.shape[0] > 0:
            for r in range(ny + 1):
                steepness(pz[r % 2], p, inverse_dz, k + 1, r, 0)
                if r > 0:
                    steps.steep(
                        high[r - 1], rise[k + 1, r - 1 + H][cells], pz[(r + 1) % 2][1 : n + 1], pz[r % 2][1 : n + 1]
                    )
        if k < 0:
            continue
        here = v[k + 2]
        for j in range(-1, ny):
            south, north = across[j % 2], across[(j + 1) % 2]
            before, after = turning[j % 2], turning[(j + 1) % 2]  # in the cells south and north of the face
            row = j + H
            loop.mean_of_products(
                mass[:n], rv[k, row][cells], length_v[row][cells], rv[k, row + 1][cells], length_v[row + 1][cells]
            )
            flux.fifth_across(
                north, mass[:n], here[j + 1][inner], here[j + 2][inner], here[j + 3][inner], here[j + 4][inner],
                here[j + 5][inner], here[j + 6][inner],
            )  # fmt: skip
            if coriolis.shape[0] > 0:
                turn = coriolis[row][cells]
                if curvature_x.shape[0] > 0:
                    loop.curved(
                        rotation, turn, u[k + 2, j + 3][3 : 4 + n], v[k + 2, j + 3][inner], v[k + 2, j + 4][inner],
                        curvature_x[row][cells], curvature_y[row][cells],
                    )  # fmt: skip
                    turn = rotation
                loop.turned_along(after, turn, ru[k, row][faces])
            if j < 0:
                continue
            rate = out[k, j]
            loop.mean_of_products(
                mass, ru[k, row - 1][faces], length_u[row - 1][faces], ru[k, row][faces], length_u[row][faces]
            )
            flux.fifth_along(west, mass, here[j + 3])
            brought(rate, west, south, north, inverse_area[row][cells], bottom[j], top[j])
            steps.between(step, p[k, j][1 : n + 1], p[k, j + 1][1 : n + 1])
            if rise.shape[0] > 0:
                steps.less(step, low[j], high[j])
            if resting.shape[0] > 0:
                loop.take(step, resting[k, j])
            if q.shape[0] > 0:
                loop.moist_weight(
                    weight, dz[k, row - 1][cells], dz[k, row][cells], q[k, row - 1][cells], q[k, row][cells],
                    inverse_dy[row][cells],
                )  # fmt: skip
            else:
                loop.dry_weight(weight, dz[k, row - 1][cells], dz[k, row][cells], inverse_dy[row][cells])
            loop.pushed_back(rate, weight, step)
            if coriolis.shape[0] > 0:
                loop.with_turning_v(rate, before, after, open_[j])
            else:
                flux.product(rate, rate, open_[j])


@compiled
def upward(
    w: Any, ru: Any, rv: Any, omega: Any, p: Any, rho: Any, rho_base: Any, q: Any, rw: Any, planes: Any, rayleigh: Any,
    half_gravity: Any, out: Any,
) -> None:  # fmt: skip
    """Rate of change of ``rw``; see `tendencies.w_tendency`.

    Parameters
    ----------
    w, omega, p : of `state.Diagnostics`
    ru, rv, rho, rw : of `state.State`
    rho_base : of the geometry
    q : (nz, Y, X) mixing ratio of all water, or of no levels
    planes : length_u, length_v, inverse_area
    rayleigh : (nz-1, ny, nx) damping rate, s-1
    half_gravity : g / 2
    out : (nz-1, ny, nx) is set
    """
    length_u, length_v, inverse_area = planes
    nz, ny, n = out.shape
    inner, cells, faces = slice(3, 3 + n), slice(H, H + n), slice(H, H + n + 1)
    one = slice(1, 1 + n)
    mass, west = np.empty(n + 1, w.dtype), np.empty(n + 1, w.dtype)
    across, lifted = np.empty((2, n), w.dtype), np.empty((2, ny, n), w.dtype)
    below, above = np.empty(n, w.dtype), np.empty(n, w.dtype)
    for k in range(-1, nz):
        bottom, top = lifted[k % 2], lifted[(k + 1) % 2]
        for j in range(ny):
            row = j + 3
            steps.mean(mass[:n], omega[k + 1, j + 1][one], omega[k + 2, j + 1][one])
            flux.third_up(
                top[j], mass[:n], w[k + 1, row][inner], w[k + 2, row][inner], w[k + 3, row][inner], w[k + 4, row][inner]
            )
        if k < 0:
            continue
        here = w[k + 2]
        for j in range(-1, ny):
            south, north = across[j % 2], across[(j + 1) % 2]
            row = j + 1 + H
            loop.mean_of_products_alike(mass[:n], rv[k, row][cells], rv[k + 1, row][cells], length_v[row][cells])
            flux.fifth_across(
                north, mass[:n], here[j + 1][inner], here[j + 2][inner], here[j + 3][inner], here[j + 4][inner],
                here[j + 5][inner], here[j + 6][inner],
            )  # fmt: skip
            if j < 0:
                continue
            row, rate = j + H, out[k, j]
            loop.mean_of_products_alike(mass, ru[k, row][faces], ru[k + 1, row][faces], length_u[row][faces])
            flux.fifth_along(west, mass, here[j + 3])
            brought(rate, west, south, north, inverse_area[row][cells], bottom[j], top[j])
            low, high = p[k, j + 1][one], p[k + 1, j + 1][one]
            if q.shape[0] > 0:
                loop.moist_mass(below, rho_base[k, row][cells], rho[k, row][cells], q[k, row][cells])
                loop.moist_mass(above, rho_base[k + 1, row][cells], rho[k + 1, row][cells], q[k + 1, row][cells])
                loop.moist_buoyancy(
                    rate, low, high, below, above, q[k, row][cells], q[k + 1, row][cells], half_gravity
                )  # fmt: skip
            else:
                loop.dry_buoyancy(rate, low, high, rho[k, row][cells], rho[k + 1, row][cells], half_gravity)
            loop.damped(rate, rayleigh[k, j], rw[k, row][cells])
