# SPDX-License-Identifier: BSD-3-Clause
"""Mole fractions of clean air over the continents of northern mid-latitudes: start and sides where no file is given.

Round figures of this project's own, of the size that remote stations and aircraft report; they stand for no data set,
and a run that is to be compared with observations should bring files.
"""

import torch
from torch import Tensor

HEIGHTS = (0.0, 2000.0, 5000.0, 10000.0, 16000.0, 22000.0)  # m above sea level
PARTS_PER_BILLION: dict[str, tuple[float, ...]] = {
    "O3": (35.0, 45.0, 55.0, 80.0, 400.0, 2000.0),
    "CO": (140.0, 115.0, 95.0, 80.0, 45.0, 20.0),
    "CH4": (1850.0, 1830.0, 1820.0, 1800.0, 1700.0, 1500.0),
    "H2": (530.0, 530.0, 530.0, 530.0, 520.0, 500.0),
    "NO": (0.05, 0.02, 0.02, 0.05, 0.15, 0.4),
    "NO2": (0.3, 0.05, 0.03, 0.05, 0.15, 0.6),
    "HNO3": (0.3, 0.15, 0.1, 0.1, 0.5, 2.0),
    "PAN": (0.2, 0.2, 0.2, 0.1, 0.05, 0.0),
    "NTR": (0.05, 0.03, 0.02, 0.01, 0.0, 0.0),
    "H2O2": (1.0, 1.0, 0.5, 0.2, 0.1, 0.1),
    "MEPX": (0.5, 0.5, 0.3, 0.1, 0.05, 0.0),
    "ROOH": (0.1, 0.1, 0.05, 0.02, 0.0, 0.0),
    "SO2": (0.3, 0.1, 0.05, 0.03, 0.02, 0.02),
    "FORM": (0.8, 0.4, 0.15, 0.05, 0.02, 0.01),
    "ALD2": (0.2, 0.1, 0.04, 0.02, 0.01, 0.0),
    "ALDX": (0.05, 0.02, 0.01, 0.0, 0.0, 0.0),
    "MEOH": (1.5, 1.0, 0.7, 0.4, 0.1, 0.0),
    "FACD": (0.2, 0.15, 0.1, 0.05, 0.0, 0.0),
    "AACD": (0.2, 0.15, 0.1, 0.05, 0.0, 0.0),
    "ETHA": (1.5, 1.2, 0.9, 0.6, 0.2, 0.05),
    "PAR": (3.0, 2.0, 1.5, 1.0, 0.2, 0.0),
    "ETH": (0.1, 0.04, 0.02, 0.01, 0.0, 0.0),
    "OLE": (0.04, 0.01, 0.0, 0.0, 0.0, 0.0),
    "IOLE": (0.01, 0.0, 0.0, 0.0, 0.0, 0.0),
    "ETOH": (0.1, 0.05, 0.02, 0.01, 0.0, 0.0),
    "TOL": (0.05, 0.02, 0.01, 0.0, 0.0, 0.0),
    "XYL": (0.02, 0.01, 0.0, 0.0, 0.0, 0.0),
    "BENZENE": (0.1, 0.05, 0.03, 0.01, 0.0, 0.0),
    "ISOP": (0.01, 0.0, 0.0, 0.0, 0.0, 0.0),
    "HCL": (0.1, 0.05, 0.02, 0.02, 0.1, 0.5),
    "NH3": (0.5, 0.1, 0.03, 0.01, 0.0, 0.0),
    "DMS": (0.01, 0.0, 0.0, 0.0, 0.0, 0.0),
    "TERP": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "SESQ": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
}
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
    values = PARTS_PER_BILLION.get(species)
    if values is None:
        return torch.zeros_like(height)
    z = torch.clamp(height, HEIGHTS[0], HEIGHTS[-1])
    out = torch.full_like(z, values[0])
    for low, high, a, b in zip(HEIGHTS[:-1], HEIGHTS[1:], values[:-1], values[1:], strict=True):
        out = out + (b - a) * torch.clamp((z - low) / (high - low), 0.0, 1.0)
    return 1.0e-9 * out
