# SPDX-License-Identifier: BSD-3-Clause
"""The transposes of `acoustic.horizontal` and `acoustic.factors`, a row after another; arrays are those of `acoustic`.

That of `acoustic.vertical` is in `implicit_transposed`.
"""

from typing import Any

import numpy as np

from components.atmosphere.nonhydrostatic.kernels import acoustic_loops as loop
from components.atmosphere.nonhydrostatic.kernels import transposed_loops as back
from components.atmosphere.nonhydrostatic.kernels.compiled import compiled
from components.atmosphere.nonhydrostatic.kernels.slopes import H, differences, differences_back
from components.science.kernels.tracer_loops import product


@compiled
def horizontal_back(
    grad_u: Any, grad_v: Any, p: Any, weight_x: Any, weight_y: Any, inverse_dz: Any, rise_x: Any, rise_y: Any,
    dtau: Any, to_p: Any, to_rate_u: Any, to_rate_v: Any, to_weight_x: Any, to_weight_y: Any,
) -> None:  # fmt: skip
    """The transpose of `acoustic.horizontal`, but for the old momentum, whose gradient is that of the new.

    Parameters
    ----------
    grad_u, grad_v : gradients of the new momentum
    p, weight_x, weight_y, inverse_dz, rise_x, rise_y, dtau : as `acoustic.horizontal` has them
    to_p : is added to
    to_rate_u, to_rate_v, to_weight_x, to_weight_y : are set
    """
    none = np.empty((0, 0, 0), p.dtype)
    for j in range(grad_u.shape[1]):
        one_side(
            grad_u, p, weight_x, inverse_dz, rise_x, none, dtau, j, (j + 1, 0), (j + 1, 1), to_p, to_rate_u, to_weight_x
        )
    for j in range(grad_v.shape[1]):
        one_side(
            grad_v, p, weight_y, inverse_dz, rise_y, none, dtau, j, (j, 1), (j + 1, 1), to_p, to_rate_v, to_weight_y
        )


@compiled
def one_side(
    grad: Any, p: Any, weight: Any, inverse_dz: Any, rise: Any, none: Any, dtau: Any, j: int, before: Any, after: Any,
    to_p: Any, to_rate: Any, to_weight: Any,
) -> None:  # fmt: skip
    """Of a row of faces; ``before`` and ``after`` are the cells on both sides, see `slopes.differences`."""
    nz, n = grad.shape[0], grad.shape[2]
    step, slope = np.empty((nz, n), p.dtype), np.empty((nz + 1, n), p.dtype)
    differences(step, slope, p, inverse_dz, rise, none, j, before, after)
    for k in range(nz):
        rate = to_rate[k, j]
        loop.scaled(rate, grad[k, j], dtau)
        loop.negative_product(to_weight[k, j], rate, step[k])
        loop.negative_product(step[k], rate, weight[k, j])
    differences_back(to_p, step, slope, inverse_dz, rise, j, before, after)


@compiled
def factors_back(
    grads: Any, made: Any, q: Any, inverse_dz: Any, numbers: Any, to_theta: Any, to_c: Any, to_q: Any
) -> None:
    """The transpose of `acoustic.factors` and of the values on faces beside it.

    Parameters
    ----------
    grads : gradients of all `acoustic.Coefficients`, those of chi and loading of no levels without water
    made : the coefficients
    q, inverse_dz, numbers : as `acoustic.factors` has them
    to_theta, to_c, to_q : gradients, which are added to; the last of no levels without water
    """
    of_x, of_y, of_tx, of_ty, of_tz, of_stiffness, of_chi, of_loading, of_pivot, of_lower, of_upper = grads
    weight_x, weight_y, _, _, theta_z, c, chi, loading, pivot, lower, upper = made
    nz, ny, nx = c.shape
    e2, half_gravity = numbers
    real, wet = c.dtype, q.shape[0] > 0
    half = real.type(0.5)
    one, two, inner = slice(1, nx + 1), slice(3, nx + 3), slice(H, H + nx)
    gz, gx = np.empty((nz - 1, nx), real), np.empty((nz - 1, nx), real)
    gc, gl = np.empty((nz, nx), real), np.empty((nz, nx), real)
    gu, s, above, below = np.empty(nx, real), np.empty(nx, real), np.empty(nx, real), np.empty(nx, real)
    later, wide = np.empty(nx, real), np.empty(nx + 2, real)
    ones, weights = np.ones(nx, real), np.full(nx, half_gravity, real)
    for j in range(ny):
        row = j + H
        for k in range(nz):
            gc[k] = of_stiffness[k, j]
            if wet:
                gl[k] = of_loading[k, j]
        for k in range(nz - 1):
            gz[k] = of_tz[k, j]
            if wet:
                gx[k] = of_chi[k, j]
        later[:] = real.type(0.0)  # of the upper factor, from the level above
        for k in range(nz - 2, -1, -1):
            dz = inverse_dz[k + 1, row][inner]
            x, y = (chi[k, j], loading[k + 1, j]) if wet else (ones, weights)
            product(s, of_pivot[k, j], pivot[k, j])
            if k < nz - 2:
                back.add(later, of_upper[k, j])
                gu[:] = later
                back.add_product(s, gu, upper[k, j])
                product(above, gu, pivot[k, j])
                beside_back(
                    above, e2, x, inverse_dz[k + 2, row][inner], c[k + 1, j], theta_z[k + 1, j], y, gx[k], gc[k + 1],
                    gz[k + 1], gl[k + 1], real.type(1.0),
                )  # fmt: skip
            if k > 0:
                back.add_product(s, of_lower[k, j], lower[k, j])
                factored(below, of_lower[k, j], s, upper[k - 1, j], pivot[k, j])
                x_below, y_below = (chi[k, j], loading[k, j]) if wet else (ones, weights)
                beside_back(
                    below, e2, x_below, inverse_dz[k, row][inner], c[k, j], theta_z[k - 1, j], y_below, gx[k], gc[k],
                    gz[k - 1], gl[k], real.type(-1.0),
                )  # fmt: skip
                product(later, s, lower[k, j])
            loop.negative_product(s, s, pivot[k, j])
            z, y_low = theta_z[k, j], loading[k, j] if wet else weights
            diagonal_back(
                s, e2, x, dz, z, c[k, j], c[k + 1, j], y_low, y, gx[k], gc[k], gc[k + 1], gz[k], gl[k], gl[k + 1]
            )
        for k in range(nz - 1):
            back.add_scaled(to_theta[k + 2, j + 3][two], gz[k], half)
            back.add_scaled(to_theta[k + 3, j + 3][two], gz[k], half)
            if wet:
                share_back(to_q[k, row][inner], gx[k], chi[k, j])
                share_back(to_q[k + 1, row][inner], gx[k], chi[k, j])
        for k in range(nz):
            back.add(to_c[k, j + 1][one], gc[k])
            if wet:
                back.add_scaled(to_q[k, row][inner], gl[k], half_gravity)
    for k in range(nz):
        for j in range(ny):
            back.spread(wide, of_tx[k, j])
            back.add(to_theta[k + 2, j + 3][2 : nx + 4], wide)
            if wet:
                row, before, after = j + H, slice(H - 1, H + nx), slice(H, H + nx + 1)
                loop.negative(wide[: nx + 1], of_x[k, j])
                back.moist_weight_back(
                    to_q[k, row][before], to_q[k, row][after], wide[: nx + 1], weight_x[k, j], q[k, row][before],
                    q[k, row][after],
                )  # fmt: skip
        for j in range(ny + 1):
            back.add_scaled(to_theta[k + 2, j + 2][two], of_ty[k, j], half)
            back.add_scaled(to_theta[k + 2, j + 3][two], of_ty[k, j], half)
            if wet:
                row = j + H
                loop.negative(s, of_y[k, j])
                back.moist_weight_back(
                    to_q[k, row - 1][inner], to_q[k, row][inner], s, weight_y[k, j], q[k, row - 1][inner],
                    q[k, row][inner],
                )  # fmt: skip


@compiled
def factored(out: Any, of_lower: Any, s: Any, upper: Any, pivot: Any) -> None:
    """Gradient of what stands below the diagonal."""
    for i in range(out.size):
        out[i] = (of_lower[i] + s[i] * upper[i]) * pivot[i]


@compiled
def share_back(to_q: Any, grad: Any, chi: Any) -> None:
    """The transpose of `acoustic_loops.dry_share` to one of both cells."""
    half = chi.dtype.type(0.5)
    for i in range(chi.size):
        to_q[i] -= half * (grad[i] * chi[i] * chi[i])


@compiled
def beside_back(
    grad: Any, e2: Any, chi: Any, dz: Any, c: Any, theta: Any, load: Any, to_chi: Any, to_c: Any, to_theta: Any,
    to_load: Any, sign: Any,
) -> None:  # fmt: skip
    """The transpose of `acoustic_loops.moist_above` (``sign`` 1) and `moist_below` (-1)."""
    for i in range(grad.size):
        to_chi[i] -= grad[i] * e2 * dz[i] * (c[i] * theta[i] + sign * load[i])
    for i in range(grad.size):
        to_c[i] -= grad[i] * e2 * chi[i] * dz[i] * theta[i]
    for i in range(grad.size):
        to_theta[i] -= grad[i] * e2 * chi[i] * dz[i] * c[i]
    for i in range(grad.size):
        to_load[i] -= sign * (grad[i] * e2 * chi[i] * dz[i])


@compiled
def diagonal_back(
    grad: Any, e2: Any, chi: Any, dz: Any, theta: Any, c: Any, c_above: Any, load: Any, load_above: Any, to_chi: Any,
    to_c: Any, to_c_above: Any, to_theta: Any, to_load: Any, to_load_above: Any,
) -> None:  # fmt: skip
    """The transpose of `acoustic_loops.moist_diagonal`."""
    for i in range(grad.size):
        to_chi[i] += grad[i] * e2 * dz[i] * (theta[i] * (c_above[i] + c[i]) + (load_above[i] - load[i]))
    for i in range(grad.size):
        to_theta[i] += grad[i] * e2 * chi[i] * dz[i] * (c_above[i] + c[i])
    for i in range(grad.size):
        to_c[i] += grad[i] * e2 * chi[i] * dz[i] * theta[i]
    for i in range(grad.size):
        to_c_above[i] += grad[i] * e2 * chi[i] * dz[i] * theta[i]
    for i in range(grad.size):
        to_load[i] -= grad[i] * e2 * chi[i] * dz[i]
    for i in range(grad.size):
        to_load_above[i] += grad[i] * e2 * chi[i] * dz[i]
