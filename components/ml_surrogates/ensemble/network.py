# SPDX-License-Identifier: BSD-3-Clause
"""The networks: a perturber that draws a latent field from what two states say, and a forecaster that takes it.

The prior P(mu, sigma) sees the last two states. The posterior Q sees the next one too, in training only.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from components.ml_surrogates.residual import Residual

REACH = 5  # points of a convolution
LEAST_LOG, MOST_LOG = -5.0, 2.0  # of ln sigma


class Normal(NamedTuple):
    """Independent normal distributions.

    Attributes
    ----------
    mean, log_deviation : (..., latent, points)
    """

    mean: Tensor
    log_deviation: Tensor

    def at(self, noise: Tensor) -> Tensor:
        """The draw that standard normal ``noise`` gives."""
        return self.mean + torch.exp(self.log_deviation) * noise


def divergence(q: Normal, p: Normal) -> Tensor:
    """KL(Q || P), summed over the latent fields and the points, (n,).

    Parameters
    ----------
    q, p : (n, latent, points)
    """
    ratio = torch.exp(2.0 * (q.log_deviation - p.log_deviation))
    apart = (q.mean - p.mean) * torch.exp(-p.log_deviation)
    return (p.log_deviation - q.log_deviation + 0.5 * (ratio + apart * apart - 1.0)).sum((-2, -1))


def _convolution(taken: int, given: int) -> nn.Conv1d:
    return nn.Conv1d(taken, given, REACH, padding=REACH // 2, padding_mode="circular")


class Encoder(nn.Module):
    """States to a distribution of the latent field.

    Parameters
    ----------
    states : that go in
    latent : fields that come out
    width : channels within
    """

    def __init__(self, states: int, latent: int, width: int):
        super().__init__()
        self.body = nn.Sequential(
            _convolution(states, width), nn.GELU(), Residual(_convolution, width), _convolution(width, 2 * latent)
        )

    def forward(self, x: Tensor) -> Normal:
        """Distribution of (n, states, points)."""
        mean, log_deviation = self.body(x).chunk(2, 1)
        return Normal(mean, torch.clamp(log_deviation, LEAST_LOG, MOST_LOG))


class EnsembleNetwork(nn.Module):
    """Prior, posterior and forecaster; scaled states (n, points).

    Parameters
    ----------
    latent : fields that are drawn; 0: a deterministic network
    width : channels within
    blocks : of the forecaster
    """

    def __init__(self, latent: int, width: int, blocks: int):
        super().__init__()
        self.latent = latent
        if latent:
            self.prior = Encoder(2, latent, width // 2)
            self.posterior = Encoder(3, latent, width // 2)
        self.forecaster = nn.Sequential(
            _convolution(2 + latent, width),
            nn.GELU(),
            *(Residual(_convolution, width) for _ in range(blocks)),
            _convolution(width, 1),
        )

    def forward(self, before: Tensor, now: Tensor, z: Tensor | None) -> Tensor:
        """The next state (n, points).

        Parameters
        ----------
        before, now : the last two states
        z : (n, latent, points) drawn; None for a deterministic network
        """
        given = torch.stack([before, now], 1)
        if z is not None:
            given = torch.cat([given, z], 1)
        change: Tensor = self.forecaster(given)[:, 0]
        return now + change
