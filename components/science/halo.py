# SPDX-License-Identifier: BSD-3-Clause
"""Filling halos: cyclic or from neighbours inside the domain, by the boundary's kind at its edge.

A halo filler is called with a list of fields and the width of their halo and fills them in place. ``EdgeFiller`` does
the edges of the domain; ``SerialHalo`` is the filler of a block that is the whole domain. A decomposed run exchanges
with its neighbours first (columns, then rows over the full width, so that corners are right) and then applies the
same ``EdgeFiller``, which gives the same bits. ``filler`` chooses between them for a component's ranks, and ``Padded``
puts a halo around fields that have none.

Gradients pass. The transpose of an exchange sends what came back to a halo to the rank that owns the cell, where it
is added. All ranks must then go backward together, each from a number that depends on its own block.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch.autograd.function import once_differentiable

from components.science.cuts import Copied, fill
from components.science.kernel_arrays import wanted
from coupler.component import Context

KINDS = ("periodic", "wall", "open", "specified", "masked")
LEFT_ALONE = frozenset(("periodic", "inner", "masked"))
HaloFiller = Callable[[Sequence[torch.Tensor], int], None]


class Neighbours(Protocol):
    """The exchange among blocks, of padded arrays (..., ny + 2 width, nx + 2 width) of one dtype, in place.

    As a component's `Context` has it.
    """

    def halo(self, *fields: Any, width: int) -> None:
        """Fill the halos from the cells of the neighbours."""
        ...

    def halo_transposed(self, *fields: Any, width: int) -> None:
        """Add the halos to the cells of the neighbours that they are copies of, and set them to zero."""
        ...


@dataclass(frozen=True)
class Edges:
    """Kind of boundary on each side of a block; ``inner`` where a neighbouring block follows.

    ``masked``: what lies beyond is not read but as land; the halo stays as it is given.
    """

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

    @property
    def left_alone(self) -> bool:
        """Whether no side's halo is made of the block's own last cells."""
        return {self.west, self.east, self.south, self.north} <= LEFT_ALONE

    def closed(self, side: str) -> bool:
        """Whether the flow through this side does not feel the pressure gradient across it."""
        return getattr(self, side) in ("wall", "open", "specified")


@dataclass(frozen=True)
class EdgeFiller:
    """Fills the halo outside the edges of the domain of a block of ``ny`` x ``nx`` cells.

    Beyond a wall fields are mirrored, and the flow through it with the opposite sign; beyond open and specified edges
    the last value is repeated. Periodic and inner sides are left alone, and masked ones, whose halo is land.
    """

    ny: int
    nx: int
    edges: Edges

    def __call__(self, fields: Sequence[torch.Tensor], width: int) -> None:
        """Fill the halo of ``width`` cells of each field (..., y, x) in place."""
        if not self.edges.left_alone:
            for f in fields:
                fill(f, lambda f: self.copies(f, width))

    def copies(self, f: torch.Tensor, width: int) -> Iterator[Copied]:
        """What is copied, in turn.

        Parameters
        ----------
        f : (..., y, x) with a halo
        width : of the halo
        """
        for dim, n, kinds in (
            (-1, self.nx, (self.edges.west, self.edges.east)),
            (-2, self.ny, (self.edges.south, self.edges.north)),
        ):
            staggered = int(f.shape[dim] == n + 2 * width + 1)
            last = width + n - 1 + staggered
            for kind, edge, sign in zip(kinds, (width, last), (-1, 1), strict=True):
                if kind in LEFT_ALONE:
                    continue
                target = f.narrow(dim, edge + 1 if sign > 0 else edge - width, width)
                if kind == "wall":
                    inner = f.narrow(dim, edge - width + 1 - staggered if sign > 0 else edge + staggered, width)
                    yield Copied(target, inner, -1 if staggered else 1, dim)
                else:
                    yield Copied(target, f.narrow(dim, edge, 1))


@dataclass(frozen=True)
class SerialHalo:
    """Halo filler of a block that is the whole domain."""

    ny: int
    nx: int
    edges: Edges

    def __call__(self, fields: Sequence[torch.Tensor], width: int) -> None:
        """Fill the halo of ``width`` cells of each field (..., y, x) in place."""
        for f in fields:
            fill(f, lambda f: self.copies(f, width))

    def copies(self, f: torch.Tensor, width: int) -> Iterator[Copied]:
        """What is copied, in turn.

        Parameters
        ----------
        f : (..., y, x) with a halo
        width : of the halo
        """
        for dim, n, kind in ((-1, self.nx, self.edges.west), (-2, self.ny, self.edges.south)):
            if kind != "periodic":
                continue
            staggered = int(f.shape[dim] == n + 2 * width + 1)
            if n >= width + staggered:
                yield Copied(f.narrow(dim, 0, width), f.narrow(dim, n, width))
                yield Copied(f.narrow(dim, width + n, width + staggered), f.narrow(dim, width, width + staggered))
            else:
                for j in (*range(width), *range(width + n, f.shape[dim])):
                    yield Copied(f.select(dim, j), f.select(dim, width + (j - width) % n))
        yield from EdgeFiller(self.ny, self.nx, self.edges).copies(f, width)


@dataclass(frozen=True)
class DecomposedHalo:
    """Halo filler of a block among others.

    Parameters
    ----------
    ny, nx, edges : size of the block and kind of its sides (``inner`` towards neighbours)
    neighbours : the exchange with them
    """

    ny: int
    nx: int
    edges: Edges
    neighbours: Neighbours

    def __call__(self, fields: Sequence[torch.Tensor], width: int) -> None:
        """Fill the halo of ``width`` cells of each field (..., y, x) in place: one message to each neighbour."""
        if wanted(*fields):
            exchanged: Any = _Exchange
            for f, filled in zip(fields, exchanged.apply(self, width, *fields), strict=True):
                f.copy_(filled)
        else:
            self.exchange(fields, width)
        EdgeFiller(self.ny, self.nx, self.edges)(fields, width)

    def exchange(self, fields: Sequence[torch.Tensor], width: int) -> None:
        """Fill the halos towards neighbours in place."""
        _on_the_host(self.neighbours.halo, self._views(fields, width), width)

    def exchange_transposed(self, fields: Sequence[torch.Tensor], width: int) -> None:
        """Transpose of `exchange`, in place: cotangents of what it gives become those of what it is given."""
        _on_the_host(self.neighbours.halo_transposed, self._views(fields, width), width)

    def _views(self, fields: Sequence[torch.Tensor], width: int) -> list[torch.Tensor]:
        """The fields as unstaggered blocks with their halo."""
        views = []
        for f in fields:
            y, x = self.ny + 2 * width, self.nx + 2 * width
            views.append(f[..., :y, :x])
            # a staggered field also goes as the faces on the other side of the cells, which brings the outermost one
            if f.shape[-1] > x or f.shape[-2] > y:
                views.append(f[..., f.shape[-2] - y :, f.shape[-1] - x :])
        return views


class _Exchange(torch.autograd.Function):
    """The exchange of halos as a linear map of fields, and its transpose."""

    @staticmethod
    def forward(ctx: Any, halo: DecomposedHalo, width: int, *fields: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Copies of the fields with their halos filled."""
        ctx.halo, ctx.width = halo, width
        filled = tuple(f.detach().clone() for f in fields)
        halo.exchange(filled, width)
        return filled

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *cotangents: torch.Tensor) -> tuple[Any, ...]:
        """What came back to the halos goes to the ranks that own the cells."""
        back = tuple(a.clone() for a in cotangents)
        ctx.halo.exchange_transposed(back, ctx.width)
        return None, None, *back


def _on_the_host(exchange: Callable[..., None], fields: Sequence[torch.Tensor], width: int) -> None:
    """Call an exchange in place, by way of the host where the fields are on another device."""
    if all(a.device.type == "cpu" for a in fields):
        exchange(*fields, width=width)
        return
    staged = [a.detach().cpu() for a in fields]
    exchange(*staged, width=width)
    for a, b in zip(fields, staged, strict=True):
        a.copy_(b)


def filler(context: Context, outer: str) -> SerialHalo | DecomposedHalo:
    """The filler of a rank's block, with the whole domain's edges of one kind.

    Parameters
    ----------
    context : of the component, on its default grid
    outer : kind of boundary of the domain, not periodic

    Raises
    ------
    ValueError
        Unknown kind.
    """
    b, (ny, nx) = context.decomposition.block, context.grid.shape
    at_edge = (b.x0 == 0, b.x1 == nx, b.y0 == 0, b.y1 == ny)
    edges = Edges(*(outer if edge else "inner" for edge in at_edge))
    if context.ranks == 1:
        return SerialHalo(*b.shape, edges)
    return DecomposedHalo(*b.shape, edges, context)


@dataclass(frozen=True)
class Padded:
    """Puts a halo around fields without one: zero, then what a filler makes of it.

    Parameters
    ----------
    fill : the block's halo filler
    width : cells of the halo where a call does not say
    """

    fill: HaloFiller
    width: int

    def __call__(self, *fields: torch.Tensor, width: int = 0) -> tuple[torch.Tensor, ...]:
        """The fields (..., ny, nx) as (..., ny + 2 width, nx + 2 width), in one exchange for all."""
        w = width or self.width
        padded = tuple(torch.nn.functional.pad(a, (w, w, w, w)) for a in fields)
        self.fill(padded, w)
        return padded
