# SPDX-License-Identifier: BSD-3-Clause
r"""Heat of a mixed layer of prescribed thickness.

    rho c h dT/dt = Q - Q_p(h) - rho c w_e dT_e,    w_e = max(dh/dt, 0)

Q is the heat through the surface, Q_p the sunlight that passes through the layer (Paulson and Simpson 1977), w_e the
entrainment of a deepening layer (Kraus and Turner 1967), and dT_e the jump of temperature at its base. The layer does
not cool below the freezing point: the heat then missing is kept as latent heat of ice, and is paid back first. All
functions work point by point on arrays of any shape; heat is in J m-2 and counted from the freezing point, so that

    stored = rho c h (T - T_f) + latent + below

changes by exactly the heat that enters through the surface.
"""

from components.science.arrays import operations
from components.science.constants import ICE_DENSITY, LATENT_FUSION, SEA_WATER_DENSITY, SEA_WATER_HEAT_CAPACITY

RHO_CP = SEA_WATER_DENSITY * SEA_WATER_HEAT_CAPACITY  # J m-3 K-1
FREEZING = 271.35  # K, at salinity 35


def penetrating_fraction(depth):
    """Share of the sunlight that reaches a depth [m]: two bands, Jerlov type I (Paulson and Simpson 1977, table 2)."""
    xp = operations(depth)
    return 0.58 * xp.exp(-depth / 0.35) + 0.42 * xp.exp(-depth / 23.0)


def change_thickness(temperature, below, old, new, jump):
    """Let the layer deepen or shoal, between two exchanges of heat.

    Deepening takes in water that is ``jump`` colder; shoaling leaves water of the layer's temperature behind.

    Parameters
    ----------
    temperature : K
    below : J m-2, heat under the layer
    old, new : m, thickness before and after
    jump : K, at the base of the layer

    Returns
    -------
    temperature, below
    """
    entrained = RHO_CP * jump * operations(new).maximum(new - old, 0.0)
    warmer = temperature - entrained / (RHO_CP * new)
    return warmer, below - (RHO_CP * (new - old) * (temperature - FREEZING) - entrained)


def exchange_heat(temperature, latent, heat, thickness, freezing=FREEZING):
    """Put heat into the layer; below the freezing point it turns into (negative) latent heat of ice.

    Parameters
    ----------
    temperature : K
    latent : J m-2, not above 0
    heat : J m-2 that stays in the layer, positive warms
    thickness : m
    freezing : K

    Returns
    -------
    temperature, latent
    """
    xp = operations(temperature, heat)
    capacity = RHO_CP * thickness
    content = capacity * (temperature - freezing) + latent + heat
    return freezing + xp.maximum(content, 0.0) / capacity, xp.minimum(content, 0.0)


def stored_heat(temperature, latent, below, thickness):
    """Heat of the layer, its ice and the water under it, J m-2, counted from the freezing point.

    Parameters
    ----------
    temperature : (cells,) K
    latent : heat of its ice, J m-2
    below : heat of the water under it, J m-2
    thickness : (cells,) m
    """
    return RHO_CP * thickness * (temperature - FREEZING) + latent + below


def ice_thickness(latent):
    """Thickness of the ice that holds a latent heat, m."""
    return -latent / (ICE_DENSITY * LATENT_FUSION)
