# SPDX-License-Identifier: BSD-3-Clause
"""Options of the land's assimilation, as they stand in a namelist."""

from typing import Annotated, Any, Literal

from coupler.namelist import Count, Duration, Fraction, Namelist, Range, Temperature

Members = Annotated[int, Range(least=2, most=1000)]
Tiles = Annotated[int, Range(least=1, most=50)]
Side = Annotated[int, Range(least=1, most=1000)]
Spread = Annotated[float, Range(least=0.0, most=2.0)]
Wetter = Annotated[float, Range(least=0.0, most=0.2)]
Optical = Annotated[float, Range(least=0.0, most=10.0)]


class ForecastOptions(Namelist):
    """The members' land; options as those of the land that is coupled."""

    model: str = "column"
    """Whose forecast: column, or package.module:Class."""
    plants: dict[str, Fraction] = {}
    """Shares of plant types everywhere; empty: by zone, or by `surface`."""
    soil: str = "loam"
    """Texture where `plants` says what grows."""
    tiles: Tiles = 2
    """Plant types a cell."""
    surface: str = ""
    """CF file with area_type_fraction, leaf_area_index, sand, clay on this grid."""
    file: str = ""
    """CF file with surface_temperature, the state at the start, and the land's mask."""
    climate: str = ""
    """CF file with the months of rain and temperature that the land starts at rest in."""
    initial_temperature: Temperature = 283.0
    """Temperature at the start, where no file gives it."""
    initial_wetness: Fraction = 0.5
    """Soil water at the start, 0 at wilting to 1 at saturation, where no `climate` gives it."""
    daily_means: bool = False
    """Whether the shortwave that arrives is a daily mean."""


class LandAssimilationOptions(Namelist):
    """Options of the land's assimilation."""

    observations: str = ""
    """CF netCDF, a row an observation; looked up in the case, then in data/. Empty: nothing is observed."""
    forecast: ForecastOptions = ForecastOptions()
    """The members' land."""
    window: Duration = 86400
    """Observations of a window make one analysis, at its end."""
    members: Members = 20
    """Of the ensemble."""
    rain_spread: Spread = 0.4
    """Standard deviation of the logarithm of the members' rain: half of its variance stays, half is drawn each day."""
    wetness_spread: Wetter = 0.02
    """Of the members' soil water at the start, volume fraction."""
    relaxation: Fraction = 0.0
    """Of the members' spread to that before an analysis, where observations acted."""
    block: Side = 3
    """Side of the blocks of cells over which storage is observed, cells."""
    storage: Literal["absolute", "anomaly"] = "absolute"
    """What is observed of storage: all of it; or how far it lies from its mean, to which the land's own is added."""
    mean_over: Duration = 31536000
    """For anomalies: time from the start that the land's own mean is of at least; before, storage is not used."""
    sand: Fraction = 0.4
    """Of the soil, for its brightness temperature."""
    clay: Fraction = 0.2
    """The same."""
    optical_depth: Optical = 0.3
    """Of plants at nadir, for brightness temperature."""
    scattering: Fraction = 0.05
    """Albedo of single scattering by plants."""
    roughness: Optical = 0.1
    """Of the ground, for brightness temperature."""
    first_window: Count = 0
    """Windows at the start that are left without analysis."""

    def of_forecast(self) -> dict[str, Any]:
        """Options of the forecast's model, by name."""
        return self.forecast.model_dump(exclude={"model"})
