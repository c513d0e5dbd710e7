"""Physical constants of the land column (SI)."""

WATER_HEAT_CAPACITY = 4188.0  # J kg-1 K-1
VAPOUR_GAS_CONSTANT = 461.5  # J kg-1 K-1
