# SPDX-License-Identifier: BSD-3-Clause
"""CorrDiff's two steps (Mardani et al. 2025): a regression gives the mean, a diffusion draws what it leaves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from scipy.ndimage import zoom
from torch import nn

from coupler.errors import CaseError

from . import diffusion
from .diffusion import Denoiser
from .projection import Projection
from .scenes import Array, Field, Scene, means
from .unet import UNet

WINDOW, BATCH = 32, 8
REGRESSION, DIFFUSION, RATE = 800, 2000, 2.0e-3
STEPS = 12
RANGE = 4.0
"""Of the logarithm of the width of what is left, beside that of what splines lack."""


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
        self.lost, self.left, self.farthest = (nn.Buffer(torch.ones(n)) for _ in range(3))
        self.ground = nn.Buffer(torch.ones(2 * maps))
        self.mean = UNet(n + 2 * maps, 2 * n, width)
        self.rest = Denoiser(3 * n + 2 * maps, n, width)

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
        """Coarse fields spread smoothly over the fine grid, scaled, the ground, and what its coarse means lack of it.

        Parameters
        ----------
        coarse : (n, fields, y / factor, x / factor)
        ground : (n, maps, y, x)

        Returns
        -------
        known : (n, fields + 2 maps, y, x)
        """
        spread = torch.tensor(bicubic(self.bent(coarse), self.factor), dtype=torch.float32)
        scaled = (spread - self.middle[:, None, None]) / self.size[:, None, None]
        beside = torch.tensor(with_lacking(ground, self.factor), dtype=torch.float32)
        return torch.cat([scaled, beside / self.ground[:, None, None]], dim=1)

    def guess(self, known: torch.Tensor) -> "Guess":
        """What the regression tells.

        Parameters
        ----------
        known : (n, fields + 2 maps, y, x)
        """
        added, width = self.mean(known).chunk(2, dim=1)
        spread = known[:, : len(self.fields)]
        lost = self.lost[:, None, None]
        return Guess(spread + lost * added, lost * torch.exp(RANGE * torch.tanh(width / RANGE)), added)

    def beside(self, known: torch.Tensor, guess: "Guess") -> torch.Tensor:
        """What the diffusion is given, (n, 3 fields + 2 maps, y, x)."""
        return torch.cat([known, guess.added, torch.log(guess.width / self.lost[:, None, None])], dim=1)


class Guess(NamedTuple):
    """What the regression tells of fields (n, fields, y, x), scaled.

    Attributes
    ----------
    mean : expected
    width : standard deviation of what is left, cell by cell
    added : mean less the coarse fields spread smoothly, over the size of what these lack
    """

    mean: torch.Tensor
    width: torch.Tensor
    added: torch.Tensor


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


def with_lacking(ground: Array, factor: int) -> Array:
    """Maps (n, maps, y, x) and, behind them, what their coarse means spread smoothly lack of them.

    Parameters
    ----------
    ground : maps
    factor : fine cells that a coarse one has across
    """
    return np.concatenate([ground, ground - bicubic(means(ground, factor), factor)], axis=1)


def _turned(window: torch.Tensor, way: int) -> torch.Tensor:
    """A window (fields, y, x) in one of the eight ways to lay a square."""
    return torch.rot90(window.flip(-1) if way > 3 else window, way % 4, (-2, -1))


@dataclass
class Course:
    """How the trainings ended.

    Attributes
    ----------
    regression : share that is left of the variance that splines lack, mean over the fields
    diffusion : mean loss of the last tenth of the steps
    """

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

    Raises
    ------
    CaseError
        Fields smaller than a window.
    """
    if min(scene.fields.shape[-2:]) < WINDOW:
        ny, nx = scene.fields.shape[-2:]
        raise CaseError(f"expected at least {WINDOW} x {WINDOW} fine cells to learn from, found {ny} x {nx}")
    torch.manual_seed(seed)
    model = Downscaling(fields, scene.ground.shape[1], scene.factor, width)
    fine = torch.tensor(model.bent(scene.fields), dtype=torch.float32)
    model.middle.copy_(fine.mean((0, 2, 3)))
    model.size.copy_(fine.std((0, 2, 3)))
    model.ground.copy_(torch.tensor(with_lacking(scene.ground, scene.factor)).std((0, 2, 3)).clamp(min=1e-6))
    known = model.known(scene.coarse, scene.ground)
    right = (fine - model.middle[:, None, None]) / model.size[:, None, None]

    def batch(*arrays: torch.Tensor) -> list[torch.Tensor]:
        found: list[list[torch.Tensor]] = [[] for _ in arrays]
        places = [model.factor * torch.randint((fine.shape[k] - WINDOW) // model.factor + 1, (BATCH,)) for k in (2, 3)]
        for n, y, x, way in zip(torch.randint(len(fine), (BATCH,)), *places, torch.randint(8, (BATCH,)), strict=True):
            for some, a in zip(found, arrays, strict=True):
                window = a[n, :, y : y + WINDOW, x : x + WINDOW]
                some.append(_turned(window, int(way)) if turned else window)
        return [torch.stack(some) for some in found]

    def descend(net: nn.Module, steps: int, loss: Callable[[], torch.Tensor]) -> float:
        optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=1e-3)
        rise = 0.1 if steps > 10 else 0.55  # of the steps; one step alone is no rise, and is divided by
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=rise)
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

    lacking = right - known[:, : len(fields)]
    model.lost.copy_(lacking.std((0, 2, 3)))
    model.farthest.copy_(lacking.abs().amax((0, 2, 3)))

    def mean_loss() -> torch.Tensor:
        given, wanted = batch(known, right)
        guess = model.guess(given)
        wrong = (guess.mean - wanted) / model.lost[:, None, None]
        width = guess.width / model.lost[:, None, None]
        likely = 0.5 * (wrong.detach() / width).square() + torch.log(width)
        return (wrong * wrong + likely).mean()

    descend(model.mean, regression, mean_loss)
    with torch.no_grad():
        guess = Guess(*map(torch.cat, zip(*(model.guess(part) for part in known.split(16)), strict=True)))
    left = ((right - guess.mean) / model.lost[:, None, None]).square().mean((0, 2, 3))
    tell(f"regression: of the variance that splines lack is left {', '.join(f'{float(a):.3f}' for a in left)}")
    rest = (right - guess.mean) / guess.width
    model.left.copy_(rest.std((0, 2, 3)))
    rest = rest / model.left[:, None, None]
    beside = model.beside(known, guess)

    def draw_loss() -> torch.Tensor:
        given, wanted = batch(beside, rest)
        return diffusion.loss(model.rest, wanted, given)

    second = descend(model.rest, draws, draw_loss)
    tell(f"diffusion: {second:.4f}")
    return model.eval(), Course(float(left.mean()), second)


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
        guess = model.guess(known)
    beside = model.beside(known, guess)
    width = model.left[:, None, None] * guess.width
    spread, farthest = known[:, : len(model.fields)], model.farthest[:, None, None]
    drawn = []
    for member in range(number):
        rest = diffusion.sample(model.rest, beside, len(model.fields), steps, seed + member)
        beyond = (guess.mean + width * rest - spread) / farthest
        fields = model.physical(spread + farthest * beyond.clamp(-1.0, 1.0))  # no farther from splines than in training
        drawn.append(fields if projection is None else conserved(fields, coarse, projection, model.fields))
    return np.stack(drawn), model.physical(guess.mean)


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
