# SPDX-License-Identifier: BSD-3-Clause
"""What needs no network: persistence, and a linear model of the change in six hours from the leading EOFs, tuned."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from components.ml_surrogates.forecast.network import ForecastNetwork
from components.ml_surrogates.forecast.sampling import AHEAD, Samples
from components.ml_surrogates.forecast.training import scaled_error

NUMBERS = (5, 10, 20, 40, 80, 160, 320)
HELD_OUT = 6  # one run of so many chooses number and ridge
RIDGES = (1e-3, 1e-2, 1e-1, 1.0)


class Linear(NamedTuple):
    """The change of a state from its leading EOFs.

    Attributes
    ----------
    middle, drift : (4 nz + 1, ny, nx) means of the states and of their scaled change
    patterns : (k, fields) EOFs of scaled states
    weights : (k, fields) scaled change for each
    ridge : share of the mean variance of an EOF that is added to each
    """

    middle: Tensor
    drift: Tensor
    patterns: Tensor
    weights: Tensor
    ridge: float

    def __call__(self, x: Tensor, net: ForecastNetwork) -> Tensor:
        """States (n, 4 nz + 1, ny, nx) six hours later.

        Parameters
        ----------
        x : states
        net : whose scaling is used
        """
        a = ((x - self.middle) / net.spread[:, None, None]).flatten(1)
        change = (a @ self.patterns.T @ self.weights).reshape(x.shape)
        return x + (self.drift + change) * net.change[:, None, None]


def pairs(*sets: Samples) -> tuple[Tensor, Tensor]:
    """States and those six hours later, (n, 4 nz + 1, ny, nx) each."""
    before = torch.cat([s.states[:, :-AHEAD].flatten(0, 1) for s in sets])
    return before, torch.cat([s.states[:, AHEAD:].flatten(0, 1) for s in sets])


def learn(sets: Sequence[Samples], net: ForecastNetwork) -> list[Linear]:
    """Linear models of several numbers of EOFs and ridges.

    Parameters
    ----------
    sets : samples
    net : whose scaling is used
    """
    x, y = pairs(*sets)
    middle = x.mean(0)
    a = ((x - middle) / net.spread[:, None, None]).flatten(1).double()
    moved = (y - x) / net.change[:, None, None]
    drift = moved.mean(0)
    change = (moved - drift).flatten(1).double()
    variance, along = torch.linalg.eigh(a @ a.T)
    order = torch.argsort(variance, descending=True)
    found = []
    for number in (k for k in NUMBERS if k < len(a)):
        chosen = order[:number]
        size = torch.sqrt(torch.clamp(variance[chosen], min=1e-12))
        patterns = (along[:, chosen] / size).T @ a
        project = along[:, chosen].T @ change
        for ridge in RIDGES:
            more = ridge * float((size * size).mean())
            weights = (size / (size * size + more))[:, None] * project
            found.append(Linear(middle, drift, patterns.float(), weights.float(), ridge))
    return found


def rms(error: Tensor) -> float:
    """Root of the mean square."""
    return float(error.square().mean().sqrt())


def tuned(sets: Sequence[Samples], held_out: Sequence[Samples], net: ForecastNetwork) -> Linear:
    """The linear model with the least error on runs that it did not learn from.

    Parameters
    ----------
    sets, held_out : samples to learn from and to choose by
    net : whose scaling is used
    """
    x, y = pairs(*held_out)
    return min(learn(sets, net), key=lambda m: rms(scaled_error(net, m(x, net), y, held_out[0])))
