# SPDX-License-Identifier: BSD-3-Clause
"""Nested structures of columns: cut a block out, put blocks side by side, name every tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def _each(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """A nested structure of tuples and dataclasses with every tensor changed."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, tuple):
        parts = [_each(v, change) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if hasattr(value, "__dataclass_fields__"):
        return type(value)(*(_each(getattr(value, k), change) for k in value.__dataclass_fields__))
    return value.gather(change) if hasattr(value, "gather") else value


def cut(value: Any, part: slice | Tensor) -> Any:
    """A block of columns, or the columns of some numbers, of a nested structure of tensors.

    Arrays of one value (..., 1) serve all columns.

    Parameters
    ----------
    value : nested named tuples and dataclasses of tensors (..., columns)
    part : columns, as a slice or as numbers
    """

    def own(x: Tensor) -> Tensor:
        if x.dim() == 0 or (x.shape[-1] == 1 and (x.dim() > 1 or isinstance(part, Tensor))):
            return x
        return x[..., part].contiguous() if isinstance(part, slice) else x.index_select(-1, part)

    return _each(value, own)


def gather(value: Any, shape: torch.Size, index: Tensor) -> Any:
    """Some elements of every tensor of a nested structure, numbered in ``shape``, as vectors.

    Tensors are spread to ``shape`` before.

    Parameters
    ----------
    value : nested structure of tensors
    shape : to which they are spread
    index : numbers of elements in ``shape``
    """
    return _each(value, lambda x: x.expand(shape).reshape(-1).index_select(0, index))


def join(blocks: list[Any]) -> Any:
    """Blocks of columns of a nested named tuple, side by side; what is None in all stays so."""
    joined: list[Any] = []
    for values in zip(*blocks, strict=True):
        if values[0] is None:
            joined.append(None)
        else:
            joined.append(torch.cat(values, dim=-1) if isinstance(values[0], Tensor) else join(list(values)))
    return type(blocks[0])(*joined)


def named(value: Any, prefix: str = "") -> list[tuple[str, Tensor]]:
    """Names and tensors of a nested named tuple, inner ones with their parent's name.

    Parameters
    ----------
    value : nested structure of tensors
    prefix : put before the names
    """
    found = []
    for name, part in value._asdict().items():
        if isinstance(part, Tensor):
            found.append((prefix + name, part))
        elif part is not None:
            found += named(part, f"{prefix}{name}_")
    return found


def rebuild(like: Any, values: dict[str, Tensor], prefix: str = "") -> Any:
    """The structure of ``like`` with the tensors of :func:`named`.

    Parameters
    ----------
    like : structure to follow
    values : tensors by the names of :func:`named`
    prefix : put before the names
    """
    return type(like)(
        *(
            values[prefix + name]
            if isinstance(part, Tensor)
            else None
            if part is None
            else rebuild(part, values, f"{prefix}{name}_")
            for name, part in like._asdict().items()
        )
    )
