# SPDX-License-Identifier: BSD-3-Clause
"""Training on Lorenz's model: L1 of the analysis and of the forecasts from it, through the frozen forecast model.

Half of a batch are forecasts of states of the attractor with an error; the other half goes on from the network's own
analyses, so that it learns from backgrounds as they are in a cycle.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from components.ml_surrogates.course import data_hash, fit
from components.ml_surrogates.data_assimilation.learned import twin
from components.ml_surrogates.data_assimilation.learned.network import Fusion, shown
from components.ml_surrogates.data_assimilation.learned.twin import BESIDE, CHANNELS, LEAD, Observed, Sample
from components.ml_surrogates.estimation import lorenz96

STATE_MIDDLE, STATE_WIDTH = 2.3, 3.6
VALUE_MIDDLE, VALUE_WIDTH = 250.0, 15.0  # K
INCREMENT = 1.4  # of the state, where the network says one
FORECASTS = 10  # steps of the forecast in the loss
Model = Callable[[Tensor], Tensor]
"""A step of the frozen forecast model, differentiable."""


@dataclass(frozen=True)
class Settings:
    """Of a training.

    Attributes
    ----------
    steps : of Adam
    batch : cases a step
    rate : step of Adam at its largest
    forecasts : weight of the forecasts in the loss; 0: the analysis alone
    observations : ``all``, or ``none``: the control twin CORR, which never sees one
    blind : share of the cases without observations
    width, blocks : of the network
    pool : states of the attractor, at most
    seed : of everything random
    """

    steps: int = 3000
    batch: int = 64
    rate: float = 3e-3
    forecasts: float = 1.0
    observations: str = "all"
    blind: float = 0.05
    width: int = 32
    blocks: int = 4
    pool: int = 30000
    seed: int = 1


@dataclass
class Course:
    """Losses by tenths of the training, its CPU seconds, and the SHA-256 of what it learned from."""

    losses: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0
    data_hash: str = ""


def network(s: Settings) -> Fusion:
    """An untrained network of a training's sizes."""
    return Fusion(1, 1, 1, 2 * CHANNELS + len(BESIDE), s.width, s.blocks)


def analyse(net: Fusion, background: Tensor, observed: Observed) -> Tensor:
    """Analyses (n, 40).

    Parameters
    ----------
    net : trained, or in training
    background : (n, 40)
    observed : on the same points
    """
    value = shown((observed.value - VALUE_MIDDLE) / VALUE_WIDTH, observed.mask)
    given = torch.cat([value, observed.mask, observed.beside], 1)
    increment: Tensor = net(((background - STATE_MIDDLE) / STATE_WIDTH)[:, None], given)[:, 0]
    return background + INCREMENT * increment


def losses(analysis: Tensor, truth: Tensor, model: Model, steps: int) -> tuple[Tensor, Tensor, list[Tensor]]:
    """L1 of the analysis, the mean L1 of forecasts of 1 to ``steps`` steps, and the pairs of states on the way.

    Parameters
    ----------
    analysis, truth : (n, ...)
    model : a step of the forecast
    steps : of the forecast
    """
    both = torch.stack([analysis, truth])
    total, passed = analysis.new_zeros(()), [both]
    for _ in range(steps):
        both = model(both)
        total = total + (both[0] - both[1]).abs().mean()
        passed.append(both)
    return (analysis - truth).abs().mean(), total / max(steps, 1), passed


def _seen(s: Settings, truth: Tensor, generator: torch.Generator) -> Observed:
    """Observations of a batch; some cases, or all, have none."""
    observed = twin.observe(truth, generator)
    if s.observations == "none":
        return observed.none()
    keep = (torch.rand((len(truth), 1, 1), generator=generator) >= s.blind).to(truth)
    return observed._replace(value=observed.value * keep, mask=observed.mask * keep)


def train(s: Settings, tell: Callable[[str], None] = print) -> tuple[Fusion, Course]:
    """A network trained on cases of `twin`.

    Parameters
    ----------
    s : settings
    tell : takes a line of text after each tenth
    """
    torch.manual_seed(s.seed)
    g = torch.Generator().manual_seed(s.seed)
    net = network(s)
    number = min(s.pool, s.steps * s.batch)  # a short training needs no more
    pool = twin.draw(number, g, 0.15 + 0.75 * torch.rand((number, 1), generator=g))
    half = s.batch // 2
    own: Sample | None = None

    def loss(n: int) -> Tensor:
        nonlocal own
        pick = torch.randint(number, (s.batch - half if own is not None else s.batch,), generator=g)
        truth, background = pool.truth[pick], pool.background[pick]
        if own is not None:
            truth, background = torch.cat([truth, own.truth]), torch.cat([background, own.background])
        observed = _seen(s, truth, g)
        analysis = analyse(net, background, observed)
        first, ahead, passed = losses(analysis, truth, lorenz96.step, FORECASTS if s.forecasts else LEAD)
        later = passed[LEAD].detach()[:, -half:]
        good = torch.isfinite(later[0]).all(-1) & ((later[0] - later[1]).square().mean(-1) < 9.0)
        own = Sample(later[1], torch.where(good[:, None], later[0], later[1]), observed)
        return first + s.forecasts * ahead if s.forecasts else first

    return net, Course(*fit(net, loss, s.steps, s.rate, 5.0, tell), data_hash(pool[:2]))
