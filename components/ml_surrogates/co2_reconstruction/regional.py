# SPDX-License-Identifier: BSD-3-Clause
"""A limited area whose truth is an atmosphere's own: its winds, and passive gases that its own transport has carried.

One run with several gases is many samples: transport is linear, so each sample is a fresh combination of them. The
network is trained on the first days of the run; the next, with gases that are kept from the training, say when it is
best and calibrate its spread; it is scored on the last, and there on gases that it has never seen, beside systems
without training, among them kriging that is tuned on those very days.
"""

from collections.abc import Callable
from pathlib import Path

import torch

from components.ml_surrogates.estimation.kriging import Interpolation
from coupler.errors import CaseError

from . import systems
from .reconstruction import Reconstruction
from .regional_area import Area
from .regional_truth import Air
from .scores import Scores, scores
from .settings import Settings
from .training import Course, estimates, train

KRIGING = "kriging of what is not carried, tuned on these days"
STILL = "kriging about the mean of the past, tuned on these days"


def trained(
    settings: Settings, air: Air, count: int = 0, tell: Callable[[str], None] = print, part: Path | None = None
) -> tuple[Reconstruction, Course, dict[str, Scores]]:
    """A network, and the scores of it and of the systems without training on the days never seen.

    Parameters
    ----------
    settings : words of the training
    air : what an atmosphere has written
    count : stations, as of `Area`
    tell : takes a line of text now and then
    part : file that keeps an unfinished training

    Raises
    ------
    CaseError
        Words that a limited area has no use for; all are named.
    """
    priors = ("kriging", "interpolation", *(("enkf",) if air.members.shape[1] else ()))
    words: dict[str, tuple[object, ...]] = {
        "network": ("unet",), "prior": priors, "embedding": ("none", "carried"),
        "wind_loss": (0.0,), "cyclic": (False,),
    }  # fmt: skip
    given = settings.model_dump()
    wrong = [f"{k}: {given[k]} (expected {' or '.join(map(str, w))})" for k, w in words.items() if given[k] not in w]
    if wrong:
        raise CaseError(f"a limited area cannot take {', '.join(wrong)}")
    area = Area(air, settings.frames, count, prior=settings.prior)
    weights = air.domain.weights()
    model, course = train(settings, area.fixed, area, area.windows("validation"), weights, tell, part)
    if settings.prior == "kriging":
        model.lengths = area.lengths
    return model, course, compared(model, area)


def compared(model: Reconstruction, area: Area) -> dict[str, Scores]:
    """Scores of a network and of the systems without training on the days never seen.

    Parameters
    ----------
    model : trained
    area : of its training
    """
    test = area.windows("test")
    truth, reports = area.last("test")
    carried = area.air.carried[area.held["test"][2]]
    spread = area.past.spread.expand_as(truth)
    every = {}
    kinds = [
        (KRIGING, area.kriging("test")[0]),
        ("kriging, tuned on the days for validation", area.prior),
        ("best linear estimate", Interpolation(area.past.mean, area.past.covariance)),
    ]
    for name, system in kinds:
        every[name] = system.analyse(system.start(truth), reports)[1:]
    at = reports._replace(value=reports.value + carried.flatten(-2)[:, area.places])
    system = systems.tuned_kriging(area.air.domain, area.whole, truth + carried, at)[0]
    mean, deviation = system.analyse(system.start(truth), at)[1:]
    every[STILL] = mean - carried, deviation
    every["climatology"] = area.whole.mean - carried, area.whole.spread.expand_as(truth)
    every["what is carried"] = area.past.mean.expand_as(truth), spread
    every["cycled optimal interpolation"] = area.followed("test", "interpolation"), systems.OI_SPREAD * spread
    if area.air.members.shape[1]:
        left = torch.sqrt(torch.stack([gain.variance for gain in area.gains]))
        every["carried ensemble"] = area.followed("test", "enkf"), left[area.held["test"][2]]
    every["network"] = estimates(model, test)
    weights = area.air.domain.weights()
    return {k: scores(a, s, truth, area.whole.mean - carried, weights) for k, (a, s) in every.items()}
