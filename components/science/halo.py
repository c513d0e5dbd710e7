# SPDX-License-Identifier: BSD-3-Clause
"""Filling halos: cyclic or from neighbours inside the domain, by the boundary's kind at its edge.

A halo filler is called with a list of fields and the width of their halo and fills them in place. ``EdgeFiller`` does
the edges of the domain; ``SerialHalo`` is the filler of a block that is the whole domain. A decomposed run exchanges
with its neighbours first (columns, then rows over the full width, so that corners are right) and then applies the
same ``EdgeFiller``, which gives the same bits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

KINDS = ("periodic", "wall", "open", "specified")
HaloFiller = Callable[[Sequence[torch.Tensor], int], None]


@dataclass(frozen=True)
class Edges:
    """Kind of boundary on each side of a block; ``inner`` where a neighbouring block follows."""

    west: str = "periodic"
    east: str = "periodic"
    south: str = "periodic"
    north: str = "periodic"

    def __post_init__(self) -> None:
        for side, kind in (("west", self.west), ("east", self.east), ("south", self.south), ("north", self.north)):
            if kind not in (*KINDS, "inner"):
                raise ValueError(f"unknown boundary '{kind}' on the {side} side: choose one of {', '.join(KINDS)}")
        for a, b, names in ((self.west, self.east, "west and east"), (self.south, self.north, "south and north")):
            if (a == "periodic") != (b == "periodic"):
                raise ValueError(f"{names} boundaries must both be periodic or neither ({a}, {b})")

    def closed(self, side: str) -> bool:
        """Whether the flow through this side does not feel the pressure gradient across it."""
        return getattr(self, side) in ("wall", "open", "specified")


@dataclass(frozen=True)
class EdgeFiller:
    """Fills the halo outside the edges of the domain of a block of ``ny`` x ``nx`` cells.

    Beyond a wall fields are mirrored, and the flow through it with the opposite sign; beyond open and specified edges
    the last value is repeated. Periodic and inner sides are left alone.
    """

    ny: int
    nx: int
    edges: Edges

    def __call__(self, fields: Sequence[torch.Tensor], width: int) -> None:
        """Fill the halo of ``width`` cells of each field (..., y, x) in place."""
        for f in fields:
            for dim, n, kinds in (
                (-1, self.nx, (self.edges.west, self.edges.east)),
                (-2, self.ny, (self.edges.south, self.edges.north)),
            ):
                staggered = int(f.shape[dim] == n + 2 * width + 1)
                last = width + n - 1 + staggered
                for kind, edge, sign in zip(kinds, (width, last), (-1, 1), strict=True):
                    if kind in ("periodic", "inner"):
                        continue
                    target = f.narrow(dim, edge + 1 if sign > 0 else edge - width, width)
                    if kind == "wall":
                        inner = f.narrow(dim, edge - width + 1 - staggered if sign > 0 else edge + staggered, width)
                        target.copy_(-inner.flip(dim) if staggered else inner.flip(dim))
                    else:
                        target.copy_(f.narrow(dim, edge, 1))


@dataclass(frozen=True)
class SerialHalo:
    """Halo filler of a block that is the whole domain."""

    ny: int
    nx: int
    edges: Edges

    def __call__(self, fields: Sequence[torch.Tensor], width: int) -> None:
        """Fill the halo of ``width`` cells of each field (..., y, x) in place."""
        for f in fields:
            for dim, n, kind in ((-1, self.nx, self.edges.west), (-2, self.ny, self.edges.south)):
                if kind != "periodic":
                    continue
                staggered = int(f.shape[dim] == n + 2 * width + 1)
                if n >= width:
                    f.narrow(dim, 0, width).copy_(f.narrow(dim, n, width))
                    f.narrow(dim, width + n, width + staggered).copy_(f.narrow(dim, width, width + staggered))
                else:
                    for j in range(width):
                        f.select(dim, j).copy_(f.select(dim, width + (j - width) % n))
                    for j in range(width + n, f.shape[dim]):
                        f.select(dim, j).copy_(f.select(dim, width + (j - width) % n))
        EdgeFiller(self.ny, self.nx, self.edges)(fields, width)


@dataclass(frozen=True)
class DecomposedHalo:
    """Halo filler of a block among others.

    Parameters
    ----------
    ny, nx, edges : size of the block and kind of its sides (``inner`` towards neighbours)
    exchange : fills halos of unstaggered blocks (..., ny + 2 w, nx + 2 w) of one dtype: ``exchange(*fields, width=w)``
    """

    ny: int
    nx: int
    edges: Edges
    exchange: Callable[..., None]

    def __call__(self, fields: Sequence[torch.Tensor], width: int) -> None:
        """Fill the halo of ``width`` cells of each field (..., y, x) in place: one message to each neighbour."""
        views = []
        for f in fields:
            y, x = self.ny + 2 * width, self.nx + 2 * width
            views.append(f[..., :y, :x])
            # a staggered field also goes as the faces on the other side of the cells, which brings the outermost one
            if f.shape[-1] > x or f.shape[-2] > y:
                views.append(f[..., f.shape[-2] - y :, f.shape[-1] - x :])
        self.exchange(*views, width=width)
        EdgeFiller(self.ny, self.nx, self.edges)(fields, width)
