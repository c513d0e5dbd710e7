# SPDX-License-Identifier: BSD-3-Clause
"""Share of a layer that clouds fill, for radiation (Xu & Randall 1996, J. Atmos. Sci. 53, 3084-3102, eq. 1).

A fit to cloud-resolving simulations: cloud grows with the condensate, and faster the nearer the layer is to saturation.
"""

import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import (
    power,
    saturation_mixing_ratio,
)
from components.science.water import saturation_pressure, saturation_pressure_ice

EXPONENT_HUMIDITY, RATE, EXPONENT_DEFICIT = 0.25, 100.0, 0.49  # their p, alpha_0, gamma
LEAST_CONDENSATE = 1.0e-8  # kg/kg below which a layer is clear, saturated or not


def cloud_fraction(
    q_v: torch.Tensor, q_c: torch.Tensor, q_i: torch.Tensor, t: torch.Tensor, p: torch.Tensor
) -> torch.Tensor:
    """Cloud fraction (0 to 1) RH^p [1 - exp(-alpha_0 q / ((1 - RH) q_s)^gamma)], 1 at saturation.

    Parameters
    ----------
    q_v, q_c, q_i : (nz, y, x) vapour, cloud water, cloud ice of the whole layer, kg/kg
    t, p : temperature (K) and pressure (Pa)

    Notes
    -----
    Saturation is over water and over ice in the proportion of the condensate. Divide q_c and q_i by the fraction for
    what is inside the clouds.
    """
    q_c, q_i = torch.clamp(q_c, min=0.0), torch.clamp(q_i, min=0.0)
    q = q_c + q_i
    icy = q_i / torch.clamp(q, min=LEAST_CONDENSATE)
    over_water = saturation_mixing_ratio(saturation_pressure(t), p)
    over_ice = saturation_mixing_ratio(saturation_pressure_ice(t), p)
    q_s = over_water + icy * (over_ice - over_water)
    humidity = torch.clamp(q_v / q_s, 0.0, 1.0)
    deficit = torch.clamp((1.0 - humidity) * q_s, min=1.0e-12)
    cloud = power(humidity, EXPONENT_HUMIDITY) * -torch.expm1(-RATE * q / power(deficit, EXPONENT_DEFICIT))
    cloud = torch.where(humidity < 1.0, cloud, 1.0)
    return torch.where(q > LEAST_CONDENSATE, cloud, 0.0)
