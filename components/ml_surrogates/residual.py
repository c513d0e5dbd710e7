# SPDX-License-Identifier: BSD-3-Clause
"""The block of which the networks of learned forecasts and ensembles are made."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional


class Residual(nn.Module):
    """x + two convolutions of it.

    Parameters
    ----------
    convolution : makes one from the numbers of channels that it takes and gives
    width : channels
    """

    def __init__(self, convolution: Callable[[int, int], nn.Module], width: int):
        super().__init__()
        self.inner = nn.Sequential(convolution(width, width), nn.GELU(), convolution(width, width))

    def forward(self, x: Tensor) -> Tensor:
        """As many channels as come in."""
        out: Tensor = functional.gelu(x + self.inner(x))
        return out
