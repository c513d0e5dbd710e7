# SPDX-License-Identifier: BSD-3-Clause
"""What drives a step of a land component: the imports on its land cells, the sun, and leaves of the date."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from components.land.column.advance import Weather
from components.land.column.cycles.crop_development import TWILIGHT
from components.land.column.seasons import mean_sun
from components.science.sun import cosine_zenith, day_length, days_since_2000, longest_day
from components.science.surface_fields import SURFACE_OZONE


def weather_of(land: Any, time: int, seconds: int, imports: Mapping[str, Any]) -> Weather:
    """Weather of a step.

    Parameters
    ----------
    land : ColumnLand
    time : at which the step begins, s
    seconds : length of the step
    imports : fields of the block by name, arrays or tensors
    """
    o, cells = land.options, torch.tensor(land.cells)
    device = land.share.device

    def local(name: str, default: float = 0.0) -> Tensor:
        if imports.get(name) is None:
            return torch.full((int(cells.sum()),), default, dtype=torch.float64, device=device)
        return on_land(imports[name])

    def on_land(field: Any) -> Tensor:
        given = field if isinstance(field, Tensor) else torch.tensor(np.asarray(field))
        return given.double()[cells].to(device)

    def given(name: str) -> Tensor | None:
        return None if imports.get(name) is None else local(name)

    middle = land.clock.date(time + seconds // 2)
    now = days_since_2000(middle)
    mu = cosine_zenith(land.longitude, land.latitude, now)
    daylight = None
    if o.daily_means:
        start = now - 0.5 * seconds / 86400.0
        daylight = share_of_day(land, now, mean_sun(land.longitude, land.latitude, start, seconds))
    lai, sai = land._leaves(middle)
    cycling, traits = land.cycling, land.parameters.cycles
    calendar = traits is not None and traits.farming.by_date
    farmed = traits is not None and bool((traits.farming.crop > 0.5).any())
    return Weather(
        local("air_temperature"), local("specific_humidity"), local("surface_air_pressure"),
        local("eastward_wind"), local("northward_wind"), local("surface_downwelling_shortwave_flux_in_air"),
        local("surface_downwelling_longwave_flux_in_air"), local("precipitation_flux"), given("snowfall_flux"),
        local("mole_fraction_of_carbon_dioxide_in_air", o.co2), local("height", o.air_height), mu, daylight,
        lai, sai,
        on_land(land.deposition.nitrogen.at(time + seconds // 2, imports)) if cycling else None,
        day_length(land.latitude, now) if cycling else None,
        longest_day(land.latitude) if cycling else None,
        given(SURFACE_OZONE) if land.parameters.ozone is not None else None,
        torch.full_like(land.latitude, float(middle.timetuple().tm_yday)) if calendar else None,
        day_length(land.latitude, now, TWILIGHT) if farmed else None,
        on_land(land.deposition.phosphorus.at(time + seconds // 2, imports)) if cycling else None,
    )  # fmt: skip


def share_of_day(land: Any, now: float, mu: Tensor) -> Tensor:
    """The sun's height in a step over its mean of the day; 1 in the polar night, with nothing to share.

    Parameters
    ----------
    land : ColumnLand, which keeps the day's mean
    now : days since 2000 began, UTC
    mu : (columns,) mean cosine of the zenith angle in the step
    """
    if land.day != math.floor(now):
        land.day = math.floor(now)
        land.day_mean = mean_sun(land.longitude, land.latitude, float(land.day))
    risen = land.day_mean > 1e-4
    return torch.where(risen, mu / torch.clamp(land.day_mean, min=1e-4), torch.ones_like(mu))
