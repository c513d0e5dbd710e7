# SPDX-License-Identifier: BSD-3-Clause
"""An event that training lacks: a point release, beside the inversion, by distance from its source."""

import math
from typing import Any

import torch

from components.ml_surrogates.estimation.analysis import Analysis, Observations

from . import surprises, systems
from .barotropic import DAY
from .comparison import Comparison, Increments
from .osse import EVERY, HOUR, NOISE, Osse
from .reconstruction import Reconstruction
from .training import estimates

STRENGTH, LASTS, BEGINS = 3.0, 2.0 * DAY, 5.0 * DAY  # times the largest flux; s; s after the first time
SOURCES = {"East Asia": (32, 18), "western Europe": (34, 2), "eastern North America": (33, 45)}
"""Row and column of 45 x 60; the next stations stand 445 and 1140 km, 0 and 446 km, twice 480 km away."""
RINGS = (0.0, 1000e3, 3000e3, 6000e3)  # m
NEAR = RINGS[2]
SEEN = 3.0 * NOISE  # ppm of a release that a station's reports tell from their noise
STRONGER = (2.0, 3.0, 4.0)  # times the release
ALIKE, OWN = 450e3, 0.05  # m, in which innovations of neighbours lose their correlation; share that is a station's own


def strength(flows: Osse) -> float:
    """Of the release: three times the largest flux of the flows for training at their first time, ppm s-1.

    Parameters
    ----------
    flows : simulated
    """
    known = flows.flux[flows.flows("training")]
    return STRENGTH * float((flows.mean_flux + known).abs().max())


def cell(flows: Osse, place: str) -> tuple[int, int]:
    """Row and column of a source.

    Parameters
    ----------
    flows : simulated
    place : of `SOURCES`
    """
    row, column = (round(a * b / c) for a, b, c in zip(SOURCES[place], flows.shape, (45, 60), strict=True))
    return row, column


def released(flows: Osse, place: str) -> torch.Tensor:
    """The tracer (flows for tests, times, ny, nx) of the release in the true winds, ppm.

    Parameters
    ----------
    flows : simulated
    place : of `SOURCES`
    """
    span = flows.flows("test")
    dynamics = systems.transport(flows, true=True)
    source = torch.zeros((span.stop - span.start, 1, *flows.shape))
    row, column = cell(flows, place)
    field, out = torch.zeros_like(source), []
    for time in range(flows.tracers.shape[1]):
        out.append(field[:, 0])
        on = BEGINS <= time * EVERY < BEGINS + LASTS
        source[:, 0, row, column] = strength(flows) if on else 0.0
        if time + 1 < flows.tracers.shape[1]:
            field = dynamics(field, source, flows.winds(span, time, true=True), EVERY)
    return torch.stack(out, 1)


def told(flows: Osse, test: Comparison, model: Reconstruction, prior: Analysis[Any], calm: Increments) -> list[str]:
    """Of a release at each place: what network and inversion err by, who could find it, and what the guards count.

    Parameters
    ----------
    flows : simulated
    test : comparison on the flows for tests
    model : network on the inversion
    prior : the inversion
    calm : what it makes of the flows without the release
    """
    time = round((BEGINS + LASTS + DAY) / EVERY)
    if time not in test.times:
        return []
    out = [f"A point release of {DAY * strength(flows):.0f} ppm/day in a cell for two days."]
    for place in SOURCES:
        gas = released(flows, place)
        reports = test.reports._replace(value=test.reports.value + gas.flatten(-2)[..., flows.places])
        event = test.increments(prior, reports)  # with the noise of the flows without the release
        row, column = cell(flows, place)
        distance = flows.domain.distance(torch.tensor([row * flows.shape[1] + column]))[0].reshape(flows.shape)
        sample = test.windows(model.settings.frames, event.fields, reports)
        at = torch.arange(test.truth.shape[0]) * len(test.times) + test.times.index(time)
        errors = (estimates(model, sample)[0][at], event.fields[:, time])
        truth = (test.all_truth + gas)[:, time]
        out.append(f"In {place}, network and inversion a day after it: {_by_distance(test, distance, truth, errors)}.")
        most = gas.flatten(-2)[..., flows.places][:, round(BEGINS / EVERY) : round((BEGINS + LASTS) / EVERY) + 1]
        most = most.amax((1, 2))
        out.append(
            f"Within the two days a station's reports hold more than {SEEN:.1f} ppm of it in {int((most > SEEN).sum())}"
            f" of {len(most)} flows ({float(most.min()):.1f} to {float(most.max()):.1f} ppm at the station that sees"
            " most)."
        )
        out += _guarded(test, model, calm, event, reports, distance)
    return out


def _by_distance(
    test: Comparison, distance: torch.Tensor, truth: torch.Tensor, estimated: tuple[torch.Tensor, torch.Tensor]
) -> str:
    """Errors of two estimates in rings about a source."""
    out = []
    for inner, outer in zip(RINGS, (*RINGS[1:], math.inf), strict=True):
        share = test.weights * ((distance >= inner) & (distance < outer))
        share = share / share.sum()
        ours, theirs = (float(torch.sqrt((((a - truth) ** 2) * share).sum((-2, -1)).mean())) for a in estimated)
        ring = f"{inner / 1e3:.0f} to {outer / 1e3:.0f} km" if outer < math.inf else f"beyond {inner / 1e3:.0f} km"
        out.append(f"{ours:.2f} and {theirs:.2f} ppm ({ring})")
    return ", ".join(out)


def _guarded(
    test: Comparison, model: Reconstruction, calm: Increments, event: Increments, reports: Observations,
    distance: torch.Tensor,
) -> list[str]:  # fmt: skip
    """Who could find a release, and what each guard counts near it within three days of its beginning."""
    every, first = calm.every, test.times[0] // calm.every
    begin, end = (round(t / EVERY) // every - first for t in (BEGINS, BEGINS + LASTS + DAY))
    span = slice(begin + 1, end + 1)
    increments = [int(_stopped(model, event, calm, distance < NEAR, span, k).sum()) for k in (0.0, 1.0, *STRONGER)]
    usual, changed = test.surprise(calm), test.surprise(event, reports)
    out = [f"The guard of increments counts it in {_counts(increments)} of {len(calm.added)} flows."]
    if model.usual is None:
        return out
    z, change = (model.usual.standardised(usual._replace(innovation=a)) for a in (
        usual.innovation, changed.innovation - usual.innovation
    ))  # fmt: skip
    domain = test.osse.domain
    size, beyond = told_apart(
        surprises.new(model.usual, z[:, 1:], z[:, :-1]),
        surprises.new(model.usual, change[:, 1:], change[:, :-1])[:, begin:end],
        domain.distance(reports.places, reports.places),
    )
    near = distance.flatten()[reports.places] < NEAR
    alarms = [
        model.usual.alarm(surprises.course(model.usual, z + k * change, usual.mask, every * EVERY), reports.places)
        for k in (0.0, 1.0, *STRONGER)
    ]
    alarms = [(a[:, span] & near).any(-1) for a in alarms]
    counted = [a.any(1) for a in alarms]
    could = [k * beyond > 1.0 for k in (1.0, *STRONGER)]
    hours = every * EVERY / HOUR * (1.0 + alarms[1].float().argmax(1)[counted[1]])
    out.append(
        f"The guard of reports counts it in {_counts([int(c.sum()) for c in counted])}"
        + (f", {float(hours.min()):.0f} to {float(hours.max()):.0f} hours after it began." if len(hours) else ".")
    )
    both = [int((a & b).sum()) for a, b in zip(counted[1:], could, strict=True)]
    equal = [0, *(int((k * size > model.usual.largest).sum()) for k in (1.0, *STRONGER))]
    out.append(
        "Who knew place, time, course and winds would find it in "
        f"{_counts([0, *(int(c.sum()) for c in could)])}: its mark in all reports of three days is"
        f" {', '.join(f'{float(a):.1f}' for a in size)} standard deviations,"
        f" {', '.join(f'{float(b):.2f}' for b in beyond)} of the largest that reports without it bear by chance. Of"
        f" those the guard of reports counts {', '.join(map(str, both))}. Held to the guard's own limit of"
        f" {model.usual.largest:.1f} standard deviations, which bears with all places and times, it would be"
        f" {_counts(equal)}."
    )
    return out


def _counts(counts: list[int]) -> str:
    """``2, without it 0, were it stronger 3 (2 times), 4 (3 times)``."""
    none, one, *stronger = counts
    more = ", ".join(f"{n} ({k:g} times)" for n, k in zip(stronger, STRONGER, strict=True))
    return f"{one}, without it {none}, were it stronger {more}"


def false_alarms(test: Comparison, model: Reconstruction, calm: Increments) -> str:
    """How often and where the guards stop the network in flows without a release.

    Parameters
    ----------
    test : comparison on the flows
    model : network on the inversion
    calm : what the inversion makes of the flows
    """
    parts = {"increments": model.unknown(calm.added, calm.deviation)}
    if model.usual:
        usual, domain, places = test.surprise(calm), test.osse.domain, test.reports.places
        sums = surprises.course(model.usual, model.usual.standardised(usual), usual.mask, calm.every * EVERY)
        parts["reports"] = surprises.silenced(domain, places, model.usual.alarm(sums, places))
    said = [
        f"that of {name} in {100.0 * float(a.flatten(2).any(2).float().mean()):.1f} % of the analyses,"
        f" {100.0 * float(a.float().mean()):.3f} % of the cells"
        for name, a in parts.items()
    ]
    return f"Without a release the guards stop something somewhere: {'; '.join(said)}."


def told_apart(usual: torch.Tensor, change: torch.Tensor, between: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """How far an event stands out of what is usual, flow by flow, for one who knows all about it but whether it is.

    The best test of a known change of many numbers is their sum weighted by the change over their covariance (Neyman &
    Pearson 1933). Numbers are what `surprises.new` leaves of innovations: of size one and new each time; neighbours are
    alike, and are made independent. How large the sum grows by chance the same weights say at all times of all usual
    flows.

    Parameters
    ----------
    usual : (flows, n, p) without the event
    change : (flows, m, p) what the event changes in them while it is seen
    between : (p, p) distances of the stations, m

    Returns
    -------
    size : (flows,) the event's sum in standard deviations
    beyond : (flows,) it over the largest of the usual ones in size
    """
    alike = (1.0 - OWN) * torch.exp(-between / ALIKE)
    alike.fill_diagonal_(1.0)
    root = torch.linalg.cholesky(alike)
    usual, change = (torch.linalg.solve_triangular(root, a.mT, upper=False).mT for a in (usual, change))
    m, size = change.shape[1], torch.sqrt((change * change).sum((1, 2)))
    chance = [torch.einsum("kmp,fmp->kf", change, usual[:, n : n + m]) for n in range(usual.shape[1] - m + 1)]
    return size, size * size / torch.cat(chance, 1).abs().amax(1)


def _stopped(
    model: Reconstruction, event: Increments, calm: Increments, near: torch.Tensor, span: slice, times: float
) -> torch.Tensor:
    """Flows (bool) in which increments stop cells near the source while a release of some times the strength lasts.

    An analysis is linear in what stations say, but for the transport's limiter: of a release of twice the strength it
    makes twice as much.
    """
    added = calm.added + times * (event.added - calm.added)
    return (model.unknown(added[:, span], event.deviation[:, span]) & near).flatten(1).any(1)
