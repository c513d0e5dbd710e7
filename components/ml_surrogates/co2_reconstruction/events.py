# SPDX-License-Identifier: BSD-3-Clause
"""An event that training lacks: a point release, beside the inversion, by distance from its source."""

from typing import Any

import torch

from components.ml_surrogates.estimation.analysis import Analysis

from . import systems
from .barotropic import DAY
from .comparison import Comparison
from .osse import EVERY, FLUX_SIZE, Osse
from .reconstruction import Reconstruction
from .training import estimates

STRENGTH, LASTS, BEGINS = 3.0, 2.0 * DAY, 5.0 * DAY  # times the largest flux; s; s after the first time
LARGEST = 3.0  # standard deviations that count as the largest flux
SOURCE = (32, 18)  # row and column of 45 x 60: East Asia
RINGS = (0.0, 1000e3, 3000e3, 6000e3)  # m


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
        source[:, 0, row, column] = STRENGTH * LARGEST * FLUX_SIZE if on else 0.0
        if time + 1 < flows.tracers.shape[1]:
            field = dynamics(field, source, flows.winds(span, time, true=True), EVERY)
    return torch.stack(out, 1)


def told(flows: Osse, test: Comparison, model: Reconstruction, prior: Analysis[Any], calm: torch.Tensor) -> list[str]:
    """Errors of network and inversion in rings about the source, a day after the release, and what the guard counts.

    Parameters
    ----------
    flows : simulated
    test : comparison on the flows for tests
    model : network on the inversion
    prior : the inversion
    calm : (flows, n, ny, nx) increments of the inversion without the release, as `Comparison.increments` has them
    """
    truth = test.all_truth + released(flows)
    reports = systems.observe(truth, flows.places, 9)
    fields, added = test.increments(prior, reports)
    time = round((BEGINS + LASTS + DAY) / EVERY)
    if time not in test.times:
        return []
    sample = test.windows(model.settings.frames, fields, reports)
    at = torch.arange(test.truth.shape[0]) * len(test.times) + test.times.index(time)
    mean = estimates(model, sample)[0][at]
    row, column = (round(a * b / c) for a, b, c in zip(SOURCE, flows.shape, (45, 60), strict=True))
    distance = flows.domain.distance(torch.tensor([row * flows.shape[1] + column]))[0].reshape(flows.shape)
    out = []
    for inner, outer in zip(RINGS, (*RINGS[1:], float("inf")), strict=True):
        share = test.weights * ((distance >= inner) & (distance < outer))
        share = share / share.sum()
        ours, theirs = (
            float(torch.sqrt((((a - truth[:, time]) ** 2) * share).sum((-2, -1)).mean()))
            for a in (mean, fields[:, time])
        )
        ring = f"{inner / 1e3:.0f} to {outer / 1e3:.0f} km" if outer < float("inf") else f"beyond {inner / 1e3:.0f} km"
        out.append(f"A point release, {ring} from its source: network {ours:.2f} ppm, inversion {theirs:.2f} ppm.")
    every = systems.analysed_every(prior)
    first, last = (round(t / EVERY) // every - test.times[0] // every for t in (BEGINS, BEGINS + LASTS + DAY))
    during, before = model.unknown(added[:, first + 1 : last + 1]), model.unknown(calm[:, first + 1 : last + 1])
    names = [f"{int(a.flatten(1).any(1).sum())} of {a.shape[0]} flows ({int(a.sum())} cells)" for a in (during, before)]
    out.append(f"The guard of increments stops the network in {names[0]} while it lasts, without it in {names[1]}.")
    return out
