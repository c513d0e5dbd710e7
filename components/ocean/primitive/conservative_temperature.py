# SPDX-License-Identifier: BSD-3-Clause
"""Potential temperature, which a thermometer at the surface reads, and the conservative one, which the model carries.

Conservative temperature is the enthalpy that water has at the surface over a fixed heat capacity (IOC, SCOR and IAPSO
2010: The international thermodynamic equation of seawater, TEOS-10, eq. 3.3.1; coefficients of Feistel 2008, Deep-Sea
Res. I 55, 1639). At 25 degC it is .001 K below the potential one where the salinity is 35 g kg-1, .2 K above it at 30,
and .6 K at 20.
"""

import torch
from torch import Tensor

from components.science.constants import SEA_WATER_HEAT_CAPACITY

_S_SCALE = 35.0 / (35.16504 * 40.0)  # g-1 kg
_T_SCALE = 0.025  # degC-1

# enthalpy at no pressure but the air's, J kg-1: _ENTHALPY[n] = coefficients of y^0, y^1, ... beside the power of x
_POWERS = (0, 2, 3, 4, 5, 6, 7)
_ENTHALPY = (
    (61.01362420681071, 168776.46138048015, -2735.2785605119625, 2574.2164453821433, -1536.6644434977543,
     545.7340497931629, -50.91091728474331, -18.30489878927802),
    (268.5520265845071, -12019.028203559312, 3734.858026725145, -2046.7671145057618, 465.28655623826234,
     -0.6370820302376359, -10.650848542359153),
    (937.2099110620707, 588.1802812170108, 248.39476522971285, -3.871557904936333, -2.6268019854268356),
    (-1687.914374187449, 936.3206544460336, -942.7827304544439, 369.4389437509002, -33.83664947895248,
     -9.987880382780322),
    (246.9598888781377,),
    (123.59576582457964,),
    (-48.5891069025409,),
)  # fmt: skip
_SLOPE = tuple(tuple(n * c for n, c in enumerate(row))[1:] for row in _ENTHALPY)
"""Of the derivative to y."""
TURNS = 3  # of Newton's method: from a kelvin to 1e-12


def conservative_temperature(salinity: Tensor, potential: Tensor) -> Tensor:
    """Conservative temperature, degC.

    Parameters
    ----------
    salinity : absolute, g kg-1
    potential : potential temperature at the surface, degC

    Examples
    --------
    >>> pair = torch.tensor(20.0, dtype=torch.float64), torch.tensor(25.0, dtype=torch.float64)
    >>> round(float(conservative_temperature(*pair)), 4)
    25.5595
    """
    return _polynomial(_ENTHALPY, _root(salinity), _T_SCALE * potential) / SEA_WATER_HEAT_CAPACITY


def potential_temperature(salinity: Tensor, conservative: Tensor) -> Tensor:
    """Potential temperature at the surface, degC: the inverse of `conservative_temperature`, by Newton's method.

    Parameters
    ----------
    salinity : absolute, g kg-1
    conservative : conservative temperature, degC
    """
    x = _root(salinity)
    y = _T_SCALE * conservative
    wanted = SEA_WATER_HEAT_CAPACITY * conservative
    for _ in range(TURNS):
        y = y - (_polynomial(_ENTHALPY, x, y) - wanted) / _polynomial(_SLOPE, x, y)
    return y / _T_SCALE


def _root(salinity: Tensor) -> Tensor:
    """x, above 0 where there is no salt, so that a gradient exists."""
    return torch.sqrt(_S_SCALE * torch.clamp(salinity, min=0.0) + 1.0e-30)


def _polynomial(rows: tuple[tuple[float, ...], ...], x: Tensor, y: Tensor) -> Tensor:
    total, power = torch.zeros_like(x * y), len(_POWERS) - 1
    for n in range(_POWERS[-1], -1, -1):
        total = total * x
        if n == _POWERS[power]:
            total = total + _horner(rows[power], y)
            power -= 1
    return total


def _horner(coefficients: tuple[float, ...], y: Tensor) -> Tensor:
    total = torch.zeros_like(y)
    for c in reversed(coefficients):
        total = total * y + c
    return total
