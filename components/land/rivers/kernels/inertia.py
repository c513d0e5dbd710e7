# SPDX-License-Identifier: BSD-3-Clause
"""Local inertia and what the water carries, in as many short steps as are stable.

Loops that only calculate go through vector lanes, eight reaches at once; those that fetch from the reach below or add
to it stand apart.
"""

import numpy as np

from components.land.rivers.kernels.compiled import compiled
from components.land.rivers.kernels.cube_root import cube_root
from components.science.constants import GRAVITY

SHALLOWEST = 0.01  # m, depth that the longest step sees at least


@compiled
def levels(volume, full, per_area, per_plain, bed, level):
    """Height of the water, m: in the channel, and above the banks over the plain."""
    for i in range(volume.size):
        inside = min(volume[i], full[i])
        level[i] = bed[i] + inside * per_area[i] + (volume[i] - inside) * per_plain[i]


@compiled
def fastest(level, bed, per_square):
    """Largest depth by length squared, m-1, of four strands that do not wait for each other."""
    a = b = c = d = 0.0
    n = level.size
    for i in range(0, n - 3, 4):
        a = max(a, max(level[i] - bed[i], SHALLOWEST) * per_square[i])
        b = max(b, max(level[i + 1] - bed[i + 1], SHALLOWEST) * per_square[i + 1])
        c = max(c, max(level[i + 2] - bed[i + 2], SHALLOWEST) * per_square[i + 2])
        d = max(d, max(level[i + 3] - bed[i + 3], SHALLOWEST) * per_square[i + 3])
    for i in range(n - n % 4, n):
        a = max(a, max(level[i] - bed[i], SHALLOWEST) * per_square[i])
    return max(max(a, b), max(c, d))


@compiled
def flows(level, other, floor, deep, root, per_length, friction, discharge, step, shallow):
    """Discharge by width of the next step, m2 s-1, in place (Bates et al. 2010, eq. 11)."""
    for i in range(level.size):
        deep[i] = max(max(level[i], other[i]) - floor[i], shallow)
    cube_root(deep, root)
    for i in range(level.size):
        carries = deep[i] * deep[i] * root[i]
        pull = per_length[i] * deep[i] * step * (level[i] - other[i])
        q = (discharge[i] + pull) * carries / (carries + friction[i] * step * abs(discharge[i]))
        discharge[i] = q if deep[i] > shallow else 0.0


@compiled
def run_inertia(
    volume, discharge, amounts, lateral, given, downstream, length, width, bed, roughness, slope, bank, plain, seconds,
    courant, shallow,
):  # fmt: skip
    """Advance by some seconds, in place; `routing.inertia_step` and `carried.carry_both_ways` step by step.

    Parameters
    ----------
    volume, discharge : (n,) state, m3 and m2 s-1; changed
    amounts : (kinds, n) what the water carries; changed
    lateral : (n,) from the land, m3 s-1, not negative
    given : (kinds, n) with it, in the unit of the amounts a second
    downstream : (n,) reach below, or negative
    length, width, bed, roughness, slope, bank, plain : (n,) of the reaches; the bank is infinite without a plain
    seconds : in all
    courant, shallow : of the longest step; depth below which no water moves, m

    Returns
    -------
    through : (n,) m3 that left each reach downward
    left : (kinds, n) what went with it
    """
    kinds, n = amounts.shape
    through, left = np.zeros(n), np.zeros((kinds, n))
    level, other, deep, root = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    flow, leaving, before = np.empty(n), np.empty(n), np.empty(n)
    to, full, per_area, per_plain, across = np.empty(n, np.int64), np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    friction, per_length, per_square, fall, floor = np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for i in range(n):
        end = downstream[i] < 0
        to[i] = i if end else downstream[i]
        full[i] = width[i] * length[i] * bank[i]
        per_area[i], per_plain[i] = 1.0 / (width[i] * length[i]), 1.0 / plain[i]
        across[i] = min(width[i], width[to[i]])
        friction[i] = GRAVITY * roughness[i] * roughness[i]
        per_length[i] = GRAVITY / length[i]
        per_square[i] = 1.0 / (length[i] * length[i])
        fall[i] = slope[i] * length[i] if end else 0.0
        floor[i] = max(bed[i], bed[to[i]] - fall[i])
    time = 0.0
    while time < seconds:
        levels(volume, full, per_area, per_plain, bed, level)
        rest = seconds - time
        step = rest / np.ceil(rest * np.sqrt(fastest(level, bed, per_square) * GRAVITY) / courant)
        for i in range(n):
            other[i] = level[to[i]] - fall[i]
        flows(level, other, floor, deep, root, per_length, friction, discharge, step, shallow)
        for i in range(n):
            flow[i] = step * across[i] * discharge[i]
            leaving[i] = max(flow[i], 0.0)
            before[i] = max(volume[i], 0.0)
        for i in range(n):
            if flow[i] < 0.0:
                if downstream[i] >= 0:
                    leaving[to[i]] -= flow[i]
                else:
                    flow[i] = 0.0
        for i in range(n):  # leaving becomes the share of it that the reach has
            leaving[i] = before[i] / leaving[i] if leaving[i] > before[i] else 1.0
        for i in range(n):
            flow[i] *= leaving[to[i] if flow[i] < 0.0 else i]
        for i in range(n):
            discharge[i] = flow[i] / (step * across[i])
            through[i] += flow[i]
            volume[i] += step * lateral[i] - flow[i]
            root[i] = 1.0 / before[i] if before[i] > 0.0 else 0.0
        for i in range(n):
            if downstream[i] >= 0:
                volume[to[i]] += flow[i]
        for k in range(kinds):
            held, gone = amounts[k], left[k]
            for i in range(n):
                deep[i] = held[i] * root[i]
            for i in range(n):
                other[i] = flow[i] * deep[to[i] if flow[i] < 0.0 else i]
            for i in range(n):
                gone[i] += other[i]
                held[i] += step * given[k, i] - other[i]
            for i in range(n):
                if downstream[i] >= 0:
                    held[to[i]] += other[i]
        time += step
        if seconds - time < 1e-6 * step:
            time = seconds
    return through, left
