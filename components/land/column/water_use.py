# SPDX-License-Identifier: BSD-3-Clause
"""Transpired share of evapotranspiration by underlying water-use efficiency (Zhou et al. 2016).

The share rests on the 95th percentile of a ratio of fluxes, which chance errors of a tower raise: its share is too low.
A model has none, so that it is compared with the scatter of the tower's half-hours laid on it (:func:`scatter`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]
QUANTILE = 0.95


def slope_of_quantile(x: Series, y: Series, quantile: float = QUANTILE) -> float:
    """Slope through 0 of y on x by quantile regression: the quantile of y/x weighted with x.

    Parameters
    ----------
    x : (n,) positive
    y : (n,)
    quantile : 0 to 1
    """
    ratio = y / x
    order = np.argsort(ratio, kind="stable")
    weight = np.cumsum(x[order])
    return float(ratio[order][np.searchsorted(weight, quantile * weight[-1])])


def transpired_share(gpp: Series, deficit: Series, evapotranspiration: Series, dry: NDArray[np.bool_]) -> float:
    """T/ET = uWUE_a / uWUE_p: the slope through 0 of GPP sqrt(VPD) on ET over its 95th percentile slope.

    Parameters
    ----------
    gpp : (n,) gross uptake, any unit
    deficit : (n,) vapour pressure deficit, any unit
    evapotranspiration : (n,) any unit, positive
    dry : (n,) hours without rain for a day, for the potential slope

    Raises
    ------
    ValueError
        No dry hours, evapotranspiration that is not above 0, or something that is not a number.
    """
    y = gpp * np.sqrt(np.clip(deficit, 0.0, None))
    x = evapotranspiration
    wrong = ~(np.isfinite(x) & np.isfinite(y) & (x > 0.0))
    if wrong.any() or not dry.any():
        raise ValueError(
            f"transpired share: expected numbers, evapotranspiration above 0 and dry hours; found {int(wrong.sum())} of"
            f" {x.size} hours otherwise and {int(dry.sum())} dry ones: leave the others out"
        )
    actual = float(np.dot(x, y) / np.dot(x, x))
    return actual / slope_of_quantile(x[dry], y[dry])


class Scatter(NamedTuple):
    """Standard deviation of a flux's chance error, ``least + share * flux``, in the flux's unit."""

    least: float
    share: float

    def of(self, flux: Series) -> Series:
        """Standard deviation at a flux.

        Parameters
        ----------
        flux : (n,)
        """
        return np.clip(self.least + self.share * flux, 0.0, None)


BINS = 5  # of a flux, equally full, to which the line of its scatter is drawn


def scatter(tower: Series, model: Series, good: NDArray[np.bool_]) -> Scatter:
    """Chance error of a tower's flux, from half-hours that differ from the mean of their neighbours.

    Weather that changes within the hour makes true fluxes differ too; what a model of the same weather has of it is
    taken off, variances from variances. The error grows with the flux (Hollinger and Richardson 2005).

    Parameters
    ----------
    tower, model : (n,) measured and modelled flux in one order of time
    good : (n,) half-hours that count, with both neighbours
    """
    inside = good[1:-1] & good[:-2] & good[2:]

    def uneven(f: Series) -> Series:
        return (f[1:-1] - 0.5 * (f[:-2] + f[2:]))[inside]

    size = (0.25 * (tower[:-2] + 2.0 * tower[1:-1] + tower[2:]))[inside]
    both = uneven(tower) ** 2, uneven(model) ** 2
    bins = np.array_split(np.argsort(size, kind="stable"), BINS)
    deviation = [np.sqrt(max(both[0][b].mean() - both[1][b].mean(), 0.0) / 1.5) for b in bins]
    share, least = np.polyfit([size[b].mean() for b in bins], deviation, 1)
    return Scatter(float(least), float(share))


def with_scatter(flux: Series, error: Scatter, gen: np.random.Generator) -> Series:
    """A flux as a tower finds it; errors are double exponential (Hollinger and Richardson 2005).

    Parameters
    ----------
    flux : (n,)
    error : of the tower
    gen : of random numbers
    """
    return flux + error.of(flux) * gen.laplace(scale=np.sqrt(0.5), size=flux.size)
