# SPDX-License-Identifier: BSD-3-Clause
"""States as lists of tensors and back: named tuples, dataclasses, dicts and lists in any nesting."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

Rebuild = Callable[[Sequence[Tensor]], Any]


def flatten(tree: Any) -> tuple[list[Tensor], Rebuild]:
    """The tensors of a tree in order, and what makes the same tree of others; what is no tensor stays as it is.

    Parameters
    ----------
    tree : any
        Tensors in named tuples, tuples, lists, dicts and dataclasses; None, numbers and texts beside them.

    Returns
    -------
    list of Tensor, callable

    Examples
    --------
    >>> import torch
    >>> tensors, rebuild = flatten({"a": torch.zeros(2), "b": (3, torch.ones(1))})
    >>> len(tensors), rebuild([t + 1 for t in tensors])["b"]
    (2, (3, tensor([2.])))
    """
    tensors: list[Tensor] = []
    return tensors, _taken(tree, tensors)


def _taken(tree: Any, tensors: list[Tensor]) -> Rebuild:
    if isinstance(tree, Tensor):
        number = len(tensors)
        tensors.append(tree)
        return lambda given: given[number]
    if isinstance(tree, dict):
        parts = {key: _taken(value, tensors) for key, value in tree.items()}
        return lambda given: {key: part(given) for key, part in parts.items()}
    if isinstance(tree, tuple | list):
        kind, inner = type(tree), [_taken(value, tensors) for value in tree]
        if hasattr(tree, "_fields"):
            return lambda given: kind(*(part(given) for part in inner))
        return lambda given: kind(part(given) for part in inner)
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        own = {f.name: _taken(getattr(tree, f.name), tensors) for f in dataclasses.fields(tree) if f.init}
        return lambda given: dataclasses.replace(tree, **{name: part(given) for name, part in own.items()})
    return lambda given: tree
