# SPDX-License-Identifier: BSD-3-Clause
"""Transport of many tracers by the same winds around the sphere: the innermost loop runs over the tracers."""

from typing import Any

import numpy as np

from components.science.kernels.compiled import compiled


@compiled
def carry(
    field: Any, source: Any, west: Any, south: Any, inverse_area: Any, loss: Any, dt: Any, steps: int
) -> None:  # fmt: skip
    """Advance in place; `sphere_transport.SphereTransport` step by step, by its two stages.

    Parameters
    ----------
    field : (ny, nx, N) departures of the tracers from the background; changed
    source : (ny, nx, N) in the field's unit a second
    west : (ny, nx) through the west faces, m2 s-1
    south : (ny+1, nx) through the south faces, m2 s-1
    inverse_area : (ny,) of the cells, m-2
    loss : rate of the loss to the background, s-1
    dt : length of a step, s
    steps : number of steps
    """
    ny, nx, members = field.shape
    zero, quarter, half = field.dtype.type(0.0), field.dtype.type(0.25), field.dtype.type(0.5)
    first, second = np.empty_like(field), np.empty_like(field)
    along = np.empty_like(field[0])  # half slopes of a row to the east
    across, after = np.zeros_like(field[0]), np.zeros_like(field[0])  # half slopes to the north, of a row and the next
    into, below, above = np.empty_like(field[0]), np.zeros_like(field[0]), np.zeros_like(field[0])  # through faces
    for _ in range(steps):
        for stage in range(2):
            q, new = (field, first) if stage == 0 else (first, second)
            across[:], below[:] = zero, zero
            for j in range(ny):
                for i in range(nx):
                    here, behind, ahead = q[j, i], q[j, i - 1], q[j, i + 1 - nx]
                    for n in range(members):
                        a, b = here[n] - behind[n], ahead[n] - here[n]
                        low, high = max(min(a, b), zero), min(max(a, b), zero)
                        along[i, n] = min(max(quarter * (a + b), high), low)
                    if j + 2 < ny:
                        here, behind, ahead = q[j + 1, i], q[j, i], q[j + 2, i]
                        for n in range(members):
                            a, b = here[n] - behind[n], ahead[n] - here[n]
                            low, high = max(min(a, b), zero), min(max(a, b), zero)
                            after[i, n] = min(max(quarter * (a + b), high), low)
                    else:
                        after[i] = zero
                for i in range(nx):
                    wind = west[j, i]
                    if wind > zero:
                        up, slope = q[j, i - 1], along[i - 1]
                        for n in range(members):
                            into[i, n] = wind * (up[n] + slope[n])
                    else:
                        up, slope = q[j, i], along[i]
                        for n in range(members):
                            into[i, n] = wind * (up[n] - slope[n])
                    if j + 1 < ny:
                        wind = south[j + 1, i]
                        if wind > zero:
                            up, slope = q[j, i], across[i]
                            for n in range(members):
                                above[i, n] = wind * (up[n] + slope[n])
                        else:
                            up, slope = q[j + 1, i], after[i]
                            for n in range(members):
                                above[i, n] = wind * (up[n] - slope[n])
                    else:
                        above[i] = zero
                for i in range(nx):
                    here, given, out = q[j, i], source[j, i], new[j, i]
                    w, e, s, t = into[i], into[i + 1 - nx], below[i], above[i]
                    for n in range(members):
                        gone = e[n] - w[n] + (t[n] - s[n])
                        out[n] = here[n] + dt * (given[n] - loss * here[n] - gone * inverse_area[j])
                across, after = after, across
                below, above = above, below
        for j in range(ny):
            for i in range(nx):
                for n in range(members):
                    field[j, i, n] = half * (field[j, i, n] + second[j, i, n])
