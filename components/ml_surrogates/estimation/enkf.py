# SPDX-License-Identifier: BSD-3-Clause
"""Ensemble square-root filter, an observation at a time (Whitaker & Hamill 2002), for any vector of unknowns.

What is estimated may hold whatever an observation is correlated with, such as a tracer beside the fluxes that feed it;
each pair of unknown and observation has its own localisation.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from components.ml_surrogates.estimation.controls import perturbations


class Riders(NamedTuple):
    """Further means that follow an ensemble's gains, each with values of its own.

    The gains do not depend on the values: what is a sum of means goes on being the sum of what each has become.

    Attributes
    ----------
    unknowns : (K, n) of all unknowns
    equivalents : (K, p) what each gives for the observations
    value : (K, p) observations
    """

    unknowns: Tensor
    equivalents: Tensor
    value: Tensor


def ensrf(
    ensemble: Tensor,
    equivalents: Tensor,
    value: Tensor,
    error: Tensor,
    localisation: Tensor | None = None,
    between: Tensor | None = None,
) -> Tensor:
    """The analysis ensemble (N, n).

    Parameters
    ----------
    ensemble : (N, n) members of all unknowns
    equivalents : (N, p) what each gives for the observations
    value, error : (p,) observations and their standard deviations, independent of each other
    localisation : (p, n) of the gain, 0 to 1; default: none
    between : (p, p) the same among observations, needed with ``localisation``
    """
    none = Riders(ensemble[:0], equivalents[:0], value.expand(0, -1))
    return ensrf_with_riders(ensemble, equivalents, value, error, none, localisation, between)[0]


def ensrf_with_riders(
    ensemble: Tensor,
    equivalents: Tensor,
    value: Tensor,
    error: Tensor,
    riders: Riders,
    localisation: Tensor | None = None,
    between: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """The analysis ensemble (N, n), and the riders' unknowns (K, n) after it.

    Parameters
    ----------
    ensemble, equivalents, value, error, localisation, between : as of `ensrf`
    riders : means that follow the same gains
    """
    if (localisation is None) != (between is None):
        raise ValueError("expected a localisation among observations beside that of the unknowns, found one of the two")
    members, n = ensemble.shape
    joint = torch.cat([ensemble, equivalents], 1)
    # unknowns first: what an observation reaches are whole rows
    x = perturbations(joint).T.contiguous()
    others = torch.cat([riders.unknowns, riders.equivalents], 1)
    means = torch.cat([joint.mean(0, keepdim=True), others]).T.contiguous()
    values = torch.cat([value[None], riders.value]).T
    weight = None if localisation is None or between is None else torch.cat([localisation, between], 1)
    for i in range(value.shape[0]):
        y = x[n + i].clone()
        variance, r = (y * y).sum(), error[i] * error[i]
        reduced = 1.0 / (1.0 + torch.sqrt(r / (variance + r)))
        misfit = values[i] - means[n + i]
        near = slice(None) if weight is None else torch.nonzero(weight[i])[:, 0]
        some = x[near]
        gain = (some @ y) / (variance + r)
        if weight is not None:
            gain = gain * weight[i][near]
        means[near] = torch.addr(means[near], gain, misfit)
        x[near] = torch.addr(some, gain, reduced * y, alpha=-1.0)
    mean = means[:n].T
    return mean[0] + math.sqrt(members - 1) * x[:n].T, mean[1:]
