# SPDX-License-Identifier: BSD-3-Clause
"""The networks: a perturber that draws a latent field from what two states say, and a forecaster that takes it.

The prior P(mu, sigma) sees the last two states. The posterior Q sees the next one too, in training only.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from components.ml_surrogates.residual import Residual
from coupler.errors import CaseError

REACH = 5  # points of a convolution
STATES = 2  # that the forecaster and the prior see
LITTLE = 0.1  # of a draw's usual weight, where a forecaster knows its task before it sees one
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
            self.prior = Encoder(STATES, latent, width // 2)
            self.posterior = Encoder(STATES + 1, latent, width // 2)
        self.forecaster = nn.Sequential(
            _convolution(STATES + latent, width),
            nn.GELU(),
            *(Residual(_convolution, width) for _ in range(blocks)),
            _convolution(width, 1),
        )

    @torch.no_grad()
    def go_on_from(self, single: "EnsembleNetwork") -> None:
        """Take the forecaster of a deterministic network; what is drawn begins with little weight in it.

        Parameters
        ----------
        single : deterministic, of the same width and blocks

        Raises
        ------
        CaseError
            It is no such network.
        """
        mine, theirs = self.forecaster.state_dict(), single.forecaster.state_dict()
        first = "0.weight"
        fits = not single.latent and mine.keys() == theirs.keys()
        if not fits or any(mine[k].shape != theirs[k].shape for k in mine if k != first):
            raise CaseError(
                "expected a deterministic network of the same width and blocks to begin from, found another:"
                " train one with --loss deterministic and this --width"
            )
        drawn = LITTLE * mine[first][:, STATES:]
        self.forecaster.load_state_dict({**theirs, first: torch.cat([theirs[first], drawn], 1)})

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
