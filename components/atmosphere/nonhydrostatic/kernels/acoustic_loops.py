# SPDX-License-Identifier: BSD-3-Clause
"""Loops of the acoustic steps over the cells of a row.

A loop has few arguments, so that it fits the processor's vector units: the compiler has it compared at run time that
arrays do not overlap, and gives up above eight comparisons.
"""

from typing import Any

from components.atmosphere.nonhydrostatic.kernels.compiled import compiled


@compiled
def between(out: Any, a: Any, b: Any) -> None:
    """B less a."""
    for i in range(out.size):
        out[i] = b[i] - a[i]


@compiled
def negative(out: Any, a: Any) -> None:
    """A with the opposite sign."""
    for i in range(out.size):
        out[i] = -a[i]


@compiled
def negative_product(out: Any, a: Any, b: Any) -> None:
    """A times b with the opposite sign."""
    for i in range(out.size):
        out[i] = -(a[i] * b[i])


@compiled
def scaled(out: Any, a: Any, factor: Any) -> None:
    """A times a number."""
    for i in range(out.size):
        out[i] = factor * a[i]


@compiled
def gradient(out: Any, below: Any, above: Any, inverse_dz: Any) -> None:
    """Vertical gradient between two layers."""
    for i in range(out.size):
        out[i] = (above[i] - below[i]) * inverse_dz[i]


@compiled
def at_ground(out: Any, first: Any, second: Any, inverse_dz: Any, next_inverse_dz: Any) -> None:
    """Vertical gradient extrapolated to the ground; see `tendencies.vertical_gradient`."""
    for i in range(out.size):
        out[i] = first[i] + next_inverse_dz[i] / (inverse_dz[i] - next_inverse_dz[i]) * (first[i] - second[i])


@compiled
def steep(out: Any, rise: Any, a: Any, b: Any) -> None:
    """Rise of a surface between two columns times the sum of their vertical gradients."""
    for i in range(out.size):
        out[i] = rise[i] * (b[i] + a[i])


@compiled
def less(out: Any, bottom: Any, top: Any) -> None:
    """Take the two of a layer away."""
    for i in range(out.size):
        out[i] = out[i] - (top[i] + bottom[i])


@compiled
def pushed(out: Any, old: Any, rate: Any, weight: Any, difference: Any, dtau: Any) -> None:
    """Momentum after a step of the pressure gradient."""
    for i in range(out.size):
        out[i] = old[i] + dtau * (rate[i] - weight[i] * difference[i])


@compiled
def out_of(out: Any, x: Any, south: Any, north: Any, inverse_area: Any) -> None:
    """What leaves cells along the grid, per area."""
    for i in range(out.size):
        out[i] = (x[i + 1] - x[i] + north[i] - south[i]) * inverse_area[i]


@compiled
def risen(out: Any, rw: Any, inverse_dz: Any, b: Any) -> None:
    """The old part of the flux through an interface."""
    for i in range(out.size):
        out[i] = b * rw[i] * inverse_dz[i]


@compiled
def along_slope(out: Any, ru: Any, ru_above: Any, west: Any, east: Any) -> None:
    """What the flow along x carries through an interface."""
    for i in range(out.size):
        out[i] = west[i] * (ru_above[i] + ru[i]) + east[i] * (ru_above[i + 1] + ru[i + 1])


@compiled
def across_slope(
    omega: Any, x: Any, rv: Any, rv_above: Any, rv_north: Any, rv_north_above: Any, south: Any, north: Any
) -> None:
    """Take from the flux through an interface what the flow along the slope carries."""
    for i in range(omega.size):
        y = south[i] * (rv_above[i] + rv[i]) + north[i] * (rv_north_above[i] + rv_north[i])
        omega[i] = omega[i] - (x[i] + y)


@compiled
def after(out: Any, old: Any, rate: Any, sides: Any, net: Any, dtau: Any) -> None:
    """A layer's content after what goes through its sides and, net, through its interfaces."""
    for i in range(out.size):
        out[i] = old[i] + dtau * (rate[i] - sides[i] - net[i])


@compiled
def weighted(out: Any, weight: Any, new: Any, old: Any, e: Any, eb: Any) -> None:
    """Of the new and of the old time level."""
    for i in range(out.size):
        out[i] = weight[i] * (e * new[i] + eb * old[i])


@compiled
def weighted_alike(out: Any, weight: Any, new: Any, old: Any, e: Any, eb: Any) -> None:
    """`weighted` with one weight for all."""
    for i in range(out.size):
        out[i] = weight * (e * new[i] + eb * old[i])


@compiled
def force(out: Any, p: Any, p_above: Any, b: Any, b_above: Any) -> None:
    """Of pressure and weight on an interface."""
    for i in range(out.size):
        out[i] = (p_above[i] - p[i]) + (b_above[i] + b[i])


@compiled
def start_sweep(out: Any, old: Any, rate: Any, push: Any, pivot: Any, dtau: Any) -> None:
    """Vertical momentum at the lowest interface."""
    for i in range(out.size):
        out[i] = (old[i] + dtau * rate[i] - push[i]) * pivot[i]


@compiled
def first_sweep(out: Any, old: Any, rate: Any, push: Any, pivot: Any, lower: Any, below: Any, dtau: Any) -> None:
    """Vertical momentum on the way up."""
    for i in range(out.size):
        out[i] = (old[i] + dtau * rate[i] - push[i]) * pivot[i] - lower[i] * below[i]


@compiled
def second_sweep(out: Any, upper: Any, above: Any) -> None:
    """Vertical momentum on the way down."""
    for i in range(out.size):
        out[i] = out[i] - upper[i] * above[i]


@compiled
def flux_of(out: Any, omega: Any, inverse_dz: Any, rw: Any, a: Any) -> None:
    """The new part of the flux through an interface, added to the old."""
    for i in range(out.size):
        flux = (a * inverse_dz[i]) * rw[i]
        omega[i] = omega[i] + flux
        out[i] = flux


@compiled
def finish(out: Any, net: Any, dtau: Any) -> None:
    """Take away what the new part of the flux carries."""
    for i in range(out.size):
        out[i] = out[i] - dtau * net[i]


@compiled
def pressure(out: Any, stiffness: Any, new: Any, old: Any, damping: Any) -> None:
    """Deviation of pressure, forward in time by the divergence damping."""
    for i in range(out.size):
        out[i] = stiffness[i] * (new[i] + damping * (new[i] - old[i]))


@compiled
def dry_diagonal(out: Any, inverse_dz: Any, theta: Any, c: Any, c_above: Any, e2: Any, damping: Any) -> None:
    """Of the matrix for w, without water."""
    one = out.dtype.type(1.0)
    for i in range(out.size):
        out[i] = one + e2 * inverse_dz[i] * theta[i] * (c_above[i] + c[i]) + damping[i]


@compiled
def moist_diagonal(
    out: Any, inverse_dz: Any, chi: Any, theta: Any, c: Any, c_above: Any, load: Any, load_above: Any, e2: Any,
    damping: Any,
) -> None:  # fmt: skip
    """Of the matrix for w, with water."""
    one = out.dtype.type(1.0)
    for i in range(out.size):
        spring = theta[i] * (c_above[i] + c[i]) + (load_above[i] - load[i])
        out[i] = one + e2 * chi[i] * inverse_dz[i] * spring + damping[i]


@compiled
def dry_beside(out: Any, inverse_dz: Any, c: Any, theta: Any, e2: Any, weight: Any) -> None:
    """Beside the diagonal, without water; a weight of the other sign for what is below."""
    for i in range(out.size):
        out[i] = -e2 * inverse_dz[i] * (c[i] * theta[i] + weight)


@compiled
def moist_above(out: Any, chi: Any, inverse_dz: Any, c: Any, theta: Any, load: Any, e2: Any) -> None:
    """Above the diagonal, with water."""
    for i in range(out.size):
        out[i] = -e2 * chi[i] * inverse_dz[i] * (c[i] * theta[i] + load[i])


@compiled
def moist_below(out: Any, chi: Any, inverse_dz: Any, c: Any, theta: Any, load: Any, e2: Any) -> None:
    """Below the diagonal, with water."""
    for i in range(out.size):
        out[i] = -e2 * chi[i] * inverse_dz[i] * (c[i] * theta[i] - load[i])


@compiled
def inverse(out: Any, diagonal: Any) -> None:
    """One over the diagonal."""
    one = out.dtype.type(1.0)
    for i in range(out.size):
        out[i] = one / diagonal[i]


@compiled
def eliminated(pivot: Any, lower: Any, diagonal: Any, below: Any, upper: Any) -> None:
    """One over the diagonal less what elimination takes, and the lower factor."""
    one = pivot.dtype.type(1.0)
    for i in range(pivot.size):
        pivot[i] = one / (diagonal[i] - below[i] * upper[i])
        lower[i] = pivot[i] * below[i]


@compiled
def mean(out: Any, a: Any, b: Any) -> None:
    """Of two."""
    half = out.dtype.type(0.5)
    for i in range(out.size):
        out[i] = half * (a[i] + b[i])


@compiled
def loaded(out: Any, q: Any, half_gravity: Any) -> None:
    """Half of gravity times moist over dry density."""
    one = out.dtype.type(1.0)
    for i in range(out.size):
        out[i] = half_gravity * (one + q[i])


@compiled
def dry_share(out: Any, q: Any, q_above: Any) -> None:
    """Dry over moist density between two cells."""
    half, one = out.dtype.type(0.5), out.dtype.type(1.0)
    for i in range(out.size):
        out[i] = one / (one + half * (q_above[i] + q[i]))
