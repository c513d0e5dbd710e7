# SPDX-License-Identifier: BSD-3-Clause
"""Names of the fields that pass between the air and whatever lies under it, as several models and laws list them."""

LOWEST_AIR = ("air_temperature", "specific_humidity", "eastward_wind", "northward_wind")
"""The lowest air, whose height is `height` where the atmosphere says so."""
DOWNWELLING = ("surface_downwelling_shortwave_flux_in_air", "surface_downwelling_longwave_flux_in_air")
AIR_OVER_LAND = (*LOWEST_AIR, "surface_air_pressure", *DOWNWELLING)
SURFACE_OZONE = "mole_fraction_of_ozone_in_surface_air"
"""Ozone of the lowest layer of air, which leaves breathe; `mole_fraction_of_ozone_in_air` has all layers."""
AIR_OVER_SEA = (*LOWEST_AIR, "air_pressure_at_mean_sea_level", *DOWNWELLING)

STRESS = ("surface_downward_eastward_stress", "surface_downward_northward_stress")
TURBULENT = (
    "surface_downward_sensible_heat_flux",
    "surface_downward_latent_heat_flux",
    *STRESS,
    "water_evapotranspiration_flux",
)
UPWELLING = ("surface_upwelling_longwave_flux_in_air", "surface_upwelling_shortwave_flux_in_air")
NET_RADIATION = ("surface_net_downward_longwave_flux", "surface_net_downward_shortwave_flux")
SURFACE_FLUXES = (*TURBULENT, *UPWELLING)
"""What a surface gives the air."""
RADIATING = ("surface_emitted_longwave_flux", "surface_longwave_emissivity", "surface_albedo")
"""How a surface radiates. Where surfaces share a cell these are merged, and no temperature: the mean of what they emit,
with the mean emissivity, is what the cell emits."""
RUNOFF_HEAT = "temperature_flux_due_to_runoff_expressed_as_heat_flux_into_sea_water"
"""Heat of runoff above liquid water at 0 C (W m-2 off land, W out of a river's mouth)."""
ELEMENTS = ("carbon", "nitrogen", "phosphorus")
RUNOFF_MATTER = tuple(f"runoff_mass_flux_of_{element}" for element in ELEMENTS)
"""What is dissolved in runoff (kg m-2 s-1 off land, kg s-1 out of a river's mouth)."""
RIVER_WATER = "water_flux_from_rivers_into_land"
"""What groundwater and irrigation draw from rivers (kg m-2 s-1), which the land says and the rivers pay."""
RIVER_BEDS = (
    "river_bed_conductance", "river_bed_conductance_times_stage", "river_bed_conductance_times_bed",
)  # fmt: skip
"""What a water table must know of the rivers above it; conductance times a height averages over reaches as it acts."""
AVAILABLE_WATER = "water_available_from_rivers"
"""Most that irrigation may draw from rivers (kg m-2 s-1)."""
