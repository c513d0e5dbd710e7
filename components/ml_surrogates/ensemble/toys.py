# SPDX-License-Identifier: BSD-3-Clause
"""Chaotic cases for ensembles: Lorenz's model of 1996, begun from imperfect states, a forecast step 0.2 time units.

``alike``: the initial error is the same everywhere and the model is exact. ``flow``: noise acts only where x is large
(as convection does), so that the error of a forecast depends on the flow.
"""

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from components.ml_surrogates.estimation import lorenz96

Case = Literal["alike", "flow"]
STEP = 4  # steps of Lorenz's model in one of the forecast
UNIT = STEP * lorenz96.DT  # time units
MIDDLE, WIDTH = 2.3, 3.6  # of the climate
INITIAL_ERROR = {"alike": 0.3, "flow": 0.1}  # standard deviation
ACTIVE, VIGOUR = 5.0, 0.6  # where noise acts, and how much for each unit above, over the root of a time unit


class Course(NamedTuple):
    """True courses, and how their first two states were seen.

    Attributes
    ----------
    truth : (n, times, 40), scaled; the first two are the initial states
    seen : (n, 2, 40) the initial states with errors, scaled
    """

    truth: Tensor
    seen: Tensor


def forward(x: Tensor, case: Case, generator: torch.Generator) -> Tensor:
    """States a forecast step later.

    Parameters
    ----------
    x : (n, 40)
    case : alike or flow
    generator : of the noise
    """
    for _ in range(STEP):
        if case == "flow":
            size = VIGOUR * math.sqrt(lorenz96.DT) * torch.clamp(x - ACTIVE, min=0.0)
            x = x + size * torch.randn(x.shape, generator=generator)
        x = lorenz96.step(x)
    return x


def scaled(x: Tensor) -> Tensor:
    """States of order one."""
    return (x - MIDDLE) / WIDTH


def draw(n: int, steps: int, case: Case, generator: torch.Generator) -> Course:
    """Courses of ``steps`` forecast steps after two initial states.

    Parameters
    ----------
    n : how many
    steps : of the forecast
    case : alike or flow
    generator : of everything random
    """
    x = lorenz96.climate(n, generator, 120)
    for _ in range(20):
        x = forward(x, case, generator)
    states = [x]
    for _ in range(steps + 1):
        states.append(forward(states[-1], case, generator))
    truth = scaled(torch.stack(states, 1))
    wrong = INITIAL_ERROR[case] / WIDTH * torch.randn((n, 2, lorenz96.SIZE), generator=generator)
    return Course(truth, truth[:, :2] + wrong)
