# SPDX-License-Identifier: BSD-3-Clause
"""CorrDiff's two steps (Mardani et al. 2025): a regression gives the mean, a diffusion draws what it leaves."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from scipy.ndimage import uniform_filter, zoom
from torch import nn
from torch.nn import functional

from . import diffusion
from .diffusion import Denoiser
from .projection import Projection
from .scenes import Array, Field, means
from .unet import UNet

PARTS = 3
"""Of the records: what each is scored by is learned from the others."""
STEPS = 12
RANGE = 4.0
"""Of the logarithm of the width of what is left, beside that of what splines lack."""
NEAR = 5
"""Coarse cells across, over which the coarse fields' own roughness is taken."""
SMOOTH = 0.1
"""Roughness where there is none, beside that of the training."""


class Downscaling(nn.Module):
    """Networks of both steps with their scaling.

    Parameters
    ----------
    fields : that are made finer
    maps : of the ground
    factor : fine cells that a coarse one has across
    width : channels of the networks
    parts : regressions, whose mean is the guess
    """

    def __init__(self, fields: Sequence[Field], maps: int = 1, factor: int = 4, width: int = 12, parts: int = PARTS):
        super().__init__()
        n = len(fields)
        self.fields, self.maps, self.factor, self.width, self.parts = tuple(fields), maps, factor, width, parts
        self.middle, self.size = nn.Buffer(torch.zeros(n)), nn.Buffer(torch.ones(n))
        self.rough, self.lost, self.left, self.farthest, self.fine = (nn.Buffer(torch.ones(n)) for _ in range(5))
        self.ground = nn.Buffer(torch.ones(2 * maps))
        inputs = 2 * n + sum(f.positive for f in fields) + maps * (2 + n)
        self.mean = nn.ModuleList(UNet(inputs, 2 * n, width) for _ in range(parts))
        self.rest = Denoiser(2 * n + inputs, n, width)

    def bent(self, values: Array) -> Array:
        """Fields (..., fields, y, x) as the networks see them, before scaling."""
        out = np.array(values, dtype=np.float64)
        for k, field in enumerate(self.fields):
            out[..., k, :, :] = field.bent(out[..., k, :, :])
        return out

    def scaled(self, values: Array) -> torch.Tensor:
        """Fields (..., fields, y, x) of order one."""
        return self._scaled(self.bent(values))

    def _scaled(self, bent: Array) -> torch.Tensor:
        middle, size = (a.double().numpy()[:, None, None] for a in (self.middle, self.size))
        return torch.tensor((bent - middle) / size, dtype=torch.float32)

    def physical(self, scaled: torch.Tensor) -> Array:
        """The inverse of `scaled`; what cannot be negative is not."""
        size, middle = (a.double().numpy()[:, None, None] for a in (self.size, self.middle))
        out = np.asarray(scaled.double().numpy() * size + middle)
        for k, field in enumerate(self.fields):
            out[..., k, :, :] = field.straight(out[..., k, :, :])
        return out

    def known(self, coarse: Array, ground: Array) -> "Known":
        """What is known of the fine fields before a network is asked.

        Coarse fields are seen as departures from their surroundings in units of the coarse fields' own roughness there,
        which also is the unit of what splines lack: air of another season or a rougher weather looks as others do.

        Parameters
        ----------
        coarse : (n, fields, y / factor, x / factor)
        ground : (n, maps, y, x)
        """
        bent = self.bent(coarse)
        spread = self._scaled(bicubic(bent, self.factor))
        size, rough = (a.double().numpy()[:, None, None] for a in (self.size, self.rough))
        floor = SMOOTH * rough
        local = torch.tensor(linear(np.sqrt(roughness(bent / size) ** 2 + floor * floor), self.factor)).float()
        around = self._scaled(linear(surroundings(bent, NEAR), self.factor))
        maps = torch.tensor(with_lacking(ground, self.factor), dtype=torch.float32) / self.ground[:, None, None]
        beside = local / self.rough[:, None, None]
        positive = [k for k, field in enumerate(self.fields) if field.positive]
        steep = [maps[:, self.maps :] / beside[:, k : k + 1] for k in range(len(self.fields))]
        seen = torch.cat([(spread - around) / local, torch.log(beside), spread[:, positive], maps, *steep], dim=1)
        return Known(spread, local * self.lost[:, None, None], seen)

    def guess(self, known: "Known", part: int | None = None) -> "Guess":
        """What the regressions tell.

        Parameters
        ----------
        known : of the fields
        part : the regression that tells; None: all, and their mean is taken
        """
        nets = self.mean if part is None else [self.mean[part]]
        added, width = torch.stack([net(known.seen) for net in nets]).mean(0).chunk(2, dim=1)
        width = torch.exp(RANGE * torch.tanh(width / RANGE))
        return Guess(known.spread + known.unit * added, known.unit * width, added)

    def beside(self, known: "Known", guess: "Guess") -> torch.Tensor:
        """What the diffusion is given, (n, channels, y, x)."""
        return torch.cat([known.seen, guess.added, torch.log(guess.width / known.unit)], dim=1)

    def drawn(self, beside: torch.Tensor, steps: int, seed: int) -> torch.Tensor:
        """What the mean leaves, drawn, over its width; its details as strong as they were in the training.

        Parameters
        ----------
        beside : what the diffusion is given
        steps : of the noise
        seed : of the first noise
        """
        rest = diffusion.sample(self.rest, beside, len(self.fields), steps, seed)
        rest = rest + (self.fine[:, None, None] - 1.0) * detail(rest)
        return self.left[:, None, None] * rest


class Known(NamedTuple):
    """What is known of fields (n, fields, y, x) before a network is asked, scaled.

    Attributes
    ----------
    spread : the coarse fields by cubic splines
    unit : what splines usually lack where the coarse fields are as rough as here
    seen : (n, channels, y, x) what the regressions see
    """

    spread: torch.Tensor
    unit: torch.Tensor
    seen: torch.Tensor


class Guess(NamedTuple):
    """What the regressions tell of fields (n, fields, y, x), scaled.

    Attributes
    ----------
    mean : expected
    width : standard deviation of what is left, cell by cell
    added : mean less the coarse fields spread smoothly, over their unit
    """

    mean: torch.Tensor
    width: torch.Tensor
    added: torch.Tensor


def surroundings(coarse: Array, cells: int) -> Array:
    """Means of coarse fields (..., y, x) over so many cells across, at the sides over their mirror.

    Parameters
    ----------
    coarse : fields
    cells : across
    """
    return np.asarray(uniform_filter(coarse, (0,) * (coarse.ndim - 2) + (cells, cells), mode="reflect"))


def roughness(coarse: Array) -> Array:
    """Root of the mean square, over `NEAR` cells across, of what a cell differs by from the nine about it.

    Parameters
    ----------
    coarse : fields (..., y, x)
    """
    apart = coarse - surroundings(coarse, 3)
    return np.sqrt(np.clip(surroundings(apart * apart, NEAR), 0.0, None))


def linear(coarse: Array, factor: int) -> Array:
    """Coarse fields (..., y, x) on the fine grid without new extremes.

    Parameters
    ----------
    coarse : fields
    factor : fine cells that a coarse one has across
    """
    return _spread(coarse, factor, 1)


def _spread(coarse: Array, factor: int, order: int) -> Array:
    across = (1,) * (coarse.ndim - 2) + (factor, factor)
    return np.asarray(zoom(coarse, across, order=order, grid_mode=True, mode="nearest"))


def detail(fields: torch.Tensor) -> torch.Tensor:
    """Fields (n, fields, y, x) less their means over neighbours with binomial weights.

    Parameters
    ----------
    fields : fine
    """
    a = functional.pad(fields, (1, 1, 1, 1), mode="replicate")
    a = 0.25 * a[..., :-2] + 0.5 * a[..., 1:-1] + 0.25 * a[..., 2:]
    return fields - (0.25 * a[..., :-2, :] + 0.5 * a[..., 1:-1, :] + 0.25 * a[..., 2:, :])


def bicubic(coarse: Array, factor: int) -> Array:
    """Coarse fields (..., y, x) on the fine grid by cubic splines.

    Parameters
    ----------
    coarse : fields
    factor : fine cells that a coarse one has across
    """
    return _spread(coarse, factor, 3)


def with_lacking(ground: Array, factor: int) -> Array:
    """Maps (n, maps, y, x) and, behind them, what their coarse means spread smoothly lack of them.

    Parameters
    ----------
    ground : maps
    factor : fine cells that a coarse one has across
    """
    return np.concatenate([ground, ground - bicubic(means(ground, factor), factor)], axis=1)


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
    farthest = model.farthest[:, None, None] * known.unit
    drawn = []
    for member in range(number):
        rest = guess.width * model.drawn(beside, steps, seed + member)
        beyond = (guess.mean + rest - known.spread) / farthest
        fields = model.physical(
            known.spread + farthest * beyond.clamp(-1.0, 1.0)
        )  # no farther from splines than in training
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
