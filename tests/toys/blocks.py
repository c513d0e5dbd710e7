# SPDX-License-Identifier: BSD-3-Clause
"""Blocks of one process, each stepped by a thread of its own: how a decomposition is tested without MPI."""

import threading
from dataclasses import dataclass

from components.science.halo import DecomposedHalo, Edges


class Blocks:
    """A domain of ny x nx cells cut into rows x columns of blocks, all of its edges of one kind."""

    def __init__(self, ny, nx, rows, columns, kind="masked"):
        cut = lambda n, parts: [round(n * j / parts) for j in range(parts + 1)]  # noqa: E731
        self.y, self.x = cut(ny, rows), cut(nx, columns)
        self.rows, self.columns, self.kind = rows, columns, kind
        self.posted = {}
        self.barrier = threading.Barrier(rows * columns)

    def place(self, j, i):
        """Rows and columns of a block in the whole domain."""
        return slice(*self.y[j : j + 2]), slice(*self.x[i : i + 2])

    def edges(self, j, i):
        """Kind of the sides of a block."""
        if self.kind == "periodic":
            return Edges(*["inner"] * 4)
        sides = (i == 0, i == self.columns - 1, j == 0, j == self.rows - 1)
        return Edges(*(self.kind if outer else "inner" for outer in sides))

    def filler(self, j, i):
        """Halo filler of a block."""
        y, x = self.place(j, i)
        return DecomposedHalo(y.stop - y.start, x.stop - x.start, self.edges(j, i), _Member(self, j, i))

    def run(self, work):
        """What ``work(j, i)`` returns for each block, each in its thread; the first failure is raised."""
        results, failures = {}, []

        def call(j, i):
            try:
                results[j, i] = work(j, i)
            except Exception as error:
                failures.append(error)
                self.barrier.abort()  # frees the others

        threads = [threading.Thread(target=call, args=(j, i)) for j in range(self.rows) for i in range(self.columns)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise min(failures, key=lambda e: isinstance(e, threading.BrokenBarrierError))
        return results

    def neighbour(self, j, i):
        """The block there, None beyond an edge."""
        if self.kind == "periodic":
            return j % self.rows, i % self.columns
        return (j, i) if 0 <= j < self.rows and 0 <= i < self.columns else None


@dataclass
class _Member:
    """The exchange of a block with its neighbours, through the memory they share."""

    blocks: Blocks
    j: int
    i: int

    def halo(self, *fields, width):
        """Columns first, then rows over the full width."""
        b = self.blocks
        for dim, dj, di in ((-1, 0, 1), (-2, 1, 0)):
            edges = [(f.narrow(dim, width, width).clone(), f.narrow(dim, f.shape[dim] - 2 * width, width).clone())
                     for f in fields]  # fmt: skip
            b.posted[self.j, self.i] = edges
            b.barrier.wait()
            for sign, start in ((-1, lambda n: 0), (1, lambda n: n - width)):
                theirs = b.neighbour(self.j + sign * dj, self.i + sign * di)
                for n, f in enumerate(fields if theirs is not None else ()):
                    f.narrow(dim, start(f.shape[dim]), width).copy_(b.posted[theirs][n][0 if sign > 0 else 1])
            b.barrier.wait()
