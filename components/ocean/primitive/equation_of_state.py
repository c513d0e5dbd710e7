# SPDX-License-Identifier: BSD-3-Clause
"""Density of seawater: the 55-term TEOS-10 polynomial of Roquet et al. (2015), and a linear law.

Roquet, F., G. Madec, T. McDougall and P. Barker (2015): Accurate polynomial expressions for the density and specific
volume of seawater using the TEOS-10 standard. Ocean Modelling 90, 29-43, appendix A ("polyTEOS10-bsq").
"""

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from components.science.kernel_arrays import flat, plain_doubles

_S_SCALE = 40.0 * 35.16504 / 35.0  # g kg-1
_S_SHIFT = 32.0  # g kg-1
_T_SCALE = 40.0  # degC
_Z_SCALE = 1.0e4  # m

# r0(z): the vertical reference profile, coefficients of zeta^1..zeta^6
_R0 = (4.6494977072e01, -5.2099962525e00, 2.2601900708e-01, 6.4326772569e-02, 1.5616995503e-02, -1.7243708991e-03)

# r(S, T, z): _R[power of zeta][power of tau] = coefficients of s^0, s^1, ...
_R = (
    (
        (8.0189615746e02, 8.6672408165e02, -1.7864682637e03, 2.0375295546e03, -1.2849161071e03, 4.3227585684e02,
         -6.0579916612e01),
        (2.6010145068e01, -6.5281885265e01, 8.1770425108e01, -5.6888046321e01, 1.7681814114e01, -1.9193502195e00),
        (-3.7074170417e01, 6.1548258127e01, -6.0362551501e01, 2.9130021253e01, -5.4723692739e00),
        (2.1661789529e01, -3.3449108469e01, 1.9717078466e01, -3.1742946532e00),
        (-8.3627885467e00, 1.1311538584e01, -5.3563304045e00),
        (5.4048723791e-01, 4.8169980163e-01),
        (-1.9083568888e-01,),
    ),
    (
        (1.9681925209e01, -4.2549998214e01, 5.0774768218e01, -3.0938076334e01, 6.6051753097e00),
        (-1.3336301113e01, -4.4870114575e00, 5.0042598061e00, -6.5399043664e-01),
        (6.7080479603e00, 3.5063081279e00, -1.8795372996e00),
        (-2.4649669534e00, -5.5077101279e-01),
        (5.5927935970e-01,),
    ),
    (
        (2.0660924175e00, -4.9527603989e00, 2.5019633244e00),
        (2.0564311499e00, -2.1311365518e-01),
        (-1.2419983026e00,),
    ),
    (
        (-2.3342758797e-02, -1.8507636718e-02),
        (3.7969820455e-01,),
    ),
)  # fmt: skip
_TABLE = (
    np.array([c for in_tau in _R for in_s in in_tau for c in in_s]),
    np.array([len(in_s) for in_tau in _R for in_s in in_tau]),
    np.array([len(in_tau) for in_tau in _R]),
)
"""`_R` as a kernel takes it: coefficients, and how many there are in the rows of either kind."""


def _horner(coefficients, x: Tensor):
    total = coefficients[-1]
    for c in coefficients[-2::-1]:
        total = total * x + c
    return total


def reference_profile(depth: Tensor) -> Tensor:
    """Vertical reference profile r0(z) (kg m-3) that the anomaly of `teos10_anomaly` leaves out.

    ``depth`` is positive down, m.
    """
    zeta = depth / _Z_SCALE
    return _horner(_R0, zeta) * zeta


def teos10_anomaly(salinity: Tensor, temperature: Tensor, depth: Tensor) -> Tensor:
    """Density without the reference profile (Roquet and others 2015, eq. 13).

    It is what the horizontal pressure gradient needs.

    Parameters
    ----------
    salinity : Tensor
        Absolute salinity, g kg-1.
    temperature : Tensor
        Conservative temperature, degC.
    depth : Tensor
        Depth below the resting surface, m, positive down. The fit takes a metre for a decibar (rho0 g = 1e4 Pa m-1).

    Returns
    -------
    Tensor
        Density anomaly r(S, T, z), kg m-3 (about 1000 to 1030).
    """
    if plain_doubles(salinity, temperature, depth):
        given = torch.broadcast_tensors(_root(salinity), temperature, depth)
        out = torch.empty(given[0].shape, dtype=torch.float64)
        _kernel()(*(flat(a, (-1,)) for a in given), (1.0 / _T_SCALE, 1.0 / _Z_SCALE), *_TABLE, flat(out, (-1,)))
        return out
    return by_torch(salinity, temperature, depth)


def _root(salinity: Tensor) -> Tensor:
    """By torch also for the kernel: its roots are not all rounded correctly."""
    return torch.sqrt((salinity + _S_SHIFT) * (1.0 / _S_SCALE))


@cache
def _kernel() -> Any:
    from components.ocean.primitive.kernels.density import polynomial  # numba is slow to load

    return polynomial


def by_torch(salinity: Tensor, temperature: Tensor, depth: Tensor) -> Tensor:
    """As `teos10_anomaly`, by torch's operations, to which the kernel is equal bit by bit.

    Parameters
    ----------
    salinity, temperature, depth : as `teos10_anomaly` has them
    """
    s = _root(salinity)
    tau = temperature * (1.0 / _T_SCALE)
    zeta = depth * (1.0 / _Z_SCALE)
    return _horner([_horner([_horner(in_s, s) for in_s in in_tau], tau) for in_tau in _R], zeta)


def teos10_density(salinity: Tensor, temperature: Tensor, depth: Tensor) -> Tensor:
    """In-situ density, kg m-3 (arguments as in `teos10_anomaly`).

    Parameters
    ----------
    salinity : absolute salinity, g kg-1
    temperature : conservative temperature, degrees C
    depth : m, positive down

    >>> density = teos10_density(*(torch.tensor(x, dtype=torch.float64) for x in (35.7, 22.0, 500.0)))
    >>> round(float(density), 3)
    1026.75
    """
    return reference_profile(depth) + teos10_anomaly(salinity, temperature, depth)


def linear_anomaly(
    salinity: Tensor, temperature: Tensor, depth: Tensor, rho0: float, alpha: float, beta: float, t0: float, s0: float
) -> Tensor:
    """Linear density rho0 (1 - alpha (T - T0) + beta (S - S0)), kg m-3; ``alpha`` in K-1, ``beta`` in (g kg-1)-1.

    Parameters
    ----------
    salinity : g kg-1
    temperature : degrees C
    depth : not used
    rho0 : reference density, kg m-3
    alpha, beta : expansion by heat (K-1) and contraction by salt (kg g-1)
    t0, s0 : reference temperature (degrees C) and salinity (g kg-1)
    """
    return rho0 - rho0 * alpha * (temperature - t0) + rho0 * beta * (salinity - s0)
