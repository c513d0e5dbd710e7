# SPDX-License-Identifier: BSD-3-Clause
"""A learned step of flows on a doubly periodic plane: rates out of products of convolutions, by Runge and Kutta.

Advection, pressure and rotation are products and differences of neighbours, so that a product of two convolutions comes
near to them with few weights.
"""

import torch
from torch import nn

from components.ml_surrogates.course import fit


class Stepper(nn.Module):
    """The state (n, fields, ny, nx) a step later."""

    def __init__(self, fields, width, reach):
        super().__init__()
        self.left, self.right, self.out = (
            nn.Conv2d(taken, given, reach, padding=reach // 2, padding_mode="circular")
            for taken, given in ((fields, width), (fields, width), (fields + width, fields))
        )
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        for name in ("middle", "spread", "change"):
            self.register_buffer(name, torch.ones(fields, 1, 1))

    def rate(self, x):
        s = (x - self.middle) / self.spread
        return self.change * self.out(torch.cat([s, self.left(s) * self.right(s)], 1))

    def forward(self, x):
        k1 = self.rate(x)
        k2 = self.rate(x + 0.5 * k1)
        k3 = self.rate(x + 0.5 * k2)
        k4 = self.rate(x + k3)
        return x + (k1 + 2.0 * k2 + 2.0 * k3 + k4) / 6.0


def trained(runs, steps, width, reach, ahead, rate=5e-3, batch=4, seed=1):
    """A stepper of runs (n, times, fields, ny, nx): mean square error of ``ahead`` steps over the change of one."""
    torch.manual_seed(seed)
    net = Stepper(runs.shape[2], width, reach).to(runs.dtype)
    over = (0, 1, 3, 4)
    change = (runs[:, 1:] - runs[:, :-1]).square().mean(over).sqrt()
    for mine, value in ((net.middle, runs.mean(over)), (net.spread, runs.std(over)), (net.change, change)):
        mine.copy_(value[:, None, None])
    g = torch.Generator().manual_seed(seed)

    def loss(_):
        run = torch.randint(runs.shape[0], (batch,), generator=g)
        at = torch.randint(runs.shape[1] - ahead, (batch,), generator=g)
        x, found = runs[run, at], 0.0
        for k in range(ahead):
            x = net(x)
            found = found + ((x - runs[run, at + k + 1]) / net.change).square().mean() / ahead
        return found

    fit(net, loss, steps, rate, 1.0)
    return net.requires_grad_(False)


@torch.no_grad()
def over_persistence(net, runs):
    """Root mean square of a step's error over that of no change, all fields scaled."""
    x, y = runs[:, :-1].flatten(0, 1), runs[:, 1:].flatten(0, 1)
    wrong, still = (((a - y) / net.change).square().mean() for a in (net(x), x))
    return float((wrong / still).sqrt())
