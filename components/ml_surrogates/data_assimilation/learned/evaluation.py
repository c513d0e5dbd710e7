# SPDX-License-Identifier: BSD-3-Clause
"""Every number of the model card: the network beside CORR, 3DVar and the background, on cases never seen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from components.ml_surrogates.data_assimilation.learned import rival, twin
from components.ml_surrogates.data_assimilation.learned.network import Fusion
from components.ml_surrogates.data_assimilation.learned.rival import rmse
from components.ml_surrogates.data_assimilation.learned.training import analyse
from components.ml_surrogates.data_assimilation.learned.twin import LEAD, Observed, Sample
from components.ml_surrogates.estimation import lorenz96

FIRST, LAST = 4, 12  # steps of the forecasts that are scored: 0.2 to 0.6 time units
WARMER = 1.0  # K


@dataclass(frozen=True)
class Scores:
    """Root mean squares of errors in the state's unit, unless said.

    Attributes
    ----------
    background, analysis : of the cases
    blind, foreign : the network without observations, and with another case's
    cloudy, cloudy_background : under cloud alone
    forecast : from the analysis, mean of 0.2 to 0.6 time units
    right_way : share of clear points where 1 K more moves the analysis as the true operator says
    cycle, worst : mean and largest over the cycles, from the tenth on
    """

    background: float
    analysis: float
    blind: float
    foreign: float
    cloudy: float
    cloudy_background: float
    forecast: float
    right_way: float
    cycle: float
    worst: float


def foreign(observed: Observed) -> Observed:
    """Each case with the observations of its neighbour."""
    return Observed(*(a.roll(1, 0) for a in observed))


@torch.no_grad()
def right_way(net: Fusion, cases: Sample, points: int = 40) -> float:
    """Share of clear observed points where 1 K more in the steepest channel moves the analysis as dH/dx says.

    Parameters
    ----------
    net : trained
    cases : of which some are taken
    points : how many of each case's points are tried
    """
    x = cases.truth
    steepness = twin.operator(x + 0.5) - twin.operator(x - 0.5)  # all of it: above zero
    channel = steepness.argmax(1)
    before = analyse(net, cases.background, cases.observed)
    found = []
    for point in range(0, points, 5):
        clear = (cases.observed.mask[:, 0, point] > 0.0) & ~cases.observed.cloudy[:, point]
        warmer = cases.observed.value.clone()
        rows = torch.arange(len(x))
        warmer[rows, channel[:, point], point] += WARMER
        after = analyse(net, cases.background, cases.observed._replace(value=warmer))
        found.append((after - before)[clear, point] > 0.0)
    return float(torch.cat(found).float().mean())


@torch.no_grad()
def cycles(net: Fusion, number: int, courses: int, generator: torch.Generator) -> tuple[float, float]:
    """Mean and largest error of the analysis over cycles of 0.4 time units, from the tenth on.

    Parameters
    ----------
    net : trained
    number : of cycles
    courses : side by side
    generator : of everything random
    """
    first = twin.draw(courses, generator)
    truth, background, errors = first.truth, first.background, []
    for _ in range(number):
        a = analyse(net, background, twin.observe(truth, generator))
        errors.append(rmse(a, truth))
        truth, background = lorenz96.steps(truth, LEAD), lorenz96.steps(a, LEAD)
    later = errors[min(10, number - 1) :]
    return sum(later) / len(later), max(later)


def forecast_error(analysis: Tensor, truth: Tensor) -> float:
    """Mean error of forecasts of 0.2 to 0.6 time units.

    Parameters
    ----------
    analysis, truth : (n, 40) where they begin
    """
    both, errors = torch.stack([analysis, truth]), []
    for n in range(1, LAST + 1):
        both = lorenz96.step(both)
        if n >= FIRST:
            errors.append(rmse(both[0], both[1]))
    return sum(errors) / len(errors)


@torch.no_grad()
def scores(net: Fusion, seed: int, cases: int = 3000, number: int = 200, courses: int = 100) -> Scores:
    """All of a network's numbers.

    Parameters
    ----------
    net : trained
    seed : of the cases, none of which is trained on
    cases : how many
    number, courses : of the cycles
    """
    g = torch.Generator().manual_seed(1000 + seed)
    x = twin.draw(cases, g)
    a = analyse(net, x.background, x.observed)
    cloudy = x.observed.cloudy
    return Scores(
        rmse(x.background, x.truth), rmse(a, x.truth),
        rmse(analyse(net, x.background, x.observed.none()), x.truth),
        rmse(analyse(net, x.background, foreign(x.observed)), x.truth),
        rmse(a[cloudy], x.truth[cloudy]), rmse(x.background[cloudy], x.truth[cloudy]),
        forecast_error(a, x.truth), right_way(net, x), *cycles(net, number, courses, g),
    )  # fmt: skip


def rivals(seed: int, cases: int = 3000) -> dict[str, float]:
    """Errors of 3DVar, tuned on other cases: whole, without bias correction, without gross check.

    Parameters
    ----------
    seed : as in `scores`, so that the cases are the same
    cases : how many
    """
    learned = twin.draw(4000, torch.Generator().manual_seed(2000 + seed))
    k = rival.learn(learned)
    t = rival.tune(k, twin.draw(300, torch.Generator().manual_seed(3000 + seed)))
    x = twin.draw(cases, torch.Generator().manual_seed(1000 + seed))
    kinds = {"3DVar": t, "no bias correction": replace(t, correct=False), "no gross check": replace(t, check=1e9)}
    return {name: rmse(rival.analyse(k, kind, x), x.truth) for name, kind in kinds.items()}


def numbers(
    net: Fusion,
    control: Fusion | None,
    plain: Fusion | None,
    others: dict[str, float],
    seed: int,
    cases: int,
    cycled: int,
) -> dict[str, float]:
    """The rows of a model card for one network.

    Parameters
    ----------
    net, control, plain : the network; CORR and its twin without forecasts in the loss, where there are any
    others : errors of the rivals
    seed, cases, cycled : of the cases and cycles
    """
    s = scores(net, seed, cases, cycled)
    rows = {
        "background": s.background, "analysis": s.analysis, **others,
        "no observations": s.blind, "another case's observations": s.foreign,
        "under cloud": s.cloudy, "background under cloud": s.cloudy_background,
        "forecasts of .2 to .6 time units": s.forecast,
        f"{cycled} cycles, mean": s.cycle, f"{cycled} cycles, largest": s.worst,
        "share of clear points that 1 K moves the right way": s.right_way,
        "analysis over 3DVar": s.analysis / others["3DVar"],
    }  # fmt: skip
    if control is not None:
        c = scores(control, seed, cases, 1)
        rows |= {
            "CORR": c.analysis, "analysis over CORR": s.analysis / c.analysis,
            "no observations, over CORR": s.blind / c.analysis,
        }  # fmt: skip
    if plain is not None:
        p = scores(plain, seed, cases, 1)
        rows |= {
            "forecasts over those of a loss without forecasts": s.forecast / p.forecast,
            "analysis over that of a loss without forecasts": s.analysis / p.analysis,
        }
    return rows


def card(
    nets: Sequence[Fusion], controls: Sequence[Fusion], plain: Sequence[Fusion], seed: int, cases: int = 3000,
    cycled: int = 200, about: str = "",
) -> str:  # fmt: skip
    """The model card in Markdown, a column a network.

    Parameters
    ----------
    nets, controls, plain : networks, their CORR and their twins without forecasts in the loss; none, or one for each
    seed, cases, cycled : of the cases and cycles
    about : a sentence on the training
    """
    others = rivals(seed, cases)

    def at(some: Sequence[Fusion], n: int) -> Fusion | None:
        return some[n] if some else None

    columns = [numbers(net, at(controls, n), at(plain, n), others, seed, cases, cycled) for n, net in enumerate(nets)]
    lines = ["# Model card: learned assimilation, Lorenz's model of 1996", "", *([about, ""] if about else [])]
    lines += [
        f"{cases} cases never seen, seed {seed}; root mean squares in the state's unit; a column a training.",
        "",
        "| | " + " | ".join(f"training {n + 1}" for n in range(len(nets))) + " | mean |",
        "|---" * (len(nets) + 2) + "|",
    ]
    for name in columns[0]:
        values = [c[name] for c in columns]
        lines.append(f"| {name} | " + " | ".join(f"{v:.3f}" for v in (*values, sum(values) / len(values))) + " |")
    return "\n".join(lines) + "\n"
