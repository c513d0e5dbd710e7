# SPDX-License-Identifier: BSD-3-Clause
"""Gases and particles of clean air over continents of northern mid-latitudes: start and sides where no file is given.

Most are those of the northern side of CMAQ's default profiles for Carbon Bond 5 (US EPA, `bc_profile_CB05.dat` of 10
August 2011, a work of the US government in the public domain), whose six layers of sigma are taken to be centred at the
heights below. Methane is the mean of the NOAA network in 2014, hydrogen that of Novelli et al. (1999, J. Geophys. Res.
104, 30427). What CMAQ does not name are round figures of this project's own (`OWN`). A run that is to be compared with
observations should bring files.
"""

import torch
from torch import Tensor

HEIGHTS = (80.0, 350.0, 910.0, 2350.0, 5400.0, 10500.0)  # m above sea level
PUBLISHED: dict[str, tuple[float, ...]] = {
    "O3": (35.0, 35.0, 40.0, 50.0, 60.0, 70.0),
    "CO": (80.0, 80.0, 80.0, 70.0, 65.0, 50.0),
    "CH4": (1820.0, 1820.0, 1820.0, 1820.0, 1820.0, 1820.0),
    "H2": (531.0, 531.0, 531.0, 531.0, 531.0, 531.0),
    "NO": (0.083, 0.083, 0.042, 0.0, 0.0, 0.0),
    "NO2": (0.167, 0.167, 0.084, 0.0, 0.0, 0.0),
    "HNO3": (0.05, 0.05, 0.05, 0.05, 0.07, 0.1),
    "PAN": (0.1, 0.1, 0.05, 0.05, 0.015, 0.0),
    "NTR": (0.02, 0.02, 0.016, 0.006, 0.002, 0.0),
    "H2O2": (1.0, 1.0, 1.5, 1.0, 0.8, 0.2),
    "PACD": (0.03, 0.03, 0.03, 0.025, 0.02, 0.015),
    "MEPX": (2.5e-4, 2.5e-4, 2.5e-4, 2.0e-4, 1.0e-4, 5.0e-5),
    "MGLY": (2.5e-4, 2.5e-4, 2.5e-4, 2.0e-4, 1.0e-4, 5.0e-5),
    "ROOH": (3.0e-5, 3.5e-5, 3.0e-5, 2.0e-5, 2.0e-5, 1.0e-5),
    "SO2": (0.3, 0.2, 0.1, 0.1, 0.02, 0.01),
    "FORM": (0.2503, 0.2503, 0.2503, 0.2002, 0.1001, 0.05005),
    "ALD2": (0.03, 0.035, 0.03, 0.02, 0.02, 0.01),
    "FACD": (1.0e-3, 1.0e-3, 5.0e-4, 5.0e-4, 5.0e-4, 0.0),
    "AACD": (1.0e-3, 1.0e-3, 5.0e-4, 5.0e-4, 5.0e-4, 0.0),
    "ETHA": (0.1, 0.1, 0.08, 0.03, 0.01, 0.0),
    "PAR": (2.417, 2.417, 2.323, 1.439, 1.345, 0.6514),
    "ETH": (5.0e-3, 3.0e-3, 2.0e-3, 1.0e-3, 1.0e-3, 0.0),
    "OLE": (2.0e-4, 2.0e-4, 1.0e-4, 0.0, 0.0, 0.0),
    "IOLE": (1.0e-4, 1.0e-4, 0.0, 0.0, 0.0, 0.0),
    "TOL": (1.0e-3, 1.0e-3, 1.0e-3, 1.0e-3, 0.0, 0.0),
    "XYL": (2.0e-4, 2.0e-4, 1.0e-4, 0.0, 0.0, 0.0),
    "BENZENE": (0.0445, 0.0445, 0.0445, 0.03894, 0.03616, 0.02781),
    "ISOP": (0.15, 0.15, 0.0, 0.0, 0.0, 0.0),
    "NH3": (0.1, 0.1, 0.03, 0.02, 0.02, 0.01),
}
OWN: dict[str, tuple[float, ...]] = {
    "ALDX": (0.05, 0.045, 0.035, 0.02, 0.0, 0.0),
    "MEOH": (1.5, 1.4, 1.3, 0.95, 0.7, 0.4),
    "ETOH": (0.1, 0.09, 0.08, 0.05, 0.02, 0.01),
    "HCL": (0.1, 0.09, 0.08, 0.05, 0.02, 0.02),
    "DMS": (0.01, 0.008, 0.005, 0.0, 0.0, 0.0),
    "TERP": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "SESQ": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
}
PARTS_PER_BILLION = PUBLISHED | OWN
MICROGRAMS: dict[str, tuple[float, ...]] = {
    "sulfate": (0.601, 0.601, 0.401, 0.401, 0.0802, 0.0401),
    "organic_matter_aged": (0.150, 0.122, 0.0707, 0.0264, 0.00119, 0.0),
    "organic_matter_secondary": (0.448, 0.365, 0.211, 0.0787, 0.00356, 0.0),
}
"""Particles of the same profile, ug m-3: its sulfate, primary and secondary organic matter; of others it has none."""
OXYGEN = 0.2095  # mole fraction of dry air


def mole_fraction(species: str, height: Tensor) -> Tensor:
    """Mole fraction of dry air by height, linear between the levels; 0 of what is not in the table.

    Parameters
    ----------
    species : name in the mechanism
    height : (...) m above sea level
    """
    if species == "O2":
        return torch.full_like(height, OXYGEN)
    return 1.0e-9 * _at(PARTS_PER_BILLION.get(species), height)


def particles(kind: str, height: Tensor) -> Tensor:
    """Mass of particles, kg m-3, by height, as `mole_fraction`.

    Parameters
    ----------
    kind : name of the tracer
    height : (...) m above sea level
    """
    return 1.0e-9 * _at(MICROGRAMS.get(kind), height)


def _at(values: tuple[float, ...] | None, height: Tensor) -> Tensor:
    """Linear between the levels of a profile."""
    if values is None:
        return torch.zeros_like(height)
    z = torch.clamp(height, HEIGHTS[0], HEIGHTS[-1])
    out = torch.full_like(z, values[0])
    for low, high, a, b in zip(HEIGHTS[:-1], HEIGHTS[1:], values[:-1], values[1:], strict=True):
        out = out + (b - a) * torch.clamp((z - low) / (high - low), 0.0, 1.0)
    return out
