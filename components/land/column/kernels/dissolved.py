# SPDX-License-Identifier: BSD-3-Clause
"""What is dissolved moves with the soil's water, some columns at a time; see `dissolved.by_torch`."""

from typing import Any

import numpy as np

from components.land.column.kernels.compiled import compiled

TOGETHER = 128
"""Columns that are worked out side by side."""


@compiled
def move(
    amount: Any, capacity: Any, down: Any, thickness: Any, turns: int, out: Any, risen: Any, left: Any
) -> None:  # fmt: skip
    """Solve for concentrations, and then in turns with the faces' concentrations that follow from them.

    Parameters
    ----------
    amount : (layer, m, n) kg m-2
    capacity : (layer, n) kg m-2
    down : (face, n) kg m-2
    thickness : (layer,) m
    turns : with corrected faces
    out : (layer, m, n) concentrations; are set
    risen, left : (m, n) through surface and bottom; are set
    """
    layers, sides, n = amount.shape
    zero, one = amount.dtype.type(0.0), amount.dtype.type(1.0)
    passing = np.empty((layers + 1, TOGETHER), amount.dtype)
    factor, inverse = np.empty((layers, TOGETHER), amount.dtype), np.empty((layers, TOGETHER), amount.dtype)
    value = np.empty((layers, TOGETHER), amount.dtype)
    for first in range(0, n, TOGETHER):
        width = min(TOGETHER, n - first)
        for side in range(sides):
            for face in range(layers + 1):
                for i in range(width):
                    passing[face, i] = down[face, first + i]
            for turn in range(turns + 1):
                for k in range(layers):
                    for i in range(width):
                        falls = max(passing[k + 1, i], zero)
                        rises = min(passing[k, i], zero)
                        diagonal = capacity[k, first + i] + falls - rises
                        given = amount[k, side, first + i]
                        if k > 0:
                            below = -max(passing[k, i], zero)
                            factor[k - 1, i] = min(passing[k, i], zero) * inverse[k - 1, i]
                            inverse[k, i] = one / (diagonal - below * factor[k - 1, i])
                            value[k, i] = (given - below * value[k - 1, i]) * inverse[k, i]
                        else:
                            inverse[k, i] = one / diagonal
                            value[k, i] = given * inverse[k, i]
                for k in range(layers - 2, -1, -1):
                    for i in range(width):
                        value[k, i] = value[k, i] - factor[k, i] * value[k + 1, i]
                if turn == turns:
                    break
                for face in range(layers + 1):
                    # the layers that water leaves, is left by, and goes to: downward and upward
                    d, u = max(face - 1, 0), min(face, layers - 1)
                    d_before, d_after = max(face - 2, 0), min(face, layers - 1)
                    u_before, u_after = min(face + 1, layers - 1), max(face - 1, 0)
                    d_clean, u_clean = face < 2, face > layers - 2
                    f_before, r_before = max(face - 1, 0), min(face + 1, layers)
                    for i in range(width):
                        flow = down[face, first + i]
                        if flow > zero:
                            held, here, beyond = value[d, i], thickness[d], thickness[d_after]
                            before, after = zero if d_clean else value[d_before, i], value[d_after, i]
                            earlier = max(down[f_before, first + i], zero)
                            edge = face == 0
                        else:
                            held, here, beyond = value[u, i], thickness[u], thickness[u_after]
                            before, after = zero if u_clean else value[u_before, i], value[u_after, i]
                            earlier = max(-down[r_before, first + i], zero)
                            edge = face == layers
                        size = abs(flow)
                        through = zero if size <= zero else min(earlier / size, one)
                        before = zero if held <= zero else min(before / held, one)
                        after = zero if held <= zero else min(after / held, one)
                        share = (here * (one + through * (one - before)) + beyond * after) / (here + beyond)
                        passing[face, i] = flow if edge else share * flow
            for k in range(layers):
                for i in range(width):
                    out[k, side, first + i] = value[k, i]
            for i in range(width):
                risen[side, first + i] = -(min(passing[0, i], zero) * value[0, i])
                left[side, first + i] = max(passing[layers, i], zero) * value[layers - 1, i]
