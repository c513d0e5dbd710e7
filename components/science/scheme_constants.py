# SPDX-License-Identifier: BSD-3-Clause
"""Constants that define a published scheme: they are part of it, and its published numbers hold under them alone.

What a scheme hands to the exchange follows the model's own `constants`: the flux of latent heat is L0 times the
evaporation, whatever latent heat the scheme used to find that evaporation.
"""

from components.science.constants import VON_KARMAN, ZERO_CELSIUS

# L(t) = (a - b t) 1e6 J kg-1 with t in degC (Fleagle & Businger 1980), of both laws of the sea
SEA_LATENT_HEAT = (2.501, 0.00237)

# COARE 3.6 (NOAA 2021; Fairall et al. 1996, 2003; Edson et al. 2013)
COARE_VON_KARMAN = VON_KARMAN
COARE_T2K = 273.16  # K, what it adds to degrees C
COARE_R_DRY = 287.1  # J kg-1 K-1
COARE_CP_DRY = 1004.67  # J kg-1 K-1
COARE_EPSILON = 0.622  # R_d / R_v
COARE_VIRTUAL = 0.61  # theta_v = theta (1 + 0.61 q)
COARE_STEFAN_BOLTZMANN = 5.67e-8  # W m-2 K-4
COARE_EMISSIVITY = 0.97  # of the sea
COARE_WATER = (4000.0, 1022.0, 1.0e-6, 0.6)  # sea: c_p J kg-1 K-1, rho kg m-3, nu m2 s-1, k W m-1 K-1
COARE_GRAVITY = 9.7803267715  # m s-2 at the equator (GRS 1967)
COARE_GRAVITY_SERIES = (0.0052790414, 2.32718e-5, 1.262e-7, 7.0e-10)  # in sin^2 of the latitude
COARE_SATURATION = (6.1121, 17.502, 240.97, 1.0007, 3.46e-6)  # hPa, 1, degC, 1, hPa-1 (Buck 1981)

# Large & Yeager (2004, 2009), as AeroBulk has them (Brodeau et al. 2017)
NCAR_VON_KARMAN = VON_KARMAN
NCAR_ICE_POINT = ZERO_CELSIUS  # K, of Goff's formula
NCAR_GRAVITY = 9.8  # m s-2
NCAR_R_DRY, NCAR_R_VAPOUR = 287.05, 461.495  # J kg-1 K-1
NCAR_CP_DRY, NCAR_CP_VAPOUR = 1005.0, 1860.0  # J kg-1 K-1
NCAR_SALINE = 0.98  # q_sat over sea water against pure water (LY04 eq. 5)
NCAR_SATURATION = (10.79574, 5.028, 1.50475e-4, 8.2969, 0.42873e-3, 4.76955, 0.78614)  # log10 of hPa (Goff 1957)

# RRTMGP and its reference results (Pincus, Mlawer & Delamere 2019)
RRTMGP_MOLAR_DRY, RRTMGP_MOLAR_WATER = 28.964e-3, 18.016e-3  # kg mol-1

# Temperature functions of photosynthesis (Bernacchi et al. 2001; Leuning 2002), fitted with this gas constant
FITTED_GAS_CONSTANT = 8.314  # J mol-1 K-1

# US Standard Atmosphere 1976: pressure (Pa) and temperature (K)
STANDARD_PRESSURE = (
    101325.0, 54048.0, 26500.0, 12112.0, 5529.0, 2549.0, 1197.0, 574.6, 287.1, 149.1, 79.78, 42.53, 21.96, 10.93, 5.221,
)  # fmt: skip
STANDARD_TEMPERATURE = (
    288.15, 255.7, 223.3, 216.65, 216.65, 221.6, 226.5, 236.5, 250.35, 264.2, 270.65, 260.8, 247.0, 233.3, 219.6,
)  # fmt: skip
