# SPDX-License-Identifier: BSD-3-Clause
"""Transpired share of evapotranspiration by underlying water-use efficiency (Zhou et al. 2016)."""

from __future__ import annotations

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
    """
    y = gpp * np.sqrt(np.clip(deficit, 0.0, None))
    x = evapotranspiration
    actual = float(np.dot(x, y) / np.dot(x, x))
    return actual / slope_of_quantile(x[dry], y[dry])
