# SPDX-License-Identifier: BSD-3-Clause
"""Stages of `transport.Transport`, with what a step has in common worked out before.

All arrays are (..., Y X), a level's rows one after another with their halo of four cells; the loops run on through the
halo between two rows, where what they make is not used. Fluxes are those through a cell's west and south face and
upward through its bottom. Some rows at a time go through all levels, for one tracer after another, so that the air and
its fluxes there stay in the processor's cache: what the kernels wait for is memory.
"""

from typing import Any

import numpy as np

from components.science.kernels import tracer_loops as loop
from components.science.kernels.compiled import compiled

H = 4  # cells of the halo


@compiled
def level(q: Any, ghosts: Any, k: int, a: int, b: int) -> Any:
    """Cells a to b of level k of one tracer, beyond the ends of the ghosts."""
    if k < 0:
        return ghosts[0][: b - a]
    if k >= q.shape[0]:
        return ghosts[1][: b - a]
    return q[k][a:b]


@compiled
def set_ghosts(q: Any, ghosts: Any, a: int, b: int) -> None:
    """Extrapolate cells a to b linearly beyond the lowest and the highest level."""
    loop.beyond(ghosts[0][: b - a], q[0][a:b], q[1][a:b])
    loop.beyond(ghosts[1][: b - a], q[-1][a:b], q[-2][a:b])


@compiled
def stage(
    q0: Any, q: Any, rho_0: Any, inverse_rho: Any, mu: Any, mv: Any, omega: Any, inverse_area: Any, dt: Any, X: int,
    rows: int, new: Any,
) -> None:  # fmt: skip
    """Mixing ratios at the end of a stage without limiter; see `transport.stage`.

    Parameters
    ----------
    q0, q : (n, nz, Y X) mixing ratios at the start and now
    rho_0 : (nz, Y X) rho dz at the start, kg m-2
    inverse_rho : (nz, Y X) 1 / rho dz at the end of the stage, m2 kg-1
    mu, mv : (nz, Y X) mass fluxes through west and south faces, kg s-1
    omega : (nz+1, Y X) through the interfaces, kg m-2 s-1
    inverse_area : (Y X,) m-2
    dt : length of the stage, s
    X : cells of a row with its halo
    rows : that are taken through all levels at a time
    new : (n, nz, Y X) whose inner cells are set
    """
    nz, size = rho_0.shape
    work, ghosts = np.empty((5, (rows + 1) * X), q.dtype), np.empty((2, (rows + 1) * X), q.dtype)
    for a in range(H * X + H, size - H * X, rows * X):  # the first inner cell of some rows, and their end
        b = min(a + rows * X, size - H * X + H) - 2 * H
        n = b - a
        x, y, old = work[0][: n + 1], work[1][: n + X], work[2][:n]
        for tracer in range(q.shape[0]):
            p = q[tracer]
            set_ghosts(p, ghosts, a, b)
            for k in range(-1, nz):
                bottom, top = work[3 + k % 2][:n], work[3 + (k + 1) % 2][:n]
                loop.third_up(
                    top, omega[k + 1][a:b], level(p, ghosts, k - 1, a, b), level(p, ghosts, k, a, b),
                    level(p, ghosts, k + 1, a, b), level(p, ghosts, k + 2, a, b),
                )  # fmt: skip
                if k < 0:
                    continue
                here = p[k]
                loop.fifth_along(x, mu[k][a : b + 1], here[a - 3 : b + 3])
                loop.fifth_across(
                    y, mv[k][a : b + X], here[a - 3 * X : b - 2 * X], here[a - 2 * X : b - X], here[a - X : b],
                    here[a : b + X], here[a + X : b + 2 * X], here[a + 2 * X : b + 3 * X],
                )  # fmt: skip
                loop.product(old, rho_0[k][a:b], q0[tracer][k][a:b])
                loop.ratio(
                    new[tracer][k][a:b], old, x, y[:n], y[X:], inverse_area[a:b], bottom, top, inverse_rho[k][a:b], dt
                )  # fmt: skip


@compiled
def last_stage(
    q0: Any, q: Any, rho_0: Any, rho: Any, inverse_rho: Any, mu: Any, mv: Any, omega: Any, inverse_area: Any, dt: Any,
    X: int, rows: int, monotonic: bool, new: Any, west_east: Any, south_north: Any,
) -> None:  # fmt: skip
    """Mixing ratios at the end of the step, flux-corrected, and fluxes near the sides; see `transport.last_stage`.

    What the limiter sees is worked out for a level and one ring around the rows; the level below it is then finished.

    Parameters
    ----------
    q0, q, rho_0, inverse_rho, mu, mv, omega, inverse_area, dt, X, rows, new : as `stage` has them
    rho : (nz, Y X) rho dz at the end, kg m-2
    monotonic : whether no new extremes are allowed either
    west_east, south_north : (n, nz, ny, 2), (n, nz, 2, nx) are set to the fluxes through the inner faces of the
        outermost cells, kg s-1
    """
    nz, size = rho_0.shape
    nx, ny = X - 2 * H, size // X - 2 * H
    real, longest, ring = q.dtype.type, (rows + 3) * X, X + 1  # ring: from its first cell to the first inner one
    # two levels in turn: fluxes of low order and corrections of x, y and z, what may leave and enter, rho q, the flux
    # through the top; of one level: fluxes, what low order leaves and the bound of the limiter
    two = np.empty((10, 2, longest), q.dtype)
    work, ghosts = np.zeros((4, longest), q.dtype), np.empty((2, longest), q.dtype)
    for c in range(H * X + H, size - H * X, rows * X):  # the first inner cell of some rows, and their end
        d = min(c + rows * X, size - H * X + H) - 2 * H
        a, b = c - ring, d + ring
        n, e = b - a, b - a - ring
        first = c // X - H
        fx, fy, low, bound, area = (
            work[0][: d - c + 1],
            work[1][: d - c + X],
            work[2][:n],
            work[3][:n],
            inverse_area[a:b],
        )
        for tracer in range(q.shape[0]):
            p, p0 = q[tracer], q0[tracer]
            set_ghosts(p, ghosts, a, b)
            two[9][:] = real(0.0)
            if not monotonic:
                two[7][:] = real(1.0)
            for k in range(-1, nz + 1):
                now, then = (k + 2) % 2, (k + 1) % 2  # this level and its top; the one below and its top
                z, dz = two[4][now][:n], two[5][now][:n]
                leaves, enters = two[6][now][:n], two[7][now][:n]
                if k < nz:
                    loop.third_up(
                        dz, omega[k + 1][a:b], level(p, ghosts, k - 1, a, b), level(p, ghosts, k, a, b),
                        level(p, ghosts, k + 1, a, b), level(p, ghosts, k + 2, a, b),
                    )  # fmt: skip
                    # nothing passes the ends, whose neighbours are of no account
                    before, after = p0[max(k, 0)][a:b], p0[min(k + 1, nz - 1)][a:b]
                    loop.low_between(z, dz, omega[k + 1][a:b], before, after)
                if k >= 0 and k < nz:
                    here, start = p[k], p0[k]
                    x, dx, m = two[0][now][: n + 1], two[1][now][: n + 1], mu[k][a : b + 1]
                    loop.fifth_along(dx, m, here[a - 3 : b + 3])
                    loop.low_along(x, dx, m, start[a - 1 : b + 1])
                    y, dy, m = two[2][now][: n + X], two[3][now][: n + X], mv[k][a : b + X]
                    loop.fifth_across(
                        dy, m, here[a - 3 * X : b - 2 * X], here[a - 2 * X : b - X], here[a - X : b], here[a : b + X],
                        here[a + X : b + 2 * X], here[a + 2 * X : b + 3 * X],
                    )  # fmt: skip
                    loop.low_between(y, dy, m, start[a - X : b], start[a : b + X])
                    old, bottom = two[8][now][:n], two[4][then][:n]
                    loop.product(old, rho_0[k][a:b], start[a:b])
                    loop.content(low, old, x, y[:n], y[X:], area, bottom, z, dt)
                    down = two[5][then][:n]
                    if monotonic:
                        south, north = start[a - X : b - X], start[a + X : b + X]
                        below, above = p0[max(k - 1, 0)][a:b], p0[min(k + 1, nz - 1)][a:b]
                        loop.most(bound, rho[k][a:b], start[a - 1 : b + 1], south, north, below, above)
                        loop.share_in(enters, low, bound, dx, dy[:n], dy[X:], area, down, dz, dt)
                        loop.least(bound, rho[k][a:b], start[a - 1 : b + 1], south, north, below, above)
                    loop.share_out(leaves, low, bound, dx, dy[:n], dy[X:], area, down, dz, dt)
                if k < 1:
                    continue
                done, out, into = k - 1, two[6][then], two[7][then]
                loop.limited_along(
                    fx, two[0][then][ring : e + 1], two[1][then][ring : e + 1], out[ring - 1 : e + 1],
                    into[ring - 1 : e + 1],
                )  # fmt: skip
                loop.limited_between(
                    fy, two[2][then][ring : e + X], two[3][then][ring : e + X], out[ring - X : e], into[ring - X : e],
                    out[ring : e + X], into[ring : e + X],
                )  # fmt: skip
                top, bottom = two[9][now][: d - c], two[9][then][: d - c]
                if k < nz:
                    loop.limited_between(
                        top, two[4][then][ring:e], two[5][then][ring:e], out[ring:e], into[ring:e], leaves[ring:e],
                        enters[ring:e],
                    )  # fmt: skip
                else:
                    top[:] = real(0.0)
                loop.ratio(
                    new[tracer][done][c:d], two[8][then][ring:e], fx, fy[: d - c], fy[X:], inverse_area[c:d], bottom,
                    top, inverse_rho[done][c:d], dt,
                )  # fmt: skip
                for j in range(first, min(first + rows, ny)):
                    west_east[tracer, done, j, 0] = fx[(j - first) * X + 1]
                    west_east[tracer, done, j, 1] = fx[(j - first) * X + nx - 1]
                for side, j in enumerate((1, ny - 1)):
                    if j >= first and j <= min(first + rows, ny):
                        for i in range(nx):
                            south_north[tracer, done, side, i] = fy[(j - first) * X + i]
