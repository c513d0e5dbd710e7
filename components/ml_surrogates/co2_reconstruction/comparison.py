# SPDX-License-Identifier: BSD-3-Clause
"""Every system on the same flows, and the model card that says how they did."""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from components.ml_surrogates.estimation.analysis import Analysis, Observations
from components.ml_surrogates.estimation.kriging import Interpolation

from . import samples, scores, surprises, systems
from .osse import EVERY, Osse
from .reconstruction import Reconstruction
from .samples import Sample
from .scores import Scores
from .surprises import Surprise, Usual
from .systems import Climate, Course

VALIDATION_SEED, TEST_SEED = 8, 7  # of the stations' noise
PAPER = (
    ("Senseiver", 6.39, 0.43), ("SwinLSTM", 5.31, 0.61), ("CycleGAN", 4.70, 0.71), ("ViT", 5.42, 0.50),
    ("CO2-Net", 3.36, 0.85),
)  # fmt: skip
"""RMSE in ppm and ACC on CarbonTracker, as the paper of CO2-Net has them."""


class Increments(NamedTuple):
    """What a system that follows the tracer makes of several flows, ppm.

    Attributes
    ----------
    fields : (flows, times, ny, nx) estimates at all times, as `Comparison.prior` has them
    added : (flows, n, ny, nx) what each analysis from day 3 on adds
    deviation : (flows, n, ny, nx) standard deviation after each of them
    doubt : (flows, n, ny, nx) spread of the members before each of them, 0 without members
    every : times from one analysis to the next
    """

    fields: Tensor
    added: Tensor
    deviation: Tensor
    doubt: Tensor
    every: int


class Comparison:
    """The flows for tests or validation with their stations, and what kriging makes of them.

    Parameters
    ----------
    osse : simulated flows
    past : of the training flows
    kind : validation or test
    compiler : of the transport
    """

    def __init__(self, osse: Osse, past: Climate, kind: str, compiler: Callable[[Any], Any] | None = None):
        self.osse, self.past, self.kind = osse, past, kind
        self.weights = osse.domain.weights()
        self.times = systems.scored_times(osse.tracers.shape[1])
        self.all_truth = osse.truth(kind)
        self.truth = self.all_truth[:, self.times]
        self.reports = systems.observe(self.all_truth, osse.places, TEST_SEED if kind == "test" else VALIDATION_SEED)
        self.dynamics = systems.transport(osse, compiler)

    def at_times(self, reports: Observations) -> Observations:
        """Reports of the scored times.

        Parameters
        ----------
        reports : of all times
        """
        return reports.at(slice(None), self.times)

    def kriging(self, reports: Observations | None = None) -> tuple[Interpolation, float, float]:
        """Kriging tuned on this very truth, its length (m) and its nugget.

        Parameters
        ----------
        reports : of all times; by default of all stations
        """
        reports = self.at_times(self.reports if reports is None else reports)
        return systems.tuned_kriging(self.osse.domain, self.past, self.truth, reports)

    def still(self, system: Interpolation, reports: Observations | None = None) -> Scores:
        """Scores of a system that looks at one time only.

        Parameters
        ----------
        system : to score
        reports : of all times; by default of all stations
        """
        got = system.analyse(system.start(self.truth), self.at_times(self.reports if reports is None else reports))
        return self.scores(got.mean, got.standard_deviation)

    def cycled(self, system: Analysis[Any], every: int | None = None, **options: Any) -> tuple[Scores, Course]:
        """Scores of a system that follows the tracer.

        Parameters
        ----------
        system : to run
        every : times from one analysis to the next; by default `systems.analysed_every`
        options : of `systems.run`
        """
        reports = options.pop("reports", self.reports)
        course = systems.run(system, self.osse, self.osse.flows(self.kind), reports, every=every, **options)
        at = [course.times.index(t) for t in self.times]
        return self.scores(course.mean[:, at], course.deviation[:, at]), course

    def prior(self, system: Analysis[Any], reports: Observations | None = None, **options: Any) -> Tensor:
        """A system's estimates (flows, times, ny, nx) at all times; between analyses the last one.

        Parameters
        ----------
        system : whose
        reports : of all times; by default of all stations
        options : of `systems.run`
        """
        reports = self.reports if reports is None else reports
        if isinstance(system, Interpolation):
            return system.analyse(system.start(self.all_truth), reports).mean
        mean = systems.run(system, self.osse, self.osse.flows(self.kind), reports, **options).mean
        return self._held(mean, systems.analysed_every(system))

    def _held(self, mean: Tensor, every: int) -> Tensor:
        """Estimates at all times: between analyses the last one."""
        return mean.repeat_interleave(every, 1)[:, : self.all_truth.shape[1]]

    def increments(self, system: Analysis[Any], reports: Observations | None = None) -> Increments:
        """A system's estimates, and what each of its analyses adds.

        Parameters
        ----------
        system : that follows the tracer
        reports : of all times; by default of all stations
        """
        added: list[Tensor] = []
        doubts: list[Tensor] = []

        def watch(before: Tensor, after: Tensor, doubt: Tensor) -> None:
            added.append(after - before)
            doubts.append(doubt)

        reports = self.reports if reports is None else reports
        course = systems.run(system, self.osse, self.osse.flows(self.kind), reports, watch=watch)
        every = systems.analysed_every(system)
        first = self.times[0] // every
        parts = (torch.stack(x[first:], 1) for x in (added, doubts))
        return Increments(self._held(course.mean, every), next(parts), course.deviation[:, first:], next(parts), every)

    def surprise(self, course: Increments, reports: Observations | None = None) -> Surprise:
        """What the reports of the analyses from day 3 on differ by from what the system expected.

        Parameters
        ----------
        course : what the system makes of the flows
        reports : of all times that it has seen; by default of all stations
        """
        reports = self.reports if reports is None else reports
        steps = course.every * (self.times[0] // course.every + torch.arange(course.added.shape[1]))
        before, places = course.fields[:, steps] - course.added, reports.places
        carried = surprises.carried_in(self.osse.domain, before, course.every * EVERY)
        expected, carried, doubt = (a.flatten(-2)[..., places] for a in (before, carried, course.doubt))
        seen = reports.at(slice(None), steps)
        return Surprise(
            seen.value - expected,
            seen.mask,
            surprises.Size(doubt**2, carried, self.past.spread.flatten()[places], seen.error),
        )

    def windows(self, frames: int, prior: Tensor, reports: Observations | None = None, winds: int = 0) -> Sample:
        """The scored windows.

        Parameters
        ----------
        frames : of a window
        prior : (flows, times, ny, nx) at all times
        reports : of all times; by default of all stations
        winds : by how many flows the winds are shifted
        """
        reports = self.reports if reports is None else reports
        return samples.held_out(self.osse, self.kind, frames, reports, prior, self.times, winds)

    def network(self, model: Reconstruction, sample: Sample) -> Scores:
        """Scores of a network.

        Parameters
        ----------
        model : trained
        sample : the scored windows
        """
        from .training import estimates

        mean, deviation = estimates(model, sample)
        shape = self.truth.shape
        return self.scores(mean.reshape(shape), deviation.reshape(shape))

    def scores(self, mean: Tensor, deviation: Tensor) -> Scores:
        """Scores of estimates at the scored times.

        Parameters
        ----------
        mean, deviation : (flows, scored times, ny, nx) ppm
        """
        return scores.scores(mean, deviation, self.truth, self.past.mean, self.weights)

    def half(self) -> Observations:
        """The reports of every other station."""
        return systems.without(self.reports, torch.arange(len(self.osse.places)) % 2 == 0)


def usual_innovations(system: Analysis[Any], osse: Osse, past: Climate) -> Usual:
    """How large the innovations of a system are by chance: on the flows for training and for validation.

    Nothing in the system comes from them but the mean and the covariance of the past.

    Parameters
    ----------
    system : that follows the tracer
    osse : simulated flows
    past : of the training flows
    """
    parts, every = [], systems.analysed_every(system)
    for kind in ("training", "validation"):
        flows = Comparison(osse, past, kind)
        parts.append(flows.surprise(flows.increments(system)))
    return surprises.learned(surprises.joined(parts), osse.places, every * EVERY)


def prior_of(model: Reconstruction, held: Comparison) -> Any:
    """What a trained network adds to: the kriging of its training, or an inversion of the world at hand.

    Parameters
    ----------
    model : trained
    held : comparison on flows of that world that are not scored
    """
    return model.kriging(held.osse.domain) if model.lengths else prior_system(model.settings.prior, held)[0]


def prior_system(word: str, held: Comparison) -> tuple[Any, tuple[float, float] | None]:
    """What a network is to add to, by the word of its namelist; if kriging, also its length (m) and nugget.

    Kriging is tuned on the flows for validation.

    Parameters
    ----------
    word : kriging, interpolation or enkf
    held : comparison on the flows for validation
    """
    if word == "kriging":
        system, length, nugget = held.kriging()
        return system, (length, nugget)
    if word == "interpolation":
        return systems.interpolation(held.osse, held.past, held.dynamics), None
    return systems.ensemble(held.osse, held.past), None


def milliseconds(call: Callable[[], Any], times: int = 3) -> float:
    """CPU time of a call, the least of several, ms.

    Parameters
    ----------
    call : what is timed
    times : how often
    """
    best = float("inf")
    for _ in range(times):
        begin = time.process_time()
        call()
        best = min(best, 1e3 * (time.process_time() - begin))
    return best


def table(rows: Mapping[str, Scores], kriging: float) -> str:
    """Markdown.

    Parameters
    ----------
    rows : scores by system
    kriging : RMSE of tuned kriging, ppm
    """
    head = (
        "| system | RMSE, ppm | of kriging | ACC | without the global mean | ACC | inside 90 % | spread / RMSE |\n"
        "|---|---|---|---|---|---|---|---|\n"
    )
    return head + "".join(
        f"| {name} | {s.rmse:.2f} | {s.rmse / kriging:.3f} | {s.acc:.3f} | {s.rmse_without_mean:.2f} |"
        f" {s.acc_without_mean:.3f} | {s.covered:.2f} | {s.spread:.2f} |\n"
        for name, s in rows.items()
    )
