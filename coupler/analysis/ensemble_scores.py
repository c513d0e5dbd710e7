# SPDX-License-Identifier: BSD-3-Clause
"""Scores of an ensemble beside what was observed: fair CRPS, spread over error, rank histogram."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.errors import CaseError

Floats = npt.NDArray[np.float64]


def fair_crps(members: Floats, observed: Floats) -> Floats:
    r"""Continuous ranked probability score of an ensemble, unbiased in the number of members.

    CRPS = mean |x_i - y| - sum_ij |x_i - x_j| / (2 m (m - 1)), (Ferro 2014, QJRMS 140, 1917, eq. 6); for one member the
    absolute error.

    Parameters
    ----------
    members : (m, ...)
    observed : (...)

    Returns
    -------
    array (...)
        In the unit of the members; NaN where a value is missing.

    Examples
    --------
    >>> float(fair_crps(np.array([0.0, 1.0]), np.array(2.0)))
    1.0
    """
    _together(members, observed)
    m = members.shape[0]
    error = np.abs(members - observed).mean(axis=0)
    if m == 1:
        return np.asarray(error)
    # sum_ij |x_i - x_j| = 2 sum_i (2 i - m - 1) x_(i) of the ordered members
    weights = 2.0 * np.arange(1, m + 1) - m - 1.0
    return np.asarray(error - np.tensordot(weights, np.sort(members, axis=0), 1) / (m * (m - 1.0)))


def almost_fair_crps(members: Any, observed: Any, alpha: float) -> Any:
    """A mixture of the fair CRPS, ``alpha`` of it, and of that of the members as they are, which no two alike can fool.

    Sum over pairs of |x_i - y| + |x_j - y| - (1 - (1 - alpha) / m) |x_i - x_j|, over 2 m (m - 1) (Lang et al. 2024,
    eq. 4): no difference of large numbers. For arrays and tensors, whose gradients it keeps.

    Parameters
    ----------
    members : (m, ...), at least two
    observed : (...)
    alpha : 1 is the fair CRPS, 0 that of the members as they are

    Returns
    -------
    array or tensor (...)
        In the unit of the members.

    Examples
    --------
    >>> float(almost_fair_crps(np.array([0.0, 1.0]), np.array(2.0), 0.5))
    1.125
    """
    _together(members, observed)
    m = members.shape[0]
    if m < 2:
        raise CaseError("the almost fair CRPS needs at least two members, found one")
    kept = 1.0 - (1.0 - alpha) / m
    error = abs(members - observed)
    total = 0.0
    for i in range(1, m):
        total = total + (error[:i] + error[i] - kept * abs(members[:i] - members[i])).sum(0)
    return total / (m * (m - 1.0))


def gaussian_crps(mean: Floats, deviation: Floats, observed: Floats) -> Floats:
    """CRPS of a normal distribution (Gneiting et al. 2005, Mon. Wea. Rev. 133, eq. 5).

    Parameters
    ----------
    mean, deviation : of the distribution; without deviation the score is the absolute error
    observed : what came

    Raises
    ------
    CaseError
        A deviation below zero.
    """
    from scipy.special import ndtr

    if (np.asarray(deviation) < 0.0).any():
        raise CaseError("expected standard deviations of zero or more, found some below")
    off = observed - mean
    z = np.divide(off, deviation, out=np.zeros(np.broadcast(off, deviation).shape), where=deviation != 0.0)
    density = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    wide = deviation * (z * (2.0 * ndtr(z) - 1.0) + 2.0 * density - 1.0 / np.sqrt(np.pi))
    return np.asarray(np.where(deviation == 0.0, np.abs(off), wide))


def spread_over_error(members: Floats, observed: Floats, area: Floats | None = None) -> float:
    """Spread of an ensemble over the error of its mean; one where members and observation are alike.

    sqrt((m + 1) / m) sqrt(mean unbiased variance) / RMSE (Fortin et al. 2014, J. Hydrometeor. 15, eq. 15).

    Parameters
    ----------
    members : (m, ...), at least two
    observed : (...)
    area : (...) weights; all alike without

    Raises
    ------
    CaseError
        One member, no place where all have a value, or weights that are none.
    """
    x, y, there = _whole(members, observed)
    m = x.shape[0]
    if m < 2:
        raise CaseError("spread over error needs at least two members, found one")
    weights = None if area is None else _weights(area, observed, there)
    spread = np.sqrt((m + 1.0) / m * np.average(x.var(axis=0, ddof=1), weights=weights))
    error = np.sqrt(np.average((x.mean(axis=0) - y) ** 2, weights=weights))
    if error == 0.0:
        raise CaseError("spread over error: the mean of the members is what was observed everywhere")
    return float(spread / error)


def rank_histogram(members: Floats, observed: Floats, seed: int = 0) -> npt.NDArray[np.int64]:
    """How often the observation has each rank among the members (Hamill 2001, Mon. Wea. Rev. 129, 550).

    Parameters
    ----------
    members : (m, ...)
    observed : (...)
    seed : of the choice among ranks of equal values

    Returns
    -------
    array (m + 1,)
        Counts; flat where members and observation are alike.
    """
    x, y, _ = _whole(members, observed)
    below, equal = (x < y).sum(axis=0), (x == y).sum(axis=0)
    rank = below + np.random.default_rng(seed).integers(0, equal + 1)
    return np.bincount(rank, minlength=x.shape[0] + 1)


def _weights(area: Floats, observed: Floats, there: npt.NDArray[np.bool_]) -> Floats:
    """Weights of the places (n,) where all have a value."""
    if np.shape(area) != np.shape(observed):
        raise CaseError(f"weights of shape {np.shape(area)} beside observations of {np.shape(observed)}")
    found = np.reshape(area, -1)[there]
    if not (np.isfinite(found).all() and found.min() >= 0.0 and found.max() > 0.0):
        raise CaseError("expected weights of zero or more, and some above, where all have a value")
    return found


def _together(members: Any, observed: Any) -> None:
    each, seen = tuple(members.shape[1:]), tuple(np.shape(observed))
    if each != seen:
        raise CaseError(f"members of shape {each} beside observations of {seen}")
    if not members.shape[0]:
        raise CaseError("expected an ensemble of members, found none")


def _whole(members: Floats, observed: Floats) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Members (m, n) and observations (n,) where all have a value, and where that is."""
    _together(members, observed)
    x, y = members.reshape(members.shape[0], -1), np.reshape(observed, -1)
    there = np.isfinite(y) & np.isfinite(x).all(axis=0)
    if not there.any():
        raise CaseError("the members and the observations have no place where all have a value")
    return x[:, there], y[there], there
