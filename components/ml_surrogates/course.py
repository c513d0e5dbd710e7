# SPDX-License-Identifier: BSD-3-Clause
"""What trainings share: the course of the learning rate, the time that is left, and a hash of what was learned from."""

import hashlib
import math
import time
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


def left(start: float, done: int, whole: int) -> str:
    """``ETA 02:31`` of a training.

    Parameters
    ----------
    start : when it began, by `time.monotonic`
    done, whole : steps
    """
    seconds = (time.monotonic() - start) / done * (whole - done)
    return f"ETA {int(seconds // 60):02d}:{int(seconds % 60):02d}"


def data_hash(tensors: Iterable[torch.Tensor]) -> str:
    """SHA-256 of the values of tensors in their order."""
    found = hashlib.sha256()
    for a in tensors:
        found.update(a.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()
