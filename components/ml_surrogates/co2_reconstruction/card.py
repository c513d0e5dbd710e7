# SPDX-License-Identifier: BSD-3-Clause
"""The model card: every system and every network on flows never seen."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from components.ml_surrogates.estimation.kriging import Interpolation

from . import events, osse, reconstruction, scores, systems
from .comparison import PAPER, Comparison, prior_of, table
from .scores import Scores, rmse
from .training import estimates

INVERSIONS = {"interpolation": "cycled optimal interpolation", "enkf": "ensemble Kalman filter"}
"""Rows of the table by the word of a prior."""
CALIBRATED = "the same, its spread calibrated"


def written(
    path: Path, models: Sequence[Path], compiler: Callable[[Any], Any] | None = None, members: int = 80
) -> str:  # fmt: skip
    """The card as Markdown.

    Parameters
    ----------
    path : file of simulated flows
    models : networks, without ending
    compiler : of the transport
    members : of the ensemble Kalman filter; 0: without it
    """
    flows = osse.load(path)
    past = systems.climate(flows)
    test, other = (Comparison(flows, past, kind, compiler) for kind in ("test", "validation"))
    kriging, length, nugget = test.kriging()
    climate = systems.climatology(past)
    at = climate.analyse(climate.start(test.truth), test.at_times(test.reports))
    rows: dict[str, Scores] = {"climatology": test.scores(at.mean, at.standard_deviation)}
    rows["kriging, tuned on these flows"] = base = test.still(kriging)
    rows["best linear estimate"] = test.still(Interpolation(past.mean, past.covariance))
    rows["cycled optimal interpolation"], course = test.cycled(systems.interpolation(flows, past, test.dynamics))
    perfect, _ = test.cycled(
        systems.interpolation(flows, past, systems.transport(flows, compiler, true=True)),
        winds=lambda time: flows.winds(flows.flows("test"), time, true=True),
    )
    rows["the same with perfect winds and loss"] = perfect
    rows[f"the same, length tuned on other flows ({systems.OI_TUNED / 1e3:.0f} km)"], _ = test.cycled(
        systems.interpolation(flows, past, test.dynamics, systems.OI_TUNED)
    )
    said = [f"Optimal interpolation adds {_ppm(course.increment)}."]
    if members:
        filter_of = systems.ensemble(flows, past, members=members)
        rows["ensemble Kalman filter"], course = test.cycled(filter_of)
        said.append(f"The ensemble Kalman filter adds {_ppm(course.increment)}.")
        _, before = other.cycled(filter_of, kept=other.times)
        factor = scores.calibration(before.mean - other.truth, before.deviation, test.weights)
        scored = [course.times.index(t) for t in test.times]
        rows[CALIBRATED] = test.scores(course.mean[:, scored], factor * course.deviation[:, scored])
        said.append(f"The spread of the filter is calibrated on the flows for validation by a factor of {factor:.2f}.")
    half = test.half()
    rival = test.still(test.kriging(half)[0], half).rmse
    for model_path in models:
        model = reconstruction.load(model_path)
        name, words = model_path.name, model.settings
        prior = prior_of(model, other)
        calm = None if words.prior == "kriging" else test.increments(prior)
        fields = calm.fields if calm else test.prior(prior)
        beside = rows.get(INVERSIONS.get(words.prior, ""), rows["best linear estimate"])
        rows[name] = ours = test.network(model, test.windows(words.frames, fields))
        foreign = test.network(model, test.windows(words.frames, fields, winds=1))
        fewer = test.network(model, test.windows(words.frames, test.prior(prior, half), half))
        said.append(
            f"{name} ({sum(p.numel() for p in model.parameters())} parameters, on {words.prior}):"
            f" {ours.rmse / base.rmse:.3f} of kriging,"
            f" {ours.rmse / beside.rmse:.3f} of the {next(k for k, v in rows.items() if v is beside)}"
            f" ({_by_flow(test, model, words.frames, fields)} of its prior, flow by flow)."
            f" With the winds of another flow {100.0 * (foreign.rmse / ours.rmse - 1.0):+.1f} %."
            f" With half of the stations {fewer.rmse / rival:.3f} of kriging tuned for them."
        )
        if calm:
            said += [*events.told(flows, test, model, prior, calm), events.false_alarms(test, model, calm)]
    paper = ", ".join(f"{name} {error:.2f} / {correlation:.2f}" for name, error, correlation in PAPER)
    ratio = base.rmse / rows["climatology"].rmse
    head = (
        "# Carbon dioxide from sparse stations: model card\n\n"
        f"{test.truth.shape[0]} simulated flows that no training has seen, {test.truth.shape[1]} times each, from day 3"
        f" every 12 hours; {len(flows.places)} stations. Kriging, tuned on these flows (length {length / 1e3:.0f} km,"
        f" nugget {nugget:g}), leaves {100.0 * ratio:.0f} % of the climatological error.\n\n"
    )
    said.append(f"The paper of CO2-Net, on CarbonTracker (RMSE in ppm / ACC; another truth than the table's): {paper}.")
    return head + table(rows, base.rmse) + "\n" + "".join(f"- {line}\n" for line in said)


def _by_flow(test: Comparison, model: reconstruction.Reconstruction, frames: int, fields: torch.Tensor) -> str:
    """Error of a network over that of its prior for each flow by itself, least and most: how far chance goes."""
    mean = estimates(model, test.windows(frames, fields))[0].reshape(test.truth.shape)
    ours, theirs = (rmse(a - test.truth, test.weights).mean(1) for a in (mean, fields[:, test.times]))
    ratio = ours / theirs
    return f"{float(ratio.min()):.3f} to {float(ratio.max()):.3f}"


def _ppm(increment: torch.Tensor) -> str:
    """What analyses add to the global mean, in words."""
    mean, size = float(increment.mean()), float(increment.abs().mean())
    return f"{mean:+.3f} ppm to the global mean at an analysis ({size:.3f} in size)"
