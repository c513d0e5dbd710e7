# SPDX-License-Identifier: BSD-3-Clause
"""Loops of the transposes over the cells of a row; most add to what is there."""

from typing import Any

from components.atmosphere.nonhydrostatic.kernels.compiled import compiled


@compiled
def add(out: Any, a: Any) -> None:
    """A gradient as it is."""
    for i in range(out.size):
        out[i] += a[i]


@compiled
def take(out: Any, a: Any) -> None:
    """A gradient with the opposite sign."""
    for i in range(out.size):
        out[i] -= a[i]


@compiled
def add_scaled(out: Any, a: Any, factor: Any) -> None:
    """A gradient times a number."""
    for i in range(out.size):
        out[i] += factor * a[i]


@compiled
def add_product(out: Any, a: Any, b: Any) -> None:
    """A gradient times what multiplies it."""
    for i in range(out.size):
        out[i] += a[i] * b[i]


@compiled
def take_product(out: Any, a: Any, b: Any) -> None:
    """The same with the opposite sign."""
    for i in range(out.size):
        out[i] -= a[i] * b[i]


@compiled
def add_half_product(out: Any, a: Any, b: Any) -> None:
    """Half of a gradient times what multiplies it."""
    half = out.dtype.type(0.5)
    for i in range(out.size):
        out[i] += half * (a[i] * b[i])


@compiled
def spread(out: Any, a: Any) -> None:
    """The transpose of the mean of each value and the next: half of each, written to one value more."""
    half, n = out.dtype.type(0.5), a.size
    out[0], out[n] = half * a[0], half * a[n - 1]
    for i in range(1, n):
        out[i] = half * (a[i] + a[i - 1])


@compiled
def moist_weight_back(out: Any, next_: Any, taken: Any, weight: Any, q: Any, q_next: Any) -> None:
    """The transpose of `momentum_loops.moist_weight` to the water on both sides of a face.

    ``taken`` is the gradient of the weight with the opposite sign, for the tendency has the weight with that.
    """
    half, one = out.dtype.type(0.5), out.dtype.type(1.0)
    for i in range(taken.size):
        out[i] += half * (taken[i] * weight[i] / (one + half * (q_next[i] + q[i])))
    for i in range(taken.size):
        next_[i] += half * (taken[i] * weight[i] / (one + half * (q_next[i] + q[i])))


@compiled
def moist_force_back(
    force: Any, share: Any, grad: Any, p: Any, p_above: Any, mass: Any, mass_above: Any, q: Any, q_above: Any,
    half_gravity: Any,
) -> None:  # fmt: skip
    """Gradients of the force and of the water that is moved along; see `momentum_loops.moist_buoyancy`."""
    half, one = force.dtype.type(0.5), force.dtype.type(1.0)
    for i in range(grad.size):
        force[i] = -grad[i] / (one + half * (q_above[i] + q[i]))
    for i in range(grad.size):
        whole = (p_above[i] - p[i]) + half_gravity * (mass_above[i] + mass[i])
        share[i] = -force[i] * whole / (one + half * (q_above[i] + q[i])) * half


@compiled
def moist_mass_back(to_rho: Any, to_q: Any, grad: Any, rho_base: Any, rho: Any, q: Any) -> None:
    """The transpose of `momentum_loops.moist_mass`."""
    one = grad.dtype.type(1.0)
    for i in range(grad.size):
        to_rho[i] += grad[i] * (one + q[i])
    for i in range(grad.size):
        to_q[i] += grad[i] * (rho_base[i] + rho[i])
