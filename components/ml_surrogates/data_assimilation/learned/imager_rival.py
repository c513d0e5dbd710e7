# SPDX-License-Identifier: BSD-3-Clause
"""The rival over columns: linear in a background and in departures from the true operator under a clear sky."""

from typing import NamedTuple

import torch
from torch import Tensor

RIDGES = (1e-4, 1e-3, 1e-2, 1e-1)


class Linear(NamedTuple):
    """The rival: a linear analysis of a background and its departures; where these fail a gross check, of the first.

    Attributes
    ----------
    mean, unit : (2 nz + 1,) of the backgrounds
    climate : (2 nz + 1, 2 nz + 1) increment for a background's scaled distance from the mean
    both : (2 nz + 1 + bands, 2 nz + 1) the same for that distance and the scaled departures
    middle, spread : (bands,) of the departures of clear columns, K: their bias is corrected
    check : spreads beyond which a column counts as cloudy, in any band
    """

    mean: Tensor
    unit: Tensor
    climate: Tensor
    both: Tensor
    middle: Tensor
    spread: Tensor
    check: float

    def scaled(self, background: Tensor, departures: Tensor) -> tuple[Tensor, Tensor]:
        """What the analysis is linear in.

        Parameters
        ----------
        background : (n, 2 nz + 1)
        departures : (n, bands) from the true operator under a clear sky, K
        """
        return (background - self.mean) / self.unit, (departures - self.middle) / self.spread

    def __call__(self, background: Tensor, departures: Tensor) -> Tensor:
        """Analyses (n, 2 nz + 1).

        Parameters
        ----------
        background, departures : see `scaled`
        """
        x, d = self.scaled(background, departures)
        good = (d.abs() < self.check).all(1, keepdim=True)
        dx: Tensor = torch.where(good, torch.cat([x, d], 1) @ self.both, x @ self.climate)
        return background + dx


def linear(truth: Tensor, background: Tensor, departures: Tensor) -> Linear:
    """The best linear analysis, its check and ridges chosen on half of the columns.

    Parameters
    ----------
    truth, background : (n, 2 nz + 1)
    departures : (n, bands) of the same columns, K
    """
    half = torch.arange(len(truth)) % 2 == 0
    error = truth - background
    size = error.std(0)
    middle = departures.median(0).values
    near = torch.ones(len(truth), dtype=torch.bool)
    for _ in range(8):  # clouds are cold: what lies far off is left out, again and again
        spread = 1.48 * (departures - middle).abs().median(0).values
        near = ((departures - middle).abs() < 2.0 * spread).all(1)
        middle = departures[near].mean(0)
    fields, bands = truth.shape[1], departures.shape[1]
    none = torch.zeros(fields + bands, fields)
    unit = torch.clamp(background.std(0), min=1e-6)
    plain = Linear(background.mean(0), unit, none[:fields], none, middle, departures[near].std(0), 0.0)
    x, d = plain.scaled(background, departures)

    def left(tried: Linear) -> float:
        return float(((tried(background, departures) - truth)[~half] / size).square().mean())

    first = min((plain._replace(climate=_ridge(x[half], error[half], ridge)) for ridge in RIDGES), key=left)
    kept = [(check, half & (d.abs() < check).all(1)) for check in (2.0, 3.0, 4.0, 6.0, 9.0)]
    tried = (
        first._replace(both=_ridge(torch.cat([x, d], 1)[good], error[good], ridge), check=check)
        for check, good in kept
        for ridge in RIDGES
    )
    return min(tried, key=left)


def _ridge(given: Tensor, wanted: Tensor, share: float) -> Tensor:
    """Weights (given, wanted) by least squares, with a ridge of a share of the mean variance."""
    a, b = given.double(), wanted.double()
    normal = a.T @ a
    more = share * normal.diagonal().mean() + torch.finfo(a.dtype).tiny
    weights: Tensor = torch.linalg.solve(normal + more * torch.eye(len(normal), dtype=a.dtype), a.T @ b)
    return weights.float()
