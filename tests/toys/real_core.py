# SPDX-License-Identifier: BSD-3-Clause
"""The atmosphere's own core over East Asia at 295 km, in the air of a January jet, as a forecast operator."""

from pathlib import Path

import numpy as np
import torch

from components.atmosphere.nonhydrostatic.forecast import Forecast
from components.ml_surrogates.data_assimilation.observation_file import Table
from components.ml_surrogates.data_assimilation.operators import Seen
from components.ml_surrogates.data_assimilation.places import locate, unit_vectors
from components.ml_surrogates.data_assimilation.window import Batch
from components.ml_surrogates.estimation.checkpoint import checkpointed
from components.science.constants import EARTH_RADIUS
from coupler.clock import Clock
from coupler.component import Context
from coupler.grids.grid import Grid

ERRORS = {"air_temperature": 0.5, "eastward_wind": 1.0, "northward_wind": 1.0}
LEVELS = (8.5e4, 7e4, 5e4, 3e4)
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


def batches(f, truth, rng, points=40):
    """Observations of a true air by step, at points of the box, and the variable of each."""
    grid = f.air.context.grid
    lon, lat = np.asarray(grid.longitude), np.asarray(grid.latitude)
    cells = rng.permutation(100)[:points]
    j, i = 6 + cells // 10, 6 + cells % 10
    names = [(v, p) for v in ERRORS for p in LEVELS]
    p, variable = np.repeat([p for _, p in names], points), np.repeat([v for v, _ in names], points)
    where = np.tile(lon[j, i], len(names)), np.tile(lat[j, i], len(names))
    error = np.array([ERRORS[v] for v in variable])
    centres = unit_vectors(lon, lat).reshape(-1, 3)
    distance = EARTH_RADIUS * np.arccos(np.clip(centres @ unit_vectors(*where).T, -1.0, 1.0))
    made = []
    for step, air in truth.items():
        t = Table(0.0 * p, *where, np.stack([p, p], 1), variable, variable, 0.0 * p, error)
        seen = Seen(t, locate(lon, lat, *where))
        value = seen(air) + torch.as_tensor(error * rng.standard_normal(p.size))
        made.append(Batch(step, seen, value, torch.as_tensor(error), torch.as_tensor(distance)))
    return made, variable


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
