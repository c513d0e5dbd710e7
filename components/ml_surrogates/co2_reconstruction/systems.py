# SPDX-License-Identifier: BSD-3-Clause
"""The systems that a network has to beat, on the simulated flows: built from the training flows, run, and tuned."""

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from components.ml_surrogates.estimation.analysis import (
    Analysis,
    Domain,
    Dynamics,
    Forcing,
    Observations,
    mean_increment,
)
from components.ml_surrogates.estimation.cycled_oi import CycledInterpolation
from components.ml_surrogates.estimation.kriging import Climatology, Interpolation, correlated
from components.ml_surrogates.estimation.localisation import leading_root
from components.ml_surrogates.estimation.tracer_enkf import KILOMETRE, TracerEnsemble
from components.science.sphere_transport import MemberTransport, SphereFluxes, SphereTransport

from .osse import EVERY, FLUX_TIME, HOUR, NOISE, SEEN_LOSS, TRUE_LOSS, Osse, flux_root
from .scores import rmse

ENSEMBLE_EVERY = 2  # times from one analysis of the ensemble to the next
FROM_DAY, SCORED_EVERY = 3.0, 12.0 * HOUR
LENGTHS = (1000e3, 1500e3, 2000e3, 3000e3, 4500e3, 6500e3)  # tried for kriging, m
NUGGETS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3)
OI_SPREAD, OI_LENGTH, OI_NUGGET = 0.6, 1500e3, 0.05  # of the spread of the past, m, 1: what the shipped network adds to
OI_TUNED = 2500.0 * KILOMETRE  # for validation 1500 km leave 0.709 of kriging, 2000 km 0.691, 2500 km 0.686


class Climate(NamedTuple):
    """Mean and spread (ny, nx) of the training flows, and their covariance (n, n), ppm."""

    mean: Tensor
    spread: Tensor
    covariance: Tensor


def climate(osse: Osse, samples: int = 4000, seed: int = 5) -> Climate:
    """Of fresh combinations of the training flows' tracers.

    Parameters
    ----------
    osse : simulated flows
    samples : combinations
    seed : of the combinations
    """
    generator = torch.Generator().manual_seed(seed)
    fields = osse.tracers[osse.flows("training")]
    mean = fields[:, :, 0].mean((0, 1))
    flow = torch.randint(fields.shape[0], (samples,), generator=generator)
    time = torch.randint(fields.shape[1], (samples,), generator=generator)
    drawn = fields[flow, time]
    weights = combinations(samples, fields.shape[2] - 1, generator)
    anomaly = (drawn * weights[..., None, None]).sum(1).reshape(samples, -1) - mean.reshape(-1)
    covariance = anomaly.T @ anomaly / samples
    return Climate(mean, torch.sqrt(covariance.diagonal()).reshape(osse.shape), covariance)


def combinations(samples: int, random: int, generator: torch.Generator) -> Tensor:
    """Weights (samples, 1 + random) of tracers: one for the mean flux, and random ones of sum of squares one.

    Parameters
    ----------
    samples : number
    random : tracers of random fluxes
    generator : of the numbers
    """
    w = torch.randn((samples, random), generator=generator)
    return torch.cat([torch.ones((samples, 1)), w / torch.sqrt((w * w).sum(1, keepdim=True))], 1)


def observe(truth: Tensor, places: Tensor, seed: int) -> Observations:
    """Reports of all stations at all times (flows, times, p) of a truth (flows, times, ny, nx).

    Parameters
    ----------
    truth : ppm
    places : (p,) flat numbers of cells
    seed : of the noise
    """
    exact = truth.reshape(*truth.shape[:-2], -1)[..., places]
    noise = NOISE * torch.randn(exact.shape, generator=torch.Generator().manual_seed(seed))
    return Observations(exact + noise, torch.full_like(exact, NOISE), torch.ones_like(exact, dtype=torch.bool), places)


def without(observations: Observations, kept: Tensor) -> Observations:
    """The reports of some of the stations only.

    Parameters
    ----------
    observations : of all
    kept : (p,) bool
    """
    return observations._replace(mask=observations.mask & kept)


def scored_times(times: int) -> list[int]:
    """Numbers of the times that are scored: from day 3 every 12 hours.

    Parameters
    ----------
    times : kept every three hours
    """
    return list(range(round(FROM_DAY * 24.0 * HOUR / EVERY), times, round(SCORED_EVERY / EVERY)))


class Course(NamedTuple):
    """A system's estimates (flows, times, ny, nx), and the global mean (flows, times) that its analyses have added."""

    times: list[int]
    mean: Tensor
    deviation: Tensor
    increment: Tensor


def run(
    system: Analysis[Any], osse: Osse, flows: Iterable[int] | slice, observations: Observations, *,
    winds: Callable[[int], SphereFluxes] | None = None, every: int | None = None, kept: Iterable[int] | None = None,
    flux: Tensor | None = None, watch: Callable[[Tensor, Tensor, Tensor], Any] = lambda before, after, doubt: None,
) -> Course:  # fmt: skip
    """A system through the kept days of several flows.

    Parameters
    ----------
    system : to run
    osse : simulated flows
    flows : which
    observations : (flows, times, p)
    winds : of the interval that begins at a time; by default those that systems see
    every : times from one analysis to the next; by default `analysed_every`
    kept : times whose estimates are returned; by default those of all analyses
    flux : (flows, ny, nx) that is known beforehand; by default the mean flux
    watch : is told of the estimates (flows, ny, nx) before and after each analysis, and of the spread of the members
        before it, ppm; 0 of a system without members
    """
    which = flows if isinstance(flows, slice) else torch.tensor(list(flows))
    times, every = osse.tracers.shape[1], every or analysed_every(system)
    wanted = set(range(times) if kept is None else kept)
    through = winds or (lambda time: osse.winds(which, time))
    count = observations.value.shape[0]
    known = osse.mean_flux.expand(count, -1, -1) if flux is None else flux
    state = system.start(torch.zeros((count, *osse.shape)))
    out: list[tuple[int, Tensor, Tensor]] = []
    added = []
    for time in range(times):
        if time % every == 0:
            now = observations.at(slice(None), time)
            alone = state[0].ndim == 3
            before = state[0] if alone else state[0].mean(-3)
            doubt = torch.zeros_like(before) if alone else state[0].std(-3)
            state, mean, deviation = system.analyse(state, now)
            added.append(mean_increment(osse.domain, before, mean))
            watch(before, mean, doubt)
            if time in wanted:
                out.append((time, mean, deviation))
        if time + 1 < times:
            state = system.advance(state, Forcing(through(time), known), EVERY)
    return Course(
        [n for n, _, _ in out],
        torch.stack([m for _, m, _ in out], 1),
        torch.stack([s for _, _, s in out], 1),
        torch.stack(added, 1),
    )


def analysed_every(system: Analysis[Any]) -> int:
    """Times from one analysis of a system to the next, unless it is said otherwise.

    Parameters
    ----------
    system : to run
    """
    return ENSEMBLE_EVERY if isinstance(system, TracerEnsemble) else 1


class Tracks(NamedTuple):
    """What an ensemble makes of each tracer by itself.

    Attributes
    ----------
    every : times from one analysis to the next
    mean : (flows, analyses, K, ny, nx) ppm
    deviation : (flows, analyses, ny, nx) of the ensemble, whatever the tracer
    """

    every: int
    mean: Tensor
    deviation: Tensor


def tracks(
    system: TracerEnsemble, osse: Osse, values: Tensor, known: Tensor, own: Tensor, chunk: int = 6,
    tell: Callable[[str], None] = lambda text: None,
) -> Tracks:  # fmt: skip
    """Each tracer of the first flows by itself through an ensemble's gains, which do not depend on what is reported.

    Parameters
    ----------
    system : the filter
    osse : simulated flows
    values : (flows, times, K, p) reports of each tracer
    known : (K, ny, nx) flux of each that is known beforehand
    own : (K,) weights of the combination that the ensemble itself follows
    chunk : flows at a time
    tell : is told of each chunk that is done
    """
    flows, times, count, p = values.shape
    every, error = analysed_every(system), torch.full((p,), NOISE)
    means, deviations = [], []
    for begin in range(0, flows, chunk):
        which = slice(begin, min(begin + chunk, flows))
        size = which.stop - begin
        state = system.start(torch.zeros((size, *osse.shape)))
        followers = system.followers(state, count)
        forcing = (known * own[:, None, None]).sum(0).expand(size, -1, -1)
        mean, deviation = [], []
        for time in range(times):
            if time % every == 0:
                now = values[which, time]
                reports = Observations(
                    (now * own[:, None]).sum(-2), error, torch.ones((p,), dtype=torch.bool), osse.places
                )
                state, followers = system.analyse_with(state, followers, reports, now)
                mean.append(followers.tracer)
                deviation.append(state.members.std(-3))
            if time + 1 < times:
                flux = Forcing(osse.winds(which, time), forcing)
                state, followers = system.advance_with(state, followers, flux, known.expand(size, -1, -1, -1), EVERY)
        means.append(torch.stack(mean, 1))
        deviations.append(torch.stack(deviation, 1))
        tell(f"ensemble: {which.stop} of {flows} flows")
    return Tracks(every, torch.cat(means), torch.cat(deviations))


def transport(osse: Osse, compiler: Callable[[Any], Any] | None = None, true: bool = False) -> Dynamics:
    """The transport that systems have.

    Parameters
    ----------
    osse : simulated flows
    compiler : of its stages
    true : whether with the truth's loss
    """
    return SphereTransport(osse.grid, TRUE_LOSS if true else SEEN_LOSS, compiler=compiler)


def interpolation(
    osse: Osse, past: Climate, dynamics: Dynamics, length: float = OI_LENGTH
) -> CycledInterpolation:  # fmt: skip
    """Cycled optimal interpolation as it is compared.

    Parameters
    ----------
    osse : simulated flows
    past : of the training flows
    dynamics : transport
    length : of the correlation of the prior's errors, m
    """
    return CycledInterpolation(dynamics, correlated(osse.domain, OI_SPREAD * past.spread, length), OI_NUGGET)


def ensemble(osse: Osse, past: Climate, **options: Any) -> TracerEnsemble:
    """The ensemble Kalman filter as it is compared.

    Parameters
    ----------
    osse : simulated flows
    past : of the training flows
    options : of `TracerEnsemble`
    """
    dynamics = MemberTransport(osse.grid, SEEN_LOSS)
    fluxes = flux_root(osse.domain, osse.land)
    roots = (leading_root(covariance) for covariance in (fluxes @ fluxes.T, past.covariance))
    return TracerEnsemble(osse.domain, dynamics, next(roots), FLUX_TIME, next(roots), **options)


def tuned_kriging(
    domain: Domain, past: Climate, truth: Tensor, observations: Observations
) -> tuple[Interpolation, float, float]:
    """Kriging with the length and the nugget that are best for this truth, which no other system sees, and both.

    Parameters
    ----------
    domain : of the cells
    past : of the training flows
    truth : (..., ny, nx) on which it is tuned
    observations : (..., p) of the same times
    """
    weights = domain.weights()
    best: tuple[float, Interpolation, float, float] | None = None
    for length in LENGTHS:
        covariance = correlated(domain, past.spread, length)
        for nugget in NUGGETS:
            system = Interpolation(past.mean, covariance, nugget)
            got = system.analyse(system.start(truth), observations).mean
            error = float(rmse(got - truth, weights).mean())
            if best is None or error < best[0]:
                best = error, system, length, nugget
    assert best is not None and math.isfinite(best[0])
    return best[1], best[2], best[3]


def climatology(past: Climate) -> Climatology:
    """The mean of the training flows.

    Parameters
    ----------
    past : of the training flows
    """
    return Climatology(past.mean, past.spread)
