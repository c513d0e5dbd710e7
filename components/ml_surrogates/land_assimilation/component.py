# SPDX-License-Identifier: BSD-3-Clause
"""The land's assimilation as a component: an ensemble of its columns goes along, and is weighed window by window."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from components.ml_surrogates import forecast_operators, observation_rows
from components.ml_surrogates.estimation import land
from components.ml_surrogates.estimation.microwave import Cover, Soil
from components.ml_surrogates.land_assimilation import observations
from components.ml_surrogates.land_assimilation.options import LandAssimilationOptions
from components.science.constants import EARTH_RADIUS, FREEZING_POINT, WATER_DENSITY
from components.science.land_increments import LEAST_SNOW, MOST_CHANGE
from coupler.component import Array, Component, Context, Fields, Setting
from coupler.fields import FieldSpec, specs
from coupler.grids.grid import Grid

LAYERED = {
    "liquid": "liquid_water_content_of_soil_layer",
    "ice": "frozen_water_content_of_soil_layer",
    "warmth": "soil_temperature",
}
PLAIN = {"cover": "surface_snow_area_fraction", "snow": "surface_snow_amount", "soil": "mass_content_of_water_in_soil"}
SEEN = {**LAYERED, **PLAIN}
SOIL_RATE = "tendency_of_mass_content_of_water_in_soil_layer_due_to_data_assimilation"
SNOW_RATE = "tendency_of_surface_snow_amount_due_to_data_assimilation"
BARE = 1.0  # kg m-2 of snow, up to which brightness temperature is the soil's
THAWED = 1.0  # K above freezing, from which it is that of liquid water
A_DAY = 86400


class LandAssimilation(Component):
    """Snow cover, brightness temperature and water storage into the land; see README.md."""

    description = "assimilation of satellites' observations into the land"
    diagnostic_units = {"water_added_by_assimilation": "kg m-2"}
    shapes_state = ("forecast", "members")

    Options = LandAssimilationOptions  # type: ignore[assignment]

    def __init__(self, options: Any):
        super().__init__(options)
        self.operator = forecast_operators.of_land(options.forecast.model)
        layers, weather = self.operator.layers, self.operator.imports(options.of_forecast())
        self.imports = (
            *weather,
            *(FieldSpec(name, levels=layers) for name in LAYERED.values()),
            *specs(*PLAIN.values()),
        )
        self.exports = (FieldSpec(SOIL_RATE, levels=layers, each_step=True), FieldSpec(SNOW_RATE, each_step=True))

    def grids(self, setting: Setting) -> dict[str, Grid]:
        """The grid with the land's mask."""
        found: dict[str, Grid] = self.operator.grids(setting, self.options.of_forecast())
        return found

    def check(self, setting: Setting) -> list[str]:
        """A file that is missing or wrong or ends early, a window that does not fit, what is wrong with the land."""
        o, problems = self.options, list(self.operator.problems(setting, self.options.of_forecast()))
        if o.window % setting.step:
            problems.append(f"window of {o.window} s is not a multiple of the step, {setting.step} s")
        if o.storage == "anomaly" and o.mean_over >= setting.duration:
            problems.append(
                f"storage: anomaly needs the land's own mean over mean_over, {o.mean_over} s: expected a longer case, "
                f"found one of {setting.duration} s"
            )
        if o.observations:
            table, wrong = observation_rows.of_case(o.observations, setting, observations.read)
            problems += wrong if table is None else self._beyond(table, setting)
        return [f"{setting.name}: {text}" for text in problems]

    def _beyond(self, table: observations.Table, setting: Setting) -> list[str]:
        name, within = self.options.observations, (table.time >= 0.0) & (table.time < setting.duration)
        on_land = _cells(self.grids(setting)["default"], table)[0] >= 0
        return observation_rows.none_left(name, within, "within the case") or observation_rows.none_left(
            name, on_land, "on a cell with land"
        )

    # ------------------------------------------------------------------ run

    def initialize(self, context: Context) -> Fields:
        """Members that differ in their soil water."""
        o = self.options
        torch.set_num_threads(context.threads)
        self.context = context
        self.table = None
        if o.observations:
            self.table = observations.read(context.file(o.observations), context.clock)
        self.forecast = self.operator(context, o.of_forecast(), o.members)
        self.mask = np.asarray(context.grid.mask)
        self.cells = context.local(self.mask)
        wetter = o.wetness_spread * self._drawn(0)
        self.now = self.forecast.start(self._own(wetter - wetter.mean(0)))
        n = int(self.cells.sum())
        self.stored, self.times = np.zeros((o.members + 1, n)), 0  # sums of the members' and of the land's storage
        self.mean, self.steps = np.zeros(n), 0  # sum of the land's storage since the start
        self.added = np.zeros(n)
        self.rates = np.zeros((self.operator.layers + 1, n))
        return self._exports()

    def step(self, time: int, seconds: int, imports: Mapping[str, Any]) -> Fields:
        """At a window's end: its analysis, which the land takes in this step; then the members a step on."""
        o = self.options
        with torch.no_grad():
            background = {k: torch.as_tensor(np.asarray(imports[n])[..., self.cells]) for k, n in SEEN.items()}
            self._gather_storage(background)
            self.rates = np.zeros_like(self.rates)
            if time > 0 and time % o.window == 0 and time // o.window > o.first_window:
                self._analyse(time, seconds, background)
            rain = torch.as_tensor(self._own(self._rain(time)))
            self.now = self.forecast.advance(self.now, time, seconds, imports, rain)
        return self._exports()

    def _gather_storage(self, background: Mapping[str, Tensor]) -> None:
        seen = self._members()
        self.stored[:-1] += (seen["soil"] + seen["snow"]).numpy()
        own = (background["soil"] + background["snow"]).numpy()
        self.stored[-1] += own
        self.times += 1
        self.mean += own
        self.steps += 1

    def _members(self) -> dict[str, Tensor]:
        seen = self.forecast.seen(self.now)
        return {k: seen[name] for k, name in SEEN.items()}

    def _analyse(self, time: int, seconds: int, background: Mapping[str, Tensor]) -> None:
        """Members about the land's own state, then the analysis of all of the land on every rank, alike."""
        o, say, when = self.options, self.context.log, self.context.clock.text(time)
        table = self.table
        if table is None:
            return
        table = table.where((table.time >= time - o.window) & (table.time < time))
        self._centre(background)
        parts = {**{f"m_{k}": a for k, a in self._members().items()}, **background}
        parts["stored"], parts["mean"] = (
            torch.as_tensor(self.stored / self.times),
            torch.as_tensor(self.mean / self.steps),
        )
        whole = {k: torch.as_tensor(self._whole(a.numpy())) for k, a in parts.items()}
        used, text = self._used(table, whole, time)
        say(f"{when}: {text}")
        if not len(used[0].time):
            return
        block = _blocks(self.mask, o.block)
        observed, error = observations.on_cells(*used, int(self.mask.sum()), block)
        m, ground = self._columns(whole, torch.as_tensor(block))
        if o.storage == "anomaly" and observations.STORAGE in observed:
            observed[observations.STORAGE] = observed[observations.STORAGE] + land.block_mean(
                whole["mean"], ground.block
            )
        found = land.analyse(m, ground, observed, error, o.relaxation)
        depth = WATER_DENSITY * ground.thickness
        water = self._local((found.liquid - m.liquid) * depth)
        share = self._local(found.share)
        self.now = self.forecast.moved(self.now, water, share)
        snow = self._local((found.share - 1.0) * m.snow).mean(0)
        self.rates = torch.cat([water.mean(0), snow[None]]).numpy() / seconds
        self.added += self._local(found.added).mean(0).numpy()
        say(f"{when}: {int(found.acted.sum())} of {len(found.acted)} cells analysed")
        if observations.STORAGE in observed:
            self.stored, self.times = np.zeros_like(self.stored), 0

    def _centre(self, background: Mapping[str, Tensor]) -> None:
        """Give the members the land's own soil water and snow as their mean."""
        m = self._members()
        water = (background["liquid"] - m["liquid"].mean(0)).expand_as(m["liquid"])
        pack = m["snow"].mean(0)
        some = (pack > LEAST_SNOW) & (background["snow"] > LEAST_SNOW)
        share = torch.where(some, background["snow"] / torch.where(some, pack, 1.0), 1.0)
        share = torch.clamp(share, 1.0 / MOST_CHANGE, MOST_CHANGE)
        self.now = self.forecast.moved(self.now, water, share.expand_as(m["snow"]))
        self.stored[:-1] += self.stored[-1] - self.stored[:-1].mean(0)

    def _used(self, table: observations.Table, whole: Mapping[str, Tensor], time: int) -> tuple[tuple[Any, Any], str]:
        """Rows in use and their cells; with how many are not, by reason."""
        cells, reasons = _cells(self.context.grid, table)[0], {}
        early = self.options.storage == "anomaly" and time < self.options.mean_over
        frozen = ((whole["snow"] > BARE) | (whole["warmth"][0] < FREEZING_POINT + THAWED)).numpy()
        drops = {
            "not finite": ~np.isfinite(table.value),
            "outside the land": cells < 0,
            "over frozen or snow-covered ground": (table.variable == observations.BRIGHTNESS) & frozen[cells],
            "of storage before the land's own mean is known": (table.variable == observations.STORAGE) & early,
        }
        keep = np.ones(len(cells), dtype=bool)
        for reason, rows in drops.items():
            reasons[reason] = int((rows & keep).sum())
            keep &= ~rows
        left = ", ".join(f"{n} {reason}" for reason, n in reasons.items() if n)
        text = f"{int(keep.sum())} of {len(keep)} observations used" + (f"; not used: {left}" if left else "")
        return (table.where(keep), cells[keep]), text

    def _columns(self, whole: Mapping[str, Tensor], block: Tensor) -> tuple[land.Members, land.Ground]:
        o, thickness = self.options, self.forecast.thickness.double()
        depth = WATER_DENSITY * thickness
        m = land.Members(
            whole["m_liquid"] / depth, whole["m_ice"] / depth, whole["m_snow"], whole["m_cover"],
            whole["m_warmth"][:, 0], whole["stored"][:-1],
        )  # fmt: skip
        pores = torch.as_tensor(self._whole(self.forecast.pores.double().numpy()))
        plants = Cover(o.optical_depth, o.scattering, o.roughness)
        return m, land.Ground(thickness, pores, Soil(o.sand, o.clay), plants, block)

    # ------------------------------------------------------------------ members' weather and places

    def _drawn(self, number: int) -> Any:
        """Normal numbers of every member and cell of the whole grid, the same on every rank."""
        rng = np.random.default_rng([self.context.seed, number])
        return rng.standard_normal((self.options.members, *self.mask.shape))

    def _rain(self, time: int) -> Any:
        """By what each member's rain is multiplied: a mean of one; half of the variance of its logarithm stays."""
        lasting = np.random.default_rng([self.context.seed, 1]).standard_normal((self.options.members, 1, 1))
        anew = self._drawn(2 + time // A_DAY)
        spread = self.options.rain_spread
        return np.exp(spread * np.sqrt(0.5) * (lasting + anew) - 0.5 * spread**2)

    def _own(self, whole: Any) -> Any:
        """This rank's land cells of a field of the whole grid, (..., n)."""
        return np.ascontiguousarray(self.context.local(whole)[..., self.cells])

    def _field(self, values: Any) -> Array:
        """Land cells as a field of the block."""
        field = np.zeros((*values.shape[:-1], *self.cells.shape))
        field[..., self.cells] = values
        return field

    def _whole(self, values: Any) -> Array:
        """This rank's land cells as those of the whole grid, on every rank."""
        return np.ascontiguousarray(self.context.whole(self._field(values))[..., self.mask])

    def _local(self, whole: Tensor) -> Tensor:
        """The whole grid's land cells as this rank's."""
        field = np.zeros((*whole.shape[:-1], *self.mask.shape))
        field[..., self.mask] = whole.numpy()
        return torch.as_tensor(self._own(field))

    # ------------------------------------------------------------------ what others see

    def _exports(self) -> Fields:
        fields = self._field(self.rates)
        return {SOIL_RATE: fields[:-1], SNOW_RATE: fields[-1]}

    def state(self) -> dict[str, Any]:
        """The ensemble, what has been gathered of storage, the increments that hold, and what was added."""
        members = {f"member_{k}": a for k, a in self.forecast.arrays(self.now).items()}
        own = {"stored": self.stored, "rates": self.rates, "added": self.added, "mean": self.mean}
        counts = {"times": self.times, "steps": self.steps}
        return {**members, **{k: self._field(a) for k, a in own.items()}, **counts}

    def restore(self, state: Mapping[str, Any]) -> Fields:
        """Restore ensemble and increments."""
        arrays = {k.removeprefix("member_"): a for k, a in state.items() if k.startswith("member_")}
        self.now = self.forecast.restored(self.now, arrays)
        self.stored, self.rates, self.added, self.mean = (
            np.array(np.asarray(state[k])[..., self.cells]) for k in ("stored", "rates", "added", "mean")
        )
        self.times, self.steps = int(state["times"]), int(state["steps"])
        return self._exports()

    def diagnostics(self) -> dict[str, Array]:
        """Water that analyses have added to the members' mean since the start."""
        return {"water_added_by_assimilation": self._field(self.added)}


def _cells(grid: Any, table: observations.Table) -> tuple[Any, float]:
    """The land cell of each row, in the order of the mask, and how far from its centre a row may lie."""
    mask = np.asarray(grid.mask)
    lon, lat = (np.asarray(a)[mask] for a in (grid.longitude, grid.latitude))
    reach = 0.75 * float(np.sqrt(np.asarray(grid.area)[mask].max())) / EARTH_RADIUS
    return observations.cells_of(lon, lat, table, reach), reach


def _blocks(mask: Any, side: int) -> Any:
    """Number of the block of cells that each land cell lies in, the number of its first land cell."""
    y, x = np.nonzero(mask)
    _, first, number = np.unique((y // side) * mask.shape[1] + x // side, return_index=True, return_inverse=True)
    return first[number.reshape(-1)]
