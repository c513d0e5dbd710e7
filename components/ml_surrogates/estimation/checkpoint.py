# SPDX-License-Identifier: BSD-3-Clause
"""Forecasts that keep the states between steps only: a step is run again when its gradient is asked for.

The first run of a step builds no graph (``use_reentrant=True``), so that memory holds one step's graph at a time
(Griewank 1992).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

Step = Callable[[Any], Any]


def tensors(state: Any) -> list[Tensor]:
    """All tensors of a state: a tensor, or nested tuples, dictionaries and named tuples of them; None holds none."""
    if isinstance(state, Tensor):
        return [state]
    if isinstance(state, dict):
        return [t for part in state.values() for t in tensors(part)]
    if isinstance(state, tuple | list):
        return [t for part in state for t in tensors(part)]
    return []


def rebuilt(like: Any, parts: list[Tensor]) -> Any:
    """A state built as ``like`` of the tensors ``parts``, which are taken away from the front.

    Parameters
    ----------
    like : state whose build is taken
    parts : as `tensors` gives them
    """
    if isinstance(like, Tensor):
        return parts.pop(0)
    if isinstance(like, dict):
        return {key: rebuilt(part, parts) for key, part in like.items()}
    if isinstance(like, tuple | list):
        made = [rebuilt(part, parts) for part in like]
        return type(like)(*made) if hasattr(like, "_fields") else type(like)(made)
    return like


def checkpointed(step: Step) -> Step:
    """The step, remembering for gradients only the state that it began with; gradients come by `backward`.

    Parameters
    ----------
    step : from a state to the state a step later; gives the same when run again
    """

    def run(state: Any) -> Any:
        given = tensors(state)
        if not (torch.is_grad_enabled() and any(t.requires_grad for t in given)):
            return step(state)
        built: list[Any] = []

        def flat(*parts: Tensor) -> tuple[Tensor, ...]:
            new = step(rebuilt(state, list(parts)))
            if not built:  # only at first: run again it would keep this step's graph alive until all are done
                built.append(new)
            return tuple(tensors(new))

        out = checkpoint(flat, *given, use_reentrant=True)
        return rebuilt(built[0], list(out))

    return run
