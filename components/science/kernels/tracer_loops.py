# SPDX-License-Identifier: BSD-3-Clause
"""Loops of the transport of tracers over the cells of a level, row after row in memory.

A loop has one result or two and few arguments, so that it fits the processor's vector units: the compiler has it
compared at run time that arrays do not overlap, and gives up above eight comparisons. The next value of an array is the
one in the east; neighbours in the north and above come as arrays that begin elsewhere.
"""

from typing import Any

from components.science.kernels.compiled import compiled


@compiled
def beyond(out: Any, last: Any, next_to_it: Any) -> None:
    """Linear extrapolation by one level."""
    two = out.dtype.type(2.0)
    for i in range(out.size):
        out[i] = two * last[i] - next_to_it[i]


@compiled
def product(out: Any, a: Any, b: Any) -> None:
    """A times b."""
    for i in range(out.size):
        out[i] = a[i] * b[i]


@compiled
def fifth_along(out: Any, m: Any, q: Any) -> None:
    """`advection.flux_fifth` along x; ``q`` begins three cells before the face."""
    real = out.dtype.type
    first, second, third, five, ten = real(37.0 / 60.0), real(8.0 / 60.0), real(1.0 / 60.0), real(5.0), real(10.0)
    for i in range(out.size):
        centred = first * (q[i + 2] + q[i + 3]) - second * (q[i + 1] + q[i + 4]) + third * (q[i] + q[i + 5])
        upwind = third * ((q[i + 5] - q[i]) - five * (q[i + 4] - q[i + 1]) + ten * (q[i + 3] - q[i + 2]))
        out[i] = m[i] * centred - abs(m[i]) * upwind


@compiled
def fifth_across(out: Any, m: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any) -> None:
    """`advection.flux_fifth` of six rows."""
    real = out.dtype.type
    first, second, third, five, ten = real(37.0 / 60.0), real(8.0 / 60.0), real(1.0 / 60.0), real(5.0), real(10.0)
    for i in range(out.size):
        centred = first * (c[i] + d[i]) - second * (b[i] + e[i]) + third * (a[i] + f[i])
        upwind = third * ((f[i] - a[i]) - five * (e[i] - b[i]) + ten * (d[i] - c[i]))
        out[i] = m[i] * centred - abs(m[i]) * upwind


@compiled
def third_up(out: Any, m: Any, a: Any, b: Any, c: Any, d: Any) -> None:
    """`advection.flux_third` of four levels."""
    real = out.dtype.type
    first, second, three = real(7.0 / 12.0), real(1.0 / 12.0), real(3.0)
    for i in range(out.size):
        centred = first * (b[i] + c[i]) - second * (a[i] + d[i])
        upwind = second * ((d[i] - a[i]) - three * (c[i] - b[i]))
        out[i] = m[i] * centred + abs(m[i]) * upwind


@compiled
def low_along(low: Any, rest: Any, m: Any, q: Any) -> None:
    """First-order upwind fluxes along x, and what those of high order in ``rest`` add, in its place.

    ``q`` begins one cell before the face.
    """
    zero = low.dtype.type(0.0)
    for i in range(low.size):
        flux = (m[i] if m[i] > zero else zero) * q[i] + (m[i] if m[i] < zero else zero) * q[i + 1]
        low[i] = flux
        rest[i] -= flux


@compiled
def low_between(low: Any, rest: Any, m: Any, before: Any, after: Any) -> None:
    """As `low_along` between two rows or two levels."""
    zero = low.dtype.type(0.0)
    for i in range(low.size):
        flux = (m[i] if m[i] > zero else zero) * before[i] + (m[i] if m[i] < zero else zero) * after[i]
        low[i] = flux
        rest[i] -= flux


@compiled
def content(
    out: Any, old: Any, x: Any, south: Any, north: Any, inverse_area: Any, bottom: Any, top: Any, dt: Any
) -> None:
    """What is left of ``old`` kg m-2 after ``dt`` seconds of fluxes through all faces."""
    for i in range(out.size):
        level = ((x[i + 1] - x[i]) + (north[i] - south[i])) * inverse_area[i]
        out[i] = old[i] - dt * (level + (top[i] - bottom[i]))


@compiled
def ratio(
    out: Any, old: Any, x: Any, south: Any, north: Any, inverse_area: Any, bottom: Any, top: Any, inverse_rho: Any,
    dt: Any,
) -> None:  # fmt: skip
    """As `content`, times 1 / rho."""
    for i in range(out.size):
        level = ((x[i + 1] - x[i]) + (north[i] - south[i])) * inverse_area[i]
        out[i] = (old[i] - dt * (level + (top[i] - bottom[i]))) * inverse_rho[i]


@compiled
def least(out: Any, rho: Any, q: Any, south: Any, north: Any, below: Any, above: Any) -> None:
    """Rho times the least of a cell and its six neighbours; ``q`` begins in the west."""
    for i in range(out.size):
        x = q[i] if q[i] < q[i + 2] else q[i + 2]
        x = x if x < q[i + 1] else q[i + 1]
        y = south[i] if south[i] < north[i] else north[i]
        z = below[i] if below[i] < above[i] else above[i]
        x = x if x < y else y
        out[i] = rho[i] * (x if x < z else z)


@compiled
def most(out: Any, rho: Any, q: Any, south: Any, north: Any, below: Any, above: Any) -> None:
    """Rho times the most of a cell and its six neighbours; ``q`` begins in the west."""
    for i in range(out.size):
        x = q[i] if q[i] > q[i + 2] else q[i + 2]
        x = x if x > q[i + 1] else q[i + 1]
        y = south[i] if south[i] > north[i] else north[i]
        z = below[i] if below[i] > above[i] else above[i]
        x = x if x > y else y
        out[i] = rho[i] * (x if x > z else z)


@compiled
def share_out(
    out: Any, low: Any, bound: Any, x: Any, south: Any, north: Any, inverse_area: Any, bottom: Any, top: Any, dt: Any
) -> None:
    """Share of the corrections that leave a cell for which it has enough above its bound, 0 to 1."""
    real = out.dtype.type
    zero, one, tiny = real(0.0), real(1.0), real(1.0e-30)
    for i in range(out.size):
        along = (x[i + 1] if x[i + 1] > zero else zero) - (x[i] if x[i] < zero else zero)
        across = (north[i] if north[i] > zero else zero) - (south[i] if south[i] < zero else zero)
        upright = (top[i] if top[i] > zero else zero) - (bottom[i] if bottom[i] < zero else zero)
        part = (low[i] - bound[i]) / (dt * ((along + across) * inverse_area[i] + upright) + tiny)
        part = part if part < one else one
        out[i] = part if part > zero else zero


@compiled
def share_in(
    out: Any, low: Any, bound: Any, x: Any, south: Any, north: Any, inverse_area: Any, bottom: Any, top: Any, dt: Any
) -> None:
    """Share of the corrections that enter a cell for which it has room below its bound, 0 to 1."""
    real = out.dtype.type
    zero, one, tiny = real(0.0), real(1.0), real(1.0e-30)
    for i in range(out.size):
        along = (x[i] if x[i] > zero else zero) - (x[i + 1] if x[i + 1] < zero else zero)
        across = (south[i] if south[i] > zero else zero) - (north[i] if north[i] < zero else zero)
        upright = (bottom[i] if bottom[i] > zero else zero) - (top[i] if top[i] < zero else zero)
        part = (bound[i] - low[i]) / (dt * ((along + across) * inverse_area[i] + upright) + tiny)
        part = part if part < one else one
        out[i] = part if part > zero else zero


@compiled
def limited_along(out: Any, low: Any, rest: Any, leaves: Any, enters: Any) -> None:
    """Fluxes along x with what both cells of a face allow of the corrections; shares begin before the face."""
    zero = out.dtype.type(0.0)
    for i in range(out.size):
        up = leaves[i] if leaves[i] < enters[i + 1] else enters[i + 1]
        down = leaves[i + 1] if leaves[i + 1] < enters[i] else enters[i]
        out[i] = low[i] + ((rest[i] if rest[i] > zero else zero) * up + (rest[i] if rest[i] < zero else zero) * down)


@compiled
def limited_between(
    out: Any, low: Any, rest: Any, leaves_before: Any, enters_before: Any, leaves_after: Any, enters_after: Any
) -> None:
    """As `limited_along` between two rows or two levels."""
    zero = out.dtype.type(0.0)
    for i in range(out.size):
        up = leaves_before[i] if leaves_before[i] < enters_after[i] else enters_after[i]
        down = leaves_after[i] if leaves_after[i] < enters_before[i] else enters_before[i]
        out[i] = low[i] + ((rest[i] if rest[i] > zero else zero) * up + (rest[i] if rest[i] < zero else zero) * down)
