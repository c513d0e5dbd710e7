"""Exchange between land and air: bulk coefficients that depend on stability.

Louis, J.-F. (1979): A parametric model of vertical eddy fluxes in the atmosphere, Boundary-Layer Meteorol. 17,
187-202; with the stable functions of Louis, Tiedtke and Geleyn (1982).
"""

import numpy as np

from components.science.constants import EPSILON_VAPOUR, GRAVITY, VON_KARMAN

B = C = D = 5.0  # Louis, Tiedtke and Geleyn (1982)


def bulk_richardson(theta_air, t_surface, wind, height):
    """Bulk Richardson number of the layer between surface and ``height``; K, K, m s-1, m.

    Parameters
    ----------
    theta_air : potential temperature of the air, K
    t_surface : K
    wind : m s-1
    height : m
    """
    return GRAVITY * height * (theta_air - t_surface) / (0.5 * (theta_air + t_surface) * wind * wind)


def transfer_coefficients(richardson, height, z0):
    """Coefficients of momentum and heat at ``height`` [m] over roughness ``z0`` [m].

    Parameters
    ----------
    richardson : bulk Richardson number
    height : of the air, m
    z0 : roughness length, m

    Returns
    -------
    c_m, c_h : with stress = rho c_m U^2 and heat = rho c_p c_h U dT
    """
    neutral = (VON_KARMAN / np.log(height / z0)) ** 2
    unstable = np.minimum(richardson, 0.0)
    root = np.sqrt(-unstable * height / z0)
    f_m_unstable = 1.0 - 2.0 * B * unstable / (1.0 + 3.0 * B * C * neutral * root)
    f_h_unstable = 1.0 - 3.0 * B * unstable / (1.0 + 3.0 * B * C * neutral * root)
    stable = np.maximum(richardson, 0.0)
    root = np.sqrt(1.0 + D * stable)
    f_m_stable = 1.0 / (1.0 + 2.0 * B * stable / root)
    f_h_stable = 1.0 / (1.0 + 3.0 * B * stable * root)
    is_stable = richardson > 0.0
    return (
        neutral * np.where(is_stable, f_m_stable, f_m_unstable),
        neutral * np.where(is_stable, f_h_stable, f_h_unstable),
    )


def saturation_humidity(t, p):
    """Specific humidity over water and its slope dq/dT; K, Pa; kg kg-1, K-1 (Buck 1981).

    Parameters
    ----------
    t : K
    p : Pa
    """
    x = t - 273.15
    e = 611.21 * np.exp(17.502 * x / (x + 240.97))
    slope = e * 17.502 * 240.97 / ((x + 240.97) * (x + 240.97))
    dry = p - (1.0 - EPSILON_VAPOUR) * e
    return EPSILON_VAPOUR * e / dry, EPSILON_VAPOUR * p * slope / (dry * dry)
