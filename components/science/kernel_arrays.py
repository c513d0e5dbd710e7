# SPDX-License-Identifier: BSD-3-Clause
"""Tensors as the arrays that kernels work on."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


def plain(*tensors: Tensor | None) -> bool:
    """Whether kernels may take tensors as they are: `on_processor`, and no gradient `wanted`.

    Parameters
    ----------
    tensors : all that the kernel reads, for a gradient may be asked for any of them; some may be missing
    """
    return on_processor(*tensors) and not wanted(*tensors)


def on_processor(*tensors: Tensor | None) -> bool:
    """Whether tensors are on the CPU, and nobody is tracing.

    Parameters
    ----------
    tensors : some may be missing
    """
    given = [a for a in tensors if a is not None]
    return not torch.compiler.is_compiling() and all(type(a) is Tensor and a.device.type == "cpu" for a in given)


def wanted(*tensors: Tensor | None) -> bool:
    """Whether a gradient is asked for any of some tensors.

    Parameters
    ----------
    tensors : some may be missing
    """
    return torch.is_grad_enabled() and any(a is not None and a.requires_grad for a in tensors)


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
