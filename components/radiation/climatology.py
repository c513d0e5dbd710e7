# SPDX-License-Identifier: BSD-3-Clause
"""Ozone by month, latitude and pressure, and temperature above the model's lid by latitude and season.

Ozone is CAM's climatology (`climatology_data`). Temperature is that of the reference atmospheres of the AFGL (Anderson
et al. 1986, AFGL-TR-86-0110, tables 1a-1e): 15, 45 and 60 degrees, July and January; less what the upper
stratosphere has cooled since those soundings (about .7 K a decade; Steiner et al. 2020, J. Climate 33, 8165).
"""

from functools import cache
from pathlib import Path

import netCDF4
import numpy as np
import torch

from components.science.sun import YEAR

OZONE = Path(__file__).parent / "climatology_data" / "ozone.nc"
COOLED = 4.0  # K, since the soundings of the tables
HIGHEST, LOWEST, PIECES = 1.0, 1.1e5, 400  # Pa, between which ozone is summed up, and in how many slices
WARMEST = 196.0  # day of the year of the table's northern summer, mid-July

# pressure (Pa) and temperature (K) of tropical, middle latitudes' and subarctic summer, then winter
REFERENCE = {
    "tropical": (
        (10990, 9370, 7890, 6660, 5650, 4800, 4090, 3500, 3000, 2570, 1763, 1220, 852, 600, 426, 305, 220, 159, 116,
         85.4, 45.6, 23.9, 12.1, 5.8),
        (197.0, 194.8, 198.8, 202.7, 206.7, 210.7, 214.6, 217.0, 219.2, 221.4, 227.0, 232.3, 237.7, 243.1, 248.5, 254.0,
         259.4, 264.8, 269.6, 270.2, 263.4, 253.1, 236.0, 218.9),
    ),
    "middle_summer": (
        (11100, 9500, 8120, 6950, 5950, 5100, 4370, 3760, 3220, 2770, 1910, 1320, 930, 652, 464, 333, 241, 176, 129,
         95.1, 51.5, 27.2, 13.9, 6.7),
        (215.7, 215.7, 216.8, 217.9, 219.2, 220.4, 221.6, 222.8, 223.9, 225.1, 228.5, 233.7, 239.0, 245.2, 251.3, 257.5,
         263.7, 269.9, 275.2, 275.7, 269.3, 257.1, 240.1, 218.1),
    ),
    "subarctic_summer": (
        (10800, 9280, 7980, 6860, 5900, 5070, 4360, 3750, 3228, 2780, 1923, 1340, 940, 661, 472, 340, 248, 182, 134,
         98.7, 53.7, 28.8, 14.7, 7.1),
        (225.2, 225.2, 225.2, 225.2, 225.2, 225.2, 225.2, 225.2, 226.6, 228.1, 231.1, 235.1, 240.0, 247.2, 254.6, 262.1,
         269.5, 273.6, 276.2, 277.2, 274.0, 262.7, 239.7, 216.6),
    ),
    "middle_winter": (
        (10070, 8610, 7360, 6280, 5370, 4580, 3910, 3340, 2860, 2440, 1646, 1110, 756, 518, 360, 253, 180, 129, 94.0,
         68.3, 36.2, 18.8, 9.5, 4.7),
        (216.7, 216.2, 215.7, 215.2, 215.2, 215.2, 215.2, 215.2, 215.2, 215.2, 215.5, 217.4, 220.4, 227.9, 235.5, 243.2,
         250.8, 258.5, 265.1, 265.7, 260.6, 250.8, 240.9, 230.7),
    ),
    "subarctic_winter": (
        (9431, 8058, 6882, 5875, 5014, 4277, 3647, 3109, 2649, 2256, 1513, 1020, 691, 470.1, 323, 224.3, 157, 111.3,
         79.0, 57.19, 29.9, 15.5, 7.9, 4.0),
        (216.6, 216.0, 215.4, 214.8, 214.2, 213.6, 213.0, 212.4, 211.8, 211.2, 213.6, 216.0, 218.5, 222.3, 228.5, 234.7,
         240.8, 247.0, 253.2, 259.3, 259.1, 250.9, 248.4, 245.4),
    ),
}  # fmt: skip
LATITUDES = (15.0, 45.0, 60.0)
SEASONS = (("tropical", "middle_summer", "subarctic_summer"), ("tropical", "middle_winter", "subarctic_winter"))
COMMON = np.geomspace(11000.0, 6.0, 60)  # Pa, to which the tables are interpolated


def temperature(p: torch.Tensor, latitude: torch.Tensor, day: float) -> torch.Tensor:
    """Temperature (nlev, n) K of the middle atmosphere, linear in ln p and latitude, a cosine in time.

    Parameters
    ----------
    p : (nlev, n) pressure, Pa; held beyond 110 and .06 hPa
    latitude : (n,) degrees north
    day : since 2000 began, fractional
    """
    phase = 2.0 * np.pi * (day - WARMEST) / YEAR
    north = 0.5 + 0.5 * float(np.cos(phase))  # 1 in the northern summer
    tables = torch.as_tensor(_reference_temperature(), dtype=p.dtype, device=p.device)  # (season, latitude, level)
    summer = torch.where(latitude >= 0.0, north, 1.0 - north)[None]
    nodes = torch.tensor(LATITUDES, dtype=p.dtype, device=p.device)
    i, f = _place(torch.abs(latitude), nodes)
    k, g = _place(-torch.log(p), -torch.log(torch.as_tensor(COMMON, dtype=p.dtype, device=p.device)))
    out = torch.zeros_like(p)
    for season, share in ((0, summer), (1, 1.0 - summer)):
        south, more = (_at(tables[season, n], k, g) for n in (i, i + 1))
        out = out + share * (south + f * (more - south))
    return out - COOLED


def ozone(p_interface: torch.Tensor, latitude: torch.Tensor, day: float) -> torch.Tensor:
    """Mean mole fraction (nlev, n) of ozone in layers, linear in latitude and time; held beyond the ends of the table.

    Parameters
    ----------
    p_interface : (nlev + 1, n) pressure at the layers' interfaces, Pa
    latitude : (n,) degrees north
    day : since 2000 began, fractional
    """
    months, nodes, levels = _ozone_paths()
    at = day / YEAR * 12.0 - 0.5
    m, g = int(np.floor(at)) % 12, float(at - np.floor(at))
    month = torch.as_tensor((1.0 - g) * months[m] + g * months[(m + 1) % 12], dtype=latitude.dtype)
    month = month.to(latitude.device)
    i, f = _place(latitude, torch.as_tensor(nodes, dtype=latitude.dtype, device=latitude.device))
    k, h = _place(p_interface, torch.as_tensor(levels, dtype=latitude.dtype, device=latitude.device))
    south, north = _at(month[i], k, h), _at(month[i + 1], k, h)
    path = south + f * (north - south)
    return (path[:-1] - path[1:]) / (p_interface[:-1] - p_interface[1:])


def _place(x: torch.Tensor, nodes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Index of the interval of rising ``nodes`` in which ``x`` lies, and how far (0 to 1), held at the ends."""
    x = torch.clamp(x, nodes[0], nodes[-1])
    n = torch.clamp(torch.bucketize(x.contiguous(), nodes, right=True) - 1, 0, nodes.numel() - 2)
    return n, (x - nodes[n]) / (nodes[n + 1] - nodes[n])


def _at(columns: torch.Tensor, k: torch.Tensor, f: torch.Tensor) -> torch.Tensor:
    """Values (nlev, n) of the columns' tables (n, levels) at places ``k`` + ``f``."""
    table = columns.T
    low, high = torch.gather(table, 0, k), torch.gather(table, 0, k + 1)
    return low + f * (high - low)


@cache
def _reference_temperature() -> np.ndarray:
    """Temperature (summer and winter, latitude, level) at the `COMMON` pressures."""
    x = -np.log(COMMON)
    return np.array(
        [[np.interp(x, -np.log(REFERENCE[n][0]), np.array(REFERENCE[n][1])) for n in names] for names in SEASONS]
    )


@cache
def _ozone_paths() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ozone above a pressure (month, latitude, pressure), mole fraction times Pa; latitudes; the pressures, Pa."""
    with netCDF4.Dataset(OZONE) as f:
        f.set_auto_mask(False)
        names = ("mole_fraction_of_ozone_in_air", "latitude", "pressure")
        mole, latitude, pressure = (np.asarray(f[name][...], dtype=np.float64) for name in names)
    fine = np.geomspace(HIGHEST, LOWEST, PIECES)
    at = np.log(fine)
    values = np.stack([np.interp(at, np.log(pressure), a) for a in mole.reshape(-1, pressure.size)])
    slices = 0.5 * (values[:, 1:] + values[:, :-1]) * np.diff(fine)
    path = np.concatenate([values[:, :1] * HIGHEST, slices], axis=1).cumsum(axis=1)
    none = np.zeros((len(path), 1))
    path = np.concatenate([none, path], axis=1).reshape(12, latitude.size, PIECES + 1)
    return path, latitude, np.concatenate([[0.0], fine])
