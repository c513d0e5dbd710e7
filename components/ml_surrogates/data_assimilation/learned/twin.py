# SPDX-License-Identifier: BSD-3-Clause
"""A case of assimilation with a known truth: Lorenz's model of 1996 under an imager of three channels.

A channel's brightness temperature saturates on either side, its bias grows with the view angle, clouds hide part of the
view, and a swath leaves a gap. Nothing tells which points are cloudy.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from components.ml_surrogates.estimation import lorenz96
from components.ml_surrogates.estimation.lorenz96 import SIZE

CHANNELS = 3
LEAD = 8  # steps of the forecast that the background is: 0.4 time units
START_ERROR = 0.63  # of which that forecast begins, so that the background's is 1.37
MIDDLE, WIDTH = (-2.0, 3.0, 8.0), 4.0  # of the channels' responses, in the state's unit
SWING, CLEAR = 12.0, 260.0  # K
CLOUD_TOP = 225.0  # K
CLOUDY, SEEN = 0.3, 34  # share of cloudy points, points of the swath
NOISE = 0.5  # K
BIAS = (1.0, 4.0)  # K, at nadir and at the swath's edges; a channel has its own share
SHARES = (1.0, -0.8, 0.9)
EDGE = math.radians(50.0)  # largest view angle
BESIDE = ("view_angle", "sun", "place_sine", "place_cosine", "time_sine", "time_cosine")
"""What comes with the values, in this order."""


class Observed(NamedTuple):
    """Observations on the model's points.

    Attributes
    ----------
    value : (n, channels, 40) brightness temperatures, K; zero where nothing was seen
    mask : (n, channels, 40) one where something was seen
    beside : (n, 6, 40) as `BESIDE`: angle over its largest, cosine of the sun's zenith angle, place and hour
    cloudy : (n, 40) bool; for scores alone, no method sees it
    """

    value: Tensor
    mask: Tensor
    beside: Tensor
    cloudy: Tensor

    def none(self) -> "Observed":
        """The same passes, with nothing seen."""
        return self._replace(value=torch.zeros_like(self.value), mask=torch.zeros_like(self.mask))


class Sample(NamedTuple):
    """Cases of an analysis.

    Attributes
    ----------
    truth, background : (n, 40)
    observed : of the truth
    """

    truth: Tensor
    background: Tensor
    observed: Observed


def operator(x: Tensor) -> Tensor:
    """What clear air gives, without bias: (n, channels, 40) K.

    Parameters
    ----------
    x : (n, 40) states; a channel sees a quarter of each neighbour
    """
    near = 0.5 * x + 0.25 * (torch.roll(x, 1, -1) + torch.roll(x, -1, -1))
    middle = near.new_tensor(MIDDLE)[:, None]
    return CLEAR + SWING * torch.tanh((near[:, None] - middle) / WIDTH)


def bias(beside: Tensor) -> Tensor:
    """What the instrument adds, (n, channels, 40) K.

    Parameters
    ----------
    beside : (n, 6, 40) as in `Observed`
    """
    size = BIAS[0] + (BIAS[1] - BIAS[0]) * beside[:, :1].square()
    return size * beside.new_tensor(SHARES)[:, None]


def _clouds(n: int, generator: torch.Generator) -> Tensor:
    """Cloudy points (n, 40), in patches some points long."""
    noise = torch.randn((n, SIZE), generator=generator)
    smooth = noise + torch.roll(noise, 1, -1) + torch.roll(noise, 2, -1)
    cloudy: Tensor = smooth > math.sqrt(3.0) * float(torch.special.ndtri(torch.tensor(1.0 - CLOUDY)))
    return cloudy


def observe(truth: Tensor, generator: torch.Generator) -> Observed:
    """Observations of states (n, 40), each by a pass of its own.

    Parameters
    ----------
    truth : (n, 40)
    generator : of passes, clouds and noise
    """
    n = truth.shape[0]
    first = torch.randint(SIZE, (n, 1), generator=generator)
    across = (torch.arange(SIZE)[None] - first) % SIZE
    seen = across < SEEN
    angle = torch.where(seen, (2.0 * across / (SEEN - 1.0) - 1.0), 0.0)
    place = 2.0 * math.pi * torch.arange(SIZE) / SIZE
    hour = 2.0 * math.pi * torch.rand((n, 1), generator=generator)
    sun = torch.clamp(torch.cos(place + hour), min=0.0)
    turn = (torch.sin(place).expand(n, -1), torch.cos(place).expand(n, -1))
    clock = (torch.sin(hour).expand(-1, SIZE), torch.cos(hour).expand(-1, SIZE))
    beside = torch.stack([angle, sun, *turn, *clock], 1)
    cloudy = _clouds(n, generator) & seen
    cover = torch.where(cloudy, 0.3 + 0.7 * torch.rand((n, SIZE), generator=generator), torch.zeros(()))[:, None]
    value = (1.0 - cover) * operator(truth) + cover * CLOUD_TOP + bias(beside)
    value = value + NOISE * torch.randn(value.shape, generator=generator)
    mask = seen[:, None].expand(-1, CHANNELS, -1).to(truth)
    return Observed(value * mask, mask, beside, cloudy)


def draw(n: int, generator: torch.Generator, start_error: float | Tensor = START_ERROR) -> Sample:
    """Cases from all over the attractor.

    Parameters
    ----------
    n : how many
    generator : of everything random
    start_error : standard deviation of the error that the background's forecast begins with; (n, 1) where it differs
    """
    start = lorenz96.climate(n, generator)
    wrong = start + start_error * torch.randn(start.shape, generator=generator)
    truth, background = lorenz96.steps(start, LEAD), lorenz96.steps(wrong, LEAD)
    return Sample(truth, background, observe(truth, generator))
