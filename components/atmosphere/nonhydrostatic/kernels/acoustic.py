# SPDX-License-Identifier: BSD-3-Clause
"""Acoustic steps a row after another, whose layers stay in the processor's cache; see `dynamics.acoustic`.

Arrays of the geometry come whole, with their halo; an array that there is not has no levels.
"""

from typing import Any

import numpy as np

from components.atmosphere.nonhydrostatic.kernels import acoustic_loops as loop
from components.atmosphere.nonhydrostatic.kernels.compiled import compiled
from components.science.kernels.tracer_loops import product

H = 4  # cells of the halo


@compiled
def horizontal(
    p: Any, old_u: Any, old_v: Any, rate_u: Any, rate_v: Any, weight_x: Any, weight_y: Any, inverse_dz: Any,
    rise_x: Any, rise_y: Any, dtau: Any, ru: Any, rv: Any,
) -> None:  # fmt: skip
    """Momentum deviations one step on; see `acoustic.horizontal_step`.

    Parameters
    ----------
    p : (nz, ny+2, nx+2) pressure deviation, Pa
    old_u, rate_u, weight_x : (nz, ny, nx+1)
    old_v, rate_v, weight_y : (nz, ny+1, nx)
    inverse_dz : (nz+1, Y, X) of the interfaces, m-1
    rise_x, rise_y : (nz+1, Y, X+1) and (nz+1, Y+1, X), m, or of no levels
    dtau : step, s
    ru, rv : are set
    """
    nz, ny, nx = rv.shape[0], ru.shape[1], rv.shape[2]
    slopes = rise_x.shape[0] > 0
    steepness = np.empty((2, nz + 1, nx + 2), p.dtype)  # dp/dz of this row of columns and of the one before
    bottom, top, step = np.empty(nx + 1, p.dtype), np.empty(nx + 1, p.dtype), np.empty(nx + 1, p.dtype)
    one, inner, faces = slice(H - 1, H + nx + 1), slice(H, H + nx), slice(H, H + nx + 1)
    for r in range(ny + 2):
        here, before = steepness[r % 2], steepness[(r + 1) % 2]
        if slopes:
            row = r + H - 1
            for k in range(1, nz):
                loop.gradient(here[k], p[k - 1, r], p[k, r], inverse_dz[k, row][one])
            loop.at_ground(here[0], here[1], here[2], inverse_dz[0, row][one], inverse_dz[1, row][one])
            here[nz] = here[nz - 1]
        if r > 0 and r <= ny:
            j = r - 1
            if slopes:
                loop.steep(bottom, rise_x[0, j + H][faces], here[0][: nx + 1], here[0][1:])
            for k in range(nz):
                loop.between(step, p[k, r][: nx + 1], p[k, r][1:])
                if slopes:
                    loop.steep(top, rise_x[k + 1, j + H][faces], here[k + 1][: nx + 1], here[k + 1][1:])
                    loop.less(step, bottom, top)
                    bottom, top = top, bottom
                loop.pushed(ru[k, j], old_u[k, j], rate_u[k, j], weight_x[k, j], step, dtau)
        if r > 0:
            j = r - 1
            across, low, high = step[:nx], bottom[:nx], top[:nx]
            if slopes:
                loop.steep(low, rise_y[0, j + H][inner], before[0][1 : nx + 1], here[0][1 : nx + 1])
            for k in range(nz):
                loop.between(across, p[k, r - 1][1 : nx + 1], p[k, r][1 : nx + 1])
                if slopes:
                    loop.steep(high, rise_y[k + 1, j + H][inner], before[k + 1][1 : nx + 1], here[k + 1][1 : nx + 1])
                    loop.less(across, low, high)
                    low, high = high, low
                loop.pushed(rv[k, j], old_v[k, j], rate_v[k, j], weight_y[k, j], across, dtau)


@compiled
def through_sides(
    ru: Any, rv: Any, rv_north: Any, lengths: Any, theta_x: Any, theta_y: Any, theta_y_north: Any, area: Any, work: Any,
    mass: Any, heat: Any,
) -> None:  # fmt: skip
    """Mass and heat that leave a row of cells along the grid.

    Parameters
    ----------
    ru, rv, rv_north : momentum at the faces
    lengths : of the west, south and north faces
    theta_x, theta_y, theta_y_north : K there
    area : inverse areas
    work : (4, nx+1)
    mass, heat : (nx,) are set
    """
    nx = mass.size
    x, south, north, heat_x = work[0], work[1][:nx], work[2][:nx], work[3]
    product(x, ru, lengths[0])
    product(south, rv, lengths[1][:nx])
    product(north, rv_north, lengths[2][:nx])
    loop.out_of(mass, x, south, north, area)
    product(heat_x, x, theta_x)
    product(south, south, theta_y)
    product(north, north, theta_y_north)
    loop.out_of(heat, heat_x, south, north, area)


@compiled
def net(out: Any, flux: Any, k: int) -> None:
    """Flux out through a layer's upper less in through its lower interface; none through ground and lid."""
    if k == 0:
        out[:] = flux[0]
    elif k == flux.shape[0]:
        for i in range(out.size):
            out[i] = -flux[k - 1, i]
    else:
        loop.between(out, flux[k - 1], flux[k])


@compiled
def vertical(
    old: Any, ru: Any, rv: Any, rates: Any, theta_x: Any, theta_y: Any, theta_z: Any, stiffness: Any, chi: Any,
    loading: Any, matrix: Any, inverse_dz: Any, length_u: Any, length_v: Any, inverse_area: Any, metric: Any,
    numbers: Any, rw: Any, rho: Any, rtheta: Any, omega: Any, p: Any,
) -> None:  # fmt: skip
    """Implicit w, then mass and heat; see `acoustic.vertical_step`.

    Parameters
    ----------
    old, rates : deviations and rates of rw, rho and rtheta
    ru, rv : new momentum deviations
    theta_x, theta_y, theta_z, stiffness, chi, loading : of `acoustic.Coefficients`; the last two may have no levels
    matrix : pivot, lower and upper
    inverse_dz, length_u, length_v, inverse_area, metric : of the geometry, the last perhaps without levels
    numbers : dtau, (1 + epsilon) / 2, (1 - epsilon) / 2, these times dtau, divergence damping, g / 2
    rw, rho, rtheta, omega, p : are set
    """
    nz, ny, nx = rho.shape
    dtau, a, b, e, eb, damping, half_gravity = numbers
    old_w, old_rho, old_theta = old
    rate_w, rate_rho, rate_theta = rates
    pivot, lower, upper = matrix
    real = rho.dtype
    work, lengths = np.empty((4, nx + 1), real), np.zeros((3, nx + 1), real)
    mass, heat, sum_ = np.empty(nx, real), np.empty(nx, real), np.empty(nx, real)
    heat_flux, flux = np.empty((nz - 1, nx), real), np.empty((nz - 1, nx), real)
    p_part, b_part = np.empty((nz, nx), real), np.empty((nz, nx), real)
    inner, faces = slice(H, H + nx), slice(H, H + nx + 1)
    for j in range(ny):
        row = j + H
        lengths[0][:] = length_u[row][faces]
        lengths[1][:nx] = length_v[row][inner]
        lengths[2][:nx] = length_v[row + 1][inner]
        area = inverse_area[row][inner]
        for k in range(nz - 1):
            om = omega[k, j]
            loop.risen(om, old_w[k, j], inverse_dz[k + 1, row][inner], b)
            if metric.shape[1] > 0:
                loop.along_slope(sum_, ru[k, j], ru[k + 1, j], metric[0, k, row][inner], metric[1, k, row][inner])
                loop.across_slope(
                    om, sum_, rv[k, j], rv[k + 1, j], rv[k, j + 1], rv[k + 1, j + 1], metric[2, k, row][inner],
                    metric[3, k, row][inner],
                )  # fmt: skip
            flux[k] = om
            product(heat_flux[k], om, theta_z[k, j])
        for k in range(nz):
            through_sides(
                ru[k, j], rv[k, j], rv[k, j + 1], lengths, theta_x[k, j], theta_y[k, j], theta_y[k, j + 1], area, work,
                mass, heat,
            )  # fmt: skip
            net(sum_, flux, k)
            loop.after(rho[k, j], old_rho[k, j], rate_rho[k, j], mass, sum_, dtau)
            net(sum_, heat_flux, k)
            loop.after(rtheta[k, j], old_theta[k, j], rate_theta[k, j], heat, sum_, dtau)
            loop.weighted(p_part[k], stiffness[k, j], rtheta[k, j], old_theta[k, j], e, eb)
            if loading.shape[0] > 0:
                loop.weighted(b_part[k], loading[k, j], rho[k, j], old_rho[k, j], e, eb)
            else:
                loop.weighted_alike(b_part[k], half_gravity, rho[k, j], old_rho[k, j], e, eb)
        below = rw[0, j]
        for k in range(nz - 1):
            loop.force(sum_, p_part[k], p_part[k + 1], b_part[k], b_part[k + 1])
            if chi.shape[0] > 0:
                product(sum_, sum_, chi[k, j])
            if k == 0:
                loop.start_sweep(rw[k, j], old_w[k, j], rate_w[k, j], sum_, pivot[k, j], dtau)
            else:
                loop.first_sweep(rw[k, j], old_w[k, j], rate_w[k, j], sum_, pivot[k, j], lower[k, j], below, dtau)
            below = rw[k, j]
        for k in range(nz - 3, -1, -1):
            loop.second_sweep(rw[k, j], upper[k, j], rw[k + 1, j])
        for k in range(nz - 1):
            loop.flux_of(flux[k], omega[k, j], inverse_dz[k + 1, row][inner], rw[k, j], a)
            product(heat_flux[k], flux[k], theta_z[k, j])
        for k in range(nz):
            net(sum_, flux, k)
            loop.finish(rho[k, j], sum_, dtau)
            net(sum_, heat_flux, k)
            loop.finish(rtheta[k, j], sum_, dtau)
            loop.pressure(p[k, j], stiffness[k, j], rtheta[k, j], old_theta[k, j], damping)


@compiled
def factors(
    theta: Any, c: Any, q: Any, inverse_dz: Any, rayleigh: Any, numbers: Any, theta_z: Any, stiffness: Any, chi: Any,
    loading: Any, pivot: Any, lower: Any, upper: Any,
) -> None:  # fmt: skip
    """What the implicit solve of a stage's acoustic steps shares; see `acoustic.coefficients`.

    Parameters
    ----------
    theta : (nz+4, ny+6, nx+6) K
    c : (nz, ny+2, nx+2) stiffness
    q : (nz, Y, X) mixing ratio of all water, or of no levels
    inverse_dz : (nz+1, Y, X) of the interfaces, m-1
    rayleigh : (nz-1, ny, nx) damping of w times the step
    numbers : the implicit share of the step, squared, s2, and g / 2
    theta_z, stiffness, chi, loading, pivot, lower, upper : are set, chi and loading where there is water
    """
    nz, ny, nx = stiffness.shape
    e2, half_gravity = numbers
    diagonal, beside = np.empty(nx, c.dtype), np.empty((2, nx), c.dtype)
    zero = c.dtype.type(0.0)
    one, two, inner = slice(1, nx + 1), slice(3, nx + 3), slice(H, H + nx)
    wet = q.shape[0] > 0
    for j in range(ny):
        row = j + H
        for k in range(nz):
            stiffness[k, j][:] = c[k, j + 1][one]
            if wet:
                loop.loaded(loading[k, j], q[k, row][inner], half_gravity)
        for k in range(nz - 1):
            loop.mean(theta_z[k, j], theta[k + 3, j + 3][two], theta[k + 2, j + 3][two])
            if wet:
                loop.dry_share(chi[k, j], q[k, row][inner], q[k + 1, row][inner])
        for k in range(nz - 1):
            dz, dz_above = inverse_dz[k + 1, row][inner], inverse_dz[k + 2, row][inner]
            here, above, below = theta_z[k, j], beside[0], beside[1]
            if wet:
                loop.moist_diagonal(
                    diagonal, dz, chi[k, j], here, stiffness[k, j], stiffness[k + 1, j], loading[k, j],
                    loading[k + 1, j], e2, rayleigh[k, j],
                )  # fmt: skip
            else:
                loop.dry_diagonal(diagonal, dz, here, stiffness[k, j], stiffness[k + 1, j], e2, rayleigh[k, j])
            if k == 0:
                loop.inverse(pivot[k, j], diagonal)
                lower[k, j][:] = zero
            else:
                loop.eliminated(pivot[k, j], lower[k, j], diagonal, below, upper[k - 1, j])
            if k == nz - 2:
                upper[k, j][:] = zero
                continue
            if wet:
                loop.moist_above(
                    above, chi[k, j], dz_above, stiffness[k + 1, j], theta_z[k + 1, j], loading[k + 1, j], e2
                )
                loop.moist_below(below, chi[k + 1, j], dz, stiffness[k + 1, j], here, loading[k + 1, j], e2)
            else:
                loop.dry_beside(above, dz_above, stiffness[k + 1, j], theta_z[k + 1, j], e2, half_gravity)
                loop.dry_beside(below, dz, stiffness[k + 1, j], here, e2, -half_gravity)
            product(upper[k, j], pivot[k, j], above)
