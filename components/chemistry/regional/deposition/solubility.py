# SPDX-License-Identifier: BSD-3-Clause
"""How gases dissolve in cloud and rain: effective Henry constants at pH 5.

Those of Sander (2015, Atmos. Chem. Phys. 15, 4399) with dissociation. Below 258 K only nitric acid and other gases that
ice keeps are taken up.
"""

import torch
from torch import Tensor

from components.chemistry.regional.deposition.rain import Uptake, of_gases
from components.science.constants import GAS_CONSTANT

ATMOSPHERE = 101325.0  # Pa
STICKY = ("HNO3", "SULF", "HCL", "N2O5")
FROZEN = 258.0  # K
REFERENCE = 298.15  # K

# effective constant at 298.15 K and pH 5, M atm-1, and how it grows towards the cold, K
HENRY: dict[str, tuple[float, float]] = {
    "HNO3": (3.0e11, 8700.0),
    "SULF": (1.0e14, 0.0),
    "HCL": (2.0e11, 9000.0),
    "N2O5": (1.0e14, 0.0),
    "H2O2": (8.4e4, 7600.0),
    "SO2": (1.6e3, 3100.0),
    "NH3": (1.0e6, 4.1e3),
    "FORM": (3.2e3, 6800.0),
    "MEPX": (3.0e2, 5300.0),
    "ROOH": (3.0e2, 5300.0),
    "PACD": (8.4e2, 5300.0),
    "FACD": (1.7e5, 6100.0),
    "AACD": (1.1e4, 6200.0),
    "HONO": (2.5e3, 4900.0),
    "MGLY": (3.7e3, 7500.0),
    "MEOH": (2.0e2, 5600.0),
    "ETOH": (1.9e2, 6400.0),
    "PNA": (1.2e4, 6900.0),
}


def henry(species: str, temperature: Tensor) -> Tensor:
    """Effective Henry constant times R T: concentration in water over that in air, both by volume.

    Parameters
    ----------
    species : of `HENRY`
    temperature : K
    """
    h, slope = HENRY[species]
    molar = h * torch.exp(slope * (1.0 / temperature - 1.0 / REFERENCE))  # mol l-1 atm-1
    return molar * 1000.0 / ATMOSPHERE * GAS_CONSTANT * temperature


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
