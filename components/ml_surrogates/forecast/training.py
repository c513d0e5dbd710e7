# SPDX-License-Identifier: BSD-3-Clause
"""Training: squared errors over rollouts of one to four steps, each field over its own change in six hours.

A rollout may begin where the network has come by itself (Brandstetter et al. 2022), so that it learns to lead its own
errors back, as the core does, which halves a small one in six hours; the loss is then over what it began with. It is
over the change itself, too, so that air which comes to rest is not lost beside the first hours of a disturbance. Where
a part of a step ends at a kept state, its error counts too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from components.ml_surrogates.course import Fitted, fit
from components.ml_surrogates.forecast.imbalance import imbalance
from components.ml_surrogates.forecast.inference import advance
from components.ml_surrogates.forecast.network import ForecastNetwork, divided, settled, way
from components.ml_surrogates.forecast.sampling import AHEAD, EVERY, HOURS, Samples
from components.ml_surrogates.forecast.state import dry_surface_pressure, levels_of
from components.ml_surrogates.muon import Muon
from coupler.errors import CaseError

SECONDS = HOURS * 3600.0

USUAL = 0.2  # mean square error of a step: a start that is wrong by as much counts half

BETWEEN = 0.3  # of a part's error beside a step's

LEAST = 0.02  # of the humidity's largest change: a layer that hardly changes counts no more


@dataclass(frozen=True)
class Settings:
    """Of a training.

    Attributes
    ----------
    steps, batch : of the optimiser
    rate, turn : of Adam for vectors and single columns, of Muon for kernels
    curriculum : steps of the rollout, in equal parts of the training
    alone : steps, at most, that the network has made by itself where a rollout begins, in equal parts of the training
    share : of the rollouts that begin after such steps
    width, wider, widest, parts : of the network
    half : convolutions in bfloat16
    kept : share of the network to go on from in the result, a mean of both (Wortsman et al. 2022, arXiv:2109.01903)
    seed : of everything random
    """

    steps: int = 4500
    batch: int = 8
    rate: float = 3e-3
    turn: float = 0.02
    curriculum: Sequence[int] = (1, 1, 1, 1, 2, 4)
    alone: Sequence[int] = (0,)
    share: float = 0.3
    width: int = 32
    wider: int = 64
    widest: int = 64
    parts: int = 2
    half: bool = False
    kept: float = 0.0
    seed: int = 1


def untrained(s: Samples, settings: Settings) -> ForecastNetwork:
    """A network with the scaling of samples."""
    net = ForecastNetwork(levels_of(s.states), settings.width, settings.wider, settings.widest, settings.parts)
    around = (0, 1, 3, 4)
    change = (s.states[:, AHEAD:] - s.states[:, :-AHEAD])[..., s.at.inside].square().mean((0, 1, 3)).sqrt()
    spread = s.states.std(around)
    q = slice(net.levels, 2 * net.levels)
    for a in (change, spread):
        a[q] = torch.clamp(a[q], min=LEAST * float(a[q].max()))
    rate = imbalance(s.states[:, :: 2 * AHEAD].flatten(0, 1), s.at)[..., s.at.inside].square().mean((0, 2)).sqrt()
    scales = ((net.middle, s.states.mean(around)), (net.spread, spread), (net.change, change), (net.rate, rate))
    for mine, value in scales:
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
    sets: Sequence[Samples], settings: Settings, tell: Callable[[str], None] = print,
    start: ForecastNetwork | None = None,
) -> tuple[ForecastNetwork, Fitted]:  # fmt: skip
    """A network trained on samples.

    Parameters
    ----------
    sets : samples, those of a set of one length; each counts as it has runs
    settings : of the training
    tell : takes a line of text after each tenth
    start : a network to go on from; it is changed, its scaling stays

    Raises
    ------
    CaseError
        Runs are shorter than the longest rollout.
    """
    torch.manual_seed(settings.seed)
    g = torch.Generator().manual_seed(settings.seed)
    net = untrained(sets[0], settings) if start is None else divided(start, settings.parts)
    net.requires_grad_().train()  # one of a file is frozen
    net.rough = settings.half
    rollouts = max(settings.curriculum) + max(settings.alone)
    longest = AHEAD * rollouts + 1
    times = min(s.states.shape[1] for s in sets)
    if times < longest:
        raise CaseError(
            f"expected runs of at least {longest * EVERY} h for rollouts of {rollouts},"
            f" found {times * EVERY} h; sample longer ones (--days)"
        )
    runs = torch.tensor([float(len(s.states)) for s in sets])

    def loss(n: int) -> Tensor:
        ahead, alone = (a[n * len(a) // settings.steps] for a in (settings.curriculum, settings.alone))
        before = 0
        if alone and float(torch.rand(1, generator=g)) < settings.share:
            before = 1 + int(torch.randint(alone, (1,), generator=g))
        s = sets[int(torch.multinomial(runs, 1, generator=g))]
        run = torch.randint(len(s.states), (settings.batch,), generator=g)
        last = s.states.shape[1] - AHEAD * (before + ahead)
        first = torch.randint(last, (settings.batch,), generator=g)
        x = s.states[run, first]
        with torch.no_grad():
            x = rollout(net, x, s.sides[run], s, before)[-1] if before else x
            first = first + AHEAD * before
            begun = scaled_error(net, x, s.states[run, first], s).square().mean((1, 2))
            moved = scaled_error(net, s.states[run, first], s.states[run, first + AHEAD], s).square().mean((1, 2))
        error = _error(net, x, s, run, first, ahead)
        return (error / (1.0 + moved + begun / USUAL)).mean()

    kernels = [p for p in net.parameters() if p.ndim == 4 and p is not net.give.weight and p is not net.linear.weight]
    turned = Muon(kernels, settings.turn)
    begun = [p.detach().clone() for p in net.parameters()]
    fitted = fit(net, loss, settings.steps, settings.rate, 1.0, tell, beside=(turned,))
    with torch.no_grad():
        for p, first in zip(net.parameters(), begun, strict=True):
            p.lerp_(first, settings.kept)
    return net, fitted


def _error(net: ForecastNetwork, x: Tensor, s: Samples, run: Tensor, first: Tensor, ahead: int) -> Tensor:
    """Mean square errors (n,) of a rollout of so many steps from states at times ``first`` of runs ``run``."""
    sides = s.sides[run]
    mass = dry_surface_pressure(sides, s.at)

    def wrong(found: Tensor, time: Tensor) -> Tensor:
        return scaled_error(net, found, s.states[run, time], s).square().mean((1, 2))

    total = torch.zeros(len(x))
    apart = AHEAD // net.parts if AHEAD % net.parts == 0 else 0  # kept states between the ends of parts
    for _ in range(ahead):
        ends = way(net, x, sides, s.at, SECONDS)
        for n, end in enumerate(ends[:-1] if apart else [], 1):
            total = total + BETWEEN * wrong(end, first + n * apart)
        x, first = settled(ends[-1], sides, mass, s.at), first + AHEAD
        total = total + wrong(x, first)
    return total / ahead
