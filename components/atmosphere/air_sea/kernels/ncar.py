# SPDX-License-Identifier: BSD-3-Clause
"""NCAR air-sea fluxes: the bulk formulas of Large and Yeager.

Large, W. G. and S. G. Yeager (2004): Diurnal to decadal global forcing for ocean and sea-ice models,
NCAR/TN-460+STR ("LY04"); Large, W. G. and S. G. Yeager (2009): The global climatology of an interannually
varying air-sea flux data set, Clim. Dyn. 33, 341-364 ("LY09"). Saturation: Goff (1957), as in WMO (1988).
"""

import math

import numpy as np

from components.atmosphere.air_sea.kernels.compiled import compiled
from components.science.scheme_constants import (
    NCAR_CP_DRY as CP_DRY,
)
from components.science.scheme_constants import (
    NCAR_CP_VAPOUR as CP_VAPOUR,
)
from components.science.scheme_constants import (
    NCAR_GRAVITY as GRAVITY,
)
from components.science.scheme_constants import (
    NCAR_ICE_POINT as ICE_POINT,
)
from components.science.scheme_constants import (
    NCAR_R_DRY as R_DRY,
)
from components.science.scheme_constants import (
    NCAR_R_VAPOUR as R_VAPOUR,
)
from components.science.scheme_constants import (
    NCAR_SALINE,
    NCAR_SATURATION,
    SEA_LATENT_HEAT,
)
from components.science.scheme_constants import (
    NCAR_VON_KARMAN as KAPPA,
)

EPSILON = R_DRY / R_VAPOUR
CTV = R_VAPOUR / R_DRY - 1.0  # theta_v = theta (1 + CTV q)
ITERATIONS = 10
CONVERGED = 1.0e-9  # relative change of 1/L at which no further iteration is made
SMALLEST_COEFFICIENT = 1.0e-4
STRONG, STRONGEST_DRAG = 33.0, 2.34e-3  # m s-1 from which the drag is constant (LY09 eq. 11)
SMALLEST_WIND = 0.5  # m s-1, LY04 section 2.1


@compiled
def goff_saturation_pressure(t):
    """Vapour pressure over a plane of pure liquid water, Goff (1957). ``t`` in K; Pa.

    0.78614 is log10 of the pressure in hPa at the ice point, so temperatures are divided by 273.15 K: that
    gives 2644.5 Pa at 22 C, where IAPWS has 2644.7; with 273.16 K it would be 0.07 % too low.
    """
    a, b, c, d, e, f, g = NCAR_SATURATION
    x = ICE_POINT / t
    return 100.0 * 10.0 ** (
        a * (1.0 - x)
        - b * math.log10(t / ICE_POINT)
        + c * (1.0 - 10.0 ** (-d * (t / ICE_POINT - 1.0)))
        + e * (10.0 ** (f * (1.0 - x)) - 1.0)
        + g
    )


@compiled
def sea_surface_humidity(sst, p):
    """Specific humidity of air saturated over sea water: 0.98 of pure water (LY04 eq. 5). K, Pa; kg kg-1."""
    e = NCAR_SALINE * goff_saturation_pressure(sst)
    return EPSILON * e / (p - (1.0 - EPSILON) * e)


@compiled
def fitted_drag(u_n10):
    """10^3 C_DN(10 m) = 2.7/U + 0.142 + U/13.09 - 3.14807e-10 U^6 below 33 m/s (LY09 eq. 11)."""
    u3 = u_n10 * u_n10 * u_n10
    return max(1.0e-3 * (2.7 / u_n10 + 0.142 + u_n10 / 13.09 - 3.14807e-10 * u3 * u3), SMALLEST_COEFFICIENT)


@compiled
def neutral_drag(u_n10):
    """C_DN at 10 m: fitted below 33 m/s, constant from there on (LY09 eq. 11)."""
    return STRONGEST_DRAG if u_n10 >= STRONG else fitted_drag(u_n10)


@compiled
def psi_stable(zeta):
    """Integrated stability function of momentum and scalars in stable air (LY04 eq. 8c)."""
    return -5.0 * zeta


@compiled
def psi_m_unstable(zeta):
    """Integrated stability function of momentum in unstable air (LY04 eq. 8d)."""
    x2 = math.sqrt(1.0 - 16.0 * zeta)
    x = math.sqrt(x2)
    return 2.0 * math.log(0.5 * (1.0 + x)) + math.log(0.5 * (1.0 + x2)) - 2.0 * math.atan(x) + 0.5 * math.pi


@compiled
def psi_h_unstable(zeta):
    """Integrated stability function of scalars in unstable air (LY04 eq. 8e)."""
    return 2.0 * math.log(0.5 * (1.0 + math.sqrt(1.0 - 16.0 * zeta)))


@compiled
def psi_m(zeta):
    """Integrated stability function of momentum (LY04 eq. 8c-8e)."""
    return psi_stable(zeta) if zeta >= 0.0 else psi_m_unstable(zeta)


@compiled
def psi_h(zeta):
    """Integrated stability function of scalars (LY04 eq. 8c-8e)."""
    return psi_stable(zeta) if zeta >= 0.0 else psi_h_unstable(zeta)


@compiled
def stanton(stable):
    """10^3 C_H of neutral air over the root of its drag (LY04 eq. 6c, 6d)."""
    return 18.0 if stable else 32.7


@compiled
def differ(z_t, z_u):
    """Whether temperature is measured at another height than the wind."""
    return z_t != z_u


@compiled
def settled(over_l, last):
    """Whether the stability has converged."""
    return abs(over_l - last) <= CONVERGED * abs(over_l)


@compiled
def _bounded(zeta):
    return min(max(zeta, -10.0), 10.0)


@compiled
def ncar_point(t_air, q_air, wind, p, sst, z_u, z_t):
    """Turbulent fluxes at one point, positive down.

    Parameters
    ----------
    t_air, sst : K (air temperature at z_t as a thermometer reads it)
    q_air : kg kg-1 at z_t
    wind : m s-1, speed of the air relative to the water at z_u
    p : Pa at sea level
    z_u, z_t : m

    Returns
    -------
    sensible heat, latent heat [W m-2], stress magnitude [Pa], evaporation [kg m-2 s-1]
    """
    cp = CP_DRY + CP_VAPOUR * q_air
    theta_t = t_air + GRAVITY / cp * z_t  # potential temperature, referred to the surface
    q_s = sea_surface_humidity(sst, p)
    u = max(wind, SMALLEST_WIND)

    # First guess: neutral coefficients, stability from the air-sea difference of virtual temperature.
    stable = theta_t * (1.0 + CTV * q_air) >= sst * (1.0 + CTV * q_s)
    c_dn = neutral_drag(u)
    root_n = math.sqrt(c_dn)
    c_d, root = c_dn, root_n
    c_h = max(1.0e-3 * stanton(stable) * root_n, SMALLEST_COEFFICIENT)
    c_e = max(1.0e-3 * 34.6 * root_n, SMALLEST_COEFFICIENT)  # LY04 eq. 6b
    theta, q = theta_t, q_air
    log_t, log_10 = math.log(z_t / z_u), math.log(z_u / 10.0)
    zeta_u = last = 0.0

    for _ in range(ITERATIONS):
        u_star = root * u  # LY04 eq. 7
        t_star = c_h / root * (theta - sst)
        q_star = c_e / root * (q - q_s)
        moist = 1.0 + CTV * q
        over_l = KAPPA * GRAVITY * (t_star * moist + CTV * theta * q_star) / (u_star * u_star * theta * moist)
        zeta_u = _bounded(z_u * over_l)  # LY04 eq. 8a
        psi_m_u, psi_h_u = psi_m(zeta_u), psi_h(zeta_u)
        # LY04 eq. 9b, 9c: temperature and humidity moved to the height of the wind
        if differ(z_t, z_u):
            shift = (log_t + psi_h_u - psi_h(_bounded(z_t * over_l))) / KAPPA
            theta = theta_t - t_star * shift
            q = max(q_air - q_star * shift, 0.0)
        # LY04 eq. 9a: neutral wind at 10 m; its root is the neutral one, or U_N sqrt(C_DN) were not eq. 10a's u_star
        u_n10 = max(u / (1.0 + root_n / KAPPA * (log_10 - psi_m_u)), 0.25)
        c_dn = neutral_drag(u_n10)
        root_n = math.sqrt(c_dn)
        # LY04 eq. 10a-10c: coefficients at z_u and at this stability
        a = 1.0 + root_n / KAPPA * (log_10 - psi_m_u)
        c_d = max(c_dn / (a * a), SMALLEST_COEFFICIENT)
        root = math.sqrt(c_d)
        b = (log_10 - psi_h_u) / (KAPPA * root_n)
        c_hn = 1.0e-3 * stanton(zeta_u >= 0.0) * root_n
        c_en = 1.0e-3 * 34.6 * root_n
        c_h = max(c_hn * root / root_n / (1.0 + c_hn * b), SMALLEST_COEFFICIENT)
        c_e = max(c_en * root / root_n / (1.0 + c_en * b), SMALLEST_COEFFICIENT)
        if settled(over_l, last):
            break
        last = over_l

    # Density from sea-level pressure; the 0.1 % between there and z_u is left out, as in AeroBulk (Brodeau
    # 2017).
    rho = p / (R_DRY * (theta - GRAVITY / cp * z_u) * (1.0 + CTV * q))
    latent_heat = 1.0e6 * (SEA_LATENT_HEAT[0] - SEA_LATENT_HEAT[1] * (sst - ICE_POINT))
    evaporation = rho * c_e * u * (q_s - q)
    sensible = rho * (CP_DRY + CP_VAPOUR * q) * c_h * u * (theta - sst)
    return sensible, -latent_heat * evaporation, rho * c_d * u * wind, evaporation


@compiled
def ncar_points(t_air, q_air, wind, p, sst, z_u, z_t):
    """`ncar_point` over 1-D arrays; one point never depends on another. Shape (4, n)."""
    out = np.empty((4, t_air.size))
    for i in range(t_air.size):
        out[0, i], out[1, i], out[2, i], out[3, i] = ncar_point(
            t_air[i], q_air[i], wind[i], p[i], sst[i], z_u[i], z_t[i]
        )
    return out
