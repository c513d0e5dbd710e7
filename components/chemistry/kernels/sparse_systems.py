# SPDX-License-Identifier: BSD-3-Clause
"""Sparse linear systems of eight cells at once, by the operations that `SparseLU` lists."""

from components.chemistry.kernels.compiled import compiled
from components.chemistry.kernels.lanes import alike, of, put


@compiled
def assemble(t, slope, shift, g):
    """``shift`` I - J from the derivatives of the rates.

    Parameters
    ----------
    t : Tables
    slope : (partials, 8) derivatives, s-1
    shift : 1 / (h gamma), s-1
    g : (entries, 8) result
    """
    for e in range(g.shape[0]):
        x = alike(g, 0.0)
        for m in range(t.entry_start[e], t.entry_start[e + 1]):
            x = x - alike(g, t.entry_factor[m]) * of(slope, t.entry_partial[m])
        put(g, e, x)
    extra = alike(g, shift)
    for row in range(t.diagonal.size):
        put(g, t.diagonal[row], of(g, t.diagonal[row]) + extra)


@compiled
def decompose(t, g):
    """LU decomposition in place, row by row; the diagonal becomes 1 / pivot.

    Parameters
    ----------
    t : Tables
    g : (entries, 8)
    """
    m, one = 0, alike(g, 1.0)
    for row in range(t.diagonal.size):
        while m < t.lower.size and t.rows[t.lower[m]] == row:
            q = of(g, t.lower[m]) * of(g, t.lower_pivot[m])
            put(g, t.lower[m], q)
            for u in range(t.pivots[m], t.pivots[m + 1]):
                put(g, t.target[u], of(g, t.target[u]) - q * of(g, t.factor[u]))
            m += 1
        put(g, t.diagonal[row], one / of(g, t.diagonal[row]))


@compiled
def solve(t, g, x):
    """Solve with the factors of `decompose`, in place.

    Parameters
    ----------
    t : Tables
    g : (entries, 8) factors
    x : (species, 8) right-hand side, then solution
    """
    n = t.order.size
    for row in range(n):
        value = of(x, t.order[row])
        for e in range(t.row_start[row], t.diagonal[row]):
            value = value - of(g, e) * of(x, t.entry_species[e])
        put(x, t.order[row], value)
    for back in range(n):
        row = n - 1 - back
        value = of(x, t.order[row])
        for e in range(t.diagonal[row] + 1, t.row_start[row + 1]):
            value = value - of(g, e) * of(x, t.entry_species[e])
        put(x, t.order[row], value * of(g, t.diagonal[row]))
