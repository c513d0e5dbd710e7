# SPDX-License-Identifier: BSD-3-Clause
"""The energy-water-carbon column on the land cells of a grid, several plant types a cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from components.land.column import assimilated, farm_maps, first_guess
from components.land.column.advance import CYCLED, Land, Weather
from components.land.column.aquifer import Aquifer
from components.land.column.checks import problems_of, short_seasons
from components.land.column.column import Options, State, heat_stored, initial_state, water_stored
from components.land.column.component_cycles import NITROGEN, PHOSPHORUS, depositions, rested, to_rest, totals
from components.land.column.cycles import spin_up
from components.land.column.cycles.pools import leaf_area
from components.land.column.gas_exchange import Stomata
from components.land.column.irrigation import IRRIGATION
from components.land.column.land_use import hand_over
from components.land.column.leaf_contents import SpectralOptics, with_spectral_optics
from components.land.column.options import ColumnOptions
from components.land.column.overpass import Overpasses
from components.land.column.parameters import THICKNESS, parameters
from components.land.column.products import Products
from components.land.column.richards import Bottom
from components.land.column.river_water import asked_of_rivers, meet_rivers
from components.land.column.seasons import leaves_at
from components.land.column.start import climate, soil_water, temperature, with_plants, with_usual_year
from components.land.column.structure import named, rebuild
from components.land.column.surface_map import SurfaceMap, from_file, uniform, zonal
from components.land.column.urban.tile import GIVEN_HEAT, CityTile
from components.land.column.weather import weather_of
from components.land.spectra.bands import UNITS
from components.science.constants import FREEZING_POINT, STEFAN_BOLTZMANN
from components.science.surface_fields import (
    AIR_OVER_LAND,
    ELEMENTS,
    RIVER_WATER,
    RUNOFF_HEAT,
    SURFACE_FLUXES,
    SURFACE_OZONE,
)
from coupler.component import Array, Component, Context, Fields, Setting
from coupler.fields import FieldSpec, specs
from coupler.files.forcing import optional_mask
from coupler.grids.grid import Grid

ELSEWHERE = {
    "surface_temperature": FREEZING_POINT,
    "surface_longwave_emissivity": 0.97,
    "surface_roughness_length": 0.1,
}
"""Values of cells that are no land; others have zero."""
FOLLOWED = ("gross_primary_productivity", "transpiration_flux")


class ColumnLand(Component):
    """Canopy, snow and soil by plant type; owns its fluxes; see README.md."""

    description = "canopy, snow and soil columns with a choice of stomata"
    imports = specs(
        *AIR_OVER_LAND,
        "precipitation_flux",
        FieldSpec("snowfall_flux", required=False),
        FieldSpec("mole_fraction_of_carbon_dioxide_in_air", required=False),
        FieldSpec("height", required=False),
        FieldSpec(GIVEN_HEAT, required=False),
    )
    exports = specs(
        "surface_temperature",
        "surface_albedo",
        "surface_albedo_visible",
        "surface_albedo_near_infrared",
        "surface_longwave_emissivity",
        "surface_emitted_longwave_flux",
        "surface_roughness_length",
        *SURFACE_FLUXES,
        "runoff_flux",
        "surface_runoff_flux",
        "subsurface_runoff_flux",
        RUNOFF_HEAT,
        "surface_net_downward_mass_flux_of_carbon_dioxide_expressed_as_carbon",
        "mass_content_of_water_in_soil",
        "volume_fraction_of_condensed_water_in_soil",
        "surface_snow_amount",
    )
    diagnostic_units = {
        "gross_primary_productivity": "umol m-2 s-1",
        "transpiration_flux": "kg m-2 s-1",
        "columns_unsolved": "1",
        "columns_unsettled": "1",
        "energy_residual": "J m-2",
        "water_residual": "kg m-2",
        **{f"{element}_not_booked": "kg m-2" for element in ELEMENTS},
        "leaf_area_index": "1",
        "water_table_depth": "m",
        GIVEN_HEAT: "W m-2",
        **UNITS,
    }

    shapes_state = ("tiles", "plants", "soil", "surface", "retention", "groundwater")

    Options = ColumnOptions  # type: ignore[assignment]

    def __init__(self, options: Any):
        super().__init__(options)
        self.cycling = options.leaves == "prognostic" or options.nitrogen != "none"
        self.irrigated = self.cycling and options.irrigation != "none"
        if self.cycling:
            self.imports = (*self.imports, *(FieldSpec(k.field, required=False) for k in (NITROGEN, PHOSPHORUS)))
            if options.ozone != "none":
                self.imports = (*self.imports, FieldSpec(SURFACE_OZONE, required=False))
            self.exports = (*self.exports, *specs(*CYCLED))
            if self.irrigated:
                self.exports = (*self.exports, *specs(IRRIGATION))
        if options.increments:
            self.imports = (*self.imports, *assimilated.added_fields(len(THICKNESS)))
            self.exports = (*self.exports, *assimilated.seen_fields(len(THICKNESS)))
        told = asked_of_rivers(options.groundwater == "lateral", self.irrigated)
        if told:
            self.imports = (
                *self.imports,
                *(FieldSpec(n, required=False, partial=True, taking=RIVER_WATER) for n in told),
            )
            self.exports = (*self.exports, *specs(RIVER_WATER))

    def grids(self, setting: Setting) -> dict[str, Grid]:
        """The namelist's grid with the file's land mask, where it has one; interpolated: all cells with some land."""
        grid, mask = setting.grid, None
        if self.options.file:
            mask = optional_mask(setting.file(self.options.file), "land_binary_mask", setting.clock, grid=grid)
        return {"default": grid if mask is None else grid.with_mask(grid.mask & (mask > 0.0))}

    def check(self, setting: Setting) -> list[str]:
        """Unknown names, files that are missing or on another grid; see checks.py."""
        return problems_of(self.options, setting, self.grids)

    def remarks(self, setting: Setting) -> list[str]:
        """Crops for whose every variety the climate's year is too short."""
        return short_seasons(self.options, setting, self.grids) if self.cycling else []

    def prepare_inputs(
        self, setting: Setting, files: Sequence[Path], report: Callable[[str, float], None]
    ) -> Mapping[str, Any]:
        """A surface file out of the user's maps of land cover, leaf area and soil; see prepare.py."""
        from components.land.column.prepare import prepare

        prepare(setting.grid, files, setting.folder / "surface.nc", report)
        return {"surface": "surface.nc"}

    def initialize(self, context: Context) -> Fields:
        """Columns of this rank's land cells at rest."""
        o = self.options
        self.clock = context.clock
        device = "cuda" if o.device != "cpu" and torch.cuda.is_available() else "cpu"
        if o.device == "auto" and device == "cpu":
            context.log("no CUDA device: the land runs on the CPU")
        torch.set_num_threads(context.threads)
        self.like: dict[str, Any] = {
            "dtype": torch.float64 if o.precision == "double" else torch.float32,
            "device": device,
        }
        self.shape = context.local_shape
        whole = np.asarray(context.grid.mask)
        self.cells = context.local(whole)
        latitude, longitude = (context.local(v)[self.cells] for v in (context.grid.latitude, context.grid.longitude))
        self.land = self._surface(context, latitude)
        tiles, n = self.land.share.shape
        self.plants = [name for row in self.land.plants for name in row]
        years = self.land.years
        self.share = self._tensor(self.land.share if years is None else years.of(context.clock.date(0).year))
        self.parameters = parameters(
            self.plants, self.land.soil * tiles, o.retention, cycles=self.cycling,
            continuum=o.hydraulics == "continuum", ozone=o.ozone if self.cycling else "none", **self.like,
        )  # fmt: skip
        self.parameters = farm_maps.farmed(self.parameters, self.land.maps, self.plants, o.fertiliser)
        self.optics = SpectralOptics(o.nitrogen) if o.optics == "spectral" else None
        if self.optics is not None:
            self.parameters = with_spectral_optics(self.parameters)
        self.latitude, self.longitude = (self._tensor(v).repeat(tiles) for v in (latitude, longitude))
        stomata = Stomata(o.stomata, memory=o.night_memory or None, guess=first_guess.used(o.first_guess))
        model = Options(
            stomata, o.photosynthesis, o.infiltration,
            Bottom(o.bottom, slope=o.drainage_slope), o.soil_resistance, nitrogen=o.nitrogen,
            prognostic_leaves=o.leaves == "prognostic", irrigated=self.irrigated,
        )  # fmt: skip
        self.columns = Land(self.parameters, model, self.share, o.block)
        self.climate = climate(context, o.climate, self.cells)
        self.table = Aquifer(context, self) if o.groundwater == "lateral" else None
        warmth = temperature(context, o.file, o.initial_temperature, self.cells)
        wetness = soil_water(self.parameters, o, self.climate, tiles, None if self.table is None else self.table.depth)
        self.now = initial_state(self.parameters, self._tensor(warmth).repeat(tiles), wetness)
        if self.cycling:
            leaves, paddies = self._leaves(context.clock.date(0))[0], o.irrigation == "paddy"
            self.now = with_plants(self.now, self.parameters, leaves, paddies)
            self.now = farm_maps.with_phosphorus(self.now, self.land.maps)
            self.now, said = with_usual_year(self.now, self.parameters, self.climate, self.share)
            context.log(said) if said else None
            if self.land.maps and context.rank == 0:
                context.log(f"{o.surface} gives {', '.join(self.land.maps)}; tables and defaults the rest")
            self.deposition = depositions(context, o, self.cells)
        self.overpasses = (
            None if o.spectra is None else Overpasses(o.spectra, self.columns, self.latitude, self.longitude)
        )
        self.city = CityTile.of(context, self, self._tensor(warmth)) if o.city else None
        changing = years is not None or (self.city is not None and self.city.sealed is not None)
        self.products = Products(n) if self.cycling and changing else None
        self.counts = {"columns_unsolved": np.zeros(self.shape), "columns_unsettled": np.zeros(self.shape)}
        self.followed: dict[str, Array] = {}
        stores = self.budget()
        self.booked = {f"booked_{k}": np.zeros(self.shape) for k in stores}
        self.booked.update({f"{k}_at_start": v for k, v in stores.items()})
        self.day, self.day_mean = None, self.latitude
        if n == 0:
            context.log("no land in a block of this component; use fewer ranks, or a grid with land")
        return self._start()

    def _surface(self, context: Context, latitude: Array) -> SurfaceMap:
        o = self.options
        if o.plants:
            return uniform(o.plants, o.soil, latitude.size, o.tiles)
        if o.surface:
            here = np.zeros(context.grid.shape, bool)
            b = context.decomposition.block_of(context.rank)
            here[b.y0 : b.y1, b.x0 : b.x1] = self.cells
            return from_file(context.file(o.surface), here, latitude, o.tiles)
        return zonal(latitude, o.tiles)

    def _tensor(self, values: Array) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(values)).to(**self.like)

    def _leaves(self, date: Any) -> tuple[Tensor, Tensor]:
        """Leaf and stem area of every column at a date."""
        found = leaves_at(date, self.plants, self.latitude.tolist(), self.land.monthly_lai)
        lai, sai = (self._tensor(values) for values in found)
        return lai, sai

    def weather(self, time: int, seconds: int, imports: Mapping[str, Any]) -> Weather:
        """What drives the step from `time` on: imports (arrays or tensors) on the land cells, sun and leaves."""
        return weather_of(self, time, seconds, imports)

    def advance(self, state: State, forcing: Weather, seconds: float) -> tuple[State, dict[str, Tensor]]:
        """One step as a function of tensors, see `advance.Land.advance`; it leaves the component as it is."""
        return self.columns.advance(state, forcing, seconds)

    def step(self, time: int, seconds: int, imports: Mapping[str, Array]) -> Fields:
        """Advance every column; average the tiles."""
        with torch.no_grad():
            self._use_land(self.clock.date(time).year)
            self._follow_leaves()
            self._take_increments(imports, seconds)
            weather = self.weather(time, seconds, imports)
            before = self.columns if self.table is None else self.columns.over(self.table.depth)
            self.now, given = before.advance(self.now, weather, seconds)
            if self.city is not None:
                found = imports.get(GIVEN_HEAT)
                heat = None if found is None else torch.as_tensor(np.asarray(found)[self.cells])
                given = self.city.step(given, weather, self.clock.date(time + seconds // 2), float(seconds), heat)
            given = given if self.products is None else self.products.step(given, float(seconds))
            given = meet_rivers(given, imports, self, time + seconds, seconds)
            given |= assimilated.seen(self.columns, self.now) if self.options.increments else {}
            if self.overpasses is not None:
                self.overpasses.look(self.clock.date(time), seconds, self.now, weather)
        self._set_to_rest()
        fields = {name: self._field(values, ELSEWHERE.get(name, 0.0)) for name, values in given.items()}
        for name in self.counts:
            self.counts[name] += fields[name]
        for name in [k for k in self.booked if k.startswith("booked_")]:
            self.booked[name] += seconds * fields[name]
        self.followed = {name: fields[name] for name in FOLLOWED}
        return {spec.name: fields[spec.name] for spec in self.exports}

    def _set_to_rest(self) -> None:
        """Organic matter at rest after the day that the namelist says; what that adds is booked."""
        c, t = self.now.cycles, self.parameters.cycles
        if c is None or t is None or not spin_up.is_due(c, self.options.rest_after):
            return
        self._become(
            self.now._replace(cycles=rested(c, t, None, self.options.disturbance, self.clock, self.options.past).cycles)
        )

    def _take_increments(self, imports: Mapping[str, Array], seconds: float) -> None:
        """Add what an assimilation gives; nothing changes where it gives zero."""
        new = assimilated.given(imports, self.cells, float(seconds), self.columns, self.now)
        if new is not self.now:
            self._become(new)

    def _become(self, state: State) -> None:
        """Take another state and book what that adds."""
        before = self.budget()
        self.now = state
        for k, v in self.budget().items():
            self.booked[f"booked_{k}"] = self.booked[f"booked_{k}"] + (v - before[k])

    def spin_up(self, years: float | None, report: Callable[[str, float], None]) -> Mapping[str, tuple[float, float]]:
        """Wood, debris and organic matter at rest under the means of the last year, as old as stands are, or later."""
        had = self.now.cycles
        new = to_rest(
            had, self.parameters.cycles, years, self.options.disturbance, self.clock, report, self.options.past
        )
        self._become(self.now._replace(cycles=new.cycles))
        return totals(had, new, self.columns.mean)

    def _use_land(self, year: int) -> None:
        """Change the shares of the tiles where a year has others; what they hold goes with the land, or is felled."""
        new = self.share if self.land.years is None else self._tensor(self.land.years.of(year))
        city = self.city
        if torch.equal(new, self.share) and (city is None or torch.equal(city.built(year), city.share)):
            return
        if city is None:
            made = hand_over(self.now, self.parameters, self.share, new)
        else:
            made, brought = city.hand_over(self.now, self.parameters, self.share, new, city.built(year))
            self.booked["booked_heat"] += self._field(brought)
        self.now = made.state
        if self.products is not None:
            self.products.take(made.products)
        self._tell(share=new)

    def _follow_leaves(self) -> None:
        """Give leaves the optics of their carbon and nitrogen, where these are spectral and the pools have changed."""
        new = None if self.optics is None else self.optics.changed(self.parameters, self.now.cycles)
        if new is not None:
            self._tell(parameters=new)

    def _tell(self, **changed: Any) -> None:
        """Tell all who know the columns of new shares of the tiles, or of new parameters."""
        self.columns = replace(self.columns, **changed)
        self.share, self.parameters = self.columns.share, self.columns.parameters
        if self.table is not None:
            self.table.columns = self.columns
        if self.overpasses is not None:
            self.overpasses.land = self.columns

    def _field(self, values: Tensor, elsewhere: float = 0.0) -> Array:
        """Values of cells as a field of the block, double."""
        field = np.full((*values.shape[:-1], *self.shape), elsewhere)
        field[..., self.cells] = values.double().cpu().numpy()
        return field

    def _start(self) -> Fields:
        """Exports before any flux has passed."""
        zero = np.zeros(self.shape)
        fields = {spec.name: zero for spec in self.exports}
        ground = self.columns.mean(self.now.ground)
        emitted = STEFAN_BOLTZMANN * 0.97 * ground.cpu().numpy() ** 4
        bright = np.full(self.shape, 0.2)
        fields.update(
            surface_temperature=self._field(ground, FREEZING_POINT),
            surface_albedo=bright, surface_albedo_visible=bright,
            surface_albedo_near_infrared=bright, surface_longwave_emissivity=np.full(self.shape, 0.97),
            surface_roughness_length=np.full(self.shape, 0.1),
            surface_upwelling_longwave_flux_in_air=self._field(torch.as_tensor(emitted), 300.0),
            surface_emitted_longwave_flux=self._field(torch.as_tensor(emitted), 300.0),
        )  # fmt: skip
        stores = self.columns.stores(self.now) | assimilated.seen(self.columns, self.now)
        return {**fields, **{name: self._field(v) for name, v in stores.items() if name in fields}}

    def diagnostics(self) -> Mapping[str, Array]:
        """Carbon and transpiration of the last step; columns that did not converge, counted since the start.

        Heat and water in store beyond what has come in since the start less what has left (net radiation less the
        turbulent fluxes and what leaves keep, and the enthalpy of water): rounding if the books are right.
        """
        store, b = self.budget(), self.booked
        residual = {
            f"{name}_residual": store[k] - b[f"{k}_at_start"] - b[f"booked_{k}"]
            for name, k in (("energy", "heat"), ("water", "water"))
        }
        t = self.parameters.cycles
        if self.now.cycles is not None and t is not None:
            residual["leaf_area_index"] = self._field(self.columns.mean(leaf_area(self.now.cycles, t)))
        for k in [k for k in ELEMENTS if k in store]:
            residual[f"{k}_not_booked"] = store[k] - b[f"{k}_at_start"] - b[f"booked_{k}"]
        below = {} if self.table is None else {"water_table_depth": self._field(self.table.depth, np.nan)}
        if self.city is not None:
            below[GIVEN_HEAT] = self._field(self.city.share * self.city.heat)
        return {**self.followed, **self.counts, **residual, **below, **self._seen()}

    def _seen(self) -> dict[str, Array]:
        """What the satellite saw last, not-a-number where it has seen nothing yet."""
        seen = {} if self.overpasses is None else self.overpasses.seen
        return {name: self._field(values, np.nan) for name, values in seen.items()}

    def state(self) -> dict[str, Any]:
        """All of it, by tile: a restart is bit-identical."""
        packed = {name: self._pack(value) for name, value in named(self.now)}
        if self.city is not None:
            packed.update({name: self._field(value) for name, value in self.city.arrays().items()})
        if self.land.years is not None:
            packed["shares"] = self._field(self.share)
        if self.products is not None:
            packed["products"] = self._field(self.products.stored)
        if self.table is not None:
            packed["groundwater"] = self._field(self.table.stored)
        return {**packed, **{k: v.copy() for k, v in (*self.counts.items(), *self.booked.items())}, **self._seen()}

    def _pack(self, values: Tensor) -> Array:
        tiles, n = self.share.shape
        return self._field(values.reshape(*values.shape[:-1], tiles, n))

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore a saved state; the last fluxes come from the couplings' own restart."""
        if self.land.years is not None:
            self._tell(share=self._tensor(np.asarray(state["shares"])[..., self.cells]))
        found = {}
        for name, value in named(self.now):
            field = np.asarray(state[name])[..., self.cells]
            found[name] = self._tensor(field.reshape(value.shape))
        self.now = rebuild(self.now, found)
        if self.products is not None:
            self.products.stored = torch.as_tensor(np.asarray(state["products"])[..., self.cells]).double()
        if self.table is not None:
            self.table.stored = torch.as_tensor(np.asarray(state["groundwater"])[self.cells]).double()
        if self.city is not None:
            self.city.restore({k: torch.as_tensor(np.asarray(state[k])[..., self.cells]) for k in self.city.arrays()})
        self.counts = {k: np.array(state[k], dtype=float) for k in self.counts}
        self.booked = {k: np.array(state[k], dtype=float) for k in self.booked}
        if self.overpasses is not None:
            for name, seen in self.overpasses.seen.items():
                if name in state:  # double, whatever the precision of the columns
                    self.overpasses.seen[name] = torch.as_tensor(np.asarray(state[name])[self.cells]).to(seen)

    def budget(self) -> dict[str, Array]:
        """Heat of soil and snow, all water; carbon, nitrogen and phosphorus where they are followed."""
        water = self.columns.mean(water_stored(self.now, self.parameters))
        found = {"heat": self.columns.mean(heat_stored(self.now, self.parameters)), "water": water}
        found |= self.columns.cycles_stored(self.now)
        found = found if self.city is None else self.city.with_stores(found)
        found = found if self.products is None else self.products.with_stores(found)
        if self.table is not None:  # under the city too
            found["water"] = found["water"] + self.table.stored
        return {k: self._field(v) for k, v in found.items()}
