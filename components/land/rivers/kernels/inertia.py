# SPDX-License-Identifier: BSD-3-Clause
"""Local inertia and what the water carries, in as many short steps as are stable: one loop over the reaches each."""

import numpy as np

from components.land.rivers.kernels.compiled import compiled
from components.science.constants import GRAVITY


@compiled
def run_inertia(
    volume, discharge, amounts, lateral, given, downstream, length, width, bed, roughness, slope, bank, plain, seconds,
    courant, shallow,
):  # fmt: skip
    """Advance by some seconds, in place; `routing.inertia_step` and `carried.carry_both_ways` step by step.

    Parameters
    ----------
    volume, discharge : (n,) state, m3 and m2 s-1; changed
    amounts : (n, kinds) what the water carries; changed
    lateral : (n,) from the land, m3 s-1, not negative
    given : (n, kinds) with it, in the unit of the amounts a second
    downstream : (n,) reach below, or negative
    length, width, bed, roughness, slope, bank, plain : (n,) of the reaches; the bank is infinite without a plain
    seconds : in all
    courant, shallow : of the longest step; depth below which no water moves, m

    Returns
    -------
    through : (n,) m3 that left each reach downward
    left : (n, kinds) what went with it
    """
    n, kinds = amounts.shape
    through, left = np.zeros(n), np.zeros((n, kinds))
    depth, level, flow, leaving = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    before, held = np.empty(n), np.empty((n, kinds))
    full, per_area, per_plain, across, friction = np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for i in range(n):
        to = downstream[i]
        full[i] = width[i] * length[i] * bank[i]
        per_area[i], per_plain[i] = 1.0 / (width[i] * length[i]), 1.0 / plain[i]
        across[i] = min(width[i], width[to]) if to >= 0 else width[i]
        friction[i] = GRAVITY * roughness[i] * roughness[i]
    time = 0.0
    while time < seconds:
        longest = np.inf
        for i in range(n):
            if volume[i] <= full[i]:
                depth[i] = volume[i] * per_area[i]
            else:
                depth[i] = bank[i] + (volume[i] - full[i]) * per_plain[i]
            level[i] = bed[i] + depth[i]
            leaving[i] = 0.0
            longest = min(longest, length[i] * length[i] / max(depth[i], 0.01))
        rest = seconds - time
        step = rest / np.ceil(rest / (courant * np.sqrt(longest / GRAVITY)))
        for i in range(n):
            to = downstream[i]
            fall = slope[i] * length[i]
            other = level[to] if to >= 0 else level[i] - fall
            floor = bed[to] if to >= 0 else bed[i] - fall
            deep = max(max(level[i], other) - max(bed[i], floor), 0.0)
            q = 0.0
            if deep > shallow:
                pull = GRAVITY * deep * step * (level[i] - other) / length[i]
                drag = friction[i] * step * abs(discharge[i]) / (deep * deep * np.cbrt(deep))
                q = (discharge[i] + pull) / (1.0 + drag)
            flow[i] = q * across[i]
            if flow[i] > 0.0:
                leaving[i] += flow[i]
            elif to >= 0:
                leaving[to] -= flow[i]
            else:
                flow[i] = 0.0
        for i in range(n):
            before[i] = volume[i]
            for k in range(kinds):
                held[i, k] = amounts[i, k]
        for i in range(n):
            volume[i] += step * lateral[i]
            for k in range(kinds):
                amounts[i, k] += step * given[i, k]
        for i in range(n):
            to = downstream[i]
            giver = to if flow[i] < 0.0 else i
            if step * leaving[giver] > before[giver]:
                flow[i] *= max(before[giver], 0.0) / (step * leaving[giver])
            discharge[i] = flow[i] / across[i]
            moved = step * flow[i]
            through[i] += moved
            volume[i] -= moved
            if to >= 0:
                volume[to] += moved
            if before[giver] > 0.0:
                share = moved / before[giver]
                for k in range(kinds):
                    part = share * held[giver, k]
                    left[i, k] += part
                    amounts[i, k] -= part
                    if to >= 0:
                        amounts[to, k] += part
        time += step
        if seconds - time < 1e-6 * step:
            time = seconds
    return through, left
