# SPDX-License-Identifier: BSD-3-Clause
"""Training: squared errors over rollouts of one to four steps, each field over its own change in six hours."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from components.ml_surrogates.course import Fitted, fit
from components.ml_surrogates.forecast.network import ForecastNetwork, advance
from components.ml_surrogates.forecast.sampling import AHEAD, EVERY, HOURS, Samples
from components.ml_surrogates.forecast.state import dry_surface_pressure, levels_of
from coupler.errors import CaseError

SECONDS = HOURS * 3600.0

LEAST = 0.02  # of the humidity's largest change: a layer that hardly changes counts no more


@dataclass(frozen=True)
class Settings:
    """Of a training.

    Attributes
    ----------
    steps, batch, rate : of Adam
    curriculum : steps of the rollout, in equal parts of the training
    width, wider : of the network
    seed : of everything random
    """

    steps: int = 4500
    batch: int = 8
    rate: float = 3e-3
    curriculum: Sequence[int] = (1, 1, 1, 1, 2, 4)
    width: int = 32
    wider: int = 64
    seed: int = 1


def untrained(s: Samples, settings: Settings) -> ForecastNetwork:
    """A network with the scaling of samples."""
    net = ForecastNetwork(levels_of(s.states), settings.width, settings.wider)
    around = (0, 1, 3, 4)
    change = (s.states[:, AHEAD:] - s.states[:, :-AHEAD])[..., s.at.inside].square().mean((0, 1, 3)).sqrt()
    spread = s.states.std(around)
    q = slice(net.levels, 2 * net.levels)
    for a in (change, spread):
        a[q] = torch.clamp(a[q], min=LEAST * float(a[q].max()))
    for mine, value in ((net.middle, s.states.mean(around)), (net.spread, spread), (net.change, change)):
        mine.copy_(value)
    return net


def rollout(net: ForecastNetwork, x: Tensor, sides: Tensor, s: Samples, steps: int) -> Tensor:
    """States (steps, n, 4 nz + 1, ny, nx) between held sides.

    Parameters
    ----------
    net : trained, or in training
    x : (n, 4 nz + 1, ny, nx) where they begin
    sides : (n, 4 nz + 1, ny, nx)
    s : samples, of which the place is taken
    steps : of six hours
    """
    mass, out = dry_surface_pressure(sides, s.at), []
    for _ in range(steps):
        x = advance(net, x, sides, mass, s.at, SECONDS)
        out.append(x)
    return torch.stack(out)


def scaled_error(net: ForecastNetwork, x: Tensor, truth: Tensor, s: Samples) -> Tensor:
    """Errors (..., 4 nz + 1, cells inside) over the change in six hours."""
    return ((x - truth) / net.change[:, None, None])[..., s.at.inside]


def train(
    s: Samples, settings: Settings, tell: Callable[[str], None] = print, start: ForecastNetwork | None = None
) -> tuple[ForecastNetwork, Fitted]:
    """A network trained on samples.

    Parameters
    ----------
    s : samples
    settings : of the training
    tell : takes a line of text after each tenth
    start : a network to go on from; it is changed, its scaling stays

    Raises
    ------
    CaseError
        The runs are shorter than the longest rollout.
    """
    torch.manual_seed(settings.seed)
    g = torch.Generator().manual_seed(settings.seed)
    net = start
    if net is None:
        net = untrained(s, settings)
    runs, times = s.states.shape[:2]
    longest = AHEAD * max(settings.curriculum) + 1
    if times < longest:
        raise CaseError(
            f"expected runs of at least {longest * EVERY} h for rollouts of {max(settings.curriculum)} steps,"
            f" found {times * EVERY} h; sample longer ones (--days)"
        )

    def loss(n: int) -> Tensor:
        ahead = settings.curriculum[n * len(settings.curriculum) // settings.steps]
        run = torch.randint(runs, (settings.batch,), generator=g)
        first = torch.randint(times - AHEAD * ahead, (settings.batch,), generator=g)
        truth = torch.stack([s.states[run, first + AHEAD * (k + 1)] for k in range(ahead)])
        found = rollout(net, s.states[run, first], s.sides[run], s, ahead)
        return scaled_error(net, found, truth, s).square().mean()

    return net, fit(net, loss, settings.steps, settings.rate, 1.0, tell)
