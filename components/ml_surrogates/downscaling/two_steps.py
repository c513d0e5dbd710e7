# SPDX-License-Identifier: BSD-3-Clause
"""CorrDiff's two steps (Mardani et al. 2025): a regression gives the mean, a diffusion draws what it leaves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import zoom
from torch import nn

from . import diffusion
from .diffusion import Denoiser
from .projection import Projection
from .scenes import Array, Field, Scene
from .unet import UNet

WINDOW, BATCH = 32, 8
REGRESSION, DIFFUSION, RATE = 800, 2000, 2.0e-3
STEPS = 12


class Downscaling(nn.Module):
    """Both networks with their scaling.

    Parameters
    ----------
    fields : that are made finer
    maps : of the ground
    factor : fine cells that a coarse one has across
    width : channels of the networks
    """

    def __init__(self, fields: Sequence[Field], maps: int = 1, factor: int = 4, width: int = 12):
        super().__init__()
        n = len(fields)
        self.fields, self.maps, self.factor, self.width = tuple(fields), maps, factor, width
        self.middle, self.size = nn.Buffer(torch.zeros(n)), nn.Buffer(torch.ones(n))
        self.left = nn.Buffer(torch.ones(n))
        self.mean = UNet(n + maps, n, width)
        self.rest = Denoiser(2 * n + maps, n, width)

    def bent(self, values: Array) -> Array:
        """Fields (..., fields, y, x) as the networks see them, before scaling."""
        out = np.array(values, dtype=np.float64)
        for k, field in enumerate(self.fields):
            if field.bend:
                out[..., k, :, :] = np.log1p(np.clip(out[..., k, :, :], 0.0, None) / field.bend)
        return out

    def scaled(self, values: Array) -> torch.Tensor:
        """Fields (..., fields, y, x) of order one."""
        bent = torch.tensor(self.bent(values), dtype=torch.float32)
        made: torch.Tensor = (bent - self.middle[:, None, None]) / self.size[:, None, None]
        return made

    def physical(self, scaled: torch.Tensor) -> Array:
        """The inverse of `scaled`; what cannot be negative is not."""
        size, middle = (a.double().numpy()[:, None, None] for a in (self.size, self.middle))
        out = np.asarray(scaled.double().numpy() * size + middle)
        for k, field in enumerate(self.fields):
            if field.bend:
                out[..., k, :, :] = field.bend * np.expm1(np.clip(out[..., k, :, :], 0.0, None))
        return out

    def known(self, coarse: Array, ground: Array) -> torch.Tensor:
        """Coarse fields spread smoothly over the fine grid, scaled, and the ground, (n, fields + maps, y, x).

        Parameters
        ----------
        coarse : (n, fields, y / factor, x / factor)
        ground : (n, maps, y, x)
        """
        spread = torch.tensor(bicubic(self.bent(coarse), self.factor), dtype=torch.float32)
        scaled = (spread - self.middle[:, None, None]) / self.size[:, None, None]
        return torch.cat([scaled, torch.tensor(ground, dtype=torch.float32)], dim=1)

    def expected(self, known: torch.Tensor) -> torch.Tensor:
        """The mean, scaled: the coarse field and what the regression adds."""
        made: torch.Tensor = known[:, : len(self.fields)] + self.mean(known)
        return made


def bicubic(coarse: Array, factor: int) -> Array:
    """Coarse fields (..., y, x) on the fine grid by cubic splines.

    Parameters
    ----------
    coarse : fields
    factor : fine cells that a coarse one has across
    """
    return np.asarray(
        zoom(coarse, (1,) * (coarse.ndim - 2) + (factor, factor), order=3, grid_mode=True, mode="nearest")
    )


@dataclass
class Course:
    """Mean loss of the last tenth of the steps of both trainings."""

    regression: float
    diffusion: float


def train(
    scene: Scene, fields: Sequence[Field], seed: int, width: int = 12, regression: int = REGRESSION,
    draws: int = DIFFUSION, tell: Callable[[str], None] = lambda text: None, *, turned: bool = False,
) -> tuple[Downscaling, Course]:  # fmt: skip
    """Both networks, one after the other, on windows of the fields.

    Parameters
    ----------
    scene : fine fields
    fields : what they are
    seed : of weights, windows and noise
    width : channels of the networks
    regression, draws : steps of each
    tell : takes a line after each network
    turned : windows are also seen mirrored and turned, where no direction is another than the rest
    """
    torch.manual_seed(seed)
    model = Downscaling(fields, scene.ground.shape[1], scene.factor, width)
    fine = torch.tensor(model.bent(scene.fields), dtype=torch.float32)
    model.middle.copy_(fine.mean((0, 2, 3)))
    model.size.copy_(fine.std((0, 2, 3)))
    known = model.known(scene.coarse, scene.ground)
    right = (fine - model.middle[:, None, None]) / model.size[:, None, None]

    def batch(*arrays: torch.Tensor) -> list[torch.Tensor]:
        some = torch.randint(len(fine), (BATCH,))
        factor = model.factor
        y, x = (factor * int(torch.randint((fine.shape[k] - WINDOW) // factor + 1, ())) for k in (2, 3))
        found = [a[some, :, y : y + WINDOW, x : x + WINDOW] for a in arrays]
        if turned:
            quarter, mirrored = int(torch.randint(4, ())), int(torch.randint(2, ()))
            found = [torch.rot90(a.flip(-1) if mirrored else a, quarter, (-2, -1)) for a in found]
        return found

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
    ground: Array,
    number: int,
    seed: int,
    steps: int = STEPS,
    projection: Projection | None = None,
) -> tuple[Array, Array]:
    """Drawn fields (number, n, fields, y, x) and the mean (n, fields, y, x); each member has a seed of its own.

    Parameters
    ----------
    model : trained
    coarse : (n, fields, y / factor, x / factor)
    ground : (n, maps, y, x), of any size
    number : of members
    seed : of the first member
    steps : of the noise
    projection : gives the members the coarse means they came from; None: they are as they are drawn
    """
    known = model.known(coarse, ground)
    with torch.no_grad():
        expected = model.expected(known)
    beside = torch.cat([known, expected], dim=1)
    left = model.left[:, None, None]
    drawn = []
    for member in range(number):
        rest = diffusion.sample(model.rest, beside, len(model.fields), steps, seed + member)
        fields = model.physical(expected + left * rest)
        drawn.append(fields if projection is None else conserved(fields, coarse, projection, model.fields))
    return np.stack(drawn), model.physical(expected)


def conserved(fields: Array, coarse: Array, projection: Projection, kinds: Sequence[Field]) -> Array:
    """Fields with the coarse means given, by the smallest change; what cannot be negative stays positive.

    Parameters
    ----------
    fields : (n, fields, y, x)
    coarse : (n, fields, y / factor, x / factor)
    projection : between both grids
    kinds : what the fields are
    """
    out = np.empty_like(fields)
    for k, kind in enumerate(kinds):
        change = projection.positive if kind.positive else projection
        flat = change(fields[:, k].reshape(len(fields), -1), coarse[:, k].reshape(len(fields), -1))
        out[:, k] = flat.reshape(fields[:, k].shape)
    return out
