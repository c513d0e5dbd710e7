# SPDX-License-Identifier: BSD-3-Clause
"""The classes of water that the cloud schemes share; a scheme of another package may declare more."""

from components.science.tracers import Tracer

VAPOUR = Tracer("vapour", is_water=True, boundary="driver")
CLOUD_WATER = Tracer("cloud_water", is_water=True)
RAIN = Tracer("rain", is_water=True, mixed_by_turbulence=False)
CLOUD_ICE = Tracer("cloud_ice", is_water=True, is_ice=True)
SNOW = Tracer("snow", is_water=True, is_ice=True, mixed_by_turbulence=False)
GRAUPEL = Tracer("graupel", is_water=True, is_ice=True, mixed_by_turbulence=False)
