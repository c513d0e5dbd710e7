# SPDX-License-Identifier: BSD-3-Clause
"""Scores of fields and of their spread, and the network's loss."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

Z90 = 1.6448536269514722  # half width of a Gaussian's interval of 90 %, in standard deviations


class Scores(NamedTuple):
    """RMSE in ppm and anomaly correlation, both also without the global mean; share inside 90 %, spread over RMSE."""

    rmse: float
    acc: float
    rmse_without_mean: float
    acc_without_mean: float
    covered: float
    spread: float


def rmse(wrong: Tensor, weights: Tensor) -> Tensor:
    """Root of the area-weighted mean square (...) of an error (..., ny, nx).

    Parameters
    ----------
    wrong : estimate less truth
    weights : (ny, nx) shares of the area
    """
    return torch.sqrt((wrong * wrong * weights).sum((-2, -1)))


def acc(estimate: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
    """Anomaly correlation (...) of departures from each cell's mean (Jolliffe & Stephenson 2012, eq. 6.23).

    Parameters
    ----------
    estimate, truth : anomalies
    weights : (ny, nx) shares of the area
    """
    both = (estimate * truth * weights).sum((-2, -1))
    sizes = (estimate * estimate * weights).sum((-2, -1)) * (truth * truth * weights).sum((-2, -1))
    return both / torch.sqrt(sizes.clamp(min=1e-30))


def scores(estimate: Tensor, deviation: Tensor, truth: Tensor, climate: Tensor, weights: Tensor) -> Scores:
    """Every number for estimates (..., ny, nx): means over times of each time's value.

    Parameters
    ----------
    estimate, deviation, truth : (..., ny, nx) mean, standard deviation and truth, ppm
    climate : (ny, nx) mean of the training flows
    weights : (ny, nx) shares of the area
    """

    def centred(a: Tensor) -> Tensor:
        return a - (a * weights).sum((-2, -1), keepdim=True)

    wrong = estimate - truth
    inside = ((wrong.abs() <= Z90 * deviation).float() * weights).sum((-2, -1))
    spread = torch.sqrt((deviation * deviation * weights).sum((-2, -1)).mean() / (rmse(wrong, weights) ** 2).mean())
    ours, theirs = estimate - climate, truth - climate
    return Scores(
        float(rmse(wrong, weights).mean()),
        float(acc(ours, theirs, weights).mean()),
        float(rmse(centred(wrong), weights).mean()),
        float(acc(centred(ours), centred(theirs), weights).mean()),
        float(inside.mean()),
        float(spread),
    )


def crps(mean: Tensor, deviation: Tensor, truth: Tensor) -> Tensor:
    """Continuous ranked probability score of a Gaussian (Gneiting et al. 2005, eq. 5), in the truth's unit.

    Parameters
    ----------
    mean, deviation : of the Gaussian
    truth : what happened
    """
    z = (truth - mean) / deviation
    below = 0.5 * (1.0 + torch.erf(z / math.sqrt(2.0)))
    density = torch.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    return deviation * (z * (2.0 * below - 1.0) + 2.0 * density - 1.0 / math.sqrt(math.pi))


def calibration(wrong: Tensor, deviation: Tensor, weights: Tensor) -> float:
    """Factor of the standard deviation with which 90 % of the area lies inside its interval of 90 %.

    Parameters
    ----------
    wrong : (..., ny, nx) estimate less truth, of flows for validation
    deviation : (..., ny, nx) standard deviation
    weights : (ny, nx) shares of the area
    """
    size = (wrong.abs() / (Z90 * deviation)).reshape(-1)
    order = torch.argsort(size)
    share = torch.cumsum(weights.expand_as(wrong).reshape(-1)[order].double(), 0)
    at = int(torch.searchsorted(share, 0.9 * share[-1]))
    return float(size[order[min(at, len(order) - 1)]])
