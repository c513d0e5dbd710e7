# SPDX-License-Identifier: BSD-3-Clause
"""Water of the land: one bucket, and snow on it.

Manabe, S. (1969): Climate and the ocean circulation I, Mon. Weather Rev. 97, 739-774. Water is in kg m-2.
"""

from components.science.arrays import operations
from components.science.constants import FREEZING_POINT, LATENT_FUSION

FULL_EVAPORATION = 0.75  # of the capacity: evaporation is potential above it (Manabe 1969, eq. 4.3)


def wetness(soil_water, snow, capacity):
    """Evaporation over potential evaporation, 0 to 1; snow evaporates freely.

    Parameters
    ----------
    soil_water, snow : (cells,) kg m-2
    capacity : of the bucket, kg m-2
    """
    xp = operations(soil_water, snow)
    return xp.where(snow > 0.0, 1.0, xp.minimum(soil_water / (FULL_EVAPORATION * capacity), 1.0))


def snow_albedo(snow, bare, covered, masking):
    """Albedo of ground partly covered by ``snow``; half of it at a snow mass of ``masking`` kg m-2.

    Parameters
    ----------
    snow : (cells,) kg m-2
    bare, covered : albedo without snow and under deep snow
    masking : snow that covers half, kg m-2
    """
    return bare + (covered - bare) * snow / (snow + masking)


def water_balance(
    soil_water, snow, temperature, precipitation, evaporation, air_temperature, capacity, heat_capacity, snowfall=None
):
    """Rain, snow, evaporation, melt and runoff of one step.

    Snow that the air has made has left its heat of fusion there. Where the air does not say what is snow,
    precipitation lies down as snow below freezing: it comes as liquid water, so its heat of fusion stays in the
    ground. Melting takes it. Heat of the ground minus heat of fusion of the snow changes by -L_f ``snowfall``.

    Parameters
    ----------
    soil_water, snow : kg m-2
    temperature : K, of the ground after the energy balance
    precipitation, evaporation : kg m-2 in this step; negative evaporation is dew
    air_temperature : K
    capacity : kg m-2
    heat_capacity : J m-2 K-1
    snowfall : kg m-2 in this step, part of the precipitation, where the air knows it

    Returns
    -------
    soil_water, snow, temperature, runoff [kg m-2]
    """
    xp = operations(temperature, soil_water, snow)
    if snowfall is None:
        falls_as_snow = xp.where(air_temperature < FREEZING_POINT, precipitation, 0.0)
        temperature = temperature + LATENT_FUSION * falls_as_snow / heat_capacity
    else:
        falls_as_snow = xp.minimum(xp.maximum(snowfall, 0.0), precipitation)
    snow = snow + falls_as_snow
    soil_water = soil_water + (precipitation - falls_as_snow)

    from_snow = xp.where(evaporation > 0.0, xp.minimum(evaporation, snow), 0.0)  # melted first, then evaporated
    snow = snow - from_snow
    temperature = temperature - LATENT_FUSION * from_snow / heat_capacity
    soil_water = soil_water - (evaporation - from_snow)

    melt = xp.minimum(snow, xp.maximum(temperature - FREEZING_POINT, 0.0) * heat_capacity / LATENT_FUSION)
    snow = snow - melt
    temperature = temperature - LATENT_FUSION * melt / heat_capacity
    soil_water = soil_water + melt

    runoff = xp.maximum(soil_water - capacity, 0.0)
    return soil_water - runoff, snow, temperature, runoff
