# SPDX-License-Identifier: BSD-3-Clause
"""The transpose of `advection.convergence`: gradients of the field and of its mass fluxes from that of what they bring.

Axis after axis: the gradient of the flux through a face, what of it goes to the mass flux, and what to the points that
the flux is made of. Loops are along rows in memory and short, so that they fit the processor's vector units.
"""

from typing import Any

import numpy as np

from components.science.kernels.compiled import compiled


@compiled
def fifth_to_mass(out: Any, flux: Any, m: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any) -> None:
    """Gradient of a mass flux from that of `advection.flux_fifth` through it, of six rows."""
    real = out.dtype.type
    zero, one = real(0.0), real(1.0)
    first, second, third, five, ten = real(37.0 / 60.0), real(8.0 / 60.0), real(1.0 / 60.0), real(5.0), real(10.0)
    for i in range(out.size):
        centred = first * (c[i] + d[i]) - second * (b[i] + e[i]) + third * (a[i] + f[i])
        upwind = third * ((f[i] - a[i]) - five * (e[i] - b[i]) + ten * (d[i] - c[i]))
        sign = (one if m[i] > zero else zero) - (one if m[i] < zero else zero)
        out[i] = flux[i] * (centred - sign * upwind)


@compiled
def third_to_mass(out: Any, flux: Any, m: Any, a: Any, b: Any, c: Any, d: Any) -> None:
    """As `fifth_to_mass`, of `advection.flux_third` and four levels."""
    real = out.dtype.type
    zero, one = real(0.0), real(1.0)
    first, second, three = real(7.0 / 12.0), real(1.0 / 12.0), real(3.0)
    for i in range(out.size):
        centred = first * (b[i] + c[i]) - second * (a[i] + d[i])
        upwind = second * ((d[i] - a[i]) - three * (c[i] - b[i]))
        sign = (one if m[i] > zero else zero) - (one if m[i] < zero else zero)
        out[i] = flux[i] * (centred + sign * upwind)


@compiled
def both_shares(along: Any, against: Any, flux: Any, m: Any) -> None:
    """What goes to points through the mean over a face, and through what upwinding takes off it."""
    for i in range(along.size):
        along[i] = flux[i] * m[i]
    for i in range(along.size):
        against[i] = flux[i] * abs(m[i])


@compiled
def add_six(out: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, weights: Any) -> None:
    """Add six rows by weights that are the same from both ends."""
    first, second, third = weights[0], weights[1], weights[2]
    for i in range(out.size):
        out[i] += first * (a[i] + f[i]) + second * (b[i] + e[i]) + third * (c[i] + d[i])


@compiled
def take_six(out: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, weights: Any) -> None:
    """Take six rows by weights that have opposite signs from both ends."""
    first, second, third = weights[0], weights[1], weights[2]
    for i in range(out.size):
        out[i] -= first * (a[i] - f[i]) + second * (b[i] - e[i]) + third * (c[i] - d[i])


@compiled
def add_four(out: Any, a: Any, b: Any, c: Any, d: Any, weights: Any) -> None:
    """As `add_six`, of four."""
    first, second = weights[0], weights[1]
    for i in range(out.size):
        out[i] += first * (a[i] + d[i]) + second * (b[i] + c[i])


@compiled
def take_four(out: Any, a: Any, b: Any, c: Any, d: Any, weights: Any) -> None:
    """As `take_six`, of four."""
    first, second = weights[0], weights[1]
    for i in range(out.size):
        out[i] -= first * (a[i] - d[i]) + second * (b[i] - c[i])


@compiled
def transposed(
    grad: Any, q: Any, mx: Any, my: Any, mz: Any, inverse_area: Any, fifth: Any, third: Any,
    to_q: Any, to_x: Any, to_y: Any, to_z: Any,
) -> None:  # fmt: skip
    """Gradients to the field and to three mass fluxes; all arrays in the order of memory.

    Parameters
    ----------
    grad : (nz, ny, nx) gradient of what fluxes bring
    q, mx, my, mz, inverse_area : as `advection.convergence` has them
    fifth, third : (2, 6) and (2, 4) weights of the points, in the mean over a face and in what upwinding takes off it
    to_q, to_x, to_y, to_z : gradients; the first is added to, the others are written
    """
    nz, ny, nx = grad.shape
    zero, inner = grad.dtype.type(0.0), slice(3, 3 + nx)
    # what goes to each point through the mean and through what upwinding takes off; no face has any beyond both ends
    mean, taken = np.zeros(nx + 11, grad.dtype), np.zeros(nx + 11, grad.dtype)
    flux, line, other = np.empty(nx + 1, grad.dtype), np.empty(nx, grad.dtype), np.empty(nx + 1, grad.dtype)
    lines = np.zeros((2, 6, nx), grad.dtype)
    for k in range(nz):
        for j in range(ny):
            g, area, field, mass = grad[k, j], inverse_area[j], q[k + 2, j + 3], mx[k, j]
            for i in range(nx):
                line[i] = g[i] * area[i]
            flux[0], flux[nx] = line[0], -line[nx - 1]
            for i in range(1, nx):
                flux[i] = line[i] - line[i - 1]
            out = to_x[k, j]
            for i in range(nx + 1):
                out[i] = (
                    fifth[0, 0] * (field[i] + field[i + 5]) + fifth[0, 1] * (field[i + 1] + field[i + 4])
                    + fifth[0, 2] * (field[i + 2] + field[i + 3])
                )  # fmt: skip
                other[i] = (
                    fifth[1, 5] * (field[i + 5] - field[i]) + fifth[1, 4] * (field[i + 4] - field[i + 1])
                    + fifth[1, 3] * (field[i + 3] - field[i + 2])
                )  # fmt: skip
            for i in range(nx + 1):
                one = np.sign(mass[i])
                out[i] = flux[i] * (out[i] - one * other[i])
                mean[i + 5] = flux[i] * mass[i]
                taken[i + 5] = flux[i] * mass[i] * one
            into = to_q[k + 2, j + 3]
            for i in range(nx + 6):
                into[i] += (
                    fifth[0, 0] * (mean[i + 5] + mean[i]) + fifth[0, 1] * (mean[i + 4] + mean[i + 1])
                    + fifth[0, 2] * (mean[i + 3] + mean[i + 2])
                )  # fmt: skip
            for i in range(nx + 6):
                into[i] -= (
                    fifth[1, 0] * (taken[i + 5] - taken[i]) + fifth[1, 1] * (taken[i + 4] - taken[i + 1])
                    + fifth[1, 2] * (taken[i + 3] - taken[i + 2])
                )  # fmt: skip
        # rows of points get what is theirs of six rows of faces at once
        for j in range(ny + 6):  # the row of points whose last face is j
            along, against = lines[0, j % 6], lines[1, j % 6]
            if j > ny:
                along[:] = zero
                against[:] = zero
            else:
                for i in range(nx):
                    flux[i] = zero
                if j < ny:
                    g, area = grad[k, j], inverse_area[j]
                    for i in range(nx):
                        flux[i] = g[i] * area[i]
                if j > 0:
                    g, area = grad[k, j - 1], inverse_area[j - 1]
                    for i in range(nx):
                        flux[i] -= g[i] * area[i]
                mass = my[k, j]
                here = q[k + 2]
                fifth_to_mass(
                    to_y[k, j], flux, mass, here[j][inner], here[j + 1][inner], here[j + 2][inner],
                    here[j + 3][inner], here[j + 4][inner], here[j + 5][inner],
                )  # fmt: skip
                both_shares(along, against, flux, mass)
            into = to_q[k + 2, j][inner]
            b, c, d, e, f = (j - 1) % 6, (j - 2) % 6, (j - 3) % 6, (j - 4) % 6, (j - 5) % 6
            add_six(into, along, lines[0, b], lines[0, c], lines[0, d], lines[0, e], lines[0, f], fifth[0])
            take_six(into, against, lines[1, b], lines[1, c], lines[1, d], lines[1, e], lines[1, f], fifth[1])
        lines[:] = zero
    levels = np.zeros((2, 4, ny, nx), grad.dtype)
    for k in range(nz + 4):  # the level of points whose last interface is k
        for j in range(ny):
            along, against = levels[0, k % 4, j], levels[1, k % 4, j]
            if k > nz:
                along[:] = zero
                against[:] = zero
            else:
                for i in range(nx):
                    flux[i] = zero
                if k < nz:
                    g = grad[k, j]
                    for i in range(nx):
                        flux[i] = g[i]
                if k > 0:
                    g = grad[k - 1, j]
                    for i in range(nx):
                        flux[i] -= g[i]
                third_to_mass(
                    to_z[k, j], flux, mz[k, j], q[k, j + 3][inner], q[k + 1, j + 3][inner], q[k + 2, j + 3][inner],
                    q[k + 3, j + 3][inner],
                )  # fmt: skip
                both_shares(along, against, flux, mz[k, j])
            into, b, c, d = to_q[k, j + 3][inner], (k - 1) % 4, (k - 2) % 4, (k - 3) % 4
            add_four(into, along, levels[0, b, j], levels[0, c, j], levels[0, d, j], third[0])
            take_four(into, against, levels[1, b, j], levels[1, c, j], levels[1, d, j], third[1])
