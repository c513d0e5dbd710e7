# SPDX-License-Identifier: BSD-3-Clause
"""Symbolic LU decomposition of a mechanism's Jacobian: an order with little fill-in, chosen once, and its operations.

Minimum degree by Markowitz's count (Markowitz 1957; Sandu et al. 1996, Appl. Numer. Math. 20) among the diagonal
entries, without numerical pivoting: I / (h gamma) - J is dominated by its diagonal where the step is short, and a step
that fails is made shorter.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Index = npt.NDArray[np.int32]


def elimination_order(pattern: npt.NDArray[np.bool_]) -> list[int]:
    """Order of elimination of a matrix: next is always what makes the fewest products; the first of equals.

    Parameters
    ----------
    pattern : (n, n) where entries can be
    """
    p = pattern.copy()
    np.fill_diagonal(p, True)
    left = list(range(p.shape[0]))
    order = []
    while left:
        counts = [(p[i, left].sum() - 1) * (p[left, i].sum() - 1) for i in left]
        i = left[int(np.argmin(counts))]
        left.remove(i)
        order.append(i)
        rows = [j for j in left if p[j, i]]
        columns = [j for j in left if p[i, j]]
        p[np.ix_(rows, columns)] = True
    return order


@dataclass(frozen=True)
class SparseLU:
    """Pattern of L and U in one array of entries, row by row, and lists of operations on them.

    Attributes
    ----------
    order : (n,) variable of each row
    rows, columns : (entries,) place of each entry in that order
    diagonal : (n,) entry of each pivot
    lower, lower_pivot : (divisions,) entry of L, and pivot by which it is divided
    update : (updates, 3) row by row: entry that is changed, and entries of L and of U whose product it is changed by
    update_start : (n + 1,) first update of each row
    """

    order: Index
    rows: Index
    columns: Index
    diagonal: Index
    lower: Index
    lower_pivot: Index
    update: Index
    update_start: Index

    @property
    def number(self) -> dict[tuple[int, int], int]:
        """Entry by row and column, in the order of elimination."""
        return {(int(i), int(j)): n for n, (i, j) in enumerate(zip(self.rows, self.columns, strict=True))}


def symbolic(pattern: npt.NDArray[np.bool_]) -> SparseLU:
    """Decompose a pattern.

    Parameters
    ----------
    pattern : (n, n) where entries can be
    """
    order = elimination_order(pattern)
    p = pattern[np.ix_(order, order)].copy()
    np.fill_diagonal(p, True)
    n = p.shape[0]
    for k in range(n):
        rows = k + 1 + np.nonzero(p[k + 1 :, k])[0]
        columns = k + 1 + np.nonzero(p[k, k + 1 :])[0]
        p[np.ix_(rows, columns)] = True
    i, j = np.nonzero(p)
    entry = {(int(a), int(b)): m for m, (a, b) in enumerate(zip(i, j, strict=True))}
    lower, lower_pivot, update, update_start = [], [], [], [0]
    for row in range(n):  # row by row: what is above is finished
        for k in range(row):
            if not p[row, k]:
                continue
            lower.append(entry[row, k])
            lower_pivot.append(entry[k, k])
            for column in range(k + 1, n):
                if p[k, column]:
                    update.append((entry[row, column], entry[row, k], entry[k, column]))
        update_start.append(len(update))
    diagonal = [entry[k, k] for k in range(n)]
    updates = np.array(update, np.int32).reshape(-1, 3)
    lists = (order, i, j, diagonal, lower, lower_pivot, updates, update_start)
    return SparseLU(*(np.asarray(a, np.int32) for a in lists))
