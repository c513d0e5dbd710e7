# SPDX-License-Identifier: BSD-3-Clause
"""Options of the column land, as they stand in a namelist."""

from typing import Literal

from components.land.column.cycles.disturbance import Disturbance, Past
from components.land.column.cycles.fertiliser import Crop, Dressing
from components.land.column.overpass import Spectra
from components.land.column.urban.tile import CityOptions
from coupler.namelist import Depth, Duration, Fraction, Namelist, Positive, Temperature, quantity, whole

AirHeight = quantity("m", above=0.0, most=1000.0)
Tiles = whole(1, 50)
RestAfter = whole(0, 200_000)
Deposition = quantity("kg m-2 s-1", least=0.0, most=1e-8)
Yield = quantity("1", least=0.01, most=0.6)
Anisotropy = quantity("1", least=0.01, most=1e4)


class ColumnOptions(Namelist):
    """Options of the column land."""

    stomata: str = "medlyn"
    """Stomatal model: medlyn, ball_berry, leuning, gentine, wang, sperry, eller, dewar, holtta, prentice ..."""
    first_guess: Literal["last", "learned"] = "last"
    """Where optimal stomata are sought first: at the last value, or where a network says; the root is one."""
    photosynthesis: Literal["c3", "cytochrome"] = "c3"
    """Farquhar or cytochrome b6f model of C3 leaves; C4 where the plants are."""
    tiles: Tiles = 2
    """Plant types a cell, the largest first."""
    plants: dict[str, Fraction] = {}
    """Shares of plant types everywhere, for example {cropland: .7, bare: .3}; empty: by zone, or by `file`."""
    soil: str = "loam"
    """Texture where `plants` says what grows."""
    surface: str = ""
    """CF file with area_type_fraction, leaf_area_index, sand, clay on this grid; see surface_map.py."""
    retention: Literal["campbell", "van_genuchten"] = "campbell"
    """Soil water curves: Campbell with Cosby et al. (1984), or van Genuchten with Carsel and Parrish (1988)."""
    soil_resistance: Literal["sellers", "sakaguchi_zeng"] = "sakaguchi_zeng"
    """Resistance of the soil to evaporation: Sellers et al. (1992), or a dry crust, Sakaguchi and Zeng (2009)."""
    leaves: Literal["prescribed", "prognostic"] = "prescribed"
    """Leaf area of the table or the file, or out of the pools of the plants."""
    nitrogen: Literal["none", "fun", "demand"] = "none"
    """Of plants: no want of it, bought with carbon (FUN), or by the scarcer nutrient; both start the cycles."""
    rest_after: RestAfter = 0
    """Day of the run, 365 or later, after which organic matter is set to rest by a year's means; 0: never."""
    disturbance: Disturbance | None = None
    """What last replaced the stands of trees and shrubs, for example {year: 1983, kind: harvest}: a spin-up then ends
    not at rest but with the stand as old as it is."""
    past: list[Past] = []
    """Growth of plants before the run over that of its last year, the oldest first, for example
    [{until: 1900, growth: .85}, {until: 1980, growth: .92}]: a spin-up goes through these years and does not end at
    rest."""
    fertiliser: dict[Crop, list[Dressing]] = {}
    """Dressings of a season by crop, for example {wheat: [{date: 10-05, amount: 60 kg ha-1, form: urea}, {stage: .4,
    amount: 90 kg ha-1}]}; crops that are not named have the table's, half at sowing and half at stage .5."""
    irrigation: Literal["none", "sprinkler", "paddy"] = "none"
    """Of crops by deficit, with water from outside that is exported and booked; paddy: rice stands in water."""
    nitrogen_deposition: Deposition = 6.69e-11
    """Of nitrogen, where none is imported; 21.1 kg ha-1 a-1 is the bulk deposition over China (Liu et al. 2013)."""
    phosphorus_deposition: Deposition = 1.2e-12
    """Of phosphorus; .38 kg ha-1 a-1 is the bulk deposition on China's forests (Du et al. 2016)."""
    deposition_file: str = ""
    """CF file of the deposition of nitrogen, used where none is imported; cells it lacks get `nitrogen_deposition`."""
    phosphorus_deposition_file: str = ""
    """CF file with `phosphorus_deposition`, a mass per area and time; cells it lacks get the constant."""
    deposition_cycle: Literal["auto", "yearly", "none"] = "auto"
    """Whether its records repeat every year; auto: where its time axis is climatological."""
    ozone: Literal["none", "low", "high"] = "low"
    """What ozone does to leaves in a land with cycles, where a component gives it (Sitch et al. 2007)."""
    hydraulics: Literal["simple", "continuum"] = "simple"
    """Plants with one tension of the soil, or roots by layer, stem and leaves that store water."""
    night_memory: Fraction = 0.0
    """Weight of the day in the optimal conductance of dark leaves (Wang et al. 2021: .15); 0: stomata close."""
    infiltration: Literal["noah", "topmodel"] = "noah"
    """Limit of infiltration by subgrid variability."""
    bottom: Literal["free_drainage", "zero_flux", "water_table"] = "free_drainage"
    """Lower boundary of the soil water."""
    drainage_slope: Fraction = 0.1
    """Share of the conductivity that drains freely (Noah's SLOPE)."""
    groundwater: Literal["none", "lateral"] = "none"
    """One water table a cell under all tiles, drained to, drawn from, and flowing between cells; see README.md."""
    groundwater_period: Duration = 86400
    """How often water flows between cells."""
    specific_yield: Yield = 0.2
    """Water that a metre of water table holds."""
    anisotropy: Anisotropy = 10.0
    """Lateral over vertical conductivity."""
    initial_water_table: Depth = 3.0
    """Depth of the water table at the start, where no `climate` gives it."""
    city: CityOptions | None = None
    """Street canyons on the built part of the cells, for example {share: .3, population: 8000}; see README.md."""
    air_height: AirHeight = 10.0
    """Height of the air's values above the displacement height, where no height is imported."""
    co2: Fraction = 400.0e-6
    """Mole fraction of CO2, where none is imported."""
    initial_temperature: Temperature = 283.0
    """Temperature at the start, where no file gives it."""
    initial_wetness: Fraction = 0.5
    """Soil water at the start, 0 at wilting to 1 at saturation, where no `climate` gives it."""
    climate: str = ""
    """CF file with the months of precipitation_flux and air_temperature: soil and groundwater start at rest in it."""
    file: str = ""
    """CF file with surface_temperature, the state at the start; looked up in the case, then in data/."""
    precision: Literal["double", "single"] = "double"
    """Of the computation; exchanges and budgets are double."""
    daily_means: bool = False
    """Whether the shortwave that arrives is a daily mean: it is then spread over the day by the sun's height."""
    optics: Literal["table", "spectral"] = "table"
    """Reflectance of leaves: the plant table's, or PROSPECT's by their chlorophyll, water and dry matter."""
    spectra: Spectra | None = None
    """What a satellite sees, for output: bands, indices and fluorescence at its hour."""
    increments: bool = False
    """Add tendencies of soil water and snow that an assimilation gives, a cell's tiles alike, and export what it sees:
    water and temperature of the soil's layers, snow cover."""
    device: Literal["auto", "cpu", "cuda"] = "cpu"
    """Where the columns are computed."""
    block: Positive = 8000
    """Columns advanced together: small enough for the cache."""
