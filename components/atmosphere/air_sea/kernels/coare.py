# SPDX-License-Identifier: BSD-3-Clause
"""COARE 3.6 air-sea fluxes: wind-speed dependent Charnock parameter, cool skin, gustiness; no waves.

Fairall, C. W., et al. (1996a): Cool-skin and warm-layer effects on sea surface temperature, J. Geophys. Res.
101, 1295-1308 ("F96"); Fairall, C. W., et al. (2003): Bulk parameterization of air-sea fluxes, J. Climate
16, 571-591 ("F03"); Edson, J. B., et al. (2013): On the exchange of momentum over the open ocean, J. Phys.
Oceanogr. 43, 1589-1610 ("E13"). Constants as in version 3.6 of NOAA's algorithm (2021). Its treatment of ice
is left out: the scheme is for open water. Temperatures inside are in degrees Celsius and pressures in hPa,
as in the papers.
"""

import math

import numpy as np

from components.atmosphere.air_sea.kernels.compiled import compiled
from components.science.scheme_constants import (
    COARE_CP_DRY as CP_AIR,
)
from components.science.scheme_constants import (
    COARE_EMISSIVITY as EMISSIVITY,
)
from components.science.scheme_constants import (
    COARE_EPSILON as EPSILON,
)
from components.science.scheme_constants import (
    COARE_GRAVITY,
    COARE_GRAVITY_SERIES,
    COARE_SATURATION,
    COARE_WATER,
    SEA_LATENT_HEAT,
)
from components.science.scheme_constants import (
    COARE_R_DRY as R_GAS,
)
from components.science.scheme_constants import (
    COARE_STEFAN_BOLTZMANN as STEFAN_BOLTZMANN,
)
from components.science.scheme_constants import (
    COARE_T2K as T2K,
)
from components.science.scheme_constants import (
    COARE_VIRTUAL as VIRTUAL,
)
from components.science.scheme_constants import (
    COARE_VON_KARMAN as KAPPA,
)

BETA = 1.2  # gustiness = BETA w* (F96)
CP_WATER, RHO_WATER, NU_WATER, K_WATER = COARE_WATER
ITERATIONS = 10
SALINE_CONTRACTION = 7.5e-4  # per unit of salinity
THIRD = 0.3333  # the exponents of version 3.6
SQRT3 = math.sqrt(3.0)


@compiled
def gravity(latitude):
    """Give normal gravity [m s-2] at a latitude in degrees (GRS 1967 series)."""
    x = math.sin(math.radians(latitude))
    x2 = x * x
    a, b, c, d = COARE_GRAVITY_SERIES
    return COARE_GRAVITY * (1.0 + x2 * (a + x2 * (b + x2 * (c + x2 * d))))


@compiled
def saturation_pressure(t, p):
    """Buck (1981) over water with the enhancement factor. ``t`` in degrees C, ``p`` in hPa; hPa."""
    e, a, b, f, g = COARE_SATURATION
    return e * math.exp(a * t / (t + b)) * (f + g * p)


@compiled
def sea_surface_humidity(t, p, salinity):
    """Specific humidity of air saturated over sea water, degrees C, hPa, 1e-3; kg kg-1."""
    e = (1.0 - 0.02 * salinity / 35.0) * saturation_pressure(t, p)
    return EPSILON * e / (p - (1.0 - EPSILON) * e)


@compiled
def freezing_point(salinity):
    """Freezing point of sea water at the surface [degrees C] (Millero 1978)."""
    return -0.0575 * salinity + 0.00171052 * salinity**1.5 - 0.0002154996 * salinity * salinity


@compiled
def _free_convection(zeta, b):
    """Free-convection limit (F96b; Grachev et al. 2000) with profile constant ``b``."""
    x = (1.0 - b * zeta) ** THIRD
    return 1.5 * math.log((1.0 + x + x * x) / 3.0) - SQRT3 * math.atan((1.0 + 2.0 * x) / SQRT3) + math.pi / SQRT3


@compiled
def _blend(zeta, kansas, convective):
    f = zeta * zeta / (1.0 + zeta * zeta)
    return (1.0 - f) * kansas + f * convective


@compiled
def _psi_u(zeta, a, kansas_b, convective_b):
    if zeta < 0.0:
        x = (1.0 - kansas_b * zeta) ** 0.25
        kansas = 2.0 * math.log(0.5 * (1.0 + x)) + math.log(0.5 * (1.0 + x * x)) - 2.0 * math.atan(x) + 0.5 * math.pi
        return _blend(zeta, kansas, _free_convection(zeta, convective_b))
    c, d = 5.0, 0.35
    return -(a * zeta + 0.75 * (zeta - c / d) * math.exp(-min(50.0, 0.35 * zeta)) + 0.75 * c / d)


@compiled
def psi_u(zeta):
    """Stability function of the wind (E13; stable: Beljaars and Holtslag 1991)."""
    return _psi_u(zeta, 0.7, 15.0, 10.15)


@compiled
def psi_u_first(zeta):
    """Stability function of the wind used in the first guess only."""
    return _psi_u(zeta, 1.0, 18.0, 10.0)


@compiled
def psi_t(zeta):
    """Stability function of temperature and humidity (F03; stable: Beljaars and Holtslag 1991)."""
    if zeta < 0.0:
        kansas = 2.0 * math.log(0.5 * (1.0 + math.sqrt(1.0 - 15.0 * zeta)))
        return _blend(zeta, kansas, _free_convection(zeta, 34.15))
    return -((1.0 + 0.6667 * zeta) ** 1.5 + 0.6667 * (zeta - 14.28) * math.exp(-min(50.0, 0.35 * zeta)) + 8.525)


@compiled
def charnock(u_10n):
    """Charnock parameter from the neutral 10 m wind, constant above 19 m/s (E13 eq. 13)."""
    return 0.0017 * min(u_10n, 19.0) - 0.005


@compiled
def thermal_expansion(t, salinity):
    """Thermal expansion of sea water [K-1], from fresh to salinity 35 linearly (Lillibridge 1989)."""
    x = t - 1.0
    # Real part of x^0.82, which is what the fit means below 1 degree C.
    power = x**0.82 if x >= 0.0 else (-x) ** 0.82 * math.cos(0.82 * math.pi)
    fresh = (2.2 * power - 5.0) * 1.0e-5
    salt = 2.1e-5 * (t + 3.2) ** 0.79
    return fresh + (salt - fresh) * salinity / 35.0


@compiled
def roughest(drag_limit):
    """Roughness length [m] at which the neutral drag coefficient at 10 m is ``drag_limit``; endless where that is 0."""
    return 10.0 * math.exp(-KAPPA / math.sqrt(drag_limit)) if drag_limit > 0.0 else math.inf


@compiled
def coare_point(
    t_air, q, wind, p, t_sea, net_solar, longwave_down, salinity, z_i, latitude, z_u, z_t, z_q, cool_skin, z_0_most
):
    """Fluxes at one point of open water, positive down.

    Parameters
    ----------
    t_air, t_sea : degrees C; air at z_t, water below the cool skin (warm layer added)
    q : kg kg-1 at z_q
    wind : m s-1, speed of the air relative to the water at z_u
    p : hPa at sea level
    net_solar, longwave_down : W m-2, positive down
    salinity : 1e-3
    z_i : m, height of the boundary layer (gustiness)
    latitude : degrees, for gravity
    z_u, z_t, z_q : m
    cool_skin : bool
    z_0_most : m, largest roughness length (`roughest`)

    Returns
    -------
    sensible heat, latent heat [W m-2], stress magnitude [Pa], evaporation [kg m-2 s-1], depression of the
    skin [K], gustiness [m s-1], friction velocity [m s-1]
    """
    skin = 1.0 if cool_skin else 0.0
    grav = gravity(latitude)
    q_s = sea_surface_humidity(t_sea, p, salinity)
    p_t = p - 0.125 * z_t
    latent_heat = (SEA_LATENT_HEAT[0] - SEA_LATENT_HEAT[1] * t_sea) * 1.0e6
    t_a = t_air + T2K
    rho = p_t * 100.0 / (R_GAS * t_a * (1.0 + VIRTUAL * q))
    nu = 1.326e-5 * (1.0 + 6.542e-3 * t_air + 8.301e-6 * t_air * t_air - 4.84e-9 * t_air * t_air * t_air)
    du = max(wind, 1.0e-3)

    # Cool skin: expansion coefficient, Saunders' constant (F96 eq. 12, 14), slope of q_s
    expansion = thermal_expansion(max(t_sea, freezing_point(salinity)), salinity)
    contraction = SALINE_CONTRACTION * salinity
    big_c = 16.0 * grav * CP_WATER * (RHO_WATER * NU_WATER) ** 3 / (K_WATER * K_WATER * rho * rho)
    wet = EPSILON * latent_heat * q_s / (R_GAS * (t_sea + T2K) ** 2)
    d_skin, z_skin = 0.3, 1.0e-3
    longwave_net = EMISSIVITY * (STEFAN_BOLTZMANN * (t_sea - d_skin * skin + T2K) ** 4 - longwave_down)

    # First guess from the bulk Richardson number (F96b; Grachev and Fairall 1997)
    d_t = t_sea - t_air - grav / CP_AIR * z_t
    d_q = q_s - q
    gust = 0.5
    u_t = math.sqrt(du * du + gust * gust)
    u_10 = u_t * math.log(10.0 / 1.0e-4) / math.log(z_u / 1.0e-4)
    u_star = 0.035 * u_10
    z_0 = 0.011 * u_star * u_star / grav + 0.11 * nu / u_star
    c_d = (KAPPA / math.log(10.0 / z_0)) ** 2
    z_0t = 10.0 / math.exp(KAPPA / (0.00115 / math.sqrt(c_d)))
    c_d = (KAPPA / math.log(z_u / z_0)) ** 2
    c_c = KAPPA * (KAPPA / math.log(z_t / z_0t)) / c_d
    ri_c = -z_u / z_i / 0.004 / BETA**3
    ri = -grav * z_u / t_a * ((d_t - d_skin * skin) + VIRTUAL * t_a * d_q) / (u_t * u_t)
    zeta = c_c * ri / (1.0 + ri / ri_c) if ri < 0.0 else c_c * ri * (1.0 + 3.0 * ri / c_c)
    # NOAA's code finds these before it divides by sign, and so stops calm air over warm water (below 1 m/s) too.
    very_stable = zeta > 50.0
    u_star = u_t * KAPPA / (math.log(z_u / z_0) - psi_u_first(zeta))
    t_star = -(d_t - d_skin * skin) * KAPPA / (math.log(z_t / z_0t) - psi_t(z_t * zeta / z_u))
    q_star = -(d_q - wet * d_skin * skin) * KAPPA / (math.log(z_q / z_0t) - psi_t(z_q * zeta / z_u))
    alpha = charnock(u_10)

    for _ in range(ITERATIONS):
        over_l = KAPPA * grav / t_a * (t_star + VIRTUAL * t_a * q_star) / (u_star * u_star)
        z_0 = min(alpha * u_star * u_star / grav + 0.11 * nu / u_star, z_0_most)  # E13 eq. 5
        z_0q = min(1.6e-4, 5.8e-5 / (z_0 * u_star / nu) ** 0.72)  # F03 eq. 28, refitted for 3.6
        u_star = u_t * KAPPA / (math.log(z_u / z_0) - psi_u(z_u * over_l))
        q_star = -(d_q - wet * d_skin * skin) * KAPPA / (math.log(z_q / z_0q) - psi_t(z_q * over_l))
        t_star = -(d_t - d_skin * skin) * KAPPA / (math.log(z_t / z_0q) - psi_t(z_t * over_l))
        # Convective gustiness from the buoyancy flux (F96b eq. 15)
        buoyancy = -grav / t_a * u_star * (t_star * (1.0 + VIRTUAL * q) + VIRTUAL * t_a * q_star)
        gust = BETA * (buoyancy * z_i) ** 0.333 if buoyancy > 0.0 else 0.2
        u_t = math.sqrt(du * du + gust * gust)
        # Cool skin (F96 eq. 12-17); heat fluxes here cool the ocean when positive
        sensible = -rho * CP_AIR * u_star * t_star
        latent = -rho * latent_heat * u_star * q_star
        absorbed = net_solar * (0.065 + 11.0 * z_skin - 6.6e-5 / z_skin * (1.0 - math.exp(-z_skin / 8.0e-4)))
        cooling = longwave_net + sensible + latent - absorbed
        sinking = expansion * cooling + contraction * latent * CP_WATER / latent_heat
        viscous = NU_WATER / (math.sqrt(rho / RHO_WATER) * u_star)
        if sinking > 0.0:
            z_skin = 6.0 / (1.0 + (big_c * sinking / u_star**4) ** 0.75) ** 0.333 * viscous
        else:
            z_skin = min(0.01, 6.0 * viscous)
        d_skin = cooling * z_skin / K_WATER
        longwave_net = EMISSIVITY * (STEFAN_BOLTZMANN * (t_sea - d_skin * skin + T2K) ** 4 - longwave_down)
        if very_stable:
            break  # the iteration does not converge there: the first pass stands
        # Neutral 10 m wind without the gustiness
        alpha = charnock(u_star / KAPPA * (du / u_t) * math.log(10.0 / z_0))

    evaporation = -rho * u_star * q_star
    return (
        rho * CP_AIR * u_star * t_star,
        -latent_heat * evaporation,
        rho * u_star * u_star * du / u_t,
        evaporation,
        d_skin * skin,
        gust,
        u_star,
    )


@compiled
def coare_points(
    t_air,
    q,
    wind,
    p,
    t_sea,
    net_solar,
    longwave_down,
    salinity,
    z_i,
    latitude,
    z_u,
    z_t,
    z_q,
    cool_skin,
    drag_limit=0.0,
):
    """`coare_point` over 1-D arrays; one point never depends on another. Shape (7, n).

    ``drag_limit`` is the largest neutral drag coefficient at 10 m; 0: none.
    """
    out = np.empty((7, t_air.size))
    z_0_most = roughest(drag_limit)
    for i in range(t_air.size):
        r = coare_point(
            t_air[i],
            q[i],
            wind[i],
            p[i],
            t_sea[i],
            net_solar[i],
            longwave_down[i],
            salinity[i],
            z_i[i],
            latitude[i],
            z_u[i],
            z_t[i],
            z_q[i],
            cool_skin,
            z_0_most,
        )
        for k in range(7):
            out[k, i] = r[k]
    return out
