# SPDX-License-Identifier: BSD-3-Clause
"""The transpose of `tendencies.diagnose`, a row after another; what is not given is worked out again."""

from typing import Any

import numpy as np

from components.atmosphere.nonhydrostatic.kernels import transposed_loops as back
from components.atmosphere.nonhydrostatic.kernels.compiled import compiled
from components.atmosphere.nonhydrostatic.kernels.slopes import H


@compiled
def diagnosed_back(
    grads: Any, made: Any, r: Any, t: Any, inverse_dz: Any, slopes: Any, ground: Any, factor: Any, back_to: Any
) -> None:
    """Gradients of a state from those of its diagnostics.

    Parameters
    ----------
    grads : of u, v, w, theta, omega, p and the stiffness
    made : u, v, w, theta and the stiffness
    r, t : (nz, Y, X) rho dz and rho theta dz, the base state's included
    inverse_dz : (nz+1, Y, X) of the interfaces
    slopes, ground : metric (4, nz-1, Y, X) and that of the ground (4, Y, X), or of no size
    factor : gamma - 1
    back_to : gradients of ru, rv, rw, rho and rtheta, which are set
    """
    of_u, of_v, of_w, of_theta, of_omega, of_p, of_stiffness = grads
    u, v, w, theta, stiffness = made
    to_ru, to_rv, to_rw, to_rho, to_rtheta = back_to
    for a in back_to:
        a[:] = a.dtype.type(0.0)
    nz, Y, X = r.shape
    ghosts_back(of_u)
    ghosts_back(of_v)
    ghosts_back(of_theta)
    upright_back(of_u[2], of_v[2], of_w, w, r, ground, to_rw, to_rho)
    line = np.empty(X, r.dtype)
    cells, faces = slice(1, X - 1), slice(1, X)
    for k in range(nz):
        for j in range(1, Y - 1):
            mass, to_mass = r[k, j], to_rho[k, j]
            of_ratio(line[:-2], of_theta[k + 2, j - 1], mass[cells])
            back.add(to_rtheta[k, j][cells], line[:-2])
            back.take_product(to_mass[cells], line[:-2], theta[k + 2, j - 1])
            of_mean_ratio(line[:-1], of_u[k + 2, j - 1], mass[:-1], mass[1:])
            back.add(to_ru[k, j][faces], line[:-1])
            halve(line[:-1], u[k + 2, j - 1])
            back.take(to_mass[:-1], line[:-1])
            back.take(to_mass[1:], line[:-1])
        for j in range(1, Y):
            of_mean_ratio(line[:-2], of_v[k + 2, j - 1], r[k, j - 1][cells], r[k, j][cells])
            back.add(to_rv[k, j][cells], line[:-2])
            halve(line[:-2], v[k + 2, j - 1])
            back.take(to_rho[k, j - 1][cells], line[:-2])
            back.take(to_rho[k, j][cells], line[:-2])
        for j in range(H - 1, Y - H + 1):
            ring = slice(H - 1, X - H + 1)
            pressure_back(
                to_rtheta[k, j][ring], of_p[k, j - H + 1], of_stiffness[k, j - H + 1], stiffness[k, j - H + 1],
                t[k, j][ring], factor,
            )  # fmt: skip
    ring, wide = slice(H - 1, X - H + 1), slice(H - 1, X - H + 2)
    for k in range(1, nz):
        for j in range(H - 1, Y - H + 1):
            here = of_omega[k, j - H + 1]
            back.add_product(to_rw[k - 1, j][ring], here, inverse_dz[k, j][ring])
            if slopes.shape[1] > 0:
                for level in (k - 1, k):
                    along = to_ru[level, j][wide]
                    back.take_product(along[:-1], here, slopes[0, k - 1, j][ring])
                    back.take_product(along[1:], here, slopes[1, k - 1, j][ring])
                    back.take_product(to_rv[level, j][ring], here, slopes[2, k - 1, j][ring])
                    back.take_product(to_rv[level, j + 1][ring], here, slopes[3, k - 1, j][ring])


@compiled
def ghosts_back(grad: Any) -> None:
    """The transpose of `advection.ghost_levels`, in place: the levels that ghosts are made of get what is theirs."""
    n = grad.shape[0]
    for beyond, last, next_to_it in ((0, 2, 3), (n - 2, n - 3, n - 4)):
        for j in range(grad.shape[1]):
            beyond_back(grad[last, j], grad[next_to_it, j], grad[beyond, j], grad[beyond + 1, j])


@compiled
def beyond_back(last: Any, next_to_it: Any, a: Any, b: Any) -> None:
    """Of two ghosts of the same value."""
    two = a.dtype.type(2.0)
    for i in range(a.size):
        last[i] += two * (a[i] + b[i])
    for i in range(a.size):
        next_to_it[i] -= a[i] + b[i]


@compiled
def upright_back(
    of_u: Any, of_v: Any, of_w: Any, w: Any, r: Any, ground: Any, to_rw: Any, to_rho: Any
) -> None:  # fmt: skip
    """Of w on all interfaces; that of the ground goes to the lowest level of u and v.

    Parameters
    ----------
    of_u, of_v : gradients of the lowest level of u and v, which are added to
    of_w, w : gradient and w, ghosts included
    r, ground : as `diagnosed_back` has them
    to_rw, to_rho : are added to
    """
    nz, n = r.shape[0], of_w.shape[2]
    line, two, cells = np.empty(n, r.dtype), r.dtype.type(2.0), slice(1, n + 1)
    for j in range(of_w.shape[1]):
        if ground.shape[0] > 0:
            line[:] = of_w[1, j]
            back.add_scaled(line, of_w[0, j], two)
            back.add_product(of_u[j][:-1], line, ground[0, j + 1][cells])
            back.add_product(of_u[j][1:], line, ground[1, j + 1][cells])
            back.add_product(of_v[j], line, ground[2, j + 1][cells])
            back.add_product(of_v[j + 1], line, ground[3, j + 1][cells])
        back.take(of_w[2, j], of_w[0, j])
        back.take(of_w[nz, j], of_w[nz + 2, j])
        for k in range(nz - 1):
            of_mean_ratio(line, of_w[k + 2, j], r[k, j + 1][cells], r[k + 1, j + 1][cells])
            back.add(to_rw[k, j + 1][cells], line)
            halve(line, w[k + 2, j])
            back.take(to_rho[k, j + 1][cells], line)
            back.take(to_rho[k + 1, j + 1][cells], line)


@compiled
def of_ratio(out: Any, grad: Any, mass: Any) -> None:
    """A gradient over a mass."""
    for i in range(out.size):
        out[i] = grad[i] / mass[i]


@compiled
def of_mean_ratio(out: Any, grad: Any, mass: Any, mass_next: Any) -> None:
    """A gradient over the mean of two masses."""
    two = out.dtype.type(2.0)
    for i in range(out.size):
        out[i] = grad[i] * two / (mass_next[i] + mass[i])


@compiled
def halve(out: Any, a: Any) -> None:
    """Times half of a."""
    half = out.dtype.type(0.5)
    for i in range(out.size):
        out[i] = out[i] * (half * a[i])


@compiled
def pressure_back(to_rtheta: Any, of_p: Any, of_stiffness: Any, stiffness: Any, t: Any, factor: Any) -> None:
    """Of pressure, whose derivative is the stiffness, and of that, whose own is (gamma - 1) of it over rho theta."""
    for i in range(of_p.size):
        to_rtheta[i] += stiffness[i] * (of_p[i] + factor * of_stiffness[i] / t[i])
