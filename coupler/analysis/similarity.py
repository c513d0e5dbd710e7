# SPDX-License-Identifier: BSD-3-Clause
"""How alike two series or patterns are: Kling-Gupta efficiency, the numbers of a Taylor diagram, percentiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coupler.errors import CaseError

Floats = npt.NDArray[np.float64]


class NothingToScore(CaseError):
    """A field without a value, or a constant where a variance is needed."""


@dataclass(frozen=True)
class Likeness:
    """Numbers of a pair.

    Attributes
    ----------
    n : values of the pair
    model, observed : means
    deviation, observed_deviation : standard deviations about them (of the population)
    correlation : of the two
    centred_rmse : root-mean-square difference without that of the means
    """

    n: int
    model: float
    observed: float
    deviation: float
    observed_deviation: float
    correlation: float
    centred_rmse: float

    @property
    def bias(self) -> float:
        """Model minus observed."""
        return self.model - self.observed

    @property
    def rmse(self) -> float:
        """Root-mean-square difference."""
        return float(np.hypot(self.bias, self.centred_rmse))

    @property
    def variance_ratio(self) -> float:
        """Variance of the model over the observed."""
        return (self.deviation / self.observed_deviation) ** 2

    @property
    def skill(self) -> float:
        """4 (1 + R) / ((s + 1/s)^2 2), between 0 and 1 (Taylor 2001, J. Geophys. Res. 106, eq. 4 with R_0 = 1)."""
        s = self.deviation / self.observed_deviation
        return 4.0 * (1.0 + self.correlation) / ((s + 1.0 / s) ** 2 * 2.0)

    @property
    def kling_gupta(self) -> float:
        """1 - sqrt((r - 1)^2 + (s_m / s_o - 1)^2 + (m / o - 1)^2) (Gupta et al. 2009, J. Hydrol. 377, eq. 9).

        Raises
        ------
        NothingToScore
            A mean observation of zero, of which no ratio can be taken.
        """
        if self.observed == 0.0:
            raise NothingToScore(
                "Kling-Gupta efficiency: the observed mean is zero, so that no ratio can be taken of it"
            )
        alpha, beta = self.deviation / self.observed_deviation, self.model / self.observed
        return float(1.0 - np.sqrt((self.correlation - 1) ** 2 + (alpha - 1) ** 2 + (beta - 1) ** 2))


def likeness(model: Floats, observed: Floats, weights: Floats | None = None, what: str = "the field") -> Likeness:
    """Compare two series or patterns where both have a value.

    Parameters
    ----------
    model, observed : of one shape and unit, NaN where unknown
    weights : of the same shape, such as areas
    what : name for messages

    Raises
    ------
    NothingToScore
        No common value, or one of the two is constant.

    Examples
    --------
    >>> round(likeness(np.array([1.0, 2.0, 4.0]), np.array([2.0, 4.0, 8.0])).kling_gupta, 4)
    0.2929
    """
    if np.shape(model) != np.shape(observed):
        raise CaseError(f"{what}: the model has the shape {np.shape(model)}, the observations {np.shape(observed)}")
    both = np.isfinite(model) & np.isfinite(observed)
    if not both.any():
        lacks = [who for who, x in (("model", model), ("observations", observed)) if not np.isfinite(x).any()]
        where = f"the {' and the '.join(lacks)} have no value at all" if lacks else "no place where both have a value"
        raise NothingToScore(f"{what}: {where}")
    w = np.ones(int(both.sum())) if weights is None else np.asarray(weights, float)[both]
    w = w / w.sum()
    m, o = np.asarray(model, float)[both], np.asarray(observed, float)[both]
    means = float(w @ m), float(w @ o)
    about = m - means[0], o - means[1]
    spreads = float(np.sqrt(w @ (about[0] * about[0]))), float(np.sqrt(w @ (about[1] * about[1])))
    for who, spread, mean in zip(("model", "observations"), spreads, means, strict=True):
        if spread <= 1e-13 * abs(mean):
            raise NothingToScore(
                f"{what}: {'the model is' if who == 'model' else 'the observations are'} constant ({mean:g} at all"
                f" {w.size} values), so that correlation and ratio of variances do not exist"
            )
    r = float(w @ (about[0] * about[1])) / (spreads[0] * spreads[1])
    centred = float(np.sqrt(w @ (about[0] - about[1]) ** 2))
    return Likeness(w.size, *means, *spreads, r, centred)


def wet_day_share(rain: Floats, least: float = 1.0) -> Floats:
    """Share of days (time first) with at least ``least``, by place; NaN where no day is known.

    Parameters
    ----------
    rain : (days, ...) mm a day
    least : mm a day of a wet day
    """
    known = np.isfinite(rain).sum(axis=0)
    wet = (np.nan_to_num(rain, nan=-np.inf) >= least).sum(axis=0)
    return np.asarray(np.where(known > 0, wet / np.maximum(known, 1), np.nan))


def percentile(values: Floats, percent: float, what: str = "the field") -> Floats:
    """Percentile along the first axis where values are known, linear between ordered ones (Hyndman & Fan 1996, no. 7).

    Parameters
    ----------
    values : (n, ...)
    percent : 0 to 100
    what : name for messages

    Raises
    ------
    NothingToScore
        No value at all.
    """
    if not np.isfinite(values).any():
        raise NothingToScore(f"{what}: no value at all, so no percentile")
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of places without a value, which stay NaN
        return np.asarray(np.nanpercentile(values, percent, axis=0))


def diurnal_peak(values: Floats, hours: Floats, longitude: Floats | float) -> Floats:
    """Local solar hour of the largest value of the first daily harmonic, by place.

    Parameters
    ----------
    values : (n, ...) such as rain
    hours : (n,) hour of the day in UTC, of whole days
    longitude : degrees east, of the shape of a record

    Examples
    --------
    >>> utc = np.arange(24.0)
    >>> float(np.round(diurnal_peak(1 + np.cos(2 * np.pi * (utc - 9) / 24), utc, 120.0), 6))
    17.0
    """
    angle = 2.0 * np.pi * np.asarray(hours) / 24.0
    about = values - values.mean(axis=0)
    a, b = (np.tensordot(f(angle), about, 1) for f in (np.cos, np.sin))
    return np.asarray((np.arctan2(b, a) * 12.0 / np.pi + np.asarray(longitude) / 15.0) % 24.0)
