# SPDX-License-Identifier: BSD-3-Clause
"""Errors at stations that a field has not seen, fold by fold."""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from components.ml_surrogates.station_fields import baselines, learned
from components.ml_surrogates.station_fields.monthly import Monthly

FOLDS = 5
LENGTHS, NUGGETS, RISES = (1000e3, 2000e3, 4000e3), (0.1, 0.3, 1.0), (0.0, 500.0)
DEGREES = (0, 3, 5)
Method = Callable[[Monthly, Tensor], Tensor]


class Errors(NamedTuple):
    """Sums of squares and numbers of months by station, (s,)."""

    squares: Tensor
    months: Tensor

    def rms(self) -> float:
        """Root of the mean square over all stations' months, ppm."""
        return float((self.squares.sum() / self.months.sum()).sqrt())

    def by_station(self) -> Tensor:
        """Root of the mean square of each station, ppm."""
        return (self.squares / self.months).sqrt()


def folds(stations: int, seed: int) -> list[Tensor]:
    """Numbers of the stations of each fold.

    Parameters
    ----------
    stations : how many there are
    seed : of their order
    """
    order = torch.randperm(stations, generator=torch.Generator().manual_seed(seed))
    return [order[k::FOLDS].sort().values for k in range(FOLDS)]


def unseen(data: Monthly, method: Method, seed: int) -> Errors:
    """Errors of a method, each station in the fold that has not seen it.

    Parameters
    ----------
    data : stations
    method : takes the data and the numbers of training stations and gives (s, t)
    seed : of the folds
    """
    everyone = torch.arange(len(data.names))
    known, squares = data.known(), torch.zeros(len(everyone), dtype=torch.float64)
    for held in folds(len(everyone), seed):
        training = everyone[~torch.isin(everyone, held)]
        kept = data._replace(value=data.value.clone())
        kept.value[held] = torch.nan  # no method can look
        gap = torch.where(known[held], method(kept, training)[held] - data.value[held], 0.0)
        squares[held] = (gap * gap).sum(1)
    return Errors(squares, known.sum(1))


def of_harmonics(degree: int) -> Method:
    """Trend and harmonics with polynomials of a degree in the sine of latitude.

    Parameters
    ----------
    degree : of the polynomials
    """
    return lambda data, training: baselines.harmonics(data, training, degree)


def of_kriging(degree: int, length: float, nugget: float, rise: float = 0.0) -> Method:
    """The same, and kriging of what they leave.

    Parameters
    ----------
    degree : of the polynomials
    length : of the correlation, m
    nugget, rise : see `baselines.kriged`
    """

    def method(data: Monthly, training: Tensor) -> Tensor:
        first = baselines.harmonics(data, training, degree)
        return first + baselines.kriged(data, data.value - first, training, length, nugget, rise)

    return method


def tuned_kriging(data: Monthly, seed: int) -> tuple[Errors, tuple[int, float, float, float]]:
    """The kriging whose settings are the best for the very stations held out: no fair method, a bar.

    Parameters
    ----------
    data : stations
    seed : of the folds
    """
    tried = {key: unseen(data, of_kriging(*key), seed) for key in itertools.product((3, 5), LENGTHS, NUGGETS, RISES)}
    best = min(tried, key=lambda key: tried[key].rms())
    return tried[best], best


def of_learned(data: Monthly, seed: int) -> Errors:
    """Errors of the learned field.

    Parameters
    ----------
    data : stations
    seed : of the folds
    """
    return unseen(data, learned.field, seed)
