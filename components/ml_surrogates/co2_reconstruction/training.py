# SPDX-License-Identifier: BSD-3-Clause
"""Training: the loss, and the loop, which keeps the weights that are best on the flows for validation."""

import copy
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from components.ml_surrogates.model_file import SIDECAR, beside
from components.ml_surrogates.progress import left
from coupler.errors import CaseError
from coupler.files.atomic import whole_file

from .inputs import WIND_SCALE, Fixed
from .networks import circular
from .reconstruction import MODELS, Reconstruction, load
from .samples import Drawing, Sample
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
    """Mean CRPS in units of the mean spread, by area; with ``wind`` also the wind's mean square error.

    Parameters
    ----------
    model : in training
    sample : windows and truth
    weights : (ny, nx) shares of the area
    wind : what must find the wind in the field
    """
    mean, deviation = model(sample.window, sample.distance)
    spread = model.fixed().spread
    loss: Tensor = (crps(mean, deviation, sample.truth) * weights).sum((-2, -1)).mean() / (spread * weights).sum()
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
    settings: Settings, fixed: Fixed, bank: Drawing, validation: Sample, weights: Tensor,
    tell: Callable[[str], None] = print, part: Path | None = None,
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
    part : file that keeps an unfinished training; one of the same words is gone on with, to the same bits
    """
    torch.manual_seed(settings.seed)
    model = Reconstruction(settings, fixed)
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):  # faster; tubelets of CO2-Net have no such order
            layer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if settings.begin:
        model.net.load_state_dict(begun(settings, model).net.state_dict())
    wind = WindFromField() if settings.wind_loss else None
    parameters = [*model.parameters(), *(wind.parameters() if wind else [])]
    optimiser = torch.optim.AdamW(parameters, lr=settings.rate, weight_decay=1e-3)
    steps = settings.steps
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda n: min(1.0, (n + 1) / 30) * (0.02 + 0.49 * (1.0 + math.cos(math.pi * n / steps)))
    )
    generator = torch.Generator().manual_seed(settings.seed + 1)
    course, kept = Course(), copy.deepcopy(model.state_dict())
    best = float(rmse(estimates(model, validation)[0] - validation.truth, weights).mean())  # of what it adds to
    begin, total = 0, 0.0
    learner: dict[str, Any] = {
        "model": model,
        "optimiser": optimiser,
        "schedule": schedule,
        **({"wind": wind} if wind else {}),
    }
    if part and part.exists():
        kept, course, best, begin = _resume(part, settings, learner, generator)
        tell(f"goes on from step {begin} of {part}")
    started, cpu = time.monotonic(), time.process_time() - course.cpu_seconds
    for n in range(begin, steps):
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
            f"{' *' if course.best == n + 1 else ''}   {left(started, n + 1 - begin, steps - begin)}"
        )
        course.cpu_seconds = time.process_time() - cpu
        if part:
            words = {"settings": settings.model_dump(), "course": asdict(course), "best": best, "step": n + 1}
            states = {name: thing.state_dict() for name, thing in learner.items()}
            with whole_file(part) as file:
                torch.save({**words, **states, "kept": kept, "generator": generator.get_state()}, file)
    model.load_state_dict(kept)
    mean, deviation = estimates(model, validation)
    model.get_buffer("calibration").fill_(calibration(mean - validation.truth, deviation, weights))
    course.cpu_seconds = time.process_time() - cpu
    if part:
        part.unlink(missing_ok=True)
    return model.eval(), course


def begun(settings: Settings, model: Reconstruction) -> Reconstruction:
    """The network that a training begins with.

    Parameters
    ----------
    settings : of the training
    model : that is to be trained

    Raises
    ------
    CaseError
        The network is of another shape.
    """
    shipped = MODELS / settings.begin
    found = load(shipped if beside(shipped, SIDECAR).exists() else Path(settings.begin))
    if [p.shape for p in found.net.parameters()] != [p.shape for p in model.net.parameters()]:
        words = ", ".join(
            f"{k}: {getattr(found.settings, k)}" for k in ("network", "frames", "width", "depth", "embedding")
        )
        raise CaseError(f"begin: {settings.begin} is a network of another shape ({words})")
    return found


def _resume(
    part: Path, settings: Settings, learner: Mapping[str, Any], generator: torch.Generator
) -> tuple[dict[str, Any], Course, float, int]:
    """Take up what an unfinished training has left: its best weights, its course, the best error and the step."""
    found = torch.load(part, weights_only=True)
    words, before = settings.model_dump(), found["settings"]
    other = ", ".join(f"{k}: {before.get(k)}" for k in words if words[k] != before.get(k))
    if other:
        raise CaseError(
            f"{part} is an unfinished training with other words ({other}); remove it, or train under another name"
        )
    for name, thing in learner.items():
        thing.load_state_dict(found[name])
    generator.set_state(found["generator"])
    return found["kept"], Course(**found["course"]), float(found["best"]), int(found["step"])
