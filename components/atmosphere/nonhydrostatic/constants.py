"""Physical constants of the atmosphere model (SI units).

The gas constants and the gravity are those of WRF v4 (Skamarock et al. 2021, NCAR/TN-556, appendix), so that results
can be compared digit by digit with reference runs.
"""

from components.radiation.constants import CP_DRY as CP_DRY
from components.radiation.constants import GRAVITY as GRAVITY
from components.radiation.constants import STEFAN_BOLTZMANN as STEFAN_BOLTZMANN

R_DRY = 287.0  # R_d, J kg-1 K-1
R_VAPOUR = 461.6  # R_v, J kg-1 K-1
CV_DRY = CP_DRY - R_DRY  # c_v, J kg-1 K-1
GAMMA = CP_DRY / CV_DRY  # c_p / c_v
KAPPA = R_DRY / CP_DRY  # R_d / c_p
CP_VAPOUR = 1885.0  # c_pv, J kg-1 K-1 (Bryan & Fritsch 2002, table 1)
C_LIQUID = 4186.0  # c_l, J kg-1 K-1
P_REFERENCE = 1.0e5  # p_0 of the potential temperature, Pa
EPSILON_VAPOUR = R_DRY / R_VAPOUR  # R_d / R_v
LATENT_VAPORISATION = 2.5e6  # L_v at 0 degC, J kg-1
LATENT_FUSION = 3.5e5  # L_f at 0 degC, J kg-1
LATENT_SUBLIMATION = LATENT_VAPORISATION + LATENT_FUSION  # L_s, J kg-1
T_FREEZE = 273.15  # K
STANDARD_GRAVITY = 9.80665  # m s-2, of geopotential heights
EARTH_RADIUS = 6.371229e6  # m, the radius the CF grids of this model use
EARTH_ROTATION = 7.292e-5  # rad s-1
VON_KARMAN = 0.4
