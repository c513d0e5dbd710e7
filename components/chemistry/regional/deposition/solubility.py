# SPDX-License-Identifier: BSD-3-Clause
"""How gases dissolve in cloud and rain: effective Henry constants at pH 5.

K* = H (1 + ions / molecules), H of Sander (2015, Atmos. Chem. Phys. 15, 4399), the ions by the dissociation at that
acidity (Seinfeld & Pandis 2006, eqs. 7.41, 7.42), and each with its own heat: the cold dissolves more, and dissociates
more of it. What the water of clouds oxidises has the constants that it has there. Below 258 K only nitric acid and
other gases that ice keeps are taken up.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from components.chemistry.kernels.sulfur import (
    AMMONIA,
    NITRIC_ACID,
    SULFUR_DIOXIDE,
    TO_AMMONIUM,
    TO_BISULFITE,
    TO_NITRATE,
    WATER,
)
from components.chemistry.regional.deposition.rain import Uptake, of_gases
from components.science.constants import GAS_CONSTANT

ATMOSPHERE = 101325.0  # Pa
STICKY = ("HNO3", "SULF", "HCL", "N2O5")
FROZEN = 258.0  # K
REFERENCE = 298.15  # K
ACIDITY = 1.0e-5  # mol l-1
Growing = tuple[float, float]
"""Value at 298.15 K, and how it grows towards the cold, K."""


class Solubility(NamedTuple):
    """What water of pH 5 takes up of a gas.

    Attributes
    ----------
    henry : constant, mol l-1 atm-1
    ions : for each molecule that stays whole
    """

    henry: Growing
    ions: Growing = (0.0, 0.0)


def _acid(k: Growing) -> Growing:
    """Ions of an acid with a dissociation constant (mol l-1)."""
    return k[0] / ACIDITY, k[1]


def _base(k: Growing) -> Growing:
    """Ions of a base, which takes its hydrogen from water."""
    return k[0] * ACIDITY / WATER[0], k[1] - WATER[1]


HENRY: dict[str, Solubility] = {
    "HNO3": Solubility(NITRIC_ACID, _acid(TO_NITRATE)),
    "SULF": Solubility((1.0e14, 0.0)),
    "HCL": Solubility((2.0e11, 9000.0)),  # with its ions
    "N2O5": Solubility((1.0e14, 0.0)),
    "H2O2": Solubility((8.4e4, 7600.0)),
    "SO2": Solubility(SULFUR_DIOXIDE, _acid(TO_BISULFITE)),
    "NH3": Solubility(AMMONIA, _base(TO_AMMONIUM)),
    "FORM": Solubility((3.2e3, 6800.0)),
    "MEPX": Solubility((3.0e2, 5300.0)),
    "ROOH": Solubility((3.0e2, 5300.0)),
    "PACD": Solubility((8.4e2, 5300.0)),
    "FACD": Solubility((8.9e3, 6100.0), _acid((1.8e-4, -20.0))),
    "AACD": Solubility((4.1e3, 6200.0), _acid((1.7e-5, 0.0))),
    "HONO": Solubility((49.0, 4900.0), _acid((5.1e-4, -1260.0))),
    "MGLY": Solubility((3.7e3, 7500.0)),
    "MEOH": Solubility((2.0e2, 5600.0)),
    "ETOH": Solubility((1.9e2, 6400.0)),
    "PNA": Solubility((1.2e4, 6900.0)),
}


def henry(species: str, temperature: Tensor) -> Tensor:
    """Effective Henry constant times R T: concentration in water over that in air, both by volume.

    Parameters
    ----------
    species : of `HENRY`
    temperature : K
    """
    of = HENRY[species]
    molar = _at(of.henry, temperature) * (1.0 + _at(of.ions, temperature))  # mol l-1 atm-1
    return molar * 1000.0 / ATMOSPHERE * GAS_CONSTANT * temperature


def _at(k: Growing, temperature: Tensor) -> Tensor:
    return k[0] * torch.exp(k[1] * (1.0 / temperature - 1.0 / REFERENCE))


def uptake(names: tuple[str, ...], temperature: Tensor) -> Uptake:
    """What water takes up of gases.

    Parameters
    ----------
    names : species, of `HENRY`
    temperature : (nz, ny, nx) K
    """
    liquid = (temperature > FROZEN).to(temperature)
    takes = torch.stack([torch.ones_like(liquid) if name in STICKY else liquid for name in names])
    return of_gases(torch.stack([henry(name, temperature) for name in names]), takes)
