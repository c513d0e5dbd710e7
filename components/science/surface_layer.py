# SPDX-License-Identifier: BSD-3-Clause
"""The lowest air over a surface: its density, its temperature referred to the ground, and bulk transfer coefficients.

Louis, J.-F. (1979): A parametric model of vertical eddy fluxes in the atmosphere, Boundary-Layer Meteorol. 17,
187-202; with the stable functions of Louis, Tiedtke and Geleyn (1982).
"""

from typing import Any

from components.science.arrays import operations
from components.science.constants import CP_DRY, GRAVITY, R_DRY, VIRTUAL, VON_KARMAN

Array = Any
"""numpy or torch, any shape."""

B = C = D = 5.0  # Louis, Tiedtke and Geleyn (1982)


def air_density(pressure: Array, temperature: Array, humidity: Array) -> Array:
    """Density of moist air, kg m-3.

    Parameters
    ----------
    pressure : array, Pa
    temperature : array, K
    humidity : array, specific, kg/kg
    """
    return pressure / (R_DRY * temperature * (1.0 + VIRTUAL * humidity))


def referred_to_ground(temperature: Array, height: Array) -> Array:
    """Temperature, K, that air would have once brought down to the ground: T + g / c_p z.

    Parameters
    ----------
    temperature : array, K
    height : array, above the ground, m
    """
    return temperature + GRAVITY / CP_DRY * height


def bulk_richardson(theta_air: Array, t_surface: Array, wind: Array, height: Array) -> Array:
    """Bulk Richardson number of the layer between surface and ``height``; K, K, m s-1, m.

    Parameters
    ----------
    theta_air : potential temperature of the air, K
    t_surface : K
    wind : m s-1
    height : m
    """
    return GRAVITY * height * (theta_air - t_surface) / (0.5 * (theta_air + t_surface) * wind * wind)


def transfer_coefficients(richardson: Array, height: Array, z0: Array) -> tuple[Array, Array]:
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
    xp = operations(richardson)
    neutral = (VON_KARMAN / xp.log(height / z0)) ** 2
    unstable = xp.minimum(richardson, 0.0)
    # above zero, where it is not used, so that a gradient exists
    root = xp.sqrt(xp.maximum(-unstable * height / z0, 1.0e-30))
    f_m_unstable = 1.0 - 2.0 * B * unstable / (1.0 + 3.0 * B * C * neutral * root)
    f_h_unstable = 1.0 - 3.0 * B * unstable / (1.0 + 3.0 * B * C * neutral * root)
    stable = xp.maximum(richardson, 0.0)
    root = xp.sqrt(1.0 + D * stable)
    f_m_stable = 1.0 / (1.0 + 2.0 * B * stable / root)
    f_h_stable = 1.0 / (1.0 + 3.0 * B * stable * root)
    is_stable = richardson > 0.0
    return (
        neutral * xp.where(is_stable, f_m_stable, f_m_unstable),
        neutral * xp.where(is_stable, f_h_stable, f_h_unstable),
    )
