# SPDX-License-Identifier: BSD-3-Clause
"""The atmosphere's own core over East Asia at 295 km, in the air of a January jet, as a forecast operator."""

from pathlib import Path

import torch

from components.atmosphere.nonhydrostatic.forecast import Forecast
from components.ml_surrogates.estimation.checkpoint import checkpointed
from coupler.clock import Clock
from coupler.component import Context
from coupler.grids.grid import Grid

STEP = 1800
LAMBERT = "+proj=lcc +lat_1=-5 +lat_2=40 +lat_0=25 +lon_0=130 +R=6371000"


def context(nx=22, ny=22, dx=295e3, step=STEP):
    grid = Grid.projected("assimilation", LAMBERT, nx, ny, dx)
    return Context(
        name="assimilation", clock=Clock("2001-01-01", "noleap"), step=step, duration=10 * 86400, grid=grid,
        folder=Path("."), grids={"default": grid}, logger=lambda text: None,
    )  # fmt: skip


def forecast(precision="double", levels=16, c=None, **options):
    return Forecast(
        c or context(), {"levels": levels, "jet": "january", "relief": "", "precision": precision, **options}
    )


def score(f, now, weights):
    """A weighted sum of the columns, of order one."""
    air = f.columns(now)
    return sum((weights[k].to(air[k]) * (air[k] - air[k].mean())).mean() for k in ("t", "u", "v"))


def run(f, steps, added, checkpoints=True):
    """The state after some steps, increments in the first; each step remembers its start alone."""
    now = f.advance(f.initial, 0.0, added)
    for n in range(1, steps):
        step = lambda s, n=n: f.advance(s, n * f.seconds)  # noqa: E731
        now = (checkpointed(step) if checkpoints else step)(now)
    return now


def weights(f):
    g = torch.Generator().manual_seed(2)
    air = f.columns(f.initial)
    return {k: torch.randn(a.shape, generator=g, dtype=torch.float64) for k, a in air.items()}


def gradient(f, steps, checkpoints=True):
    """The score's gradient to increments of T, u and v of the start."""
    air = f.columns(f.initial)
    added = {k: torch.zeros_like(air[k]).requires_grad_(True) for k in ("t", "u", "v")}
    score(f, run(f, steps, added, checkpoints), weights(f)).backward()
    return {k: a.grad for k, a in added.items()}


def taylor(f, steps, sizes=(1e-1, 1e-2, 1e-3, 1e-4, 1e-5)):
    """Taylor's ratio less one, the best of some sizes, along the gradient."""
    g, w = gradient(f, steps), weights(f)
    norm = torch.sqrt(sum((a * a).sum() for a in g.values()))
    direction = {k: a / norm for k, a in g.items()}
    ratios = []
    with torch.no_grad():
        for e in sizes:
            up, down = (
                float(score(f, run(f, steps, {k: s * e * a for k, a in direction.items()}), w)) for s in (1.0, -1.0)
            )
            ratios.append(abs((up - down) / (2.0 * e * float(norm)) - 1.0))
    return ratios
