# SPDX-License-Identifier: BSD-3-Clause
"""An event that training lacks: a point release, beside the inversion, by distance from its source."""

from typing import Any

import torch

from components.ml_surrogates.estimation.analysis import Analysis, Observations

from . import systems
from .barotropic import DAY
from .comparison import Comparison, Increments
from .osse import EVERY, NOISE, Osse
from .reconstruction import Reconstruction
from .training import estimates

STRENGTH, LASTS, BEGINS = 3.0, 2.0 * DAY, 5.0 * DAY  # times the largest flux; s; s after the first time
SOURCE = (32, 18)  # row and column of 45 x 60: East Asia
RINGS = (0.0, 1000e3, 3000e3, 6000e3)  # m
NEAR = RINGS[2]
SEEN = 3.0 * NOISE  # ppm of a release that a station's reports tell from their noise
STRONGER = (2.0, 4.0, 8.0, 16.0)  # times the release


def strength(flows: Osse) -> float:
    """Of the release: three times the largest flux of the flows for training at their first time, ppm s-1.

    Parameters
    ----------
    flows : simulated
    """
    known = flows.flux[flows.flows("training")]
    return STRENGTH * float((flows.mean_flux + known).abs().max())


def released(flows: Osse) -> torch.Tensor:
    """The tracer (flows for tests, times, ny, nx) of the release in the true winds, ppm.

    Parameters
    ----------
    flows : simulated
    """
    span = flows.flows("test")
    dynamics = systems.transport(flows, true=True)
    source = torch.zeros((span.stop - span.start, 1, *flows.shape))
    row, column = (round(a * b / c) for a, b, c in zip(SOURCE, flows.shape, (45, 60), strict=True))
    field, out = torch.zeros_like(source), []
    for time in range(flows.tracers.shape[1]):
        out.append(field[:, 0])
        on = BEGINS <= time * EVERY < BEGINS + LASTS
        source[:, 0, row, column] = strength(flows) if on else 0.0
        if time + 1 < flows.tracers.shape[1]:
            field = dynamics(field, source, flows.winds(span, time, true=True), EVERY)
    return torch.stack(out, 1)


def told(flows: Osse, test: Comparison, model: Reconstruction, prior: Analysis[Any], calm: Increments) -> list[str]:
    """Errors of network and inversion in rings about the source, a day after the release, and what the guard counts.

    Parameters
    ----------
    flows : simulated
    test : comparison on the flows for tests
    model : network on the inversion
    prior : the inversion
    calm : what it makes of the flows without the release
    """
    gas = released(flows)
    truth = test.all_truth + gas
    more = gas.flatten(-2)[..., flows.places]
    reports = test.reports._replace(value=test.reports.value + more)  # with the noise of the flows without the release
    event = test.increments(prior, reports)
    time = round((BEGINS + LASTS + DAY) / EVERY)
    if time not in test.times:
        return []
    sample = test.windows(model.settings.frames, event.fields, reports)
    at = torch.arange(test.truth.shape[0]) * len(test.times) + test.times.index(time)
    mean = estimates(model, sample)[0][at]
    row, column = (round(a * b / c) for a, b, c in zip(SOURCE, flows.shape, (45, 60), strict=True))
    distance = flows.domain.distance(torch.tensor([row * flows.shape[1] + column]))[0].reshape(flows.shape)
    out = [f"A point release of {DAY * strength(flows):.0f} ppm/day in a cell for two days."]
    for inner, outer in zip(RINGS, (*RINGS[1:], float("inf")), strict=True):
        share = test.weights * ((distance >= inner) & (distance < outer))
        share = share / share.sum()
        ours, theirs = (
            float(torch.sqrt((((a - truth[:, time]) ** 2) * share).sum((-2, -1)).mean()))
            for a in (mean, event.fields[:, time])
        )
        ring = f"{inner / 1e3:.0f} to {outer / 1e3:.0f} km" if outer < float("inf") else f"beyond {inner / 1e3:.0f} km"
        out.append(f"A point release, {ring} from its source: network {ours:.2f} ppm, inversion {theirs:.2f} ppm.")
    most = more[:, round(BEGINS / EVERY) : round((BEGINS + LASTS) / EVERY) + 1].amax((1, 2))
    out.append(
        f"Within the two days a station's reports hold more than {SEEN:.1f} ppm of it in {int((most > SEEN).sum())} of "
        f"{len(most)} flows ({float(most.min()):.1f} to {float(most.max()):.1f} ppm at the station that sees most)."
    )
    every, near = systems.analysed_every(prior), distance < NEAR
    first, last = (round(t / EVERY) // every - test.times[0] // every for t in (BEGINS, BEGINS + LASTS + DAY))
    span = slice(first + 1, last + 1)
    usual = innovations(test, calm, test.reports, every)
    change = innovations(test, event, reports, every) - usual
    beyond, single = told_apart(usual, change[:, span])
    counted = _stopped(model, event, calm, near, span, 1.0)
    out.append(
        f"Who knew its place, its course and the winds would find it in {int((beyond > 1.0).sum())} of {len(beyond)}"
        " flows: its mark in all reports of three days is "
        f"{', '.join(f'{float(b):.2f}' for b in beyond)} of the largest that reports without it bear by chance; at the"
        f" one station that shows most of it {', '.join(f'{float(z):.1f}' for z in single)} standard deviations. Of"
        f" those that can be found the guard counts {int((counted & (beyond > 1.0)).sum())}."
    )
    return [*out, _counted(model, event, calm, near, span)]


def innovations(test: Comparison, course: Increments, reports: Observations, every: int) -> torch.Tensor:
    """Reports less what an inversion expected of them (flows, n, p) at its analyses from day 3 on, ppm.

    Parameters
    ----------
    test : comparison on the flows
    course : what the inversion makes of them
    reports : (flows, times, p) that it has seen
    every : times from one analysis to the next
    """
    steps = every * (test.times[0] // every + torch.arange(course.added.shape[1]))
    before = course.fields[:, steps] - course.added
    out: torch.Tensor = reports.value[:, steps] - before.flatten(-2)[..., reports.places]
    return out


def told_apart(usual: torch.Tensor, change: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """How far an event stands out of what is usual, flow by flow, for one who knows all about it but whether it is.

    The best test of a known change of many numbers is their sum weighted by the change over their variance (Neyman &
    Pearson 1933); here by single variances. How large the sum grows by chance, reports' common errors with it, the
    same weights say at all times of all usual flows.

    Parameters
    ----------
    usual : (flows, n, p) reports less expectations without the event, ppm
    change : (flows, m, p) what the event changes in them while it is seen, ppm

    Returns
    -------
    beyond : (flows,) the event's sum over the largest of the usual ones in size
    single : (flows,) the largest change of one report in its standard deviations
    """
    size = torch.sqrt((usual * usual).mean((0, 1)))
    weight = change / (size * size)
    m = change.shape[1]
    chance = [torch.einsum("kmp,fmp->kf", weight, usual[:, n : n + m]) for n in range(usual.shape[1] - m + 1)]
    largest = torch.cat(chance, 1).abs().amax(1)
    return (weight * change).sum((1, 2)) / largest, (change / size).abs().amax((1, 2))


def _stopped(
    model: Reconstruction, event: Increments, calm: Increments, near: torch.Tensor, span: slice, times: float
) -> torch.Tensor:
    """Flows (bool) in which the guard stops cells near the source while a release of some times the strength lasts.

    An analysis is linear in what stations say, but for the transport's limiter: of a release of twice the strength it
    makes twice as much.
    """
    added = calm.added + times * (event.added - calm.added)
    return (model.unknown(added[:, span], event.deviation[:, span]) & near).flatten(1).any(1)


def _counted(model: Reconstruction, event: Increments, calm: Increments, near: torch.Tensor, span: slice) -> str:
    """In how many flows the guard stops cells near the source while a release lasts, and were it stronger."""

    def flows(times: float) -> int:
        return int(_stopped(model, event, calm, near, span, times).sum())

    usual = model.unknown(calm.added, calm.deviation)
    stronger = ", ".join(f"{flows(k)} ({k:g} times as strong)" for k in STRONGER)
    analyses, cells = (100.0 * float(a.float().mean()) for a in (usual.flatten(2).any(2), usual))
    return (
        f"The guard of increments stops the network within {NEAR / 1e3:.0f} km in {flows(1.0)} of {len(usual)} flows"
        f" while it lasts, without it in {flows(0.0)}; in {stronger}. Without it {analyses:.1f} % of all analyses have"
        f" a cell anywhere that it stops ({cells:.3f} % of all cells)."
    )
