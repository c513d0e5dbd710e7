# SPDX-License-Identifier: BSD-3-Clause
"""A forecast step that is learned: rates out of products of convolutions, integrated by Runge and Kutta's fourth order.

Advection, pressure and rotation are products and differences of neighbours, so that a product of two convolutions comes
near to them with few weights. Differentiable; the state a step later comes from the state alone.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from components.ml_surrogates.course import rate_at
from components.ml_surrogates.progress import left


class Stepper(nn.Module):
    """The state a step later.

    Parameters
    ----------
    fields : of the state
    width : products
    reach : cells along a side of a convolution, odd
    ny, nx : of the map, where each cell has a rate of its own besides; 0: a doubly periodic plane without any
    """

    middle: Tensor
    spread: Tensor
    change: Tensor

    def __init__(self, fields: int, width: int, reach: int, ny: int = 0, nx: int = 0):
        super().__init__()
        self.sizes = {"fields": fields, "width": width, "reach": reach, "ny": ny, "nx": nx}
        beyond: Literal["replicate", "circular"] = "replicate" if ny else "circular"
        self.left, self.right = (
            nn.Conv2d(fields, width, reach, padding=reach // 2, padding_mode=beyond) for _ in range(2)
        )
        self.out = nn.Conv2d(fields + width, fields, reach, padding=reach // 2, padding_mode=beyond)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]
        if ny:
            self.here = nn.Parameter(torch.zeros(fields, ny, nx))
        for name in ("middle", "spread", "change"):
            self.register_buffer(name, torch.ones(fields, 1, 1))

    def rate(self, x: Tensor) -> Tensor:
        """Change a step, (n, fields, ny, nx).

        Parameters
        ----------
        x : (n, fields, ny, nx)
        """
        s = (x - self.middle) / self.spread
        found = self.out(torch.cat([s, self.left(s) * self.right(s)], 1))
        rate: Tensor = self.change * (found + self.here if self.sizes["ny"] else found)
        return rate

    def forward(self, x: Tensor) -> Tensor:
        """The state a step later, (n, fields, ny, nx).

        Parameters
        ----------
        x : (n, fields, ny, nx)
        """
        k1 = self.rate(x)
        k2 = self.rate(x + 0.5 * k1)
        k3 = self.rate(x + 0.5 * k2)
        k4 = self.rate(x + k3)
        return x + (k1 + 2.0 * k2 + 2.0 * k3 + k4) / 6.0


@dataclass(frozen=True)
class Settings:
    """Of a training.

    Attributes
    ----------
    steps, batch, rate : of Adam
    ahead : steps of the forecast in the loss
    width, reach : of the network
    seed : of everything random
    """

    steps: int = 1500
    batch: int = 4
    rate: float = 3e-3
    ahead: int = 1
    width: int = 64
    reach: int = 3
    seed: int = 1


def untrained(runs: Tensor, s: Settings, bounded: bool) -> Stepper:
    """A network with the scaling of some runs.

    Parameters
    ----------
    runs : see `train`
    s : settings
    bounded : whether the map has sides; else it closes in both directions
    """
    fields, ny, nx = runs.shape[2:]
    torch.manual_seed(s.seed)
    net = Stepper(fields, s.width, s.reach, *((ny, nx) if bounded else (0, 0))).to(runs.dtype)
    over = (0, 1, 3, 4)
    steps = (runs[:, 1:] - runs[:, :-1]).square().mean(over).sqrt()
    for mine, value in ((net.middle, runs.mean(over)), (net.spread, runs.std(over)), (net.change, steps)):
        mine.copy_((value if mine is net.middle else torch.clamp(value, min=1e-8))[:, None, None])
    return net


def train(runs: Tensor, s: Settings, bounded: bool, tell: Callable[[str], None] = print) -> tuple[Stepper, list[float]]:
    """A network trained on runs, and its losses by tenths of the training.

    The loss is the mean square of the forecast's error after each step, each field over its own change of a step.

    Parameters
    ----------
    runs : (n, times, fields, ny, nx) states a step apart
    s : settings
    bounded : whether the map has sides; else it closes in both directions
    tell : takes a line of text after each tenth
    """
    net = untrained(runs, s, bounded)
    g = torch.Generator().manual_seed(s.seed)
    optimiser = torch.optim.Adam(net.parameters(), lr=s.rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda n: rate_at(n, s.steps))
    start, total, losses, tenth = time.monotonic(), 0.0, [], max(1, s.steps // 10)
    for n in range(s.steps):
        run = torch.randint(runs.shape[0], (s.batch,), generator=g)
        at = torch.randint(runs.shape[1] - s.ahead, (s.batch,), generator=g)
        x, loss = runs[run, at], runs.new_zeros(())
        for k in range(s.ahead):
            x = net(x)
            loss = loss + ((x - runs[run, at + k + 1]) / net.change).square().mean() / s.ahead
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        total += float(loss.detach())
        if (n + 1) % tenth == 0:
            losses.append(total / tenth)
            total = 0.0
            tell(f"step {n + 1} of {s.steps}: loss {losses[-1]:.2e}   {left(start, n + 1, s.steps)}")
    return net.eval(), losses


@torch.no_grad()
def error_over_persistence(net: Stepper, runs: Tensor, ahead: int) -> float:
    """Root mean square of a forecast's error over that of no change, all fields scaled.

    Parameters
    ----------
    net : trained
    runs : (n, times, fields, ny, nx) that were not trained on
    ahead : steps of the forecast
    """
    x = start = runs[:, :-ahead].flatten(0, 1)
    for _ in range(ahead):
        x = net(x)
    after = runs[:, ahead:].flatten(0, 1)
    wrong, still = (((a - after) / net.change).square().mean() for a in (x, start))
    return float((wrong / still).sqrt())
