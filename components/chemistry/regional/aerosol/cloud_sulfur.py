# SPDX-License-Identifier: BSD-3-Clause
"""Oxidation of sulfur dioxide by hydrogen peroxide and ozone in cloud water (Seinfeld & Pandis 2006, chapter 7)."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from components.chemistry.kernels import sulfur as kernel
from components.chemistry.regional.aerosol.inorganic import ATMOSPHERE
from components.science.constants import GAS_CONSTANT
from coupler.made_once import compile_once

Array = npt.NDArray[Any]
_kernel: Any = kernel
CONSTANTS = 17  # that the kernel holds


class Cloudy(NamedTuple):
    """What takes part, in all phases, mol m-3 of air.

    Attributes
    ----------
    sulfur_dioxide, hydrogen_peroxide, ozone : of one shape
    sulfate : in particles and cloud
    ammonia, nitrate : that set the acidity
    """

    sulfur_dioxide: Array
    hydrogen_peroxide: Array
    ozone: Array
    sulfate: Array
    ammonia: Array
    nitrate: Array


def oxidised(
    amounts: Cloudy, temperature: Array, water: Array, share: Array, carbon_dioxide: float | Array, seconds: float
) -> tuple[Cloudy, Array]:
    """Amounts after some seconds in cloud, and the pH of the cloud at the end (0 without a cloud).

    The acidity follows from the charge balance after each of sixteen growing parts of the time, in which the pairs
    react as they do at that acidity, to the exact solution. What is out of the cloudy share does not take part.

    Parameters
    ----------
    amounts : in whole cells
    temperature : K
    water : of the cloud, kg per m3 of cloudy air; below 1e-6 there is no cloud
    share : of the cell that the cloud fills, 1
    carbon_dioxide : mole fraction, taken at one atmosphere
    seconds : s

    Raises
    ------
    ValueError
        An amount below 0, a temperature that is not above 0, or something that is not a number.
    """
    shape = np.shape(amounts.sulfur_dioxide)

    def spread(a: Any) -> Array:
        return np.array(np.broadcast_to(np.asarray(a, np.float64), shape)).reshape(-1)

    flat = [spread(a) for a in amounts]
    others = [spread(a) for a in (temperature, water, share, carbon_dioxide)]
    of_air = dict(zip(("temperature", "water", "share", "carbon dioxide"), others, strict=True))
    wrong = {name: (~(a >= 0.0) | np.isinf(a), "of 0 or more") for name, a in zip(Cloudy._fields, flat, strict=True)}
    wrong |= {name: (~np.isfinite(a), "that is a number") for name, a in of_air.items()}
    wrong["temperature"] = (~(others[0] > 0.0) | np.isinf(others[0]), "above 0 K")
    for name, (bad, expected) in wrong.items():
        if bad.any():
            first = int(np.flatnonzero(bad)[0])
            where = tuple(int(i) for i in np.unravel_index(first, shape))
            found = dict(zip(Cloudy._fields, flat, strict=True)) | of_air
            raise ValueError(f"clouds: expected {name} {expected}, found {found[name][first]} in cell {where}")
    ph = np.empty(flat[0].size)
    _prepare()
    _kernel.oxidise(*flat, *others, GAS_CONSTANT / ATMOSPHERE, seconds, ph)
    return Cloudy(*(a.reshape(shape) for a in flat)), ph.reshape(shape)


def henry(ph: float, temperature: float) -> float:
    """Effective Henry's constant of sulfur dioxide, mol l-1 atm-1 (eq. 7.41).

    Parameters
    ----------
    ph : of the water
    temperature : K
    """
    c = np.empty(CONSTANTS)
    _kernel.fill(temperature, c)
    return float(_kernel.dissolved(10.0**-ph, c)[0])


def rates(
    sulfur_dioxide: float, ozone: float, hydrogen_peroxide: float, ph: float, temperature: float
) -> tuple[float, float]:
    """Rates at which dissolved ozone and hydrogen peroxide oxidise sulfur dioxide, mol l-1 s-1 (eqs. 7.80, 7.84).

    Parameters
    ----------
    sulfur_dioxide, ozone, hydrogen_peroxide : mole fractions in the gas above the water, at one atmosphere
    ph : of the water
    temperature : K
    """
    c = np.empty(CONSTANTS)
    _kernel.fill(temperature, c)
    air, drop = ATMOSPHERE / (GAS_CONSTANT * temperature), 1.0e-12  # mol m-3 atm-1; so little water that gases stay
    by_o3, by_h2o2 = _kernel.coefficients(10.0**-ph, drop, air, c)
    scale = sulfur_dioxide * air * air / drop
    return float(by_o3 * ozone * scale), float(by_h2o2 * hydrogen_peroxide * scale)


def _prepare() -> None:
    compile_once((kernel.oxidise,), compile_kernels, "the oxidation of sulfur in clouds", 8, versions=1)


def compile_kernels() -> None:
    """Compile the kernels, or load them from the cache."""
    a = [np.full(1, 1.0e-7) for _ in range(6)]
    given = [np.full(1, x) for x in (280.0, 1.0e-4, 1.0, 4.0e-4)]
    _kernel.oxidise(*a, *given, GAS_CONSTANT / ATMOSPHERE, 60.0, np.empty(1))
