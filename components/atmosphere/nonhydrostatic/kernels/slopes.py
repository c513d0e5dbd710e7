# SPDX-License-Identifier: BSD-3-Clause
"""Differences of pressure between two columns along surfaces that may slope, and their transpose."""

from typing import Any

import numpy as np

from components.atmosphere.nonhydrostatic.kernels import acoustic_loops as steps
from components.atmosphere.nonhydrostatic.kernels import transposed_loops as back
from components.atmosphere.nonhydrostatic.kernels.compiled import compiled

H = 4  # cells of the halo


@compiled
def steepness(out: Any, p: Any, inverse_dz: Any, k: int, r: int, first: int) -> None:
    """dp/dz on interface k of a row of the pressure (with one halo cell), from a cell on.

    See `tendencies.vertical_gradient`.
    """
    nz, n = p.shape[0], out.size
    of, one = slice(first, first + n), slice(first + H - 1, first + H - 1 + n)
    dz = inverse_dz[:, r + H - 1]
    if k == 0:
        second = np.empty_like(out)
        steps.gradient(out, p[0, r][of], p[1, r][of], dz[1][one])
        steps.gradient(second, p[1, r][of], p[2, r][of], dz[2][one])
        steps.at_ground(out, out, second, dz[0][one], dz[1][one])
    else:
        level = min(k, nz - 1)
        steps.gradient(out, p[level - 1, r][of], p[level, r][of], dz[level][one])


@compiled
def differences(
    step: Any, slope: Any, p: Any, inverse_dz: Any, rise: Any, resting: Any, j: int, before: Any, after: Any
) -> None:
    """Differences of pressure across a row of faces, of all levels.

    Parameters
    ----------
    step : (nz, n) is set
    slope : (nz+1, n) is used
    p : (nz, ny+2, nx+2) with one halo cell
    inverse_dz, rise : of the geometry; the rise may have no levels
    resting : (nz, .., ..) of `resting_air`, or of no levels
    j : row of the faces
    before, after : row and first column in ``p`` of the cells on both sides
    """
    nz, n = step.shape
    (r0, c0), (r1, c1) = before, after
    if rise.shape[0] > 0:
        one, two = np.empty(n, p.dtype), np.empty(n, p.dtype)
        for k in range(nz + 1):
            steepness(one, p, inverse_dz, k, r0, c0)
            steepness(two, p, inverse_dz, k, r1, c1)
            steps.steep(slope[k], rise[k, j + H][H : H + n], one, two)
    for k in range(nz):
        steps.between(step[k], p[k, r0][c0 : c0 + n], p[k, r1][c1 : c1 + n])
        if rise.shape[0] > 0:
            steps.less(step[k], slope[k], slope[k + 1])
        if resting.shape[0] > 0:
            back.take(step[k], resting[k, j])


@compiled
def differences_back(
    to_p: Any, grad: Any, slope: Any, inverse_dz: Any, rise: Any, j: int, before: Any, after: Any
) -> None:
    """The transpose of `differences`, added to a gradient of the pressure.

    Parameters
    ----------
    to_p : (nz, ny+2, nx+2) is added to
    grad : (nz, n) of the differences
    slope : (nz+1, n) is used
    inverse_dz, rise, j, before, after : as `differences` has them
    """
    nz, n = grad.shape
    (r0, c0), (r1, c1) = before, after
    for k in range(nz):
        back.take(to_p[k, r0][c0 : c0 + n], grad[k])
        back.add(to_p[k, r1][c1 : c1 + n], grad[k])
    if rise.shape[0] == 0:
        return
    zero = grad.dtype.type(0.0)
    for k in range(nz + 1):
        slope[k][:] = zero
        if k > 0:
            back.take_product(slope[k], grad[k - 1], rise[k, j + H][H : H + n])
        if k < nz:
            back.take_product(slope[k], grad[k], rise[k, j + H][H : H + n])
    inside = np.empty(n, grad.dtype)
    for r, c in (before, after):
        one = slice(c + H - 1, c + H - 1 + n)
        for k in range(1, nz):
            inside[:] = slope[k]
            if k <= 2:
                extrapolated(inside, slope[0], inverse_dz[0, r + H - 1][one], inverse_dz[1, r + H - 1][one], k == 1)
            if k == nz - 1:
                back.add(inside, slope[nz])
            back.take_product(to_p[k - 1, r][c : c + n], inside, inverse_dz[k, r + H - 1][one])
            back.add_product(to_p[k, r][c : c + n], inside, inverse_dz[k, r + H - 1][one])


@compiled
def extrapolated(out: Any, ground: Any, inverse_dz: Any, next_inverse_dz: Any, first: bool) -> None:
    """The transpose of `acoustic_loops.at_ground` to the gradient on the first or on the second inner interface."""
    one, zero = out.dtype.type(1.0), out.dtype.type(0.0)
    sign, rest = (one, one) if first else (-one, zero)
    for i in range(out.size):
        out[i] += ground[i] * (rest + sign * (next_inverse_dz[i] / (inverse_dz[i] - next_inverse_dz[i])))
