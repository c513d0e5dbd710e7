"""Physical constants of the ocean model."""

GRAVITY = 9.80665  # m s-2
REFERENCE_DENSITY = 1026.0  # kg m-3, the Boussinesq density of Roquet et al. (2015)
HEAT_CAPACITY = 3991.86795711963  # J kg-1 K-1, cp0 of TEOS-10 (IOC et al. 2010)
EARTH_RADIUS = 6371000.0  # m
EARTH_ROTATION = 7.292115e-5  # s-1
ZERO_CELSIUS = 273.15  # K
