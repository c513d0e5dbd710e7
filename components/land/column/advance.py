# SPDX-License-Identifier: BSD-3-Clause
"""A step of the land's cells as a pure function of tensors, from what the air gives to what the air gets.

A cell is a mean over columns, one a plant type. Gradients pass from the exports and the new state to the old state and
the weather.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column import snow
from components.land.column.column import Forcing, Options, Output, State, step
from components.land.column.cycles.pools import stored
from components.land.column.irrigation import IRRIGATION
from components.land.column.parameters import Parameters
from components.land.column.radiation import partition
from components.land.column.structure import cut, join
from components.land.column.water_table import bottom_of
from components.science.constants import C_LIQUID, FREEZING_POINT, WATER_DENSITY
from components.science.surface_fields import ELEMENTS, RUNOFF_HEAT, RUNOFF_MATTER
from components.science.surface_layer import air_density

PLAIN = {
    "surface_temperature": "surface_temperature",
    "surface_longwave_emissivity": "emissivity",
    "surface_roughness_length": "roughness",
    "surface_upwelling_longwave_flux_in_air": "upward_longwave",
    "surface_runoff_flux": "surface_runoff",
    "subsurface_runoff_flux": "subsurface_runoff",
    "surface_net_downward_mass_flux_of_carbon_dioxide_expressed_as_carbon": "carbon_flux",
    "gross_primary_productivity": "gross_uptake",
    "transpiration_flux": "transpiration",
}
"""Exports that are the mean of one output of the columns."""
CYCLED = {
    "surface_upward_mass_flux_of_nitrous_oxide_expressed_as_nitrogen_out_of_vegetation_and_litter_and_soil": "nitrous",
    "surface_upward_mass_flux_of_ammonia_expressed_as_nitrogen": "ammonia",
    **{name: f"leached_{element}" for name, element in zip(RUNOFF_MATTER, ELEMENTS, strict=True)},
}
"""Exports of the cycles, each the mean of what they gave."""


class Weather(NamedTuple):
    """What drives a step: double tensors by cell ``(n,)``; the sun and the leaves by column ``(tiles n,)``."""

    temperature: Tensor  # K
    humidity: Tensor  # kg kg-1
    pressure: Tensor  # Pa
    eastward_wind: Tensor  # m s-1
    northward_wind: Tensor  # m s-1
    shortwave: Tensor  # W m-2
    longwave: Tensor  # W m-2
    precipitation: Tensor  # kg m-2 s-1
    snowfall: Tensor | None  # kg m-2 s-1; None: by the wet bulb
    co2: Tensor  # mole fraction
    height: Tensor  # m above the displacement height
    cos_zenith: Tensor
    daylight: Tensor | None  # the sun's height over its mean of the day, where the shortwave is that mean
    lai: Tensor
    sai: Tensor
    nitrogen_deposition: Tensor | None = None  # kg N m-2 s-1
    day_length: Tensor | None = None  # s, by column
    longest_day: Tensor | None = None  # s, of the year, by column
    ozone: Tensor | None = None  # mole fraction, by cell
    date: Tensor | None = None  # day of the year, by column
    photoperiod: Tensor | None = None  # s, day length with the twilight that crops see, by column
    phosphorus_deposition: Tensor | None = None  # kg P m-2 s-1, by cell


@dataclass(frozen=True)
class Land:
    """What stays the same through a run.

    Parameters
    ----------
    parameters : Parameters
        Of the columns, tile after tile.
    options : Options
        Choices of the column.
    share : Tensor
        Of each tile in each cell, ``(tiles, n)``.
    block : int
        Columns advanced together; it changes no bits.
    """

    parameters: Parameters
    options: Options
    share: Tensor
    block: int

    def advance(self, state: State, weather: Weather, seconds: float) -> tuple[State, dict[str, Tensor]]:
        """Advance every column and average the tiles.

        Parameters
        ----------
        state : State
            At the start of the step, ``(..., tiles n)``.
        weather : Weather
            During the step.
        seconds : float
            Length of the step, s.

        Returns
        -------
        State, dict of str to Tensor
            At the end of the step; and, by cell ``(n,)``, the exports by CF name, what the diagnostics follow, and
            ``booked_heat`` (W m-2) and ``booked_water`` (kg m-2 s-1, as those of the cycles) that entered the stores.
        """
        w = weather
        new, out = self._columns_advanced(state, self.forcing(w), seconds)
        rain, speed = torch.clamp(w.precipitation, min=0.0), _speed(w)
        density = air_density(w.pressure, w.temperature, w.humidity)
        friction = self.mean(out.friction_velocity * out.friction_velocity)
        drag = density * friction / torch.clamp(speed, min=0.5)
        return new, {
            **self._exports(new, out, self._columns(w.longwave)),
            "surface_downward_eastward_stress": drag * w.eastward_wind,
            "surface_downward_northward_stress": drag * w.northward_wind,
            **self.stores(new),
            **self._booked(out, rain),
        }

    def forcing(self, weather: Weather) -> Forcing:
        """What the columns are told of the weather, by column ``(tiles n,)``.

        Parameters
        ----------
        weather : Weather
            During the step.
        """
        w, c = weather, self._columns
        rain = torch.clamp(w.precipitation, min=0.0)
        if w.snowfall is None:
            white = rain * snow.falling_share(w.temperature, w.humidity, w.pressure)
        else:
            white = torch.minimum(torch.clamp(w.snowfall, min=0.0), rain)
        sun = c(torch.clamp(w.shortwave, min=0.0))
        direct, diffuse = partition(sun if w.daylight is None else sun * w.daylight, w.cos_zenith)
        return Forcing(
            c(w.temperature), c(torch.clamp(w.humidity, min=1e-6)), c(w.pressure), c(_speed(w)), c(w.height), direct,
            diffuse, c(w.longwave), c(rain - white), c(white), c(1e6 * w.co2), w.cos_zenith, w.lai, w.sai,
            None if w.nitrogen_deposition is None else c(w.nitrogen_deposition), w.day_length, w.longest_day,
            None if w.ozone is None else c(1e9 * w.ozone), w.date, w.photoperiod,
            None if w.phosphorus_deposition is None else c(w.phosphorus_deposition),
        )  # fmt: skip

    def over(self, depth: Tensor) -> Land:
        """The same land over water tables at some depths.

        Parameters
        ----------
        depth : Tensor
            By cell, m, ``(n,)``.
        """
        bottom = bottom_of(self._columns(depth), self.parameters.thickness)
        return replace(self, options=replace(self.options, bottom=bottom))

    def _columns(self, values: Tensor) -> Tensor:
        """Values of cells on their columns, in the columns' precision."""
        return values.to(self.share.dtype).repeat(self.share.shape[0])

    def mean(self, values: Tensor) -> Tensor:
        """Mean over the tiles of each cell, in one order, double."""
        tiles, n = self.share.shape
        rows = values.reshape(*values.shape[:-1], tiles, n)
        total = rows[..., 0, :] * self.share[0]
        for i in range(1, tiles):
            total = total + rows[..., i, :] * self.share[i]
        return total.double()

    def stores(self, state: State) -> dict[str, Tensor]:
        """Water of soil and snow by cell, kg m-2, and that of the topmost soil by volume."""
        soil = snow.over_layers((state.liquid + state.ice) * self.parameters.thickness) * WATER_DENSITY
        pack = snow.over_layers(state.snow.ice) + snow.over_layers(state.snow.liquid)
        return {
            "mass_content_of_water_in_soil": self.mean(soil),
            "volume_fraction_of_condensed_water_in_soil": self.mean(state.liquid[0] + state.ice[0]),
            "surface_snow_amount": self.mean(pack),
        }

    def _columns_advanced(self, state: State, forcing: Forcing, seconds: float) -> tuple[State, Output]:
        """All columns, a block at a time."""
        n, size = forcing.temperature.shape[-1], self.block
        if n <= size:
            return step(state, forcing, self.parameters, float(seconds), self.options)
        parts = []
        for i in range(0, n, size):
            part = slice(i, min(i + size, n))
            given = (cut(state, part), cut(forcing, part), cut(self.parameters, part))
            options = replace(self.options, bottom=cut(self.options.bottom, part))
            parts.append(step(*given, float(seconds), options))
        return join([s for s, _ in parts]), join([o for _, o in parts])

    def _exports(self, new: State, out: Output, sky: Tensor) -> dict[str, Tensor]:
        tiles = self.share.shape[0]
        albedo, up = (self.mean(a) for a in (out.albedo, out.upward_shortwave))
        emitted = out.upward_longwave - (1.0 - out.emissivity) * sky
        surface, below = self.mean(out.surface_runoff), self.mean(out.subsurface_runoff)
        warm = torch.clamp(new.soil_temperature - FREEZING_POINT, min=0.0)  # of the soil that it comes from
        runoff_heat = C_LIQUID * (warm[0] * out.surface_runoff + warm[-1] * out.subsurface_runoff)
        cycled = {} if out.cycled is None else {k: self.mean(getattr(out.cycled, v)) for k, v in CYCLED.items()}
        return {
            **{name: self.mean(getattr(out, part)) for name, part in PLAIN.items()},
            **cycled,
            "surface_emitted_longwave_flux": self.mean(emitted),
            "surface_albedo": torch.clamp(0.5 * (albedo[0] + albedo[1]), 0.0, 1.0),
            "surface_albedo_visible": torch.clamp(albedo[0], 0.0, 1.0),
            "surface_albedo_near_infrared": torch.clamp(albedo[1], 0.0, 1.0),
            "surface_downward_sensible_heat_flux": -self.mean(out.upward_sensible),
            "surface_downward_latent_heat_flux": -self.mean(out.upward_latent),
            "water_evapotranspiration_flux": self.mean(
                out.transpiration + out.interception_loss + out.ground_evaporation
            ),
            "surface_upwelling_shortwave_flux_in_air": up[0] + up[1],
            "runoff_flux": surface + below,
            RUNOFF_HEAT: self.mean(runoff_heat),
            **({} if out.irrigation is None else {IRRIGATION: self.mean(out.irrigation)}),
            "columns_unsolved": self.mean(out.unsolved) * tiles,
            "columns_unsettled": self.mean(out.unsettled) * tiles,
        }

    def _booked(self, out: Output, rain: Tensor) -> dict[str, Tensor]:
        """What enters the stores less what leaves them, by cell."""
        kept = out.net_radiation - out.upward_sensible - out.upward_latent - out.canopy_storage + out.water_heat
        lost = out.transpiration + out.interception_loss + out.ground_evaporation
        lost = self.mean(lost + out.surface_runoff + out.subsurface_runoff)
        if out.irrigation is not None:
            rain = rain + self.mean(out.irrigation)
        booked = {"booked_heat": self.mean(kept), "booked_water": rain - lost}
        if out.cycled is not None:
            for element, gained in zip(ELEMENTS, out.cycled.gained(), strict=True):
                booked[f"booked_{element}"] = self.mean(gained)
        return booked

    def cycles_stored(self, state: State) -> dict[str, Tensor]:
        """Carbon, nitrogen and phosphorus by cell, kg m-2; nothing without cycles."""
        if state.cycles is None:
            return {}
        return {k: self.mean(v) for k, v in stored(state.cycles)._asdict().items()}


def _speed(weather: Weather) -> Tensor:
    """Of the wind, m s-1."""
    w = weather
    return torch.sqrt(w.eastward_wind * w.eastward_wind + w.northward_wind * w.northward_wind)
