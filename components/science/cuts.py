# SPDX-License-Identifier: BSD-3-Clause
"""Parts of fields, room around them, and cells set in place: linear maps whose gradient takes one array each.

A slice of a tensor has a gradient of the whole tensor, one for each dimension, and so has each copy in place.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

import torch
from torch.autograd.function import once_differentiable

from components.science.kernel_arrays import wanted


class Copied(NamedTuple):
    """Cells of a field that are copies of others, both as views of it.

    Attributes
    ----------
    target, source : the copies, and what they are copies of; one cell may have many copies
    sign : of the copies
    mirrored : dimension along which they stand in the opposite order, or None
    """

    target: torch.Tensor
    source: torch.Tensor
    sign: int = 1
    mirrored: int | None = None

    def fill(self) -> None:
        """Set the copies."""
        source = self.source if self.mirrored is None else self.source.flip(self.mirrored)
        self.target.copy_(source if self.sign > 0 else -source)

    def give_back(self) -> None:
        """Add what belongs to the copies to what they are copies of, and leave them nothing: the transpose."""
        whole = self.target.sum_to_size(self.source.shape)
        self.source.add_(whole if self.mirrored is None else whole.flip(self.mirrored), alpha=self.sign)
        self.target.zero_()


def fill(f: torch.Tensor, copies: Callable[..., Iterator[Copied]], other: torch.Tensor | None = None) -> None:
    """Set cells of a field in place; for a gradient, as one linear map, for each copy alone would be one of all cells.

    Parameters
    ----------
    f : (..., y, x)
    copies : of a field, and of the other if there is one: what is copied, in turn
    other : field that is copied from
    """
    given = (f,) if other is None else (f, other)
    if wanted(*given):
        _Filled.apply(copies, *given)  # type: ignore[no-untyped-call]
        return
    for copied in copies(*given):
        copied.fill()


class _Filled(torch.autograd.Function):
    """A field with cells that are set in place, and the transpose."""

    @staticmethod
    def forward(ctx: Any, copies: Callable[..., Iterator[Copied]], *given: torch.Tensor) -> torch.Tensor:
        ctx.copies, ctx.shape = copies, None if len(given) == 1 else given[1].shape
        ctx.mark_dirty(given[0])
        for copied in copies(*given):
            copied.fill()
        return given[0]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[Any, ...]:
        back = (grad.clone(),) if ctx.shape is None else (grad.clone(), grad.new_zeros(ctx.shape))
        for copied in reversed(list(ctx.copies(*back))):
            copied.give_back()
        return None, *back


def with_room(a: torch.Tensor, width: int) -> torch.Tensor:
    """An array (..., y, x) with room for a halo, which is still to be filled.

    Parameters
    ----------
    a : values inside
    width : cells of the halo
    """
    if wanted(a):
        return cast(torch.Tensor, _WithRoom.apply(a, width))  # type: ignore[no-untyped-call]
    return _with_room(a, width)


def inside(a: torch.Tensor, width: int) -> torch.Tensor:
    """An array (..., y, x) without its halo, as a view.

    Parameters
    ----------
    a : values with a halo
    width : cells of the halo
    """
    return cut(a, slice(width, -width), slice(width, -width))


def cut(a: torch.Tensor, *places: slice) -> torch.Tensor:
    """A part of an array along its last dimensions, as a view, whose gradient takes one array for all of them.

    Parameters
    ----------
    a : array
    places : along each of the last dimensions
    """
    if wanted(a):
        return cast(torch.Tensor, _Cut.apply(a, places))  # type: ignore[no-untyped-call]
    return a[_at(places)]


def _at(places: tuple[slice, ...]) -> Any:
    return (..., *places)


def _with_room(a: torch.Tensor, width: int) -> torch.Tensor:
    out = a.new_empty((*a.shape[:-2], a.shape[-2] + 2 * width, a.shape[-1] + 2 * width))
    out[..., width:-width, width:-width] = a
    return out


class _WithRoom(torch.autograd.Function):
    """`with_room`, and the transpose: what belongs to the inside."""

    @staticmethod
    def forward(ctx: Any, a: torch.Tensor, width: int) -> torch.Tensor:
        ctx.width = width
        return _with_room(a, width)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[Any, ...]:
        return grad[..., ctx.width : -ctx.width, ctx.width : -ctx.width], None


class _Cut(torch.autograd.Function):
    """`cut`, and the transpose in one array, where slices would take one for each dimension."""

    @staticmethod
    def forward(ctx: Any, a: torch.Tensor, places: tuple[slice, ...]) -> torch.Tensor:
        ctx.places, ctx.shape = places, a.shape
        return a[_at(places)]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[Any, ...]:
        out = grad.new_zeros(ctx.shape)
        out[_at(ctx.places)] = grad
        return out, None
