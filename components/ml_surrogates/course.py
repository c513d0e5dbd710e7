# SPDX-License-Identifier: BSD-3-Clause
"""What trainings share: the course of the learning rate, and a hash of what was learned from."""

import hashlib
import math
from collections.abc import Iterable

import torch


def rate_at(n: int, steps: int) -> float:
    """Part of the largest rate at a step: a rise over 50 steps, then a cosine to a hundredth.

    Parameters
    ----------
    n : step, from 0
    steps : of the training
    """
    return min(1.0, (n + 1) / 50) * (0.01 + 0.495 * (1.0 + math.cos(math.pi * min(n / steps, 1.0))))


def data_hash(tensors: Iterable[torch.Tensor]) -> str:
    """SHA-256 of the values of tensors in their order."""
    found = hashlib.sha256()
    for a in tensors:
        found.update(a.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()
