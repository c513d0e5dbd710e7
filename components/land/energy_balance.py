# SPDX-License-Identifier: BSD-3-Clause
r"""Surface temperature of a layer with heat capacity, solved implicitly.

    C dT/dt = (1 - albedo) S + epsilon (L - sigma T^4) - H(T) - L_v E(T)

Every flux is linear in T about the old temperature, and what is exported is the flux at the new one, so the step is
stable for any length and the heat that enters the layer is the heat that leaves the air.
"""

from typing import NamedTuple

import numpy as np

from components.science.arrays import operations
from components.science.constants import CP_DRY, LATENT_VAPORISATION, STEFAN_BOLTZMANN
from components.science.surface_layer import air_density, bulk_richardson, referred_to_ground, transfer_coefficients
from components.science.water import growth, humidity_slope, saturation_pressure, specific_humidity


class Air(NamedTuple):
    """What the atmosphere gives, arrays of one shape.

    temperature [K], humidity [kg kg-1], eastward and northward wind, mean speed [m s-1], surface pressure [Pa],
    downward shortwave and longwave [W m-2].
    """

    temperature: np.ndarray
    humidity: np.ndarray
    eastward_wind: np.ndarray
    northward_wind: np.ndarray
    speed: np.ndarray
    pressure: np.ndarray
    shortwave: np.ndarray
    longwave: np.ndarray


class Fluxes(NamedTuple):
    """Fluxes at the new temperature: W m-2 and Pa positive down; evaporation [kg m-2 s-1] positive up."""

    sensible: np.ndarray
    latent: np.ndarray
    evaporation: np.ndarray
    eastward_stress: np.ndarray
    northward_stress: np.ndarray
    longwave_up: np.ndarray
    shortwave_up: np.ndarray
    net_longwave: np.ndarray
    net_shortwave: np.ndarray
    net: np.ndarray
    emitted: np.ndarray


def resting(temperature, emissivity):
    """Fluxes before any has passed: the ground emits, and gets as much.

    Parameters
    ----------
    temperature : K
    emissivity : 0 to 1

    Returns
    -------
    Fluxes
    """
    squared = temperature * temperature
    emitted = emissivity * STEFAN_BOLTZMANN * squared * squared
    zero = 0.0 * emitted
    return Fluxes(*[zero] * len(Fluxes._fields))._replace(longwave_up=emitted, emitted=emitted)


def solve(temperature, air, wetness, available_water, albedo, emissivity, roughness, heat_capacity, height, seconds):
    """One step of the energy balance.

    Parameters
    ----------
    temperature : K, at the start of the step
    air : Air
    wetness : 0 to 1, evaporation over potential evaporation; dew forms at the potential rate
    available_water : kg m-2, most that may evaporate in this step
    albedo, emissivity : 0 to 1
    roughness : m
    heat_capacity : J m-2 K-1
    height : m, of the air's values above ground
    seconds : length of the step

    Returns
    -------
    temperature at the end [K], Fluxes
    """
    xp = operations(temperature, *air)
    wind = xp.maximum(air.speed, 1.0)  # m s-1; calm air still convects
    theta = referred_to_ground(air.temperature, height)
    richardson = bulk_richardson(theta, temperature, wind, height)
    c_m, c_h = transfer_coefficients(richardson, height, roughness)
    rho = air_density(air.pressure, air.temperature, air.humidity)

    conductance = rho * c_h * wind
    sensible_slope = CP_DRY * conductance
    sensible_up = sensible_slope * (temperature - theta)

    e_s = saturation_pressure(temperature)
    q_s, q_slope = specific_humidity(e_s, air.pressure), humidity_slope(e_s, growth(temperature), air.pressure)
    beta = xp.where(q_s > air.humidity, wetness, 1.0)
    evaporation = beta * conductance * (q_s - air.humidity)
    evaporation_slope = beta * conductance * q_slope

    t3 = temperature * temperature * temperature
    emitted = emissivity * STEFAN_BOLTZMANN * t3 * temperature
    emitted_slope = 4.0 * emissivity * STEFAN_BOLTZMANN * t3

    def new_change(evaporation, evaporation_slope):
        gain = (1.0 - albedo) * air.shortwave + emissivity * air.longwave - emitted - sensible_up
        slope = emitted_slope + sensible_slope + LATENT_VAPORISATION * evaporation_slope
        return (gain - LATENT_VAPORISATION * evaporation) / (heat_capacity / seconds + slope)

    change = new_change(evaporation, evaporation_slope)
    # Where there is not enough water, what there is evaporates, whatever the temperature.
    most = available_water / seconds
    short = evaporation + evaporation_slope * change > most
    evaporation = xp.where(short, most, evaporation)
    evaporation_slope = xp.where(short, 0.0, evaporation_slope)
    change = new_change(evaporation, evaporation_slope)

    evaporation = evaporation + evaporation_slope * change
    sensible = -(sensible_up + sensible_slope * change)
    emitted = emitted + emitted_slope * change
    longwave_up = emitted + (1.0 - emissivity) * air.longwave
    shortwave_up = albedo * air.shortwave
    latent = -LATENT_VAPORISATION * evaporation
    net_longwave, net_shortwave = air.longwave - longwave_up, air.shortwave - shortwave_up
    net = net_shortwave + net_longwave + sensible + latent
    drag = rho * c_m * wind
    fluxes = Fluxes(
        sensible,
        latent,
        evaporation,
        drag * air.eastward_wind,
        drag * air.northward_wind,
        longwave_up,
        shortwave_up,
        net_longwave,
        net_shortwave,
        net,
        emitted,
    )
    return temperature + change, fluxes
