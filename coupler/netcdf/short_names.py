# SPDX-License-Identifier: BSD-3-Clause
"""Names that centres give to variables without a standard name: ERA5, ERA-Interim, NCEP, CAM, CMIP6."""

UPPER_AIR = {
    "eastward_wind": ("u", "ua", "U", "u_component_of_wind", "uwnd"),
    "northward_wind": ("v", "va", "V", "v_component_of_wind", "vwnd"),
    "air_temperature": ("t", "ta", "T", "temperature", "air"),
    "geopotential_height": ("zg", "Z3", "hgt", "gh", "geopotential", "z"),
    "specific_humidity": ("q", "hus", "SHUM", "shum"),
    "relative_humidity": ("r", "hur", "RELHUM", "rhum"),
}
"""Of variables on levels, by standard name."""
NEAR_GROUND = {
    "air_temperature": ("t2m", "2t", "tas", "TREFHT", "2m_temperature"),
    "specific_humidity": ("huss", "QREFHT", "sh2"),
    "eastward_wind": ("u10", "10u", "uas", "U10M", "10m_u_component_of_wind"),
    "northward_wind": ("v10", "10v", "vas", "V10M", "10m_v_component_of_wind"),
}
"""Of the same at 2 or 10 m."""
SURFACE = {
    "air_pressure_at_mean_sea_level": ("msl", "psl", "PSL", "prmsl", "slp", "mslp", "mean_sea_level_pressure"),
    "surface_air_pressure": ("sp", "ps", "PS", "surface_pressure"),
    "surface_temperature": ("ts", "TS", "skt", "skin_temperature"),
    "sea_surface_temperature": ("sst", "tos", "SST"),
    "precipitation_flux": ("pr", "PRECT", "prate", "mtpr"),
    "surface_upward_latent_heat_flux": ("hfls", "LHFLX", "lhtfl"),
    "surface_upward_sensible_heat_flux": ("hfss", "SHFLX", "shtfl"),
    "surface_downwelling_shortwave_flux_in_air": ("rsds", "FSDS", "dswrf", "msdwswrf"),
    "toa_outgoing_longwave_flux": ("rlut", "FLUT", "olr", "ulwrf_toa"),
    "toa_outgoing_shortwave_flux": ("rsut", "FSUTOA"),
}
"""Of variables without levels."""
