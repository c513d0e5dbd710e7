# SPDX-License-Identifier: BSD-3-Clause
"""Lorenz's model of 1996, the smallest forecast that errors grow in as they do in the atmosphere.

dx_i/dt = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + F; a time unit stands for about five days (Lorenz & Emanuel 1998).
"""

import torch
from torch import Tensor

SIZE, FORCE, DT = 40, 8.0, 0.05


def tendency(x: Tensor) -> Tensor:
    """dx/dt of states (..., n)."""
    return (torch.roll(x, -1, -1) - torch.roll(x, 2, -1)) * torch.roll(x, 1, -1) - x + FORCE


def step(x: Tensor, dt: float = DT) -> Tensor:
    """A step by the Runge-Kutta scheme of fourth order.

    Parameters
    ----------
    x : (..., n) states
    dt : time units
    """
    k1 = tendency(x)
    k2 = tendency(x + 0.5 * dt * k1)
    k3 = tendency(x + 0.5 * dt * k2)
    k4 = tendency(x + dt * k3)
    return x + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)


def steps(x: Tensor, n: int) -> Tensor:
    """States ``n`` steps later.

    Parameters
    ----------
    x : (..., n) states
    n : steps of `DT`
    """
    for _ in range(n):
        x = step(x)
    return x


def climate(n: int, generator: torch.Generator, spin_up: int = 200) -> Tensor:
    """States (n, 40) of the attractor, each from a start of its own; single precision.

    Parameters
    ----------
    n : how many
    generator : of the random starts
    spin_up : steps before they are taken
    """
    return steps(FORCE + torch.randn((n, SIZE), generator=generator), spin_up)
