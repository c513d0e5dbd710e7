# SPDX-License-Identifier: BSD-3-Clause
"""Leaf nitrogen's slope of Vcmax and the turnover of organic matter, fitted to net exchange in a twin."""

import torch

from components.land.column.column import Forcing, Options, initial_state, step
from components.land.column.parameters import parameters
from components.land.column.radiation import partition

D = torch.float64
SECONDS = 14400.0
SEEN = (2, 3, 6)


def exchange(factors):
    """Net uptake (umol m-2 s-1) of a wood at morning, noon and after midnight, when a day of decay is respired."""
    p = parameters(["evergreen_needleleaf_forest"], ["loam"], cycles=True)
    t = p.cycles
    t = t._replace(vcmax_slope=t.vcmax_slope * factors[0], turnover=t.turnover * factors[1])
    p = p._replace(cycles=t)
    one = torch.ones(1, dtype=D)
    state, found = initial_state(p, 288.0 * one, 0.6), []
    options = Options(nitrogen="none", prognostic_leaves=True)
    for i in range(7):
        mu = torch.clamp(-torch.cos(torch.tensor([2.0 * torch.pi * (i + 0.5) / 6.0], dtype=D)), min=0.0)
        direct, diffuse = partition(800.0 * mu, mu)
        forcing = Forcing(
            285.0 + 8.0 * mu, 0.007 * one, 1e5 * one, 3.0 * one, 10.0 * one, direct, diffuse, 320.0 * one, 2e-5 * one,
            0.0 * one, 400.0 * one, mu, one, 0.5 * one,
        )  # fmt: skip
        state, out = step(state, forcing, p, SECONDS, options)
        found.append(out.net_uptake)
    return torch.cat([found[i] for i in SEEN])


def test_slope_and_turnover_come_back():
    truth = torch.tensor([1.0, 1.0], dtype=D)
    with torch.no_grad():
        seen = exchange(truth)
    logs = torch.log(torch.tensor([1.3, 0.7], dtype=D)).requires_grad_()
    for _ in range(3):  # Gauss and Newton's method, its slopes by one backward pass a residual
        model = exchange(torch.exp(logs))
        rows = [torch.autograd.grad(v, logs, retain_graph=True)[0] for v in model]
        slopes = torch.stack(rows)
        change = torch.linalg.lstsq(slopes, (seen - model.detach())[:, None]).solution[:, 0]
        logs = (logs.detach() + torch.clamp(change, -0.5, 0.5)).requires_grad_()
    found = torch.exp(logs.detach())
    print("slope and turnover over the truth:", found.tolist())
    assert torch.allclose(found, truth, rtol=0.05)
