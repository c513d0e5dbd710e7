"""Atmosphere prescribed from CF files."""

from coupler.files.prescribed import Prescribed


class DataAtmosphere(Prescribed):
    """Lowest air, radiation and precipitation from CF files, interpolated in time."""

    description = "prescribed air, radiation and precipitation"
    offers = (
        "air_temperature",
        "specific_humidity",
        "eastward_wind",
        "northward_wind",
        "wind_speed",
        "air_pressure_at_mean_sea_level",
        "surface_air_pressure",
        "surface_downwelling_shortwave_flux_in_air",
        "surface_downwelling_longwave_flux_in_air",
        "precipitation_flux",
    )
