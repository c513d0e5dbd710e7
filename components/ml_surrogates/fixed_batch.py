# SPDX-License-Identifier: BSD-3-Clause
"""Inference in batches of one size, so that a column's result does not depend on how many come with it.

Matrix products choose their way by the shape; with padding to one shape every column meets the same arithmetic,
whatever the number of ranks that share the columns.
"""

from collections.abc import Callable, Sequence

import torch

Call = Callable[[list[torch.Tensor]], Sequence[torch.Tensor]]


def in_batches(call: Call, arrays: Sequence[torch.Tensor], size: int) -> list[torch.Tensor]:
    """``call`` on columns (the last dimension of every array) in batches of ``size``; the last is filled up.

    Parameters
    ----------
    call : takes arrays (..., size), gives arrays (..., size)
    arrays : (..., n)
    """
    n = arrays[0].shape[-1]
    out: list[torch.Tensor] = []
    for start in range(0, n, size):
        stop = min(start + size, n)
        got = call([padded(a[..., start:stop], size) for a in arrays])
        if not out:
            out = [a.new_empty((*a.shape[:-1], n)) for a in got]
        for whole, a in zip(out, got, strict=True):
            whole[..., start:stop] = a[..., : stop - start]
    return out


def padded(a: torch.Tensor, size: int) -> torch.Tensor:
    """``a`` with its last column repeated up to ``size`` columns, contiguous.

    Parameters
    ----------
    a : (..., n) with n at most ``size``
    size : columns of the result
    """
    missing = size - a.shape[-1]
    if missing:
        a = torch.cat([a, a[..., -1:].expand(*a.shape[:-1], missing)], dim=-1)
    return a.contiguous()
