# SPDX-License-Identifier: BSD-3-Clause
"""The analysis of a window: an ensemble about the background, its forecasts, observations, increments.

``letkf`` weighs members column by column (4D-LETKF, Hunt et al. 2007); ``en4dvar`` minimises J over localised weights
through the forecast and its gradient, and takes the ensemble's new perturbations from the LETKF (Zhang & Zhang 2012).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from components.ml_surrogates.data_assimilation.operators import Seen
from components.ml_surrogates.estimation.air import PARTS, Air, changed, packed, unpacked
from components.ml_surrogates.estimation.controls import Alpha, Root, perturbations
from components.ml_surrogates.estimation.cost import Cost, Observations
from components.ml_surrogates.estimation.etkf import letkf
from components.ml_surrogates.estimation.inflation import relax_to_prior_spread
from components.ml_surrogates.estimation.localisation import gaspari_cohn
from components.ml_surrogates.estimation.minimise import Limits, minimise
from components.ml_surrogates.forecast_operators import Forecast


@dataclass(frozen=True)
class Batch:
    """Observations of one step of the window.

    Attributes
    ----------
    step : steps from the window's start
    seen : their operator
    value, error : (p,)
    distance : (ny nx, p) of every column to each, m
    """

    step: int
    seen: Seen
    value: Tensor
    error: Tensor
    distance: Tensor


@dataclass(frozen=True)
class Method:
    """How observations are weighed.

    Attributes
    ----------
    name : letkf or en4dvar
    radius, depth : of localisation by Gaspari & Cohn, m and ln p
    relaxation, factor : of the spread where observations acted
    iterations : of the minimisation
    root : C^1/2 of the localisation in the horizontal, for en4dvar
    """

    name: Literal["letkf", "en4dvar"]
    radius: float
    depth: float
    relaxation: float
    factor: float
    iterations: int
    root: Root


class Ensemble(NamedTuple):
    """Forecasts of the members that did not break down.

    Attributes
    ----------
    start, end : (N, 4 nz + 1, ny, nx) at the window's start and end
    equivalents : (N, p) of the batches one after the other
    lost : numbers of the members that broke down
    """

    start: Tensor
    end: Tensor
    equivalents: Tensor
    lost: tuple[int, ...]


class Analysis(NamedTuple):
    """What a window gives.

    Attributes
    ----------
    course : (steps + 1, 4 nz + 1, ny, nx) M(x_a) - M(x_b) at every step, from the increment at the window's start on
    perturbations : (N, 4 nz + 1, ny, nx) of the next window's members
    before, after : (p,) observations less background and less analysis
    stop : why the minimisation ended
    freedom : twice J_b, about the degrees of freedom used; None without minimisation
    """

    course: Tensor
    perturbations: Tensor
    before: Tensor
    after: Tensor
    stop: str
    freedom: float | None


def trajectory(
    forecast: Forecast, state: Any, time: float, steps: int, dx: Tensor | None, batches: Sequence[Batch],
    watch: Callable[[Air], Any] = lambda air: None,
) -> tuple[Air, Tensor]:  # fmt: skip
    """The air at the window's end, and what the observations see on the way.

    Parameters
    ----------
    forecast : operator
    state : at the window's start
    time : of the start, s
    steps : of the window
    dx : (4 nz + 1, ny, nx) added at the start, or None
    batches : of observations
    watch : called with the air at the start and after every step
    """
    start = {k: a.double() for k, a in forecast.columns(state).items()}
    air = start if dx is None else changed(start, dx)
    found: dict[int, Tensor] = {}
    for n in range(steps + 1):
        watch(air)
        for i, b in enumerate(batches):
            if b.step == n:
                found[i] = b.seen(air)
        if n < steps:
            state = forecast.advance(
                state, time + n * forecast.seconds, unpacked(dx) if n == 0 and dx is not None else None
            )
            air = {k: a.double() for k, a in forecast.columns(state).items()}
    return air, torch.cat([found[i] for i in range(len(batches))]) if batches else start["t"].new_zeros(0)


@torch.no_grad()
def run_members(
    forecast: Forecast, state: Any, time: float, steps: int, x: Tensor, batches: Sequence[Batch],
    numbers: Sequence[int],
) -> list[dict[str, Any]]:  # fmt: skip
    """Forecasts of the background with some of the perturbations, as messages; members that break down are left out.

    Parameters
    ----------
    forecast, state, time, steps, batches : see `trajectory`
    x : (N, 4 nz + 1, ny, nx) perturbations, about a mean of zero
    numbers : of the members to run
    """
    found = []
    for number in numbers:
        try:
            air, equivalents = trajectory(forecast, state, time, steps, x[number], batches)
        except forecast.failures:
            continue
        end = packed(air)
        if bool(torch.isfinite(end).all()):
            found.append({"number": number, "end": end.numpy(), "seen": equivalents.numpy()})
    return found


def ensemble_of(background: Air, x: Tensor, parts: Sequence[Sequence[Mapping[str, Any]]]) -> Ensemble:
    """The members that several ranks have run, in the order of their numbers.

    Parameters
    ----------
    background : air at the window's start
    x : (N, 4 nz + 1, ny, nx) perturbations of all members
    parts : what `run_members` gave each rank
    """
    runs = sorted((run for part in parts for run in part), key=lambda run: int(run["number"]))
    numbers = [int(run["number"]) for run in runs]
    lost = tuple(sorted(set(range(len(x))) - set(numbers)))
    if len(runs) < 2:
        raise RuntimeError(
            f"{len(lost)} of {len(x)} members of the ensemble broke down: expected at least 2 that do not"
        )
    ends, seen = (torch.stack([torch.as_tensor(run[k]) for run in runs]) for k in ("end", "seen"))
    return Ensemble(torch.stack([packed(changed(background, x[n])) for n in numbers]), ends, seen, lost)


def weighed(
    e: Ensemble, background: Air, batches: Sequence[Batch], method: Method, before: Tensor
) -> tuple[Tensor, Tensor]:
    """The LETKF's analysis of all members at the window's start and end, level by level, spread relaxed.

    Parameters
    ----------
    e : forecasts
    background : air at the start
    batches : observations
    method : radii and relaxation
    before : (p,) observations less background; the ensemble is centred on it
    """
    n, layers = e.start.shape[0], background["p"].shape[0]
    shape = background["p"].shape[1:]
    both = torch.stack([e.start, e.end], 1).flatten(-2)
    error = torch.cat([b.error for b in batches])
    across = torch.cat([gaspari_cohn(b.distance, method.radius) for b in batches], 1)
    log_seen = torch.cat([torch.log(torch.as_tensor(b.seen.table.pressure)).mean(1) for b in batches])
    log_p = torch.log(background["p"].double()).reshape(layers, -1)
    out = both.clone()
    value = e.equivalents.mean(0) + before
    for k in range(layers):
        weight = across * gaspari_cohn((log_p[k][:, None] - log_seen).abs(), method.depth)
        rows = [part * layers + k for part in range(len(PARTS))]
        rows += [len(PARTS) * layers] if k == 0 else []  # pressure is the lowest layer's
        prior = both[:, :, rows].reshape(n, -1, both.shape[-1])
        posterior, acted = letkf(prior, e.equivalents, value, error, weight)
        posterior = relax_to_prior_spread(prior, posterior, method.relaxation, method.factor, acted)
        out[:, :, rows] = posterior.reshape(n, 2, len(rows), -1)
    start, end = out.reshape(n, 2, -1, *shape).unbind(1)
    return start, end


def minimised(
    forecast: Forecast, state: Any, time: float, e: Ensemble, batches: Sequence[Batch], method: Method
) -> tuple[Tensor, str, float]:
    """En4DVar: the increment at the start, why the search ended, and twice J_b.

    Parameters
    ----------
    forecast, state, time : see `trajectory`
    e : forecasts of the ensemble
    batches, method : observations and how they are weighed
    """
    control = Alpha(perturbations(e.start), method.root)
    first = {k: a.double() for k, a in forecast.columns(state).items()}
    window = [Observations(b.step, b.value, b.error, _of_air(b.seen)) for b in batches]

    def begin(dx: Tensor) -> dict[str, Any]:
        return {"air": changed(first, dx), "now": state, "dx": dx, "n": torch.zeros((), dtype=torch.float64)}

    def step(s: dict[str, Any]) -> dict[str, Any]:
        n = int(s["n"])
        now = forecast.advance(s["now"], time + n * forecast.seconds, unpacked(s["dx"]) if n == 0 else None)
        return {"air": forecast.columns(now), "now": now, "dx": s["dx"], "n": s["n"] + 1.0}

    zero = torch.zeros_like(e.start[0])
    cost = Cost(zero, control, step, window, begin)

    def value(v: Tensor) -> tuple[float, Tensor]:
        try:
            return cost(v)
        except forecast.failures:  # too far along a direction: the search takes a shorter step
            return math.inf, torch.zeros_like(v)

    found = minimise(value, control.zero(), Limits(method.iterations, 2 * method.iterations, 1e-2, 1e-3))
    with torch.no_grad():
        return control.increment(found.v), found.stop, 2.0 * cost.parts(found.v).background


def _of_air(seen: Seen) -> Callable[[dict[str, Any]], Tensor]:
    return lambda s: seen(s["air"])


def analyse(
    forecast: Forecast, air: Air, time: float, steps: int, batches: Sequence[Batch], method: Method,
    background: tuple[Any, Tensor], e: Ensemble,
) -> Analysis:  # fmt: skip
    """Increments and new perturbations of a window in which something was observed.

    Parameters
    ----------
    forecast : operator
    air : background at the start
    time, steps : of the window
    batches : observations in use
    method : how they are weighed
    background : state at the start and (p,) what the observations see from it
    e : the members' forecasts
    """
    state, seen = background
    before = torch.cat([b.value for b in batches]) - seen
    start, end = weighed(e, air, batches, method, before)
    stop, freedom = "weights column by column", None
    if method.name == "letkf":
        dx = start.mean(0) - e.start.mean(0)
    else:
        dx, stop, freedom = minimised(forecast, state, time, e, batches, method)
    plain: list[Tensor] = []
    new: list[Tensor] = []
    with torch.no_grad():
        trajectory(forecast, state, time, steps, None, [], lambda a: plain.append(packed(a)))
        _, equivalents = trajectory(forecast, state, time, steps, dx, batches, lambda a: new.append(packed(a)))
    after = torch.cat([b.value for b in batches]) - equivalents
    course = torch.stack([a - b for a, b in zip(new, plain, strict=True)])
    return Analysis(course, end - end.mean(0), before, after, stop, freedom)


def spread(course: Tensor, parts: int) -> Tensor:
    """What to add in each part of a window, (parts, 4 nz + 1, ny, nx): the mean increment of that part, over all parts.

    An increment of the start that is added later is in the wrong place by then; the increment of the same time is not
    (4DIAU: Lorenc et al. 2015, Q. J. R. Meteorol. Soc. 141, 3281; Lei & Whitaker 2016, Mon. Wea. Rev. 144, 2605).

    Parameters
    ----------
    course : (steps + 1, 4 nz + 1, ny, nx) increments at every step of the window, linear between
    parts : equal, of the window
    """
    steps = len(course) - 1
    found = []
    for k in range(parts):
        first, last = k * steps / parts, (k + 1) * steps / parts
        knots = course.new_tensor(sorted({first, last, *range(math.ceil(first), math.floor(last) + 1)}))
        weight = torch.clamp(1.0 - (knots[:, None] - torch.arange(steps + 1).to(course)).abs(), min=0.0)
        mean = torch.trapezoid(weight, knots, dim=0) / (last - first)
        found.append(torch.tensordot(mean, course, 1) / parts)
    return torch.stack(found)
