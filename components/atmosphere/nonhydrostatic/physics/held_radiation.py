# SPDX-License-Identifier: BSD-3-Clause
"""Radiation between its calls: it holds, but for what the ground sends up, which is the ground's own at every step.

A change of the ground's longwave since the call is absorbed layer by layer as far as the air does not let it pass, and
the rest leaves at the top (Hogan & Bozzo 2015, J. Adv. Model. Earth Syst. 7, 990); of reflected sunlight all leaves. So
what comes through the lid is what heats the air and what the ground keeps, at every step.
"""

import torch

from components.radiation.scheme import Radiation
from components.science.constants import CP_DRY


def of_dry_air(sky: Radiation, water: torch.Tensor) -> Radiation:
    """Radiation of layers that weigh (1 + ``water``) of their dry air, as heating of that dry air: one energy.

    Parameters
    ----------
    sky : of a scheme, whose heating is that of the whole weight with c_p of dry air
    water : (nz, y, x) all water, kg per kg of dry air
    """
    return sky._replace(heating=sky.heating * (1.0 + water))


def followed(sky: Radiation, longwave: torch.Tensor, shortwave: torch.Tensor, mass: torch.Tensor) -> Radiation:
    """Radiation over a ground that now sends other fluxes up.

    Parameters
    ----------
    sky : radiation that holds, complete
    longwave, shortwave : upwelling from the ground now (y, x), W m-2
    mass : (nz, y, x) of dry air, kg m-2
    """
    assert sky.passing is not None and sky.lid is not None
    more, brighter = longwave - sky.longwave_up, shortwave - sky.shortwave_up
    absorbed = more * (sky.passing[:-1] - sky.passing[1:])
    escaped = more * sky.passing[-1]
    return sky._replace(
        heating=sky.heating + absorbed / (CP_DRY * mass),
        longwave_up=longwave,
        shortwave_up=shortwave,
        outgoing_longwave=sky.outgoing_longwave + escaped,
        reflected_shortwave=sky.reflected_shortwave + brighter,
        lid=sky.lid - escaped - brighter,
    )
