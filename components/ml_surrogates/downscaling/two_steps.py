# SPDX-License-Identifier: BSD-3-Clause
"""CorrDiff's two steps (Mardani et al. 2025): a regression gives the mean, a diffusion draws what it leaves."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import zoom
from torch import nn

from . import diffusion
from .diffusion import Denoiser
from .ideal import FACTOR, FIELDS, Array, Scene
from .projection import Projection
from .unet import UNet

WINDOW, BATCH = 32, 8
REGRESSION, DIFFUSION, RATE = 800, 2000, 2.0e-3
STEPS = 12
ABOVE_ZERO = 1
"""The field that cannot be negative."""


class Downscaling(nn.Module):
    """Both networks with their scaling."""

    def __init__(self, width: int = 12):
        super().__init__()
        n = len(FIELDS)
        self.width = width
        self.middle, self.size = nn.Buffer(torch.zeros(n)), nn.Buffer(torch.ones(n))
        self.left = nn.Buffer(torch.ones(n))
        self.mean = UNet(n + 1, n, width)
        self.rest = Denoiser(2 * n + 1, n, width)

    def known(self, coarse: Array, relief: Array) -> torch.Tensor:
        """Coarse fields spread smoothly over the fine grid, scaled, and the relief, (n, 3, y, x).

        Parameters
        ----------
        coarse : (n, 2, y / 4, x / 4)
        relief : (y, x)
        """
        spread = torch.tensor(bicubic(coarse), dtype=torch.float32)
        scaled = (spread - self.middle[:, None, None]) / self.size[:, None, None]
        ground = torch.tensor(relief, dtype=torch.float32).expand(len(coarse), 1, *relief.shape)
        return torch.cat([scaled, ground], dim=1)

    def expected(self, known: torch.Tensor) -> torch.Tensor:
        """The mean, scaled: the coarse field and what the regression adds."""
        made: torch.Tensor = known[:, : len(FIELDS)] + self.mean(known)
        return made


def bicubic(coarse: Array) -> Array:
    """Coarse fields (..., y, x) on the fine grid by cubic splines."""
    return np.asarray(
        zoom(coarse, (1,) * (coarse.ndim - 2) + (FACTOR, FACTOR), order=3, grid_mode=True, mode="nearest")
    )


@dataclass
class Course:
    """Mean loss of the last tenth of the steps of both trainings."""

    regression: float
    diffusion: float


def train(
    scene: Scene, seed: int, width: int = 12, regression: int = REGRESSION, draws: int = DIFFUSION,
    tell: Callable[[str], None] = lambda text: None,
) -> tuple[Downscaling, Course]:  # fmt: skip
    """Both networks, one after the other, on windows of the fields.

    Parameters
    ----------
    scene : fine fields
    seed : of weights, windows and noise
    width : channels of the networks
    regression, draws : steps of each
    tell : takes a line after each network
    """
    torch.manual_seed(seed)
    model = Downscaling(width)
    fine = torch.tensor(scene.fields, dtype=torch.float32)
    model.middle.copy_(fine.mean((0, 2, 3)))
    model.size.copy_(fine.std((0, 2, 3)))
    known = model.known(scene.coarse, scene.relief)
    right = (fine - model.middle[:, None, None]) / model.size[:, None, None]

    def batch(*arrays: torch.Tensor) -> list[torch.Tensor]:
        some = torch.randint(len(fine), (BATCH,))
        y, x = (FACTOR * int(torch.randint((fine.shape[k] - WINDOW) // FACTOR + 1, ())) for k in (2, 3))
        return [a[some, :, y : y + WINDOW, x : x + WINDOW] for a in arrays]

    def descend(net: nn.Module, steps: int, loss: Callable[[], torch.Tensor]) -> float:
        optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=1e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=0.1)
        course = []
        for _ in range(steps):
            optimiser.zero_grad(set_to_none=True)
            now = loss()
            now.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            course.append(float(now.detach()))
        return float(np.mean(course[-max(steps // 10, 1) :]))

    def mean_loss() -> torch.Tensor:
        given, wanted = batch(known, right)
        wrong = model.expected(given) - wanted
        return (wrong * wrong).mean()

    first = descend(model.mean, regression, mean_loss)
    tell(f"regression: {first:.4f} of the variance left")
    with torch.no_grad():
        expected = torch.cat([model.expected(part) for part in known.split(16)])
    model.left.copy_((right - expected).std((0, 2, 3)))
    rest = (right - expected) / model.left[:, None, None]
    beside = torch.cat([known, expected], dim=1)

    def draw_loss() -> torch.Tensor:
        given, wanted = batch(beside, rest)
        return diffusion.loss(model.rest, wanted, given)

    second = descend(model.rest, draws, draw_loss)
    tell(f"diffusion: {second:.4f}")
    return model.eval(), Course(first, second)


def members(
    model: Downscaling,
    coarse: Array,
    relief: Array,
    number: int,
    seed: int,
    steps: int = STEPS,
    projection: Projection | None = None,
) -> tuple[Array, Array]:
    """Drawn fields (number, n, 2, y, x) and the mean (n, 2, y, x); each member has a seed of its own.

    Parameters
    ----------
    model : trained
    coarse : (n, 2, y / 4, x / 4)
    relief : (y, x), of any size
    number : of members
    seed : of the first member
    steps : of the noise
    projection : gives the members the coarse means they came from; None: they are as they are drawn
    """
    known = model.known(coarse, relief)
    size, middle = (a.double().numpy()[:, None, None] for a in (model.size, model.middle))
    with torch.no_grad():
        expected = model.expected(known)
    beside = torch.cat([known, expected], dim=1)
    left = model.left[:, None, None]
    drawn = []
    for member in range(number):
        rest = diffusion.sample(model.rest, beside, len(FIELDS), steps, seed + member)
        fields = (expected + left * rest).double().numpy() * size + middle
        drawn.append(fields if projection is None else conserved(fields, coarse, projection))
    return np.stack(drawn), expected.double().numpy() * size + middle


def conserved(fields: Array, coarse: Array, projection: Projection) -> Array:
    """Fields with the coarse means given, by the smallest change; rain stays positive.

    Parameters
    ----------
    fields : (n, 2, y, x)
    coarse : (n, 2, y / 4, x / 4)
    projection : between both grids
    """
    out = np.empty_like(fields)
    for k in range(len(FIELDS)):
        change = projection.positive if k == ABOVE_ZERO else projection
        flat = change(fields[:, k].reshape(len(fields), -1), coarse[:, k].reshape(len(fields), -1))
        out[:, k] = flat.reshape(fields[:, k].shape)
    return out
