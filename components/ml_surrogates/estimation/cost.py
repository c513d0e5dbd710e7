# SPDX-License-Identifier: BSD-3-Clause
"""The cost of a control vector over a window of observations, and its gradient by automatic differentiation.

J = 1/2 |v|^2 + 1/2 sum_i |y_i - H_i M_i(x_b + dx(v))|^2 in the norm of R_i^-1, with R_i diagonal (Courtier et al. 1994;
Liu, Xiao & Wang 2008).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from components.ml_surrogates.estimation.checkpoint import Step, checkpointed
from components.ml_surrogates.estimation.controls import Control


@dataclass(frozen=True)
class Observations:
    """What was observed at one time of the window.

    Attributes
    ----------
    step : number of steps of the forecast from the window's start
    value : (p,) observed values
    error : (p,) standard deviations, in the values' unit
    operator : from the forecast's state to the observed values; differentiable
    """

    step: int
    value: Tensor
    error: Tensor
    operator: Callable[[Any], Tensor]

    def __post_init__(self) -> None:
        if self.value.shape != self.error.shape:
            raise ValueError(f"expected an error for each of {self.value.numel()} values, found {self.error.numel()}")
        if not bool((self.error > 0.0).all()):
            raise ValueError("expected errors above zero of all observations, found some that are not")
        if self.step < 0:
            raise ValueError(f"expected observations at or after the window's start, found step {self.step}")


class Parts(NamedTuple):
    """The cost's two terms: of the background and of the observations; their sum is J."""

    background: float
    observations: float


def equivalents(step: Step, state: Any, window: Sequence[Observations]) -> list[Tensor]:
    """What a forecast from ``state`` gives for the observations, batch by batch as in ``window``.

    Parameters
    ----------
    step : from a state to that a step later
    state : at the window's start
    window : observations by time, in any order
    """
    last = max((o.step for o in window), default=0)
    given: dict[int, Tensor] = {}
    for n in range(last + 1):
        for i, o in enumerate(window):
            if o.step == n:
                given[i] = o.operator(state)
        if n < last:
            state = step(state)
    return [given[i] for i in range(len(window))]


@dataclass
class Cost:
    """J of a control vector.

    Parameters
    ----------
    background : x_b, at the window's start
    control : what a control vector means
    step : of the forecast
    window : observations
    begin : from x_b + dx to the state that ``step`` takes; default: the same
    checkpoints : whether a step is run again for its gradient, which saves memory
    """

    background: Tensor
    control: Control
    step: Step
    window: Sequence[Observations]
    begin: Callable[[Tensor], Any] = field(default=lambda x: x)
    checkpoints: bool = True

    def analysis(self, v: Tensor) -> Tensor:
        """x_b + dx(v)."""
        return self.background + self.control.increment(v)

    def departures(self, v: Tensor) -> list[Tensor]:
        """Observations less H M(x_b + dx(v)), batch by batch."""
        step = checkpointed(self.step) if self.checkpoints else self.step
        seen = equivalents(step, self.begin(self.analysis(v)), self.window)
        return [o.value - a for o, a in zip(self.window, seen, strict=True)]

    def terms(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """Both terms of J; the first is the degrees of freedom that the analysis used, times one half."""
        j_o = torch.zeros((), dtype=v.dtype, device=v.device)
        for o, d in zip(self.window, self.departures(v), strict=True):
            scaled = d / o.error
            j_o = j_o + 0.5 * (scaled * scaled).sum()
        return 0.5 * (v * v).sum(), j_o

    def parts(self, v: Tensor) -> Parts:
        """Both terms of J as numbers."""
        with torch.no_grad():
            j_b, j_o = self.terms(v)
        return Parts(float(j_b), float(j_o))

    def __call__(self, v: Tensor) -> tuple[float, Tensor]:
        """J and its gradient."""
        v = v.detach().requires_grad_(True)
        j_b, j_o = self.terms(v)
        j = j_b + j_o
        j.backward()  # a checkpoint answers to no other call
        assert v.grad is not None
        return float(j.detach()), v.grad
