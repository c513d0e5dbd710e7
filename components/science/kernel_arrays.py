# SPDX-License-Identifier: BSD-3-Clause
"""Tensors as the arrays that kernels work on."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


def plain(*tensors: Tensor | None) -> bool:
    """Whether kernels may take tensors: on the CPU, no gradient asked for, and nobody tracing.

    Parameters
    ----------
    tensors : all that the kernel reads, for a gradient may be asked for any of them; some may be missing
    """
    given = [a for a in tensors if a is not None]
    if torch.compiler.is_compiling() or any(type(a) is not Tensor or a.device.type != "cpu" for a in given):
        return False
    return not (torch.is_grad_enabled() and any(a.requires_grad for a in given))


def plain_doubles(*tensors: Tensor | None) -> bool:
    """`plain`, and in double precision.

    Parameters
    ----------
    tensors : all that the kernel reads; some may be missing
    """
    return plain(*tensors) and all(a is None or a.dtype == torch.float64 for a in tensors)


def flat(a: Tensor, shape: tuple[int, ...]) -> Any:
    """A tensor's values as an array of another shape: the tensor's own memory where that is in order.

    Parameters
    ----------
    a : on the CPU
    shape : of as many values; -1 for what is left
    """
    return a.detach().contiguous().view(shape).numpy()


def array(a: Tensor) -> Any:
    """A tensor's values as an array: the tensor's own memory where that is in order.

    Parameters
    ----------
    a : on the CPU
    """
    return flat(a, tuple(a.shape))


def arrays(many: Iterable[Tensor]) -> tuple[Any, ...]:
    """`array` of each.

    Parameters
    ----------
    many : tensors on the CPU
    """
    return tuple(array(a) for a in many)


def array_or_none(a: Tensor | None, like: Tensor, dimensions: int = 3) -> Any:
    """`array`, or one without levels for what there is not: kernels take no None.

    Parameters
    ----------
    a : on the CPU
    like : of the same precision
    dimensions : of ``a``
    """
    return array(like.new_empty((0,) * dimensions) if a is None else a)
