# SPDX-License-Identifier: BSD-3-Clause
"""The two halves of a substep of the barotropic mode; see `barotropic.substep` and `barotropic_mode`."""

from typing import Any

from components.ocean.primitive.kernels.compiled import compiled


@compiled
def rise(old: Any, water: Any, planes: Any, numbers: Any, level: Any, depths: Any, means: Any) -> None:
    """The sea level with the old transports, and their share in the averages.

    Parameters
    ----------
    old : sea level and transports, (y, x) with a halo of two
    water : (y, x) fresh water
    planes : depth_u, depth_v, active_t, wide_u, wide_v, area_t, area_u, area_v
    numbers : weight of the transports in the averages, length of the substep
    level : (y, x), is set: one ring in from the edge, where it is zero
    depths : (y, x) at the faces, are set one ring in
    means : of the transports, (y, x), are added to
    """
    eta, U, V = old
    depth_u, depth_v, active_t, wu, wv, area_t, area_u, area_v = planes
    weight, dt = numbers
    deep_u, deep_v = depths
    mean_u, mean_v = means
    ny, nx = eta.shape
    for j in range(ny):
        for i in range(nx):
            mean_u[j, i] = mean_u[j, i] + weight * U[j, i]
            mean_v[j, i] = mean_v[j, i] + weight * V[j, i]
            level[j, i] = 0.0
    for j in range(1, ny - 1):
        for i in range(1, nx - 1):
            x, x_west = U[j, i] * wu[j, i], U[j, i - 1] * wu[j, i - 1]
            y, y_south = V[j, i] * wv[j, i], V[j - 1, i] * wv[j - 1, i]
            divergence = (x - x_west + y - y_south) / area_t[j, i]
            level[j, i] = eta[j, i] - dt * active_t[j, i] * (divergence - water[j, i])
    for j in range(1, ny - 1):
        for i in range(1, nx - 1):
            here = level[j, i] * area_t[j, i]
            east, north = level[j, i + 1] * area_t[j, i + 1], level[j + 1, i] * area_t[j + 1, i]
            deep_u[j, i] = depth_u[j, i] + 0.5 * (here + east) / area_u[j, i]
            deep_v[j, i] = depth_v[j, i] + 0.5 * (here + north) / area_v[j, i]


@compiled
def move(
    old: Any, forcing: Any, planes: Any, outside: Any, speeds: Any, numbers: Any, u_first: Any, new: Any, depths: Any,
    ends: Any,
) -> None:  # fmt: skip
    """The transports with the new sea level, and their share in the filtered ones.

    Parameters
    ----------
    old : sea level and transports, (y, x) with a halo of two
    forcing : slow_u, slow_v, drag_u, drag_v
    planes : depth_u, depth_v, open_u, open_v, wet_u, wet_v, fq_h, dxu, wide_u, wide_v, dyv
    outside : sea level and transports beyond open edges, or of no rows
    speeds : (y, x) of long waves at the faces, where edges are open
    numbers : weight in the filtered transports, length of the substep, share of Flather's term, gravity
    u_first : which component takes its Coriolis force from the other's old value
    new : sea level and transports; all are set zero in the halo
    depths : (y, x) at the faces
    ends : filtered transports without halo, are added to
    """
    _, U, V = old
    slow_u, slow_v, drag_u, drag_v = forcing
    depth_u, depth_v, open_u, open_v, wet_u, wet_v, fq_h, dxu, wu, wv, dyv = planes
    eta_out, U_out, V_out = outside
    speed_u, speed_v = speeds
    weight, dt, radiation, gravity = numbers
    level, u, v = new
    deep_u, deep_v = depths
    end_u, end_v = ends
    ny, nx = level.shape
    open_edges = eta_out.size > 0
    for j in range(ny):
        for i in range(nx):
            u[j, i] = 0.0
            v[j, i] = 0.0
    for component in range(2):
        if (component == 0) == u_first:
            other = V if u_first else v
            for j in range(1, ny - 1):
                for i in range(1, nx - 1):
                    deep = deep_u[j, i]
                    force = slow_u[j, i] - gravity * deep * (level[j, i + 1] - level[j, i]) / dxu[j, i]
                    north = fq_h[j, i] * (other[j, i] * wv[j, i] + other[j, i + 1] * wv[j, i + 1])
                    south = fq_h[j - 1, i] * (other[j - 1, i] * wv[j - 1, i] + other[j - 1, i + 1] * wv[j - 1, i + 1])
                    turn = 0.25 * depth_u[j, i] / dxu[j, i] * (north + south)
                    passing = wet_u[j, i] / (1.0 + dt * drag_u[j, i] / deep)
                    value = (U[j, i] + dt * (force + turn)) * passing
                    if open_edges and open_u[j, i] != 0.0:
                        sign = open_u[j, i]
                        if sign > 0.0:
                            excess = level[j, i] - eta_out[j, i + 1]
                        else:
                            excess = level[j, i + 1] - eta_out[j, i]
                        value = U_out[j, i] + radiation * speed_u[j, i] * (sign * excess)
                    u[j, i] = value
        else:
            other = U if not u_first else u
            for j in range(1, ny - 1):
                for i in range(1, nx - 1):
                    deep = deep_v[j, i]
                    force = slow_v[j, i] - gravity * deep * (level[j + 1, i] - level[j, i]) / dyv[j, i]
                    east = fq_h[j, i] * (other[j, i] * wu[j, i] + other[j + 1, i] * wu[j + 1, i])
                    west = fq_h[j, i - 1] * (other[j, i - 1] * wu[j, i - 1] + other[j + 1, i - 1] * wu[j + 1, i - 1])
                    turn = -0.25 * depth_v[j, i] / dyv[j, i] * (east + west)
                    passing = wet_v[j, i] / (1.0 + dt * drag_v[j, i] / deep)
                    value = (V[j, i] + dt * (force + turn)) * passing
                    if open_edges and open_v[j, i] != 0.0:
                        sign = open_v[j, i]
                        if sign > 0.0:
                            excess = level[j, i] - eta_out[j + 1, i]
                        else:
                            excess = level[j + 1, i] - eta_out[j, i]
                        value = V_out[j, i] + radiation * speed_v[j, i] * (sign * excess)
                    v[j, i] = value
    for j in range(ny - 4):
        for i in range(nx - 4):
            end_u[j, i] = end_u[j, i] + weight * u[j + 2, i + 2]
            end_v[j, i] = end_v[j, i] + weight * v[j + 2, i + 2]
    for j in range(ny):
        for i in range(nx):
            if j < 2 or j >= ny - 2 or i < 2 or i >= nx - 2:
                level[j, i] = 0.0
                u[j, i] = 0.0
                v[j, i] = 0.0
