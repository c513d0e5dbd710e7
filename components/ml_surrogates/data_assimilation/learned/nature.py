# SPDX-License-Identifier: BSD-3-Clause
"""Training over a map: pairs of truth and background from runs of the forecast operator, and the loop.

Both begin from the same air with disturbances of their own, and run side by side. Observations are drawn anew at each
use, at random cells, with the errors of `simulate`. The loss is L1 of the analysis, each field over its own spread.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from components.ml_surrogates.course import fit
from components.ml_surrogates.data_assimilation.learned.maps import Channel, MapNetwork
from components.ml_surrogates.data_assimilation.operators import FIELDS, seen
from components.ml_surrogates.data_assimilation.simulate import ERRORS, PRESSURES
from components.ml_surrogates.estimation import air_perturbations
from components.ml_surrogates.estimation.air import PARTS, of_layers, unpacked
from components.ml_surrogates.forecast_operators import Forecast
from components.ml_surrogates.progress import left

CHANNELS = tuple(Channel(v, p) for v in ERRORS for p in PRESSURES)
DISTURBANCE = air_perturbations.Size(4.0, 1.0, 0.1)


class Pairs(NamedTuple):
    """Truths and backgrounds of a map.

    Attributes
    ----------
    truth, background : (n, 4 nz, ny, nx) single precision
    seen : (n, times, channels, ny, nx) what every cell would show from the window's start on, without errors
    """

    truth: Tensor
    background: Tensor
    seen: Tensor


@torch.no_grad()
def pairs(
    forecast: Forecast, latitude: Tensor, spacing: float, runs: int, steps: int, every: int, times: int, seed: int,
    tell: Callable[[str], None] = print,
) -> Pairs:  # fmt: skip
    """Pairs of runs from the operator's own start, taken every some steps.

    Parameters
    ----------
    forecast : operator
    latitude : (ny, nx) degrees
    spacing : of the grid, m
    runs : pairs of runs
    steps, every : of each run, and between what is taken
    times : of a window at which something is seen, every some steps
    seed : of the disturbances
    tell : takes a line of text after each run
    """
    first = {k: a.double() for k, a in forecast.columns(forecast.initial).items()}
    truths, backgrounds, shown, start = [], [], [], time.monotonic()
    for run in range(runs):
        drawn = [
            air_perturbations.drawn(first, latitude, spacing, 2, DISTURBANCE, "balanced", seed + 2 * run + i)[0]
            for i in (0, 1)
        ]
        states, at_end, guesses = [forecast.initial, forecast.initial], [], []
        for n in range(steps):
            states = [
                forecast.advance(s, n * forecast.seconds, unpacked(dx) if n == 0 else None)
                for s, dx in zip(states, drawn, strict=True)
            ]
            if (n + 1) % every == 0:
                air, guess = ({k: a.double() for k, a in forecast.columns(s).items()} for s in states)
                at_end.append((of_layers(air).float(), _shown(air).float()))
                guesses.append(of_layers(guess).float())
        for n in range(len(at_end) - times + 1):
            truths.append(at_end[n][0])
            backgrounds.append(guesses[n])
            shown.append(torch.stack([seen_then for _, seen_then in at_end[n : n + times]]))
        tell(f"run {run + 1} of {runs}   {left(start, run + 1, runs)}")
    return Pairs(torch.stack(truths), torch.stack(backgrounds), torch.stack(shown))


def _shown(air: Mapping[str, Tensor]) -> Tensor:
    """Every channel in every cell, (channels, ny, nx)."""
    nz, *shape = air["p"].shape
    log_p = torch.log(air["p"]).reshape(nz, -1)
    out = []
    for c in CHANNELS:
        bounds = log_p.new_full((log_p.shape[1], 2), c.pressure)
        out.append(seen(air[FIELDS[c.variable]].reshape(nz, -1), log_p, bounds).reshape(shape))
    return torch.stack(out)


@dataclass(frozen=True)
class Settings:
    """Of a training over a map.

    Attributes
    ----------
    steps, batch, rate : of Adam
    share : of the cells with a station, from none up to twice this
    blind : share of the cases without observations
    width, blocks : of the network
    seed : of everything random
    """

    steps: int = 1500
    batch: int = 4
    rate: float = 2e-3
    share: float = 0.08
    blind: float = 0.1
    width: int = 48
    blocks: int = 3
    seed: int = 1


def untrained(p: Pairs, s: Settings) -> MapNetwork:
    """A network with the scaling of the pairs.

    Parameters
    ----------
    p : pairs
    s : settings
    """
    levels = p.truth.shape[1] // len(PARTS)
    net = MapNetwork(levels, len(CHANNELS), s.width, s.blocks)
    wrong = (p.truth - p.background).square().mean((0, 2, 3)).sqrt()
    scaling = (
        (net.middle, p.background.mean((0, 2, 3))), (net.spread, p.background.std((0, 2, 3))),
        (net.increment, wrong),
        (net.value_middle, p.seen.mean((0, 1, 3, 4))), (net.value_spread, p.seen.std((0, 1, 3, 4))),
    )  # fmt: skip
    for mine, value in scaling:
        mine.copy_(torch.clamp(value, min=1e-8) if mine is not net.middle and mine is not net.value_middle else value)
    return net


def stations(seen_there: Tensor, at: Tensor, s: Settings, generator: torch.Generator, *, blind: bool) -> Tensor:
    """Observations (n, 3 channels + 3, ny, nx) at random cells and times of the window, with errors.

    Parameters
    ----------
    seen_there : (n, times, channels, ny, nx) without errors
    at : (3, ny, nx) place
    s : settings
    generator : of cells, times and errors
    blind : whether nothing is seen
    """
    n, times, channels, *shape = seen_there.shape
    share = 0.0 if blind else 2.0 * s.share * torch.rand((n, 1, 1, 1), generator=generator)
    mask = (torch.rand((n, 1, *shape), generator=generator) < share).to(seen_there).expand(-1, channels, -1, -1)
    when = torch.randint(times, (n, 1, 1, *shape), generator=generator).expand(-1, -1, channels, -1, -1)
    error = seen_there.new_tensor([ERRORS[c.variable] for c in CHANNELS])[:, None, None]
    value = seen_there.gather(1, when)[:, 0] + error * torch.randn(mask.shape, generator=generator)
    return torch.cat([value * mask, mask, when[:, 0] / times * mask, at.expand(n, -1, -1, -1)], 1)


def train(p: Pairs, at: Tensor, s: Settings, tell: Callable[[str], None] = print) -> tuple[MapNetwork, list[float]]:
    """A network trained on pairs, and its losses by tenths of the training.

    Parameters
    ----------
    p : pairs
    at : (3, ny, nx) place
    s : settings
    tell : takes a line of text after each tenth
    """
    torch.manual_seed(s.seed)
    g = torch.Generator().manual_seed(s.seed)
    net = untrained(p, s)

    def loss(n: int) -> Tensor:
        pick = torch.randint(len(p.truth), (s.batch,), generator=g)
        blind = bool(torch.rand((), generator=g) < s.blind)
        observed = stations(p.seen[pick], at, s, g, blind=blind)
        error = p.background[pick] + net(p.background[pick], observed) - p.truth[pick]
        wrong: Tensor = (error / net.increment[:, None, None]).abs().mean()
        return wrong

    return net, fit(net, loss, s.steps, s.rate, 5.0, tell).losses


def ranges(p: Pairs) -> dict[str, tuple[float, float]]:
    """Least and largest values in training, a tenth of their span wider: of the fields, and of the channels."""
    both = torch.cat([p.truth, p.background])
    found = {part: a for part, a in zip(PARTS, both.chunk(len(PARTS), 1), strict=True)}
    found |= {c.text(): p.seen[:, :, i] for i, c in enumerate(CHANNELS)}
    out = {}
    for name, a in found.items():
        low, high = float(a.min()), float(a.max())
        out[name] = (low - 0.1 * (high - low), high + 0.1 * (high - low))
    return out


@torch.no_grad()
def reduction(net: MapNetwork, p: Pairs, at: Tensor, s: Settings) -> dict[str, float]:
    """Error of the analysis over that of the background, all fields scaled: with stations, and without.

    Parameters
    ----------
    net : trained
    p : pairs that were not trained on
    at : place
    s : settings
    """
    g = torch.Generator().manual_seed(s.seed + 1)

    def rms(error: Tensor) -> float:
        return float((error / net.increment[:, None, None]).square().mean().sqrt())

    before = rms(p.truth - p.background)
    found = {}
    for name, blind in (("stations", False), ("none", True)):
        observed = stations(p.seen, at, s, g, blind=blind)
        found[name] = rms(p.background + net(p.background, observed) - p.truth) / before
    return found
