# SPDX-License-Identifier: BSD-3-Clause
"""Work that is done again on the way back, so that only its beginning is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

Work = Callable[[Sequence[Tensor]], list[Tensor]]


class _Again(torch.autograd.Function):
    """Forward without a graph; backward with one, made anew. `torch.autograd.grad` works through it."""

    @staticmethod
    def forward(ctx: Any, work: Work, *given: Tensor) -> tuple[Tensor, ...]:
        ctx.work = work
        ctx.save_for_backward(*given)
        # tensors of their own: torch makes those returned results of this work, and somebody may keep one of them
        made = [m.detach() for m in work(given)]
        ctx.mark_non_differentiable(*(m for m in made if not m.is_floating_point()))
        return tuple(made)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Any, ...]:
        with torch.enable_grad():
            given = [g.detach().requires_grad_(g.is_floating_point()) for g in ctx.saved_tensors]
            made = ctx.work(given)
            pairs = [(m, s) for m, s in zip(made, slopes, strict=True) if m.requires_grad and s is not None]
            wanted = [g for g in given if g.requires_grad]
            found = iter(torch.autograd.grad([m for m, _ in pairs], wanted, [s for _, s in pairs], allow_unused=True))
        return (None, *(next(found) if g.requires_grad else None for g in given))


def made_again(work: Work, given: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The tensors that some work makes of others; on the way back it is done a second time, with a graph.

    Parameters
    ----------
    work : callable
        Takes the tensors and returns a list of tensors; it depends on nothing else that requires gradients.
    given : sequence of Tensor

    Returns
    -------
    tuple of Tensor

    Examples
    --------
    >>> x = torch.tensor([2.0], requires_grad=True)
    >>> (y,) = made_again(lambda given: [given[0] ** 3], [x])
    >>> torch.autograd.grad(y, x)[0]
    tensor([12.])
    """
    made: tuple[Tensor, ...] = _Again.apply(work, *given)  # type: ignore[no-untyped-call]
    return made
