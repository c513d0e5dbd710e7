# SPDX-License-Identifier: BSD-3-Clause
"""Sparse linear systems of eight cells at once, by the operations that `SparseLU` lists."""

from components.chemistry.kernels.compiled import compiled
from components.science.kernels.lanes import alike, of, put


@compiled
def decompose(t, g):
    """Decomposition L D U in place, row by row, with ones on the diagonals of L and U; the diagonal becomes 1 / D.

    Parameters
    ----------
    t : Tables
    g : (entries, 8)
    """
    one = alike(g, 1.0)
    for row in range(t.diagonal.size):
        for u in range(t.update_start[row], t.update_start[row + 1]):  # U above is finished, L is still times D
            target, lower, upper = t.update[u, 0], t.update[u, 1], t.update[u, 2]
            put(g, target, of(g, target) - of(g, lower) * of(g, upper))
        pivot = one / of(g, t.diagonal[row])
        put(g, t.diagonal[row], pivot)
        for e in range(t.diagonal[row] + 1, t.row_start[row + 1]):
            put(g, e, of(g, e) * pivot)
    for m in range(t.lower.size):
        put(g, t.lower[m], of(g, t.lower[m]) * of(g, t.lower_pivot[m]))


@compiled
def solve(t, g, x):
    """Solve with the factors of `decompose`, in place.

    Parameters
    ----------
    t : Tables
    g : (entries, 8) factors
    x : (species, 8) right-hand side, then solution
    """
    for m in range(t.forward.shape[0]):
        e, row, column = t.forward[m, 0], t.forward[m, 1], t.forward[m, 2]
        put(x, row, of(x, row) - of(g, e) * of(x, column))
    for row in range(t.order.size):
        put(x, t.order[row], of(x, t.order[row]) * of(g, t.diagonal[row]))
    for m in range(t.backward.shape[0]):
        e, row, column = t.backward[m, 0], t.backward[m, 1], t.backward[m, 2]
        put(x, row, of(x, row) - of(g, e) * of(x, column))
