"""Physical constants of the land column (SI)."""

WATER_HEAT_CAPACITY = 4188.0  # J kg-1 K-1
AIR_HEAT_CAPACITY = 1004.64  # J kg-1 K-1, dry air at constant pressure
DRY_AIR_GAS_CONSTANT = 287.04  # J kg-1 K-1
VAPOUR_GAS_CONSTANT = 461.5  # J kg-1 K-1
