# SPDX-License-Identifier: BSD-3-Clause
"""Loops of the tendencies of momentum over the cells of a row; as few arrays each as `acoustic_loops` says."""

from typing import Any

from components.atmosphere.nonhydrostatic.kernels.compiled import compiled


@compiled
def mean_along(out: Any, a: Any) -> None:
    """Of each value and the next."""
    half = out.dtype.type(0.5)
    for i in range(out.size):
        out[i] = half * (a[i + 1] + a[i])


@compiled
def mean_of_products(out: Any, a: Any, length_a: Any, b: Any, length_b: Any) -> None:
    """Of two rows, each times its lengths."""
    half = out.dtype.type(0.5)
    for i in range(out.size):
        out[i] = half * (b[i] * length_b[i] + a[i] * length_a[i])


@compiled
def mean_of_products_alike(out: Any, a: Any, b: Any, length: Any) -> None:
    """Of two levels, both times the same lengths."""
    half = out.dtype.type(0.5)
    for i in range(out.size):
        out[i] = half * (b[i] * length[i] + a[i] * length[i])


@compiled
def dry_weight(out: Any, dz: Any, dz_next: Any, inverse_distance: Any) -> None:
    """Thickness of a layer on a face, over the distance of its cells."""
    half = out.dtype.type(0.5)
    for i in range(out.size):
        out[i] = half * (dz_next[i] + dz[i]) * inverse_distance[i]


@compiled
def moist_weight(out: Any, dz: Any, dz_next: Any, q: Any, q_next: Any, inverse_distance: Any) -> None:
    """As `dry_weight`, times dry over moist density."""
    half, one = out.dtype.type(0.5), out.dtype.type(1.0)
    for i in range(out.size):
        out[i] = half * (dz_next[i] + dz[i]) / (one + half * (q_next[i] + q[i])) * inverse_distance[i]


@compiled
def pushed_back(out: Any, weight: Any, rise: Any) -> None:
    """Take the pressure gradient from a tendency."""
    for i in range(out.size):
        out[i] = out[i] - weight[i] * rise[i]


@compiled
def take(out: Any, a: Any) -> None:
    """Less a."""
    for i in range(out.size):
        out[i] = out[i] - a[i]


@compiled
def curved(out: Any, coriolis: Any, u: Any, v: Any, v_north: Any, curvature_x: Any, curvature_y: Any) -> None:
    """Coriolis parameter and curvature of the grid; see `tendencies.rotation`."""
    half = out.dtype.type(0.5)
    for i in range(out.size):
        east = half * (u[i] + u[i + 1])
        north = half * (v[i] + v_north[i])
        out[i] = coriolis[i] + north * curvature_x[i] - east * curvature_y[i]


@compiled
def turned(out: Any, rotation: Any, a: Any, b: Any) -> None:
    """Rotation times the mean of two fluxes."""
    half = out.dtype.type(0.5)
    for i in range(out.size):
        out[i] = rotation[i] * (half * (a[i] + b[i]))


@compiled
def turned_along(out: Any, rotation: Any, a: Any) -> None:
    """Rotation times the mean of each flux and the next."""
    half = out.dtype.type(0.5)
    for i in range(out.size):
        out[i] = rotation[i] * (half * (a[i] + a[i + 1]))


@compiled
def with_turning_u(out: Any, turning: Any, open_: Any) -> None:
    """A tendency of u with rotation, on open faces."""
    half = out.dtype.type(0.5)
    for i in range(out.size):
        out[i] = (out[i] + half * (turning[i + 1] + turning[i])) * open_[i]


@compiled
def with_turning_v(out: Any, turning: Any, turning_north: Any, open_: Any) -> None:
    """A tendency of v with rotation, on open faces."""
    half = out.dtype.type(0.5)
    for i in range(out.size):
        out[i] = (out[i] - half * (turning_north[i] + turning[i])) * open_[i]


@compiled
def dry_buoyancy(out: Any, p: Any, p_above: Any, mass: Any, mass_above: Any, half_gravity: Any) -> None:
    """Take pressure and weight from a tendency of w."""
    for i in range(out.size):
        out[i] = out[i] - (p_above[i] - p[i]) - half_gravity * (mass_above[i] + mass[i])


@compiled
def moist_mass(out: Any, rho_base: Any, rho: Any, q: Any) -> None:
    """Deviation of the mass of a layer, all of the water in it included."""
    for i in range(out.size):
        out[i] = rho[i] + (rho_base[i] + rho[i]) * q[i]


@compiled
def moist_buoyancy(
    out: Any, p: Any, p_above: Any, mass: Any, mass_above: Any, q: Any, q_above: Any, half_gravity: Any
) -> None:
    """As `dry_buoyancy`, with the water that has to be moved along."""
    half, one = out.dtype.type(0.5), out.dtype.type(1.0)
    for i in range(out.size):
        force = (p_above[i] - p[i]) + half_gravity * (mass_above[i] + mass[i])
        out[i] = out[i] - force / (one + half * (q_above[i] + q[i]))


@compiled
def damped(out: Any, rate: Any, rw: Any) -> None:
    """Take Rayleigh damping from a tendency of w."""
    for i in range(out.size):
        out[i] = out[i] - rate[i] * rw[i]
