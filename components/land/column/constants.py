"""Physical constants of the land column (SI)."""

WATER_HEAT_CAPACITY = 4188.0  # J kg-1 K-1
