# SPDX-License-Identifier: BSD-3-Clause
"""Ammonium, nitrate and sulfate between particles and gases: the equations of Fountoukis & Nenes (2007), metastable.

Solutions stay liquid below their deliquescence (no salt falls out); the solid's equilibrium stands beside, for whoever
wants it. The sign of Meissner's (1980) temperature term is his: -0.41 I^1/2 / (1 + I^1/2) + 0.039 I^0.92.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from components.chemistry.kernels import inorganic as kernel
from components.science.constants import GAS_CONSTANT
from components.science.scheme_constants import STANDARD_PRESSURE
from coupler.made_once import compile_once

Array = npt.NDArray[Any]
ATMOSPHERE = STANDARD_PRESSURE[0]  # Pa
_equilibrium: Any = kernel.equilibrium
FIELDS = ("sulfate", "bisulfate", "ammonium", "nitrate", "hydrogen", "hydroxide", "water", "passes")


class Equilibrium(NamedTuple):
    """Particles and gases of cells, of the shape of the totals.

    Attributes
    ----------
    sulfate, bisulfate, ammonium, nitrate, hydrogen, hydroxide : ions in particles, mol m-3 of air
    ammonia, nitric_acid : gases, mol m-3
    water : of the particles, kg m-3
    passes : that activities and water took; `kernel.PASSES` where they did not come to stand still
    """

    sulfate: Array
    bisulfate: Array
    ammonium: Array
    ammonia: Array
    nitrate: Array
    nitric_acid: Array
    hydrogen: Array
    hydroxide: Array
    water: Array
    passes: Array


def equilibrium(sulfate: Array, ammonia: Array, nitrate: Array, temperature: Array, humidity: Array) -> Equilibrium:
    """Share sulfate, ammonia and nitrate out between the particles and the gases above them.

    What is dissolved and not ionised (ammonia, nitric acid) is a share below 1e-5 of the gases and counted with these.

    Parameters
    ----------
    sulfate, ammonia, nitrate : in all phases, mol m-3 of air, 0 or more
    temperature : K
    humidity : relative humidity, 1; held between 0.2 and 0.985, within which the solutions are known

    Raises
    ------
    ValueError
        A total below 0, a temperature that is not above 0, or something that is not a number.
    """
    given = np.broadcast_arrays(sulfate, ammonia, nitrate, temperature, humidity)
    shape = given[0].shape
    flat = [np.ascontiguousarray(a, np.float64).reshape(-1) for a in given]
    for name, a in zip(("sulfate", "ammonia", "nitrate", "temperature", "humidity"), flat, strict=True):
        warm = name == "temperature"
        bad = np.flatnonzero(~(a > 0.0 if warm else a >= 0.0) | np.isinf(a))
        if bad.size:
            where = tuple(int(i) for i in np.unravel_index(bad[0], shape))
            least = "above 0 K" if warm else "of 0 or more"
            raise ValueError(f"equilibrium: expected {name} {least}, found {a[bad[0]]} in cell {where}")
    out = np.empty((len(FIELDS), flat[0].size))
    _prepare()
    _equilibrium(*flat, GAS_CONSTANT / ATMOSPHERE, out)
    parts = dict(zip(FIELDS, out, strict=True))
    parts |= {"ammonia": flat[1] - parts["ammonium"], "nitric_acid": flat[2] - parts["nitrate"]}
    return Equilibrium(**{name: a.reshape(shape) for name, a in parts.items()})


def dissociation_product(temperature: Array) -> Array:
    """Product of the mole fractions of ammonia and nitric acid over solid ammonium nitrate, ppb2 at one atmosphere.

    Mozurkewich (1993); as quoted by Seinfeld & Pandis (2006), eq. 10.91.

    Parameters
    ----------
    temperature : K
    """
    t = np.asarray(temperature, np.float64)
    return np.asarray(np.exp(118.87 - 24084.0 / t - 6.025 * np.log(t)))


def deliquescence(temperature: Array) -> Array:
    """Relative humidity at which ammonium nitrate deliquesces, 1 (Stelson & Seinfeld 1982).

    Parameters
    ----------
    temperature : K
    """
    return np.asarray(0.01 * np.exp(723.7 / np.asarray(temperature, np.float64) + 1.6954))


def product_over_solution(temperature: Array, humidity: Array) -> Array:
    """Product of the mole fractions of ammonia and nitric acid over a solution of ammonium nitrate alone, ppb2.

    Parameters
    ----------
    temperature : K
    humidity : relative humidity, 1
    """
    t, rh = np.broadcast_arrays(temperature, humidity)
    nothing, plenty = np.zeros(t.shape), np.full(t.shape, 1.0e-4)  # mol m-3, of which next to nothing evaporates
    got = equilibrium(nothing, plenty, plenty, t, rh)
    ppb = 1.0e9 * GAS_CONSTANT * t / ATMOSPHERE
    return np.asarray(got.ammonia * got.nitric_acid * ppb * ppb)


def solid_ammonium_nitrate(ammonia: Array, nitrate: Array, temperature: Array) -> Array:
    """Solid ammonium nitrate in equilibrium with its gases, mol m-3.

    Parameters
    ----------
    ammonia, nitrate : not bound otherwise, in both phases, mol m-3
    temperature : K
    """
    ppb = 1.0e9 * GAS_CONSTANT * np.asarray(temperature, np.float64) / ATMOSPHERE
    product = dissociation_product(temperature) / (ppb * ppb)
    gap = ammonia - nitrate
    scarce = np.minimum(ammonia, nitrate)
    gases = 2.0 * product / (np.abs(gap) + np.sqrt(gap * gap + 4.0 * product))  # of the scarcer one
    return np.asarray(np.maximum(scarce - gases, 0.0))


def _prepare() -> None:
    compile_once((kernel.equilibrium,), compile_kernels, "the equilibrium of inorganic aerosol", 8, versions=1)


def compile_kernels() -> None:
    """Compile the kernels, or load them from the cache."""
    a = np.ones(1)
    _equilibrium(0.0 * a, a, a, 298.0 * a, 0.5 * a, GAS_CONSTANT / ATMOSPHERE, np.empty((len(FIELDS), 1)))
