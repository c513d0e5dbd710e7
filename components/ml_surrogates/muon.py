# SPDX-License-Identifier: BSD-3-Clause
"""Muon: momentum whose matrix is made nearly orthogonal before it is a step (Jordan et al. 2024).

Every direction of a kernel then moves alike, where Adam mostly follows the few that the data have most of.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
QUINTIC = (3.4445, -4.7750, 2.0315)  # of the iteration: singular values of 0 to 1 come to .7 to 1.2 in five turns
TURNS = 5


def orthogonal(a: Tensor) -> Tensor:
    """The matrix of the same singular vectors, with singular values near 1 (Newton-Schulz).

    Parameters
    ----------
    a : (rows, columns)
    """
    if a.shape[0] > a.shape[1]:
        return orthogonal(a.T).T
    first, third, fifth = QUINTIC
    x: Tensor = a / (a.norm() + 1e-7)
    for _ in range(TURNS):
        square = x @ x.T
        x = first * x + (third * square + fifth * square @ square) @ x
    return x


class Muon(torch.optim.Optimizer):
    """For kernels (given, taken, ...) of convolutions, each as a matrix of what it gives by all that it takes.

    Parameters
    ----------
    parameters : kernels
    rate : length of a step, of singular values
    """

    def __init__(self, parameters: Iterable[nn.Parameter], rate: float):
        super().__init__(list(parameters), {"lr": rate})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Move every kernel that has a gradient."""
        for group in self.param_groups:
            for p in (p for p in group["params"] if p.grad is not None):
                mean = self.state[p].setdefault("mean", torch.zeros_like(p))
                mean.lerp_(p.grad, 1.0 - MOMENTUM)
                ahead = p.grad.lerp(mean, MOMENTUM).flatten(1)
                tall = max(1.0, ahead.shape[0] / ahead.shape[1]) ** 0.5
                p.add_(orthogonal(ahead).view_as(p), alpha=-group["lr"] * tall)
