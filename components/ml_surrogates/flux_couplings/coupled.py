# SPDX-License-Identifier: BSD-3-Clause
"""Ways in which the mechanism takes part in a network of fluxes, trained on a few days of measurements.

Shen & Zhang (2023) name them: *initialisation* (1), the network learns the mechanism's fluxes before it sees a
measured one; *intermediate variable* (2), it sees what the mechanism has inside instead of the weather;
*post-refinement* (3), it learns what a linear correction of the mechanism's flux leaves; *input constraint* (7), the
mechanism's flux stands among its inputs; *mixtures* (10) are several at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from torch import nn

from .series import FLUXES, Series, Tower

HIDDEN = 32
PRETRAINING, PRETRAINING_RATE = 800, 1.0e-2
FITTING, RATE, DECAY = 300, 2.0e-3, 0.1
KNOWING, TUNING_RATE = 120, 5.0e-4
"""Steps where a network begins with what the mechanism knows (1, 3), and the rate after a pretraining."""
WEATHER_SHARE = 0.3
"""Of the weather's standard deviations: three days know little of it, so a network begins gently with it."""
BLOCK = 4  # values, in turn four for training and one block for the choice of the step at which training ends
SCALE = np.array([10.0, 100.0, 100.0])
"""Of the fluxes: what weighs the same."""


@dataclass(frozen=True)
class Coupling:
    """Which of the couplings a network has; none of them: weather alone."""

    initialised: bool = False
    refined: bool = False
    constrained: bool = False
    intermediate: bool = False

    @property
    def name(self) -> str:
        """``weather``, ``1``, ``1+7``, ..."""
        numbers = {"initialised": 1, "intermediate": 2, "refined": 3, "constrained": 7}
        return "+".join(str(n) for part, n in numbers.items() if getattr(self, part)) or "weather"


WEATHER_ALONE = Coupling()
SINGLE = {"1": Coupling(initialised=True), "2": Coupling(intermediate=True), "3": Coupling(refined=True),
          "7": Coupling(constrained=True)}  # fmt: skip
MIXED = [
    Coupling(**dict.fromkeys(parts, True))
    for many in (1, 2, 3)
    for parts in combinations(("initialised", "refined", "constrained"), many)
]
"""Every combination of 1, 3 and 7."""
NAMED = {c.name: c for c in (WEATHER_ALONE, *SINGLE.values(), *MIXED)}


def features(tower: Tower, coupling: Coupling) -> Series:
    """What the network sees, (n, k).

    Parameters
    ----------
    tower : its series
    coupling : of the network
    """
    phase = 2.0 * np.pi * np.arange(len(tower.weather)) / tower.a_day
    parts = [tower.weather, np.stack([np.sin(phase), np.cos(phase)], axis=1)]
    if coupling.intermediate:
        parts = [tower.inside]
    if coupling.constrained:
        parts.append(tower.fluxes)
    return np.concatenate(parts, axis=1)


class FluxNetwork(nn.Module):
    """Fluxes (n, 3) from features, in units of `SCALE`, with what is added to a correction of the mechanism's."""

    def __init__(self, inputs: int, hidden: int = HIDDEN):
        super().__init__()
        self.middle, self.width = (nn.Buffer(torch.full((inputs,), value)) for value in (0.0, 1.0))
        self.offset, self.factor = nn.Buffer(torch.zeros(3)), nn.Buffer(torch.zeros(3))
        self.net = nn.Sequential(
            nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, len(FLUXES))
        )

    def forward(self, x: torch.Tensor, mechanism: torch.Tensor) -> torch.Tensor:
        """Fluxes in units of `SCALE`.

        Parameters
        ----------
        x : (n, k) features
        mechanism : (n, 3) its fluxes in units of `SCALE`
        """
        made: torch.Tensor = self.net((x - self.middle) / self.width)
        return self.offset + self.factor * mechanism + made


def fit(tower: Tower, coupling: Coupling, first_day: int, days: int, seed: int) -> FluxNetwork:
    """A network trained on some days of measurements.

    Weather and mechanism are known for the whole series (they need no tower); measurements of the days alone. A fifth
    of these, in blocks of two hours, ends the training where it is predicted best.

    Parameters
    ----------
    tower : its series
    coupling : how the mechanism takes part
    first_day, days : of the measurements
    seed : of the weights
    """
    torch.manual_seed(seed)
    x, mechanism = (torch.tensor(a, dtype=torch.float32) for a in (features(tower, coupling), tower.fluxes / SCALE))
    measured = torch.tensor(tower.measured / SCALE, dtype=torch.float32)
    net = FluxNetwork(x.shape[1])
    net.middle.copy_(x.mean(0))
    net.width.copy_(torch.clamp(x.std(0), min=1e-12))
    if not coupling.intermediate:
        net.width[: x.shape[1] - (len(FLUXES) if coupling.constrained else 0)] /= WEATHER_SHARE
    mine = torch.arange(first_day * tower.a_day, (first_day + days) * tower.a_day)
    held = (torch.arange(len(mine)) // BLOCK) % 5 == 4
    if coupling.refined:
        _correct(net, mechanism[mine[~held]], measured[mine[~held]])
        with torch.no_grad():  # it begins as the correction alone
            for a in net.net[-1].parameters():
                a.mul_(0.1)
    if coupling.initialised:
        _descend(net, x, mechanism, mechanism, None, PRETRAINING, PRETRAINING_RATE)
    steps = KNOWING if coupling.initialised or coupling.refined else FITTING
    rate = TUNING_RATE if coupling.initialised else RATE
    few = (x[mine[~held]], mechanism[mine[~held]], measured[mine[~held]])
    judge = (x[mine[held]], mechanism[mine[held]], measured[mine[held]])
    _descend(net, *few, judge, steps, rate)
    return net


def _correct(net: FluxNetwork, mechanism: torch.Tensor, measured: torch.Tensor) -> None:
    """The least-squares line from the mechanism's fluxes to those measured."""
    for k in range(len(FLUXES)):
        ok = torch.isfinite(measured[:, k])
        a = torch.stack([torch.ones(int(ok.sum())), mechanism[ok, k]], dim=1).double()
        net.offset[k], net.factor[k] = torch.linalg.lstsq(a, measured[ok, k, None].double()).solution[:, 0].float()


def _error(net: FluxNetwork, x: torch.Tensor, mechanism: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Mean square of the errors where there is a measured value."""
    ok = torch.isfinite(right)
    wrong = torch.where(ok, net(x, mechanism) - torch.nan_to_num(right), 0.0)
    return (wrong * wrong).sum() / ok.sum()


def _descend(
    net: FluxNetwork, x: torch.Tensor, mechanism: torch.Tensor, right: torch.Tensor,
    judge: Sequence[torch.Tensor] | None, steps: int, rate: float,
) -> None:  # fmt: skip
    """AdamW on all rows at once; the weights that ``judge`` finds best are kept."""
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=DECAY)
    best, kept = np.inf, None
    for step in range(steps):
        if judge is not None and step % 10 == 0:
            with torch.no_grad():
                now = float(_error(net, *judge))
            if now < best:
                best, kept = now, {name: a.clone() for name, a in net.state_dict().items()}
        optimiser.zero_grad(set_to_none=True)
        _error(net, x, mechanism, right).backward()
        optimiser.step()
    if kept is not None:
        net.load_state_dict(kept)


def score(net: FluxNetwork, tower: Tower, coupling: Coupling, first_day: int, days: int) -> float:
    """Mean over the fluxes of RMSE / standard deviation, on all days that were not trained on.

    Parameters
    ----------
    net : trained
    tower, coupling, first_day, days : with which it was
    """
    with torch.no_grad():
        got = net(
            *(torch.tensor(a, dtype=torch.float32) for a in (features(tower, coupling), tower.fluxes / SCALE))
        ).double().numpy() * SCALE  # fmt: skip
    return scaled_error(got, tower, first_day, days)


def scaled_error(got: Series, tower: Tower, first_day: int, days: int) -> float:
    """Mean over the fluxes of RMSE / standard deviation of fluxes (n, 3), on all days but the ``days``.

    Parameters
    ----------
    got : fluxes
    tower : with the measured ones
    first_day, days : left out
    """
    day = np.arange(len(got)) // tower.a_day
    rest = (day < first_day) | (day >= first_day + days)
    wrong, right = (got - tower.measured)[rest], tower.measured[rest]
    return float(np.mean(np.sqrt(np.nanmean(wrong * wrong, axis=0)) / np.nanstd(right, axis=0)))
