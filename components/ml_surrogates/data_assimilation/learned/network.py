# SPDX-License-Identifier: BSD-3-Clause
"""The network: an encoder of the background, one of the observations, and a fusion that gives the increment.

After FuXi-DA (Xu et al. 2025, npj Clim. Atmos. Sci.): no covariance of either error, no operator, no cloud flags and no
bias correction go in. On a ring (one dimension), a map (two), or for columns each by itself (none).
"""

from functools import partial

import torch
from torch import Tensor, nn

from components.ml_surrogates.residual import Residual

REACH = 5  # points of a convolution


def _convolution(dimensions: int, taken: int, given: int) -> nn.Module:
    """A convolution that closes a ring, and goes on beyond a map's edge with what stands there; none for columns."""
    if dimensions == 0:
        return nn.Linear(taken, given)
    if dimensions == 1:
        return nn.Conv1d(taken, given, REACH, padding=REACH // 2, padding_mode="circular")
    return nn.Conv2d(taken, given, 3, padding=1, padding_mode="replicate")


def shown(value: Tensor, mask: Tensor) -> Tensor:
    """Values where something was seen, zero elsewhere, whatever stands there: not a number, or a mark of none.

    Parameters
    ----------
    value : of any shape
    mask : of the same, above zero where something was seen
    """
    return torch.where(mask > 0.0, value, torch.zeros_like(value))


class Fusion(nn.Module):
    """Increments of a state, all scaled: numbers of order one go in and come out.

    Parameters
    ----------
    dimensions : of the grid, 0 to 2
    state : fields of the background
    changed : fields that get an increment
    observed : channels of the observations: values, masks and what stands beside them
    width : channels within
    blocks : of the fusion
    """

    def __init__(self, dimensions: int, state: int, changed: int, observed: int, width: int, blocks: int):
        super().__init__()
        self.width = width
        self.background = nn.Sequential(
            _convolution(dimensions, state, width), nn.GELU(), Residual(partial(_convolution, dimensions), width)
        )
        self.observations = nn.Sequential(
            _convolution(dimensions, observed, width), nn.GELU(), Residual(partial(_convolution, dimensions), width)
        )
        self.fusion = nn.Sequential(
            _convolution(dimensions, 2 * width, width),
            nn.GELU(),
            *(Residual(partial(_convolution, dimensions), width) for _ in range(blocks)),
        )
        self.increment = _convolution(dimensions, width, changed)

    def forward(self, background: Tensor, observed: Tensor) -> Tensor:
        """The increment (n, changed, ...) of backgrounds (n, state, ...) with observations (n, observed, ...).

        Parameters
        ----------
        background, observed : scaled
        """
        both = torch.cat([self.background(background), self.observations(observed)], 1)
        out: Tensor = self.increment(self.fusion(both))
        return out
