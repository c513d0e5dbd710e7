# SPDX-License-Identifier: BSD-3-Clause
"""The built part of each cell of a land: a canyon apart from the columns, blended into what they give the air."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from components.land.column import snow
from components.land.column.column_state import State as LandState
from components.land.column.land_use import HandedOver, Years, hand_over
from components.land.column.parameters import Parameters
from components.land.column.radiation import partition
from components.land.column.urban import energy
from components.land.column.urban.canyon import Faces, diffuse_light, effective_emissivity
from components.land.column.urban.energy import LAYERS, Air, City, Fabric, Fluxes, State
from components.land.column.urban.people import heat_of_people, local_time
from components.land.column.urban.sealed import Sealed, built_by_year
from components.science.constants import C_LIQUID, FREEZING_POINT, STEFAN_BOLTZMANN
from components.science.surface_fields import RUNOFF_HEAT
from components.science.surface_layer import air_density
from coupler.component import Context
from coupler.namelist import Fraction, Namelist, Temperature, quantity

GIVEN_HEAT = "surface_upward_heat_flux_due_to_anthropogenic_energy_consumption"
COUNTS = ("columns_unsolved", "columns_unsettled")
Height = quantity("m", least=2.0, most=500.0)
Ratio = quantity("1", least=0.05, most=20.0)
People = quantity("km-2", least=0.0, most=1e5)
Cars = quantity("1", least=0.0, most=3.0)
Way = quantity("km", least=0.0, most=500.0)


class CityOptions(Namelist):
    """Cities as street canyons beside the plants of a cell."""

    share: Fraction = 0.0
    """Of each cell that is built (roofs and streets), where the surface file has no `urban_fraction`."""
    roofs: Fraction = 0.5
    """Share of the built ground under roofs."""
    height: Height = 12.0
    """Of the buildings."""
    ratio: Ratio = 1.0
    """Height of the buildings over width of the streets."""
    roof_albedo: Fraction = 0.15
    """Of roofs."""
    wall_albedo: Fraction = 0.25
    """Of walls."""
    road_albedo: Fraction = 0.10
    """Of roads."""
    coldest_room: Temperature = 292.15
    """To which buildings are heated."""
    warmest_room: Temperature = 299.15
    """To which they are cooled; the heat goes into the street."""
    population: People = 5000.0
    """People a square kilometre of built ground, whose bodies and cars are warm."""
    cars: Cars = 0.3
    """A head."""
    driven: Way = 20.0
    """By each car a day."""


class Named(NamedTuple):
    """Stores of the built part, by cell of the land: heat (J m-2) and water (kg m-2) of built ground."""

    heat: Tensor
    water: Tensor


class CityTile:
    """Built ground of the land cells of a block.

    Parameters
    ----------
    options : CityOptions
        Shape and people.
    share : Tensor
        Of each cell that is built, (n,).
    longitude : Tensor
        Of the cells, degrees, for the hour of the day.
    temperature : Tensor
        At the start, K, (n,).
    """

    years: Years
    sealed: Sealed | None = None

    def __init__(self, options: CityOptions, share: Tensor, longitude: Tensor, temperature: Tensor):
        o, one = options, torch.ones_like(share)
        self.options, self.share, self.longitude = o, share, longitude
        self.city = City(
            o.roofs * one, o.ratio * one, o.height * one,
            Fabric(o.roof_albedo * one, 0.91 * one, 0.05, 0.7, 1.4e6),
            Fabric(o.wall_albedo * one, 0.90 * one, 0.06, 0.9, 1.6e6),
            Fabric(o.road_albedo * one, 0.95 * one, 0.10, 1.2, 1.9e6), o.coldest_room, o.warmest_room,
        )  # fmt: skip
        self.now = energy.at_start(self.city, temperature)
        self.heat = torch.zeros_like(share)  # that people made in the last step, W m-2 of built ground

    @classmethod
    def of(cls, context: Context, land: Any, start: Tensor) -> CityTile:
        """The built ground of a land component's block.

        Parameters
        ----------
        context : Context
            Of the component.
        land : ColumnLand
            Its options, cells and places.
        start : Tensor
            Temperature of the cells, K, (n,).
        """
        o, n = land.options, start.shape[0]
        b = context.decomposition.block_of(context.rank)
        here = np.zeros(context.grid.shape, bool)
        here[b.y0 : b.y1, b.x0 : b.x1] = land.cells
        years = built_by_year(context.file(o.surface), here) if o.surface else None
        years = Years((), np.full((1, n), o.city.share)) if years is None else years
        share = torch.as_tensor(years.of(context.clock.date(0).year))
        made = cls(o.city, share, land.longitude[:n].double().cpu(), start.double().cpu())
        made.years, made.sealed = years, Sealed.of(land, start) if years.years else None
        return made

    def built(self, year: int) -> Tensor:
        """Share of each cell that is built in a year, (n,).

        Parameters
        ----------
        year : int
            Of the calendar.
        """
        return self.share if self.sealed is None else torch.as_tensor(self.years.of(year))

    def hand_over(
        self, state: LandState, parameters: Parameters, old: Tensor, new: Tensor, built: Tensor
    ) -> tuple[HandedOver, Tensor]:
        """The state of the columns once shares have changed, and the heat that came with new stone, J m-2 of the cell.

        Stone that is torn down takes its heat along. Water on paving stays on what is left of it, or on the ground.

        Parameters
        ----------
        state, parameters : State, Parameters
            Of the columns, tile after tile.
        old, new : Tensor
            Shares of the tiles in the unbuilt ground, (tile, cell).
        built : Tensor
            Share of the cell that is built now, (cell,).
        """
        was, like = self.share, old
        if self.sealed is None:
            made = hand_over(state, parameters, old, new)
            products = None if made.products is None else (1.0 - was.to(made.products)) * made.products
            return made._replace(products=products), torch.zeros_like(was)
        stores = self.stores()
        gone = torch.where(was > 0.0, (was - built).clamp(min=0.0) / was.clamp(min=1e-12), 0.0)
        self.sealed.soak(gone * stores.water)
        made = self.sealed.hand_over(state, (old, was.to(like)), (new, built.to(like)))
        thinner = torch.where(built > was, was / built.clamp(min=1e-12), 1.0)
        self.now = self.now._replace(puddles=self.now.puddles * thinner)
        self.share = built
        return made, (built - was) * stores.heat

    def with_stores(self, found: dict[str, Tensor]) -> dict[str, Tensor]:
        """Stores of whole cells, J m-2 and kg m-2, from those of their unbuilt ground.

        Parameters
        ----------
        found : dict of str to Tensor
            By name, (n,).
        """
        own, u = self.stores()._asdict(), self.share
        for k, v in ({} if self.sealed is None else self.sealed.stores()).items():
            own[k] = own.get(k, 0.0) + v
        return {k: (1.0 - u) * v.cpu() + u * own.get(k, torch.zeros_like(u)) for k, v in found.items()}

    def stores(self) -> Named:
        """Heat above 0 C and water of the built ground."""
        c, s, street = self.city, self.now, 1.0 - self.city.roofs
        heat = c.roofs * c.room_capacity * (s.room - FREEZING_POINT)
        areas = (c.roofs, 2.0 * c.ratio * street, street)
        for fabric, area, layers in zip((c.roof, c.wall, c.road), areas, s[:3], strict=True):
            total = layers[0] - FREEZING_POINT
            for layer in range(1, LAYERS):
                total = total + (layers[layer] - FREEZING_POINT)
            heat = heat + area * fabric.thickness * fabric.capacity * total
        return Named(heat, c.roofs * s.puddles[0] + street * s.puddles[1])

    def step(
        self, given: dict[str, Tensor], weather: Any, date: Any, seconds: float, whole: Tensor | None
    ) -> dict[str, Tensor]:
        """What the columns gave with the built part in its share.

        Parameters
        ----------
        given : dict of str to Tensor
            By cell, of unbuilt ground.
        weather : Weather
            That drove the columns.
        date : date
            Of the middle of the step.
        seconds : float
            Its length.
        whole : Tensor or None
            Heat of people by a file, W m-2 of the whole cell; it stands for traffic, bodies and buildings.
        """
        w, n, u = weather, self.share.shape[0], self.share
        air, sun = self._air(w, date, whole)
        self.now, f = energy.step(self.city, self.now, air, seconds)
        self.heat = air.people + f.heating
        city = self._exports(w, air, f, sun)
        blended = {}
        for name, value in given.items():
            own = city.get(name)
            mixed = (1.0 - u) * value.cpu() + (u * own if own is not None else 0.0)
            blended[name] = value if name in COUNTS or n == 0 else torch.where(u > 0.0, mixed, value.cpu())
        return blended

    def _air(self, w: Any, date: Any, whole: Tensor | None) -> tuple[Air, Tensor]:
        n, o = self.share.shape[0], self.options
        mu = w.cos_zenith[:n].double().cpu()
        rain = w.precipitation.clamp(min=0.0)
        white = rain * snow.falling_share(w.temperature, w.humidity, w.pressure) if w.snowfall is None else w.snowfall
        sun = w.shortwave.clamp(min=0.0) * (1.0 if w.daylight is None else w.daylight[:n])
        direct, diffuse = partition(sun, mu)
        weekday = date.dayofwk if hasattr(date, "dayofwk") else date.weekday()
        hour, day = local_time(date.hour + date.minute / 60.0, weekday, self.longitude)
        people = heat_of_people(hour, day, o.population, o.cars, o.driven)
        if whole is not None:
            people = whole / self.share.clamp(min=1e-6) - (self.heat - self._people)
        self._people = people
        wind = torch.sqrt(w.eastward_wind * w.eastward_wind + w.northward_wind * w.northward_wind)
        return Air(
            w.temperature, w.humidity.clamp(min=1e-6), w.pressure, wind, w.height, direct[0] + direct[1],
            diffuse[0] + diffuse[1], w.longwave, rain, torch.minimum(white.clamp(min=0.0), rain), mu, people,
        ), sun  # fmt: skip

    _people: Tensor | float = 0.0

    def _exports(self, w: Any, air: Air, f: Fluxes, sun: Tensor) -> dict[str, Tensor]:
        c, street = self.city, 1.0 - self.city.roofs
        walls = c.wall.emissivity
        emissivity = c.roofs * c.roof.emissivity + street * effective_emissivity(
            Faces(c.road.emissivity, walls, walls), c.ratio
        )
        emitted = f.upward_longwave - (1.0 - emissivity) * air.longwave
        grey = diffuse_light(torch.ones_like(sun), Faces(c.road.albedo, c.wall.albedo, c.wall.albedo), c.ratio)
        dull = c.roofs * c.roof.albedo + street * grey.escaped
        albedo = torch.where(sun > 1e-6, f.upward_shortwave / sun.clamp(min=1e-6), dull).clamp(0.0, 1.0)
        drag = air_density(air.pressure, air.temperature, air.humidity) * f.drag * air.wind
        warm = (self.now.road[0] - FREEZING_POINT).clamp(min=0.0)
        return {
            "surface_temperature": torch.sqrt(torch.sqrt(emitted / (emissivity * STEFAN_BOLTZMANN))),
            "surface_longwave_emissivity": emissivity,
            "surface_roughness_length": 0.1 * c.height,
            "surface_upwelling_longwave_flux_in_air": f.upward_longwave,
            "surface_emitted_longwave_flux": emitted,
            "surface_albedo": albedo, "surface_albedo_visible": albedo, "surface_albedo_near_infrared": albedo,
            "surface_downward_sensible_heat_flux": -f.sensible,
            "surface_downward_latent_heat_flux": -f.latent,
            "water_evapotranspiration_flux": f.evaporation,
            "surface_upwelling_shortwave_flux_in_air": f.upward_shortwave,
            "surface_downward_eastward_stress": drag * w.eastward_wind,
            "surface_downward_northward_stress": drag * w.northward_wind,
            "surface_runoff_flux": f.runoff, "runoff_flux": f.runoff, RUNOFF_HEAT: C_LIQUID * warm * f.runoff,
            "booked_heat": f.stored, "booked_water": air.rain - f.evaporation - f.runoff,
        }  # fmt: skip

    def arrays(self) -> dict[str, Tensor]:
        """State by name, (..., n)."""
        people = self._people if isinstance(self._people, Tensor) else torch.zeros_like(self.share)
        return {
            **{f"city_{k}": v for k, v in self.now._asdict().items()},
            "city_heat": self.heat,
            "city_people": people,
            **({} if self.sealed is None else {"city_share": self.share, **self.sealed.arrays()}),
        }

    def restore(self, found: dict[str, Tensor]) -> None:
        """Restore what `arrays` gave.

        Parameters
        ----------
        found : dict of str to Tensor
            By name.
        """
        self.now = State(*(found[f"city_{k}"] for k in State._fields))
        self.heat, self._people = found["city_heat"], found["city_people"]
        if self.sealed is not None:
            self.share = found["city_share"]
            self.sealed.restore(found)
