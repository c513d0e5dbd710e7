# SPDX-License-Identifier: BSD-3-Clause
"""What runs up or down columns, some columns at a time, which stay in the cache from the first layer to the last."""

from typing import Any

import numpy as np

from components.science.kernels.compiled import compiled

TOGETHER = 256
"""Columns that are worked out side by side."""


@compiled
def tridiagonal(below: Any, diagonal: Any, above: Any, right: Any, x: Any) -> None:
    """Solve below[k] x[k-1] + diagonal[k] x[k] + above[k] x[k+1] = right[k] (Thomas algorithm).

    Parameters
    ----------
    below, diagonal, above : (nz, n) coefficients; ``below[0]`` and ``above[-1]`` are not read
    right : (nz, m, n) right-hand sides of each system
    x : (nz, m, n) the solutions, which are written
    """
    nz, sides, n = right.shape
    one = diagonal.dtype.type(1.0)
    factor, inverse = np.empty((nz, TOGETHER), diagonal.dtype), np.empty((nz, TOGETHER), diagonal.dtype)
    for first in range(0, n, TOGETHER):
        width = min(TOGETHER, n - first)
        for i in range(width):
            inverse[0, i] = one / diagonal[0, first + i]
        for k in range(1, nz):
            for i in range(width):
                factor[k - 1, i] = above[k - 1, first + i] * inverse[k - 1, i]
            for i in range(width):
                inverse[k, i] = one / (diagonal[k, first + i] - below[k, first + i] * factor[k - 1, i])
        for m in range(sides):
            for i in range(width):
                x[0, m, first + i] = right[0, m, first + i] * inverse[0, i]
            for k in range(1, nz):
                for i in range(width):
                    rest = right[k, m, first + i] - below[k, first + i] * x[k - 1, m, first + i]
                    x[k, m, first + i] = rest * inverse[k, i]
            for k in range(nz - 2, -1, -1):
                for i in range(width):
                    x[k, m, first + i] = x[k, m, first + i] - factor[k, i] * x[k + 1, m, first + i]


@compiled
def sink(content: Any, moves: Any, mass: Any, x: Any, out: Any) -> None:
    """From the top down; see `settling.sink`.

    Parameters
    ----------
    content : (nz, m, n)
    moves, mass : (nz, n)
    x : (nz, m, n) values, which are written
    out : (m, n) what has left the lowest layer, which is written
    """
    nz, sides, n = content.shape
    out[:] = content.dtype.type(0.0)
    for k in range(nz - 1, -1, -1):
        for m in range(sides):
            for i in range(n):
                value = (content[k, m, i] + out[m, i]) / (mass[k, i] + moves[k, i])
                out[m, i] = moves[k, i] * value
                x[k, m, i] = value


@compiled
def fall(q: Any, speed: Any, rho: Any, mass: Any, dt: float, x: Any, out: Any) -> None:
    """From the top down; see `settling.fall`, whose numbers it has to the bit.

    Parameters
    ----------
    q, speed, rho, mass : (nz, n)
    dt : s
    x : (nz, n) values, which are written
    out : (n,) what has left the lowest layer, which is written
    """
    nz, n = q.shape
    seconds = q.dtype.type(dt)
    out[:] = q.dtype.type(0.0)
    for k in range(nz - 1, -1, -1):
        for i in range(n):
            moves = seconds * rho[k, i] * speed[k, i]
            value = (mass[k, i] * q[k, i] + out[i]) / (mass[k, i] + moves)
            out[i] = moves * value
            x[k, i] = value


@compiled
def carry(q: Any, updraught: Any, mass: Any, dt: float) -> None:
    """See `updraughts.carry`; columns in which nothing rises are left out.

    Parameters
    ----------
    q : (m, nz, n) is changed where something rises
    updraught : (nz-1, n)
    mass : (nz, n)
    dt : s
    """
    sides, nz, n = q.shape
    flux, mixed, rising = np.zeros(nz), np.zeros(nz), np.zeros(nz)
    for i in range(n):
        most = highest = below = 0.0
        for k in range(nz - 1):
            most = max(most, dt * max(updraught[k, i] - below, 0.0) / mass[k, i])
            below = 1.0 * updraught[k, i]
            highest = max(highest, below)
        if highest == 0.0:
            continue
        scale, below, passed = dt / max(most, 1.0), 0.0, 0.0
        for k in range(nz - 1):
            flux[k] = scale * updraught[k, i]
            entrained = scale * max(updraught[k, i] - below, 0.0)
            mixed[k] = entrained / max(entrained + min(flux[k], passed), 1.0e-30)
            below, passed = 1.0 * updraught[k, i], flux[k]
        for m in range(sides):
            inside = 0.0
            for k in range(nz - 1):
                inside = inside + mixed[k] * (q[m, k, i] - inside) if flux[k] > 0.0 else 0.0
                rising[k] = flux[k] * inside
            sinks = 0.0
            for k in range(nz - 1, -1, -1):
                from_below = rising[k - 1] if k > 0 else 0.0
                moves = flux[k - 1] if k > 0 else 0.0
                value = (mass[k, i] * q[m, k, i] - rising[k] + from_below + sinks) / (mass[k, i] + moves)
                q[m, k, i] = value
                sinks = moves * value
