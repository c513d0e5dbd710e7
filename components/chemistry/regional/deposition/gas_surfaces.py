# SPDX-License-Identifier: BSD-3-Clause
"""What a surface is to gases: the resistance r_c of stomata, leaves, lower canopy and ground.

    1 / r_c = 1 / (r_s D + r_m) + 1 / r_lu' + 1 / (r_dc + r_cl') + 1 / (r_ac + r_gs')

(Wesely 1989, Atmos. Environ. 23, 1293, eq. 1-14, tables 1 and 2, with the changes of Walmsley & Wesely 1996, Atmos.
Environ. 30, 1181). Land uses and seasons are numbered from 0 in the paper's order.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from components.science.constants import ZERO_CELSIUS
from components.science.sun import YEAR

LAND_USES = (
    "urban", "agriculture", "range", "deciduous_forest", "coniferous_forest", "mixed_forest", "water", "barren",
    "wetland", "range_and_agriculture", "rocky_shrubs",
)  # fmt: skip
SEASONS = ("midsummer", "autumn", "late_autumn", "winter", "spring")
URBAN, WATER, WINTER = LAND_USES.index("urban"), LAND_USES.index("water"), SEASONS.index("winter")
NONE = 1.0e25  # s m-1: no deposition on this way
N = NONE

# table 1: seasons by land uses, s m-1
STOMATA = (
    (N, 60, 120, 70, 130, 100, N, N, 80, 100, 150),
    (N, N, N, N, 250, 500, N, N, N, N, N),
    (N, N, N, N, 250, 500, N, N, N, N, N),
    (N, N, N, N, 400, 800, N, N, N, N, N),
    (N, 120, 240, 140, 250, 190, N, N, 160, 200, 300),
)
LEAVES = (
    (N, 2000, 2000, 2000, 2000, 2000, N, N, 2500, 2000, 4000),
    (N, 9000, 9000, 9000, 4000, 8000, N, N, 9000, 9000, 9000),
    (N, N, 9000, 9000, 4000, 8000, N, N, 9000, 9000, 9000),
    (N, N, N, N, 6000, 9000, N, N, 9000, 9000, 9000),
    (N, 4000, 4000, 4000, 2000, 3000, N, N, 4000, 4000, 8000),
)
CANOPY = (
    (100, 200, 100, 2000, 2000, 2000, 0, 0, 300, 150, 200),
    (100, 150, 100, 1500, 2000, 1700, 0, 0, 200, 120, 140),
    (100, 10, 100, 1000, 2000, 1500, 0, 0, 100, 50, 120),
    (100, 10, 10, 1000, 2000, 1500, 0, 0, 50, 10, 50),
    (100, 50, 80, 1200, 2000, 1500, 0, 0, 200, 60, 120),
)
GROUND_SULPHUR = (
    (400, 150, 350, 500, 500, 100, 0, 1000, 0, 220, 400),
    (400, 200, 350, 500, 500, 100, 0, 1000, 0, 300, 400),
    (400, 150, 350, 500, 500, 200, 0, 1000, 0, 200, 400),
    (100, 100, 100, 100, 100, 100, 0, 1000, 100, 100, 50),
    (500, 150, 350, 500, 500, 200, 0, 1000, 0, 250, 400),
)
GROUND_OZONE = (
    (300, 150, 200, 200, 200, 300, 2000, 400, 1000, 180, 200),
    (300, 150, 200, 200, 200, 300, 2000, 400, 800, 180, 200),
    (300, 150, 200, 200, 200, 300, 2000, 400, 1000, 180, 200),
    (600, 3500, 3500, 3500, 3500, 3500, 2000, 400, 3500, 3500, 3500),
    (300, 150, 200, 200, 200, 300, 2000, 400, 1000, 180, 200),
)
LOWER_SULPHUR = (
    (N, 2000, 2000, 2000, 2000, 2000, N, N, 2500, 2000, 4000),
    (N, 9000, 9000, 9000, 2000, 4000, N, N, 9000, 9000, 9000),
    (N, N, 9000, 9000, 3000, 6000, N, N, 9000, 9000, 9000),
    (N, N, N, 9000, 200, 400, N, N, 9000, N, 9000),
    (N, 4000, 4000, 4000, 2000, 3000, N, N, 4000, 4000, 8000),
)
LOWER_OZONE = (
    (N, 1000, 1000, 1000, 1000, 1000, N, N, 1000, 1000, 1000),
    (N, 400, 400, 400, 1000, 600, N, N, 400, 400, 400),
    (N, 1000, 400, 400, 1000, 600, N, N, 800, 600, 600),
    (N, 1000, 1000, 400, 1500, 600, N, N, 800, 1000, 800),
    (N, 1000, 500, 500, 1500, 700, N, N, 600, 800, 800),
)


class Gas(NamedTuple):
    """Table 2: what a gas is to a surface.

    Attributes
    ----------
    diffusivity : that of water vapour over its own
    henry : effective Henry constant near pH 7, M atm-1
    reactivity : f_0, of ozone 1
    """

    diffusivity: float
    henry: float
    reactivity: float


GASES = {
    "SO2": Gas(1.9, 1.0e5, 0.0),
    "O3": Gas(1.6, 0.01, 1.0),
    "NO2": Gas(1.6, 0.01, 0.1),
    "NO": Gas(1.3, 3.0e-3, 0.0),
    "HNO3": Gas(1.9, 1.0e14, 0.0),
    "H2O2": Gas(1.4, 1.0e5, 1.0),
    "ALD2": Gas(1.6, 15.0, 0.0),
    "HCHO": Gas(1.3, 6.0e3, 0.0),
    "MEPX": Gas(1.6, 240.0, 0.1),
    "PACD": Gas(2.0, 540.0, 0.1),
    "FACD": Gas(1.6, 4.0e6, 0.0),
    "NH3": Gas(0.97, 2.0e4, 0.0),
    "PAN": Gas(2.6, 3.6, 0.1),
    "HNO2": Gas(1.6, 1.0e5, 0.1),
}
"""Gases of the paper."""
SPECIES = {
    **{s: s for s in ("SO2", "O3", "NO2", "NO", "HNO3", "H2O2", "ALD2", "MEPX", "PACD", "FACD", "NH3", "PAN")},
    "FORM": "HCHO", "HONO": "HNO2", "ALDX": "ALD2", "ROOH": "MEPX", "AACD": "FACD", "PANX": "PAN", "N2O5": "HNO3",
    "SULF": "HNO3", "HCL": "HNO3", "MGLY": "HCHO", "NTR": "PAN",
}  # fmt: skip
"""Gas of the paper whose deposition a species of Carbon Bond 5 has; others are not deposited."""


def surface_resistance(
    gas: str,
    radiation: Tensor,
    temperature: Tensor,
    season: Tensor,
    land_use: Tensor,
    dew: Tensor,
    rain: Tensor,
    slope: float = 0.0,
) -> Tensor:
    """r_c of a gas, s m-1.

    Parameters
    ----------
    gas : of `GASES`
    radiation : sunlight, W m-2
    temperature : of the surface, K
    season, land_use : numbers
    dew, rain : whether the surface is wet with it
    slope : of the terrain, rad
    """
    d, h, f = GASES[gas]
    dtype = temperature.dtype

    def of(table: tuple[tuple[float, ...], ...]) -> Tensor:
        return torch.tensor(table, dtype=dtype)[season, land_use]

    t = temperature - ZERO_CELSIUS
    wet = (dew | rain) & (season != WINTER)
    # eq. 3: stomata are closed in frost and heat; water on them makes their resistance three times as large
    open_ = (t > 0.1) & (t < 39.9)
    light = 200.0 / (radiation + 1.0)
    r_s = of(STOMATA) * (1.0 + light * light) * (400.0 / torch.where(open_, t * (40.0 - t), 1.0))
    r_s = torch.where(open_, r_s, NONE) * torch.where(dew | rain, 3.0, 1.0)
    stomata = r_s * d + 1.0 / (h / 3000.0 + 100.0 * f)
    cold = 1000.0 * torch.exp(-torch.clamp(t, min=-20.0) - 4.0)  # of surfaces near and below freezing
    r_lu = of(LEAVES)
    leaves = torch.where(wet, _wet_leaves(gas, r_lu, dew, land_use), r_lu / (1.0e-5 * h + f)) + cold
    r_dc = 100.0 * (1.0 + 1000.0 / (radiation + 10.0)) / (1.0 + 1000.0 * slope)
    lower = r_dc + 1.0 / (1.0e-5 * h / of(LOWER_SULPHUR) + f / of(LOWER_OZONE)) + cold
    ground_s, ground_o = of(GROUND_SULPHUR), of(GROUND_OZONE)
    ground = of(CANOPY) + 1.0 / (1.0e-5 * h / torch.clamp(ground_s, min=1.0) + f / ground_o) + cold
    return 1.0 / (1.0 / stomata + 1.0 / leaves + 1.0 / lower + 1.0 / ground)


def _wet_leaves(gas: str, r_lu: Tensor, dew: Tensor, land_use: Tensor) -> Tensor:
    """Eq. 10-14: leaves wet with dew or rain."""
    _, h, f = GASES[gas]
    ozone = 1.0 / (torch.where(dew, r_lu.new_tensor(1.0 / 3000.0), 1.0 / 1000.0) + 1.0 / (3.0 * r_lu))
    if gas == "O3":
        return ozone
    if gas == "SO2":
        by_rain = 1.0 / (1.0 / 5000.0 + 1.0 / (3.0 * r_lu))
        return torch.where(land_use == URBAN, 50.0, torch.where(dew, 100.0, by_rain))
    return 1.0 / ((1.0e-5 * h + f) / (3.0 * r_lu) + 1.0e-7 * h + f / ozone)


def season_of(latitude: Tensor, temperature: Tensor, day: float) -> Tensor:
    """The paper's season by latitude and day: always summer in the tropics, winter where the ground freezes.

    North of 30 degrees summer is May 16 to September 15, then a month and a half of autumn, late autumn to March 1 and
    spring; the south has the same half a year later.

    Parameters
    ----------
    latitude : degrees north
    temperature : of the surface, K
    day : since 2000 began
    """
    north = torch.where(latitude >= 0.0, day % YEAR, (day + 0.5 * YEAR) % YEAR)
    season = torch.full_like(latitude, SEASONS.index("spring"), dtype=torch.int64)
    for first, last, name in ((135.0, 258.0, "midsummer"), (258.0, 304.0, "autumn")):
        season = torch.where((north >= first) & (north < last), SEASONS.index(name), season)
    cold = (north >= 304.0) | (north < 59.0)
    season = torch.where(cold, SEASONS.index("late_autumn"), season)
    season = torch.where(cold & (temperature < ZERO_CELSIUS), WINTER, season)
    return torch.where(latitude.abs() < 25.0, SEASONS.index("midsummer"), season)
