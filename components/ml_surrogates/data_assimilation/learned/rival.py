# SPDX-License-Identifier: BSD-3-Clause
"""3DVar on the same cases, with all that a network is not given: the true operator, B, R, a bias correction, a check.

J(v) = 1/2 |v|^2 + 1/2 sum ((y - bias - H(x_b + s B^1/2 v)) / sigma)^2 over the observations that pass the gross check.
"""

from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor

from components.ml_surrogates.data_assimilation.learned import twin
from components.ml_surrogates.data_assimilation.learned.twin import CHANNELS, Observed, Sample
from components.ml_surrogates.estimation.controls import Static
from components.ml_surrogates.estimation.cost import Cost, Observations
from components.ml_surrogates.estimation.minimise import Limits, minimise

UNSEEN = 1e6  # K: the error of what is left out
ROUNDS = 8  # of the regression, each without what lay far off in the one before


class Knowledge(NamedTuple):
    """What 3DVar takes from cases with a known truth.

    Attributes
    ----------
    root : (40, 40) lower root of the covariance of the background's error
    bias : (channels, 3) of departures by one, the angle's square and the sun, K
    spread : (channels,) standard deviation of clear departures, K
    """

    root: Tensor
    bias: Tensor
    spread: Tensor


@dataclass(frozen=True)
class Tuned:
    """What is tuned.

    Attributes
    ----------
    sigma : error of an observation, K
    check : standard deviations of clear departures beyond which one is left out
    together : whether a point's channels leave together
    share : of the background's standard deviation
    correct : whether the bias is corrected
    """

    sigma: float = 1.0
    check: float = 3.0
    together: bool = True
    share: float = 1.0
    correct: bool = True


def _predictors(observed: Observed) -> Tensor:
    angle, sun = observed.beside[:, 0], observed.beside[:, 1]
    return torch.stack([torch.ones_like(angle), angle * angle, sun], -1)


def learn(cases: Sample) -> Knowledge:
    """Covariance of the background's error, and the bias by a regression that leaves out what lies far off.

    Parameters
    ----------
    cases : with their truth, of which the covariance is taken; the regression sees the background alone
    """
    root = torch.linalg.cholesky(torch.cov((cases.truth - cases.background).T))
    departures = cases.observed.value - twin.operator(cases.background)
    x, seen = _predictors(cases.observed), cases.observed.mask[:, 0] > 0.0
    weights, spreads = [], []
    for c in range(CHANNELS):
        d, keep = departures[:, c], seen
        for _ in range(ROUNDS):
            w = torch.linalg.lstsq(x[keep], d[keep][:, None]).solution[:, 0]
            left = d - x @ w
            middle = left[keep].median()  # clouds are cold: the middle is nearer to clear air than the mean
            spread = 1.48 * (left[keep] - middle).abs().median()
            keep = seen & ((left - middle).abs() < 2.0 * spread)
        weights.append(w)
        spreads.append(spread)
    return Knowledge(root, torch.stack(weights), torch.stack(spreads))


def analyse(k: Knowledge, t: Tuned, cases: Sample, iterations: int = 40) -> Tensor:
    """Analyses (n, 40), all cases in one minimisation: J is their sum.

    Parameters
    ----------
    k : what is known
    t : what is tuned
    cases : backgrounds and observations; the truth is not looked at
    iterations : at most
    """
    observed, background = cases.observed, cases.background
    value = observed.value
    if t.correct:
        value = value - torch.einsum("nip,cp->nci", _predictors(observed), k.bias)
    far = (value - twin.operator(background)).abs() > t.check * k.spread[:, None]
    if t.together:
        far = far.any(1, keepdim=True).expand_as(far)
    error = torch.where(far | (observed.mask == 0.0), UNSEEN, t.sigma)
    root = t.share * k.root
    control = Static(lambda v: v @ root.T, tuple(background.shape), background)
    window = [Observations(0, value.reshape(-1), error.reshape(-1), lambda x: twin.operator(x).reshape(-1))]
    cost = Cost(background, control, lambda x: x, window, checkpoints=False)
    return cost.analysis(minimise(cost, control.zero(), Limits(iterations, 2 * iterations, 1e-3, 1e-5)).v).detach()


def rmse(analysis: Tensor, truth: Tensor) -> float:
    """Root mean square of a difference."""
    return float((analysis - truth).square().mean().sqrt())


def tune(k: Knowledge, cases: Sample) -> Tuned:
    """The least error of the analysis over a grid of choices, refined once.

    Parameters
    ----------
    k : what is known
    cases : not those of the scores
    """

    def best(choices: list[Tuned]) -> Tuned:
        return min(choices, key=lambda t: rmse(analyse(k, t, cases, 20), cases.truth))

    first = best(
        [
            Tuned(sigma, check, together, share)
            for sigma, check, together, share in product(
                (0.35, 0.7, 1.5, 3.0), (1.5, 2.5, 4.0, 6.0, 9.0), (True, False), (0.75, 1.0, 1.3)
            )
        ]
    )
    near = product((0.75, 1.0, 1.4), (0.75, 1.0, 1.3), (0.85, 1.0, 1.2))
    return best(
        [replace(first, sigma=first.sigma * a, check=first.check * b, share=first.share * c) for a, b, c in near]
    )
