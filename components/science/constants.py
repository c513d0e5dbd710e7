# SPDX-License-Identifier: BSD-3-Clause
"""Physical constants (SI units), once for every realm: value, unit, source.

Constants that define a published scheme stand in `scheme_constants`. The Earth's radius, the zero of Celsius and the
density that makes a depth of water a mass are the coupler's, which measures cells and converts units with them.
"""

from coupler.fields import WATER_DENSITY as WATER_DENSITY
from coupler.fields import ZERO_CELSIUS as ZERO_CELSIUS
from coupler.grids.grid import EARTH_RADIUS as EARTH_RADIUS

GRAVITY = 9.80665  # g, m s-2, standard; geopotential heights are defined with it (CGPM 1901)
EARTH_ROTATION = 7.292115e-5  # rad s-1 (IERS 2010)
SOLAR_CONSTANT = 1361.0  # W m-2 (Kopp & Lean 2011: 1360.8)
STEFAN_BOLTZMANN = 5.670374419e-8  # W m-2 K-4 (CODATA 2018)
VON_KARMAN = 0.4  # 1 (Hoegstroem 1996)

GAS_CONSTANT = 8.314462618  # R, J mol-1 K-1 (CODATA 2018)
AVOGADRO = 6.02214076e23  # N_A, mol-1 (SI)
BOLTZMANN = 1.380649e-23  # k_B, J K-1 (SI)
DRY_AIR_MOLAR_MASS = 0.0289644  # kg mol-1 (US Standard Atmosphere 1976)
WATER_MOLAR_MASS = 0.01801528  # kg mol-1 (IAPWS)
R_DRY = GAS_CONSTANT / DRY_AIR_MOLAR_MASS  # R_d, 287.06 J kg-1 K-1
R_VAPOUR = GAS_CONSTANT / WATER_MOLAR_MASS  # R_v, 461.52 J kg-1 K-1
CP_DRY = 3.5 * R_DRY  # c_p, J kg-1 K-1, of a gas of two atoms
CV_DRY = CP_DRY - R_DRY  # c_v, J kg-1 K-1
CP_VAPOUR = 1885.0  # c_pv, J kg-1 K-1 (Bryan & Fritsch 2002, table 1)
GAMMA = CP_DRY / CV_DRY  # c_p / c_v
KAPPA = R_DRY / CP_DRY  # R_d / c_p
EPSILON_VAPOUR = R_DRY / R_VAPOUR  # R_d / R_v, 0.62197
VIRTUAL = R_VAPOUR / R_DRY - 1.0  # T_v = T (1 + VIRTUAL q), 0.608
P_REFERENCE = 1.0e5  # p_0 of the potential temperature, Pa

FREEZING_POINT = ZERO_CELSIUS  # of fresh water, K
C_LIQUID = 4186.0  # c_l, J kg-1 K-1 (Bryan & Fritsch 2002, table 1; at 15 degC)
LATENT_VAPORISATION = 2.501e6  # L0: of vaporisation at 0 degC, J kg-1 (Rogers & Yau 1989, table 2.1; IAPWS 2.5009e6)
LATENT_FUSION = 3.34e5  # L_f: of fusion at 0 degC, J kg-1 (IAPWS 2009: 3.3343e5)
LATENT_SUBLIMATION = LATENT_VAPORISATION + LATENT_FUSION  # L_s, J kg-1
WATER_CONDUCTIVITY = 0.57  # W m-1 K-1, of liquid water
ICE_DENSITY = 917.0  # kg m-3 (IAPWS 2009, at 0 degC)
ICE_HEAT_CAPACITY = 2100.0  # J kg-1 K-1
ICE_CONDUCTIVITY = 2.2  # W m-1 K-1

SEA_WATER_DENSITY = 1026.0  # kg m-3, the Boussinesq density of Roquet et al. (2015)
SEA_WATER_HEAT_CAPACITY = 3991.86795711963  # J kg-1 K-1, cp0 of TEOS-10 (IOC et al. 2010)

CARBON_MOLAR_MASS = 0.0120107  # kg mol-1
NITROGEN_MOLAR_MASS = 0.0140067  # kg mol-1
PLANCK = 6.62607015e-34  # h, J s (SI 2019)
LIGHT_SPEED = 2.99792458e8  # c, m s-1 (SI 2019)
PAR_PHOTONS = 4.57  # umol J-1 in 400-700 nm sunlight (Thimijan & Heins 1983)
