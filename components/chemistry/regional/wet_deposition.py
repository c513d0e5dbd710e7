# SPDX-License-Identifier: BSD-3-Clause
"""Wet deposition of gases: into cloud water that becomes rain, into falling rain, and back where rain evaporates.

From the top down, the rain carries what it has taken up. Where it forms, cloud water holds the share

    x = L H R T / (1 + L H R T)

of a gas (L the volume of water in that of air, H the effective Henry constant; Seinfeld & Pandis 2006, eq. 7.9), and
the part of the cloud water that becomes rain takes it along. Where rain falls through a layer it approaches equilibrium
with its air, not faster than a highly soluble gas is washed out (.1 for each mm of rain: Levine & Schwartz 1982, Atmos.
Environ. 16, 1725), and may give back what it holds. Where rain evaporates it leaves its share behind. Below 258 K only
nitric acid and other gases that ice keeps are taken up.

Henry constants are those of Sander (2015, Atmos. Chem. Phys. 15, 4399) with dissociation at pH 5.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from components.science.constants import GAS_CONSTANT, WATER_DENSITY

ATMOSPHERE = 101325.0  # Pa
STICKY = ("HNO3", "SULF", "HCL", "N2O5")
FROZEN = 258.0  # K
WASHED = 0.1  # share of a highly soluble gas that a kg m-2 of rain takes out of the layers that it falls through
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


class Rain(NamedTuple):
    """Precipitation and clouds, lowest layer first.

    Attributes
    ----------
    flux : (nz, ny, nx) at the layers' bottoms, kg m-2 s-1, not negative
    cloud : (nz, ny, nx) condensate of the layers, kg per kg of dry air
    mass, density : of dry air, kg m-2 and kg m-3
    t : K
    """

    flux: Tensor
    cloud: Tensor
    mass: Tensor
    density: Tensor
    t: Tensor


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


def wash(species: str, q: Tensor, rain: Rain, seconds: float) -> tuple[Tensor, Tensor]:
    """Mixing ratios (nz, ny, nx) after ``seconds`` of rain, and what reached the ground (ny, nx), times kg m-2.

    Parameters
    ----------
    species : of `HENRY`
    q : (nz, ny, nx) mixing ratio to dry air
    rain : precipitation and clouds
    seconds : period, s
    """
    carried = torch.zeros_like(q[0])
    above = torch.zeros_like(q[0])  # rain that comes in, kg m-2 s-1
    layers: list[Tensor] = []
    for k in range(q.shape[0] - 1, -1, -1):
        mass, t, below = rain.mass[k], rain.t[k], rain.flux[k]
        here = q[k] * mass
        takes = torch.ones_like(t) if species in STICKY else (t > FROZEN).to(t)
        k_h = henry(species, t)
        # evaporation gives back its share
        gone = torch.where(above > 0.0, torch.clamp(above - below, min=0.0) / torch.clamp(above, min=1.0e-30), 0.0)
        here, carried = here + gone * carried, carried - gone * carried
        # what falls through from above
        falling = torch.minimum(above, below) * seconds  # kg m-2
        water = falling / WATER_DENSITY * k_h / (mass / rain.density[k])
        whole = here + carried
        wanted = whole * water / (1.0 + water) - carried
        most = here * (1.0 - torch.exp(-WASHED * falling))
        moved = torch.where(falling > 0.0, torch.minimum(wanted, most), 0.0)
        moved = torch.where(wanted > 0.0, moved * takes, moved)
        here, carried = here - moved, carried + moved
        # what forms here
        formed = torch.clamp(below - above, min=0.0) * seconds
        cloud = torch.maximum(rain.cloud[k] * mass, formed)
        volume = cloud / mass * rain.density[k] / WATER_DENSITY * k_h
        share = torch.where(formed > 0.0, 1.0 - torch.exp(-formed / torch.clamp(cloud, min=1.0e-30)), 0.0)
        moved = here * takes * share * volume / (1.0 + volume)
        here, carried = here - moved, carried + moved
        layers.append(here / mass)
        above = below
    return torch.stack(layers[::-1]), carried
