"""Physical constants of the ocean model."""

EARTH_RADIUS = 6371000.0  # m
