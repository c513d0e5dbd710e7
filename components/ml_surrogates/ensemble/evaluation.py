# SPDX-License-Identifier: BSD-3-Clause
"""Every number of the model card: the ensemble beside a deterministic network with tuned noise, on new courses."""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from components.ml_surrogates.ensemble import toys
from components.ml_surrogates.ensemble.network import EnsembleNetwork
from components.ml_surrogates.ensemble.toys import Case, Course
from components.ml_surrogates.ensemble.training import forecast
from coupler.analysis.ensemble_scores import fair_crps, rank_histogram, spread_over_error

STEPS = 15  # to 3 time units
MEMBERS = 20


class Lead(NamedTuple):
    """Scores of one lead.

    Attributes
    ----------
    time : time units
    rmse : of the mean of the members, over the climate's standard deviation
    crps : fair, in the same unit
    spread : over error; one is right
    edges : share of what came that lies beyond all members, over the expected one
    """

    time: float
    rmse: float
    crps: float
    spread: float
    edges: float


def leads(members: Tensor, truth: Tensor) -> list[Lead]:
    """Scores by lead.

    Parameters
    ----------
    members : (m, n, steps, points)
    truth : (n, steps, points)
    """
    found = []
    for k in range(truth.shape[1]):
        x, y = members[:, :, k].double().numpy(), truth[:, k].double().numpy()
        error = float(np.sqrt(((x.mean(0) - y) ** 2).mean()))
        ranks = rank_histogram(x, y)
        edges = float((ranks[0] + ranks[-1]) / ranks.sum() * len(ranks) / 2.0)
        found.append(Lead(toys.UNIT * (k + 1), error, float(fair_crps(x, y).mean()), spread_over_error(x, y), edges))
    return found


def mean_crps(members: Tensor, truth: Tensor) -> float:
    """Fair CRPS over all leads.

    Parameters
    ----------
    members : (m, n, steps, points)
    truth : (n, steps, points)
    """
    return float(fair_crps(members.double().numpy(), truth.double().numpy()).mean())


def tuned_noise(net: EnsembleNetwork, cases: Course, seed: int, steps: tuple[float, ...]) -> tuple[float, float]:
    """Noise of the initial states and of each step with the least CRPS, refined once.

    Parameters
    ----------
    net : deterministic
    cases : not those of the scores
    seed : of the noise
    steps : sizes tried for the noise of a step; (0,): none
    """
    truth = cases.truth[:, 2:]

    def score(noise: tuple[float, float]) -> float:
        g = torch.Generator().manual_seed(seed)
        x = forecast(net, cases.seen, truth.shape[1], 8, g, start_noise=noise[0], step_noise=noise[1])
        return mean_crps(x, truth)

    first = min(product((0.02, 0.05, 0.1, 0.2), steps), key=score)
    near = product((0.7, 1.0, 1.4), (0.7, 1.0, 1.4) if first[1] else (1.0,))
    return min(((first[0] * a, first[1] * b) for a, b in near), key=score)


class Comparison(NamedTuple):
    """An ensemble beside noise.

    Attributes
    ----------
    learned, noisy, started : by lead: the network's members, noise at start and steps, noise at the start
    deterministic : RMSE of the single forecast by lead
    vs_noise, vs_start : CRPS of the network over that of both kinds of noise, all leads together
    noise : of start and steps, as tuned
    """

    learned: list[Lead]
    noisy: list[Lead]
    started: list[Lead]
    deterministic: list[float]
    vs_noise: float
    vs_start: float
    noise: tuple[float, float]


def compare(
    net: EnsembleNetwork, single: EnsembleNetwork, case: Case, seed: int, courses: int = 200, *, each_step: bool = True
) -> Comparison:
    """Scores of an ensemble and of its rival.

    Parameters
    ----------
    net, single : trained: with perturber, and deterministic
    case : of `toys`
    seed : of the courses, none of which is trained on
    courses : how many
    each_step : whether members draw at every step
    """
    tune = toys.draw(max(8, courses // 10), STEPS, case, torch.Generator().manual_seed(2000 + seed))
    cases = toys.draw(courses, STEPS, case, torch.Generator().manual_seed(1000 + seed))
    truth, g = cases.truth[:, 2:], torch.Generator().manual_seed(seed)
    noise = tuned_noise(single, tune, seed, (0.0, 0.02, 0.05, 0.1))
    start = tuned_noise(single, tune, seed, (0.0,))
    x = forecast(net, cases.seen, STEPS, MEMBERS, g, each_step=each_step)
    y, z = (forecast(single, cases.seen, STEPS, MEMBERS, g, start_noise=a, step_noise=b) for a, b in (noise, start))
    one = forecast(single, cases.seen, STEPS, 1, g)[0]
    errors = (one - truth).square().mean((0, 2)).sqrt().tolist()
    score = mean_crps(x, truth)
    return Comparison(
        leads(x, truth), leads(y, truth), leads(z, truth), errors,
        score / mean_crps(y, truth), score / mean_crps(z, truth), noise,
    )  # fmt: skip


def flow_dependence(case: Case, seed: int, courses: int = 100) -> float:
    """How far the error of a step depends on the flow: its spread in the fifth with most of it over that with least.

    Repeated steps from the same states show what no forecast can know; 1 where it is the same everywhere.

    Parameters
    ----------
    case : of `toys`
    seed : of states and steps
    courses : states
    """
    g = torch.Generator().manual_seed(seed)
    x = toys.draw(courses, 1, case, g).truth[:, 0] * toys.WIDTH + toys.MIDDLE
    wrong = toys.INITIAL_ERROR[case]
    ends = torch.stack([toys.forward(x + wrong * torch.randn(x.shape, generator=g), case, g) for _ in range(30)])
    spread = ends.std(0).flatten().sort().values
    fifth = len(spread) // 5
    return float(spread[-fifth:].mean() / spread[:fifth].mean())


def card(
    nets: Sequence[EnsembleNetwork], singles: Sequence[EnsembleNetwork], case: Case, seed: int, courses: int = 200
) -> str:
    """The model card in Markdown, means over some trainings and the worst of them.

    Parameters
    ----------
    nets, singles : an ensemble and its deterministic rival of each training
    case, seed, courses : see `compare`
    """
    found = [compare(net, single, case, seed, courses) for net, single in zip(nets, singles, strict=True)]

    def over(name: str, values: Sequence[float]) -> str:
        return f"| {name} | {np.mean(values):.3f} | {max(values):.3f} |"

    lines = [
        f"# Model card: learned ensemble, case {case}",
        "",
        f"{len(found)} trainings, {courses} courses never seen, seed {seed}, {MEMBERS} members; errors over the"
        f" climate's standard deviation. Spread of a step where most over least: {flow_dependence(case, seed):.2f}.",
        "",
        "| fair CRPS, all leads | mean | worst |",
        "|---|---|---|",
        over("over that of tuned noise at start and steps", [c.vs_noise for c in found]),
        over("over that of tuned noise at the start", [c.vs_start for c in found]),
        "",
        "| lead | spread/error: least | mean | most | CRPS | CRPS, noise | RMSE of mean over deterministic"
        " | beyond all members |",
        "|---" * 8 + "|",
    ]
    for k, a in enumerate(found[0].learned):
        spread = [c.learned[k].spread for c in found]
        crps, noisy, edges = (
            np.mean(v)
            for v in zip(*((c.learned[k].crps, c.noisy[k].crps, c.learned[k].edges) for c in found), strict=True)
        )
        gain = np.mean([c.learned[k].rmse / c.deterministic[k] for c in found])
        lines.append(
            f"| {a.time:.1f} | {min(spread):.2f} | {np.mean(spread):.2f} | {max(spread):.2f} | {crps:.4f} | {noisy:.4f}"
            f" | {gain:.2f} | {edges:.2f} |"
        )
    return "\n".join(lines) + "\n"
