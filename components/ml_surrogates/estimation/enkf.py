# SPDX-License-Identifier: BSD-3-Clause
"""Ensemble square-root filter, an observation at a time (Whitaker & Hamill 2002), for any vector of unknowns.

What is estimated may hold whatever an observation is correlated with, such as a tracer beside the fluxes that feed it;
each pair of unknown and observation has its own localisation.
"""

import math

import torch
from torch import Tensor

from components.ml_surrogates.estimation.controls import perturbations


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
    if (localisation is None) != (between is None):
        raise ValueError("expected a localisation among observations beside that of the unknowns, found one of the two")
    members = ensemble.shape[0]
    joint = torch.cat([ensemble, equivalents], 1)
    mean, x = joint.mean(0), perturbations(joint)
    n = ensemble.shape[1]
    for i in range(value.shape[0]):
        y = x[:, n + i]
        variance = (y * y).sum()
        r = error[i] * error[i]
        gain = (y @ x) / (variance + r)
        if localisation is not None and between is not None:
            gain = gain * torch.cat([localisation[i], between[i]])
        reduced = 1.0 / (1.0 + torch.sqrt(r / (variance + r)))
        mean = mean + gain * (value[i] - mean[n + i])
        x = x - reduced * y[:, None] * gain
    return mean[:n] + math.sqrt(members - 1) * x[:, :n]
