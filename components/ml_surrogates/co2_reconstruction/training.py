# SPDX-License-Identifier: BSD-3-Clause
"""Training: the loss, and the loop, which keeps the weights that are best on the flows for validation."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from components.ml_surrogates.progress import left

from .inputs import WIND_SCALE, Fixed
from .networks import circular
from .reconstruction import Reconstruction
from .samples import Bank, Sample
from .scores import calibration, crps, rmse
from .settings import Settings

CHECKED_EVERY = 50


class WindFromField(nn.Module):
    """Wind of the last frame from the estimate and from how it differs from the frame before: a regulariser.

    Only the wind across the field's contours can follow from one tracer.

    Parameters
    ----------
    width : of its hidden layer
    """

    def __init__(self, width: int = 16):
        super().__init__()
        self.first, self.second = nn.Conv2d(2, width, 3), nn.Conv2d(width, 2, 3)

    def forward(self, estimate: Tensor, before: Tensor) -> Tensor:
        """Eastward and northward wind (b, 2, ny, nx) in units of `WIND_SCALE`.

        Parameters
        ----------
        estimate, before : (b, ny, nx) departures in units of the spread
        """
        x = torch.stack([estimate, estimate - before], 1)
        out: Tensor = self.second(circular(nn.functional.silu(self.first(circular(x)))))
        return out


@dataclass
class Course:
    """Losses every `CHECKED_EVERY` steps: of the training, and RMSE (ppm) on the flows for validation."""

    train: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    best: int = 0
    cpu_seconds: float = 0.0


def loss_of(model: Reconstruction, sample: Sample, weights: Tensor, wind: WindFromField | None = None) -> Tensor:
    """Mean CRPS in units of the spread, by area; with ``wind`` also the wind's mean square error.

    Parameters
    ----------
    model : in training
    sample : windows and truth
    weights : (ny, nx) shares of the area
    wind : what must find the wind in the field
    """
    mean, deviation = model(sample.window, sample.distance)
    spread = model.fixed().spread
    loss: Tensor = (crps(mean / spread, deviation / spread, sample.truth / spread) * weights).sum((-2, -1)).mean()
    if wind is None:
        return loss
    past = model.fixed().mean
    got = wind((mean - past) / spread, (sample.window.prior[:, max(-2, -sample.window.prior.shape[1])] - past) / spread)
    right = torch.stack([sample.window.u[:, -1], sample.window.v[:, -1]], 1) / WIND_SCALE
    missed: Tensor = (((got - right) ** 2) * weights).sum((-2, -1)).mean()
    return loss + model.settings.wind_loss * missed


@torch.no_grad()
def estimates(model: Reconstruction, sample: Sample, size: int = 19) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of all windows.

    Parameters
    ----------
    model : trained
    sample : windows
    size : windows at a time
    """
    parts = []
    for a in range(0, sample.truth.shape[0], size):
        window = type(sample.window)(*(x[a : a + size] for x in sample.window))
        parts.append(model(window, sample.distance[a : a + size]))
    return torch.cat([m for m, _ in parts]), torch.cat([s for _, s in parts])


def train(
    settings: Settings, fixed: Fixed, bank: Bank, validation: Sample, weights: Tensor,
    tell: Callable[[str], None] = print,
) -> tuple[Reconstruction, Course]:  # fmt: skip
    """A network, its spread calibrated on the flows for validation.

    Parameters
    ----------
    settings : words of the training
    fixed : of the cells
    bank : of samples
    validation : windows of the flows for validation
    weights : (ny, nx) shares of the area
    tell : takes a line of text now and then
    """
    torch.manual_seed(settings.seed)
    model = Reconstruction(settings, fixed)
    wind = WindFromField() if settings.wind_loss else None
    parameters = [*model.parameters(), *(wind.parameters() if wind else [])]
    optimiser = torch.optim.AdamW(parameters, lr=settings.rate, weight_decay=1e-3)
    steps = settings.steps
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda n: min(1.0, (n + 1) / 30) * (0.02 + 0.49 * (1.0 + math.cos(math.pi * n / steps)))
    )
    generator = torch.Generator().manual_seed(settings.seed + 1)
    course, best, kept = Course(), math.inf, copy.deepcopy(model.state_dict())
    started, cpu, total = time.monotonic(), time.process_time(), 0.0
    for n in range(steps):
        optimiser.zero_grad(set_to_none=True)
        loss = loss_of(model, bank.draw(settings.batch, generator), weights, wind)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        total += float(loss.detach())
        if (n + 1) % CHECKED_EVERY and n + 1 < steps:
            continue
        mean, _ = estimates(model, validation)
        now = float(rmse(mean - validation.truth, weights).mean())
        course.train.append(total / ((n % CHECKED_EVERY) + 1))
        course.validation.append(now)
        total = 0.0
        if now < best:
            best, kept, course.best = now, copy.deepcopy(model.state_dict()), n + 1
        tell(
            f"step {n + 1:5d} of {steps}: loss {course.train[-1]:.4f}, validation {now:.3f} ppm"
            f"{' *' if course.best == n + 1 else ''}   {left(started, n + 1, steps)}"
        )
    model.load_state_dict(kept)
    mean, deviation = estimates(model, validation)
    model.get_buffer("calibration").fill_(calibration(mean - validation.truth, deviation, weights))
    course.cpu_seconds = time.process_time() - cpu
    return model.eval(), course
