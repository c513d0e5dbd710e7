# SPDX-License-Identifier: BSD-3-Clause
"""L-BFGS, its line search by the strong Wolfe conditions (Nocedal & Wright 2006, algorithms 3.5, 3.6, 7.4).

Near the minimum what J falls by drowns in its rounding: there the slope alone tells (Hager & Zhang 2005, eq. 4.1).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

Function = Callable[[Tensor], tuple[float, Tensor]]


class Stop:
    """Why the search ended, in words."""

    GRADIENT = "the gradient fell below its part of the first"
    DECREASE = "the cost fell by less than its least part"
    ITERATIONS = "as many iterations as were allowed"
    EVALUATIONS = "as many evaluations as were allowed"
    LINE_SEARCH = "no step along the direction lowers the cost enough"
    NOT_FINITE = "the cost or its gradient is not finite"


class Minimum(NamedTuple):
    """The best point found.

    Attributes
    ----------
    v : the point
    value, gradient : J and its gradient there
    iterations, evaluations : how many it took
    stop : why the search ended, one of `Stop`
    history : J after each iteration, that of the start first
    """

    v: Tensor
    value: float
    gradient: Tensor
    iterations: int
    evaluations: int
    stop: str
    history: tuple[float, ...]


@dataclass(frozen=True)
class Limits:
    """When to end.

    Attributes
    ----------
    iterations, evaluations : the most of each
    gradient : norm of the gradient over that at the start
    decrease : of J in an iteration, over J
    memory : pairs kept of steps and changes of gradient
    """

    iterations: int = 100
    evaluations: int = 200
    gradient: float = 1e-3
    decrease: float = 0.0
    memory: int = 20


SUFFICIENT, CURVATURE = 1e-4, 0.9  # c_1, c_2
ROUNDED = 8.0  # units in the last place of J, a sum, within which two values are the same


class _Point(NamedTuple):
    a: float
    value: float
    slope: float
    gradient: Tensor


class _Spent(Exception):
    """No error: the search has used its evaluations."""


class _Line:
    """J along a direction."""

    def __init__(self, f: Function, limit: int):
        self.f, self.limit, self.count = f, limit, 0

    def start(self, v: Tensor, direction: Tensor) -> None:
        self.v, self.direction = v, direction

    def at(self, a: float) -> _Point:
        if self.count >= self.limit:
            raise _Spent
        self.count += 1
        value, gradient = self.f(self.v + a * self.direction)
        return _Point(a, value, _dot(gradient, self.direction), gradient)


def _dot(a: Tensor, b: Tensor) -> float:
    return float((a * b).sum())


def _finite(p: _Point) -> bool:
    return bool(torch.isfinite(torch.tensor([p.value, p.slope])).all())


def minimise(f: Function, start: Tensor, limits: Limits | None = None) -> Minimum:
    """The least J from ``start`` on.

    Parameters
    ----------
    f : gives J and its gradient
    start : the first control vector
    limits : when to end
    """
    limits = limits or Limits()
    line = _Line(f, limits.evaluations)
    v = start.detach().clone()
    line.start(v, torch.zeros_like(v))
    here = line.at(0.0)
    first, history = float(here.gradient.norm()), [here.value]
    if not (_finite(here) and bool(torch.isfinite(here.gradient).all())):
        return Minimum(v, here.value, here.gradient, 0, line.count, Stop.NOT_FINITE, tuple(history))
    steps: list[Tensor] = []
    changes: list[Tensor] = []
    n, stop = 0, Stop.ITERATIONS
    while True:
        if float(here.gradient.norm()) <= limits.gradient * first:
            stop = Stop.GRADIENT
            break
        if n >= limits.iterations:
            break
        direction = _direction(here.gradient, steps, changes)
        slope = _dot(here.gradient, direction)
        line.start(v, direction)
        begin = _Point(0.0, here.value, slope, here.gradient)
        try:
            found = _search(line, begin, 1.0 if steps else min(1.0, 1.0 / max(float(here.gradient.norm()), 1e-300)))
        except _Spent:
            stop = Stop.EVALUATIONS
            break
        if found is None:
            if steps:  # the curvature remembered may be wrong: once more along the steepest descent
                steps, changes = [], []
                continue
            stop = Stop.LINE_SEARCH
            break
        step, change = found.a * direction, found.gradient - here.gradient
        v = v + step
        if _dot(step, change) > 0.0:
            steps, changes = [*steps, step][-limits.memory :], [*changes, change][-limits.memory :]
        fell = here.value - found.value
        here, n = found, n + 1
        history.append(here.value)
        if limits.decrease > 0.0 and fell < limits.decrease * abs(here.value):
            stop = Stop.DECREASE
            break
    return Minimum(v, here.value, here.gradient, n, line.count, stop, tuple(history))


def _direction(gradient: Tensor, steps: list[Tensor], changes: list[Tensor]) -> Tensor:
    """The two-loop recursion."""
    q, weights = -gradient, []
    for s, y in zip(reversed(steps), reversed(changes), strict=True):
        a = _dot(s, q) / _dot(s, y)
        weights.append(a)
        q = q - a * y
    if steps:
        q = q * (_dot(steps[-1], changes[-1]) / _dot(changes[-1], changes[-1]))
    for s, y, a in zip(steps, changes, reversed(weights), strict=True):
        q = q + (a - _dot(y, q) / _dot(s, y)) * s
    return q


def _search(line: _Line, begin: _Point, a: float, most: int = 25) -> _Point | None:
    """A step that holds the strong Wolfe conditions, or None (algorithm 3.5)."""
    before = begin
    for n in range(most):
        here = line.at(a)
        if not _finite(here):  # too far: the forecast broke down
            a = 0.5 * (before.a + a)
            continue
        if _settled(begin, here):
            return here
        if here.value > begin.value + SUFFICIENT * a * begin.slope or (n > 0 and here.value >= before.value):
            return _zoom(line, begin, before, here)
        if abs(here.slope) <= -CURVATURE * begin.slope:
            return here
        if here.slope >= 0.0:
            return _zoom(line, begin, here, before)
        before, a = here, min(2.0 * a if n else max(2.0 * a, _secant(begin, here)), 10.0 * a)
    return None


def _settled(begin: _Point, here: _Point) -> bool:
    """Whether J is the same to rounding and its slope has become less steep."""
    same = abs(here.value - begin.value) <= ROUNDED * torch.finfo(here.gradient.dtype).eps * abs(begin.value)
    return same and abs(here.slope) <= -CURVATURE * begin.slope


def _secant(a: _Point, b: _Point) -> float:
    """Where the slope along a line would be zero, were it linear."""
    bend = b.slope - a.slope
    return a.a - a.slope * (b.a - a.a) / bend if bend > 0.0 else b.a


def _zoom(line: _Line, begin: _Point, low: _Point, high: _Point, most: int = 25) -> _Point | None:
    """A step between two that enclose one (algorithm 3.6)."""
    for _ in range(most):
        a = _between(low, high)
        here = line.at(a)
        if _settled(begin, here):
            return here
        if not _finite(here) or here.value > begin.value + SUFFICIENT * a * begin.slope or here.value >= low.value:
            high = here
        else:
            if abs(here.slope) <= -CURVATURE * begin.slope:
                return here
            if here.slope * (high.a - low.a) >= 0.0:
                high = low
            low = here
        if abs(high.a - low.a) <= 1e-12 * max(abs(low.a), abs(high.a)):
            break
    return low if low.a > 0.0 and low.value < begin.value else None


def _between(low: _Point, high: _Point) -> float:
    """The least of the cubic through two values and slopes, kept off the ends (eq. 3.59); else the middle."""
    middle = 0.5 * (low.a + high.a)
    if not _finite(high):
        return middle
    d1 = low.slope + high.slope - 3.0 * (low.value - high.value) / (low.a - high.a)
    inside = d1 * d1 - low.slope * high.slope
    if inside < 0.0:
        return middle
    d2 = inside**0.5 if high.a > low.a else -(inside**0.5)
    below = high.slope - low.slope + 2.0 * d2
    if below == 0.0:
        return middle
    a = high.a - (high.a - low.a) * (high.slope + d2 - d1) / below
    least, most = min(low.a, high.a), max(low.a, high.a)
    edge = 0.1 * (most - least)
    return a if least + edge <= a <= most - edge else middle
