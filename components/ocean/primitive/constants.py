"""Physical constants of the ocean model."""

EARTH_RADIUS = 6371000.0  # m
EARTH_ROTATION = 7.292115e-5  # s-1
