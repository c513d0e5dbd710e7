"""Nested structures of columns: cut a block out, put blocks side by side, name every tensor."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def cut(value: Any, part: slice) -> Any:
    """A block of columns of a nested structure of tensors; arrays of one value (..., 1) serve all columns."""
    if isinstance(value, Tensor):
        return value if value.shape[-1] == 1 and value.dim() > 1 else value[..., part].contiguous()
    if isinstance(value, tuple):
        return type(value)(*(cut(v, part) for v in value))
    if hasattr(value, "__dataclass_fields__"):
        return type(value)(*(cut(getattr(value, k), part) for k in value.__dataclass_fields__))
    return value


def join(blocks: list[Any]) -> Any:
    """Blocks of columns of a nested named tuple, side by side."""
    joined = []
    for values in zip(*blocks, strict=True):
        joined.append(torch.cat(values, dim=-1) if isinstance(values[0], Tensor) else join(list(values)))
    return type(blocks[0])(*joined)


def named(value: Any, prefix: str = "") -> list[tuple[str, Tensor]]:
    """Names and tensors of a nested named tuple, inner ones with their parent's name."""
    found = []
    for name, part in value._asdict().items():
        if isinstance(part, Tensor):
            found.append((prefix + name, part))
        else:
            found += named(part, f"{prefix}{name}_")
    return found


def rebuild(like: Any, values: dict[str, Tensor], prefix: str = "") -> Any:
    """The structure of ``like`` with the tensors of :func:`named`."""
    return type(like)(
        *(
            values[prefix + name] if isinstance(part, Tensor) else rebuild(part, values, f"{prefix}{name}_")
            for name, part in like._asdict().items()
        )
    )
