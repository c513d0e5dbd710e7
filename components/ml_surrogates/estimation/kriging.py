# SPDX-License-Identifier: BSD-3-Clause
"""Fields out of stations by a covariance: climatology, kriging, and the best linear estimate.

K = B H^T (H B H^T + R)^-1, mean + K (y - H mean), variance diag(B - K H B) (Gandin 1963; Rasmussen &
Williams 2006, eq. 2.23). A station that does not report has an error without bounds.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from components.ml_surrogates.estimation.analysis import Analysed, Domain, Forcing, Observations

MISSING = 1e6  # times the spread: error of a station that does not report


class FieldState(NamedTuple):
    """A tracer's field (..., ny, nx), departure from the background."""

    field: Tensor


def update(prior: Tensor, covariance: Tensor, observations: Observations, nugget: float = 0.0) -> tuple[Tensor, Tensor]:
    """The field with what stations say, and its variance, both (..., ny, nx).

    Parameters
    ----------
    prior : (..., ny, nx) before
    covariance : B (n, n) of the prior's errors
    observations : of this time
    nugget : share of the variance that nearby places do not have in common
    """
    ny, nx = prior.shape[-2:]
    flat = prior.reshape(-1, ny * nx)
    at = observations.places
    p = len(at)
    value, error, mask = (a.expand(*prior.shape[:-2], p).reshape(-1, p) for a in observations[:3])
    spread = covariance.diagonal()
    r = torch.where(mask, error * error + nugget * spread[at], MISSING * MISSING * spread.max())
    innovation = torch.where(mask, value - flat[:, at], torch.zeros_like(value))
    columns = covariance[:, at]
    new, variance = torch.empty_like(flat), torch.empty_like(flat)
    patterns, which = torch.unique(r, dim=0, return_inverse=True)
    for k, pattern in enumerate(patterns):
        gain = torch.linalg.solve(columns[at] + torch.diag(pattern), columns.T).T
        here = which == k
        new[here] = flat[here] + innovation[here] @ gain.T
        variance[here] = torch.clamp(spread - (gain * columns).sum(1), min=0.0)
    return new.reshape(prior.shape), variance.reshape(prior.shape)


def correlated(domain: Domain, spread: Tensor, length: float) -> Tensor:
    """Covariance (n, n) that falls off exponentially with distance.

    Parameters
    ----------
    domain : of the cells
    spread : (ny, nx) or () standard deviation
    length : over which the correlation falls to 1/e, m
    """
    size = spread.expand(domain.shape).reshape(-1)
    out: Tensor = size[:, None] * torch.exp(-domain.distance() / length) * size
    return out


class Climatology:
    """The mean of the past, whatever stations say.

    Parameters
    ----------
    mean, spread : (ny, nx) of the past
    """

    def __init__(self, mean: Tensor, spread: Tensor):
        self.mean, self.spread = mean, spread

    def start(self, field: Tensor) -> FieldState:
        """See `Analysis`."""
        return FieldState(self.mean.expand_as(field))

    def advance(self, state: FieldState, forcing: Forcing, seconds: float) -> FieldState:
        """See `Analysis`."""
        return state

    def analyse(self, state: FieldState, observations: Observations) -> Analysed[FieldState]:
        """See `Analysis`."""
        return Analysed(state, state.field, self.spread.expand_as(state.field))


class Interpolation:
    """Stations of one time about the mean of the past: kriging, or with the covariance of the past the best linear one.

    Parameters
    ----------
    mean : (ny, nx) of the past
    covariance : (n, n) about it; `correlated` makes it kriging
    nugget : share of the variance that nearby places do not have in common
    """

    def __init__(self, mean: Tensor, covariance: Tensor, nugget: float = 0.0):
        self.mean, self.covariance, self.nugget = mean, covariance, nugget

    def start(self, field: Tensor) -> FieldState:
        """See `Analysis`."""
        return FieldState(self.mean.expand_as(field))

    def advance(self, state: FieldState, forcing: Forcing, seconds: float) -> FieldState:
        """See `Analysis`."""
        return state

    def analyse(self, state: FieldState, observations: Observations) -> Analysed[FieldState]:
        """See `Analysis`."""
        new, variance = update(state.field, self.covariance, observations, self.nugget)
        return Analysed(state, new, torch.sqrt(variance))
