# SPDX-License-Identifier: BSD-3-Clause
"""Cycled optimal interpolation: transport carries the last analysis on, the known flux is added, stations correct it.

The covariance of the prior's errors is fixed (Daley 1991, chapter 4): no flux is estimated, no spread is carried.
"""

import torch
from torch import Tensor

from components.ml_surrogates.estimation.analysis import Analysed, Dynamics, Forcing, Observations
from components.ml_surrogates.estimation.kriging import FieldState, update


class CycledInterpolation:
    """Optimal interpolation about what the transport brings.

    Parameters
    ----------
    dynamics : transport, with the loss to the background
    covariance : B (n, n) of the prior's errors
    nugget : share of the variance that nearby places do not have in common
    """

    def __init__(self, dynamics: Dynamics, covariance: Tensor, nugget: float = 0.0):
        self.dynamics, self.covariance, self.nugget = dynamics, covariance, nugget

    def start(self, field: Tensor) -> FieldState:
        """See `Analysis`."""
        return FieldState(field)

    def advance(self, state: FieldState, forcing: Forcing, seconds: float) -> FieldState:
        """See `Analysis`."""
        source = forcing.flux.unsqueeze(-3)
        new = self.dynamics(state.field.unsqueeze(-3), source, forcing.winds, seconds)
        return FieldState(new.squeeze(-3))

    def analyse(self, state: FieldState, observations: Observations) -> Analysed[FieldState]:
        """See `Analysis`."""
        new, variance = update(state.field, self.covariance, observations, self.nugget)
        return Analysed(FieldState(new), new, torch.sqrt(variance))
