# SPDX-License-Identifier: BSD-3-Clause
"""What trainings share: the loop, the course of the learning rate, and a hash of what was learned from."""

import hashlib
import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from components.ml_surrogates.progress import left


class Fitted(NamedTuple):
    """How a training went.

    Attributes
    ----------
    losses : means by tenths
    cpu_seconds : it took
    """

    losses: list[float]
    cpu_seconds: float


def rate_at(n: int, steps: int) -> float:
    """Part of the largest rate at a step: a rise over 50 steps, then a cosine to a hundredth.

    Parameters
    ----------
    n : step, from 0
    steps : of the training
    """
    return min(1.0, (n + 1) / 50) * (0.01 + 0.495 * (1.0 + math.cos(math.pi * min(n / steps, 1.0))))


def fit(
    net: nn.Module, loss: Callable[[int], Tensor], steps: int, rate: float, clip: float,
    tell: Callable[[str], None] = print, gradients: Callable[[], None] = lambda: None,
    beside: Sequence[torch.optim.Optimizer] = (),
) -> Fitted:  # fmt: skip
    """Train a network by Adam, and by others what is theirs.

    Parameters
    ----------
    net : changed in place; ready for use at the end
    loss : of a step's number, from 0
    steps : of Adam
    rate : of learning at its largest
    clip : norm of the gradient, at most
    tell : takes a line of text after each tenth
    gradients : called between a step's gradient and its use, as where ranks sum theirs
    beside : optimisers of parameters that Adam leaves alone; their rates take the same course
    """
    others = {p for o in beside for group in o.param_groups for p in group["params"]}
    optimisers = [torch.optim.Adam([p for p in net.parameters() if p not in others], lr=rate), *beside]
    schedules = [torch.optim.lr_scheduler.LambdaLR(o, lambda n: rate_at(n, steps)) for o in optimisers]
    start, cpu, total, losses, tenth = time.monotonic(), time.process_time(), 0.0, [], max(1, steps // 10)
    for n in range(steps):
        found = loss(n)
        net.zero_grad(set_to_none=True)
        found.backward()
        gradients()
        torch.nn.utils.clip_grad_norm_(net.parameters(), clip)
        for optimiser, schedule in zip(optimisers, schedules, strict=True):
            optimiser.step()
            schedule.step()
        total += float(found.detach())
        if (n + 1) % tenth == 0:
            losses.append(total / tenth)
            total = 0.0
            tell(f"step {n + 1} of {steps}: loss {losses[-1]:.4f}   {left(start, n + 1, steps)}")
    net.eval()
    return Fitted(losses, time.process_time() - cpu)


def data_hash(tensors: Iterable[torch.Tensor]) -> str:
    """SHA-256 of the values of tensors in their order."""
    found = hashlib.sha256()
    for a in tensors:
        found.update(a.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()
