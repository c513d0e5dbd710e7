# SPDX-License-Identifier: BSD-3-Clause
"""Advection of tracers along one axis; see `advection.sweep`.

A loop reads few arrays, so that it fits the processor's vector units: the compiler has it compared at run time that
arrays do not overlap, and gives up above eight comparisons.
"""

from typing import Any

import numpy as np

from components.ocean.primitive.kernels.compiled import compiled


@compiled
def sweep(
    q: Any, volume: Any, flux: Any, mask: Any, exchange: Any, sizes: Any, out: Any, after: Any, carried: Any
) -> None:
    """Through the faces of all cells with two neighbours on either side, row by row.

    A row lies along the axis of the sweep where that is the last, else along what is behind it.

    Parameters
    ----------
    q : (tracers, cells)
    volume : (cells,)
    flux, mask : (faces,) of N - 1 along the axis
    exchange : as flux, or none
    sizes : before the axis, along it (N) and behind it
    out, after : as q and volume with N - 4 cells along the axis; are set
    carried : (tracers, faces) of N - 3 along the axis, is set
    """
    before, n, behind = sizes
    along = behind == 1
    lines, rows = (before, 1) if along else (before, n - 3)
    stride = behind
    width = n - 3 if along else behind
    courant, room = np.empty(width), np.empty(width)
    west, here, east = np.empty(width), np.empty(width), np.empty(width)
    sixth = 1.0 / 6.0
    for a in range(lines):
        for r in range(rows):
            face, cell, to = (a * (n - 1) + 1 + r) * stride, (a * n + 1 + r) * stride, (a * (n - 3) + r) * stride
            f, f_west = flux[face : face + width], flux[face - stride : face - stride + width]
            f_east = flux[face + stride : face + stride + width]
            v, v_east = volume[cell : cell + width], volume[cell + stride : cell + stride + width]
            for i in range(width):
                courant[i] = abs(f[i]) / (v[i] if f[i] > 0.0 else v_east[i])
            for i in range(width):
                forward = f[i] > 0.0
                x, y = (f[i] if forward else f_east[i]), (f_west[i] if forward else f[i])
                leaving = (x if x > 0.0 else 0.0) + ((y if y > 0.0 else 0.0) - y)
                room[i] = 1.0 - leaving / (v[i] if forward else v_east[i])
            for i in range(width):
                room[i] = (0.0 if room[i] < 0.0 else room[i]) / (courant[i] + 1e-30)
            m_west, m = mask[face - stride : face - stride + width], mask[face : face + width]
            m_east = mask[face + stride : face + stride + width]
            for t in range(q.shape[0]):
                q_west, q_here = q[t, cell - stride : cell - stride + width], q[t, cell : cell + width]
                q_east = q[t, cell + stride : cell + stride + width]
                q_beyond = q[t, cell + 2 * stride : cell + 2 * stride + width]
                through = carried[t, to : to + width]
                for i in range(width):
                    west[i] = (q_here[i] - q_west[i]) * m_west[i]
                for i in range(width):
                    here[i] = (q_east[i] - q_here[i]) * m[i]
                for i in range(width):
                    east[i] = (q_beyond[i] - q_east[i]) * m_east[i]
                for i in range(width):
                    forward = f[i] > 0.0
                    ahead, back = (here[i] if forward else -here[i]), (west[i] if forward else -east[i])
                    c = courant[i]
                    d0 = (2.0 - c) * (1.0 - c) * sixth
                    d1 = (1.0 - c * c) * sixth
                    size, most = abs(d0 * ahead + d1 * back), abs(ahead)
                    size = most if most < size else size
                    most = room[i] * abs(back)
                    size = most if most < size else size
                    size = size if ahead > 0.0 else -size
                    size = size if ahead * back > 0.0 else 0.0
                    through[i] = f[i] * ((q_here[i] if forward else q_east[i]) + size)
                if exchange.size > 0:
                    mixed = exchange[face : face + width]
                    for i in range(width):
                        through[i] = through[i] - mixed[i] * here[i]
    rows, width = (1, n - 4) if along else (n - 4, behind)
    for a in range(lines):
        for r in range(rows):
            face, cell, to = (a * (n - 1) + 2 + r) * stride, (a * n + 2 + r) * stride, (a * (n - 4) + r) * stride
            start = (a * (n - 3) + r) * stride
            f, f_west = flux[face : face + width], flux[face - stride : face - stride + width]
            v, new = volume[cell : cell + width], after[to : to + width]
            for i in range(width):
                new[i] = v[i] - (f[i] - f_west[i])
            for t in range(q.shape[0]):
                value, old = out[t, to : to + width], q[t, cell : cell + width]
                into = carried[t, start : start + width]
                gone = carried[t, start + stride : start + stride + width]
                for i in range(width):
                    value[i] = (old[i] * v[i] - (gone[i] - into[i])) / new[i]
