# SPDX-License-Identifier: BSD-3-Clause
"""The assimilation as a component: options, windows, what it takes and gives; the science is in the other files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from components.ml_surrogates import forecast_operators
from components.ml_surrogates.data_assimilation import (
    checks,
    observation_file,
    selection,
    statistics,
)
from components.ml_surrogates.data_assimilation.checks import places_of
from components.ml_surrogates.data_assimilation.learned import maps
from components.ml_surrogates.data_assimilation.observation_file import Table
from components.ml_surrogates.data_assimilation.operators import Seen
from components.ml_surrogates.data_assimilation.options import AssimilationOptions
from components.ml_surrogates.data_assimilation.places import Places, spacing_of, unit_vectors
from components.ml_surrogates.data_assimilation.window import (
    Batch,
    Method,
    analyse,
    ensemble_of,
    run_members,
    spread,
    trajectory,
)
from components.ml_surrogates.estimation import air_perturbations
from components.ml_surrogates.estimation.air import PARTS, Air
from components.ml_surrogates.estimation.localisation import SeparableRoot
from components.ml_surrogates.model_file import located
from components.science.constants import EARTH_RADIUS
from coupler.component import Component, Context, Fields, Setting
from coupler.fields import FieldSpec

TAKEN = {
    "air_temperature_in_atmosphere_layer": "t", "humidity_mixing_ratio": "q", "air_pressure": "p",
    "eastward_wind_in_atmosphere_layer": "u", "northward_wind_in_atmosphere_layer": "v",
}  # fmt: skip
GIVEN = {
    "tendency_of_air_temperature_due_to_data_assimilation": "t",
    "tendency_of_humidity_mixing_ratio_due_to_data_assimilation": "q",
    "tendency_of_eastward_wind_due_to_data_assimilation": "u",
    "tendency_of_northward_wind_due_to_data_assimilation": "v",
}
GIVEN_LOWEST = "tendency_of_air_pressure_in_lowest_atmosphere_layer_due_to_data_assimilation"


class DataAssimilation(Component):
    """Ensemble and variational assimilation into the atmosphere; see README.md."""

    description = "assimilation of observations into the atmosphere"
    diagnostic_units = {
        "air_temperature_increment": "K",
        "eastward_wind_increment": "m s-1",
        "air_pressure_increment": "Pa",
    }
    shapes_state = ("levels", "members")

    Options = AssimilationOptions  # type: ignore[assignment]

    def __init__(self, options: Any):
        super().__init__(options)
        self.imports = tuple(FieldSpec(name, levels=options.levels) for name in TAKEN)
        parts = options.method != "learned" and options.increment_at == "start"  # each step's own, or the same in all
        layers = (FieldSpec(name, levels=options.levels, each_step=parts) for name in GIVEN)
        self.exports = (*layers, FieldSpec(GIVEN_LOWEST, each_step=parts))
        self.vector = len(PARTS) * options.levels + 1

    def check(self, setting: Setting) -> list[str]:
        """A file that is missing or wrong or ends early, a window that does not fit, a radius below a cell."""
        return [f"{setting.name}: {text}" for text in checks.problems_of(self.options, setting)]

    # ------------------------------------------------------------------ run

    def initialize(self, context: Context) -> Fields:
        """No increments yet."""
        o, grid = self.options, context.grid
        torch.set_num_threads(context.threads)
        self.context = context
        self.table: Table | None = None
        if o.observations:
            self.table = observation_file.read(context.file(o.observations), context.clock)
        ny, nx = context.local_shape
        self.rates = np.zeros((o.window // context.step, self.vector, ny, nx))
        self.part = 0
        self.x = np.zeros((o.members, self.vector, ny, nx))
        self.begun = 0
        self.spacing = spacing_of(grid)
        self.operator: Any = None
        if o.method == "learned":
            self.x = self.x[:0]
            self.trained = maps.load(located(o.network, context))
            self.place = maps.place(grid.longitude, grid.latitude)
        return self._exports()

    def step(self, time: int, seconds: int, imports: Mapping[str, Any]) -> Fields:
        """At the start of a window: its analysis; then what it gave for each step."""
        o = self.options
        self.part = time % o.window // seconds
        if time % o.window == 0:
            whole = {part: self.context.whole(np.asarray(imports[name])) for name, part in TAKEN.items()}
            air = {k: torch.as_tensor(a, dtype=torch.float64) for k, a in whole.items()}
            if o.method == "learned":
                rates = self.context.scatter(self._learned(time, air) if self.context.rank == 0 else None)
                self.rates = np.repeat(rates[None], len(self.rates), 0)
                return self._exports()
            rates, x = self._window(time, air, self.context.whole(self.x))
            self.rates, self.x = self.context.local(rates), self.context.local(x)
            self.begun = 1
        return self._exports()

    def _learned(self, time: int, air: Air) -> Any:
        """Rates of the window (4 nz + 1, ny, nx) by the network, on the first rank; it knows of no pressure."""
        o, say = self.options, self.context.log
        shape = (self.vector, *self.context.grid.shape)
        if time // o.window < o.first_window:
            return np.zeros(shape)
        when = self.context.clock.text(time)
        outside = self.trained.outside(air)
        if outside:
            say(f"{when}: no increment: the background lies outside the training range: {'; '.join(outside)}")
            return np.zeros(shape)
        table, chosen, places = self._chosen(time, air)
        used = np.zeros(0, dtype=bool)
        if table is None or chosen is None:
            table, places = observation_file.EMPTY, Places(np.zeros(0), np.zeros(0), used)
        else:
            for reason, rows in self.trained.untrained(table, o.window).items():
                chosen.drop(reason, rows)
            used = chosen.used
            say(f"{when}: {chosen.text()}")
        if not used.any():
            say(f"{when}: no observation: the increment is that of the control without observations (CORR)")
        observed = maps.gridded(table, places, used, self.trained.channels, self.place, time, o.window)
        rates = np.zeros(shape)
        rates[:-1] = self.trained.increment(air, observed).numpy() / float(o.window)
        return rates

    def _window(self, time: int, air: Air, perturbed: Any) -> tuple[Any, Any]:
        """Rates of the window's steps (n, 4 nz + 1, ny, nx) and the next perturbations, on every rank.

        The members are shared out: a rank runs its own, and all do the analysis of all.
        """
        o, steps, context = self.options, self.options.window // self.options.forecast.step, self.context
        shape = (len(self.rates), self.vector, *context.grid.shape)
        x = torch.as_tensor(perturbed) if self.begun else self._first(air)
        table, chosen, places = self._chosen(time, air)
        if table is None or chosen is None or time // o.window < o.first_window or not chosen.used.any():
            return np.zeros(shape), x.numpy()
        forecast = self._forecast()
        state = forecast.start(air)
        batches = self._batches(table, places, chosen.used, time)
        own = run_members(forecast, state, time, steps, x, batches, range(context.rank, o.members, context.ranks))
        e = ensemble_of(forecast.columns(state), x, context.share(own, "the members' forecasts"))
        with torch.no_grad():
            _, seen = trajectory(forecast, state, time, steps, None, batches)
        order = np.concatenate(self._rows(table, chosen.used, time))
        before = np.full(len(table.time), np.nan)
        before[order] = table.value[order] - seen.numpy()
        spread = np.zeros(len(table.time))
        spread[order] = e.equivalents.std(0).numpy()
        selection.gross_check(chosen, before, table.error, spread, o.gross_check)
        context.log(f"{context.clock.text(time)}: {chosen.text()}")
        if e.lost:
            names = ", ".join(str(n) for n in e.lost)
            context.log(f"member(s) {names} broke down and are left out: {len(e.lost)} of {o.members}")
        if not chosen.used.any():
            return np.zeros(shape), x.numpy()
        keep = torch.as_tensor(chosen.used[order])
        batches = self._batches(table, places, chosen.used, time)
        e = e._replace(equivalents=e.equivalents[:, keep])
        found = None
        if context.rank == 0:
            found = analyse(forecast, air, time, steps, batches, self._method(air["t"]), (state, seen[keep]), e)
            self._tell(time, table, chosen, found, spread[order][keep.numpy()], order[keep.numpy()])
        return self._given(found, e.lost)

    def _given(self, found: Any, lost: Sequence[int]) -> tuple[Any, Any]:
        """Rates and perturbations of the first rank's analysis, on every rank."""
        mine = None
        if found is not None:
            parts = len(self.rates)
            later = self.options.increment_at == "end"
            dx = found.course[-1:].expand(parts, -1, -1, -1) / parts if later else spread(found.course, parts)
            mine = [dx.numpy() / (self.options.window / parts), self._filled(found.perturbations, lost).numpy()]
        rates, x = self.context.share(mine, "the analysis")[0]
        return rates, x

    def _filled(self, x: torch.Tensor, lost: Sequence[int]) -> torch.Tensor:
        """As many members as there should be: for each that broke down, half of another's perturbation."""
        rows = list(x)
        for n in lost:
            rows.insert(n, 0.5 * rows[n % len(rows)])
        whole = torch.stack(rows)
        return whole - whole.mean(0)

    def _first(self, air: Air) -> torch.Tensor:
        o = self.options
        latitude = torch.as_tensor(np.array(self.context.grid.latitude), dtype=torch.float64)
        size = air_perturbations.Size(o.wind_spread, o.temperature_spread, o.humidity_spread)
        return air_perturbations.drawn(air, latitude, self.spacing, o.members, size, o.perturbations, self.context.seed)

    def _forecast(self) -> Any:
        if self.operator is None:
            o, reach = self.options, self.options.reach(self.context.duration)
            context = replace(self.context, step=o.forecast.step, duration=reach)
            self.operator = forecast_operators.make(o.forecast.model, context, o.of_forecast())
        return self.operator

    def _method(self, like: torch.Tensor) -> Method:
        o = self.options
        assert o.method != "learned"
        ny, nx = self.context.grid.shape
        root = SeparableRoot.of((ny, nx), (self.spacing, self.spacing), o.radius, like)
        return Method(o.method, o.radius, o.depth, o.relaxation, o.inflation, o.iterations, root)

    # ------------------------------------------------------------------ observations

    def _chosen(self, time: int, air: Air) -> tuple[Table | None, selection.Selection | None, Any]:
        """The window's observations, which of them are in use, and where they lie."""
        o = self.options
        if self.table is None:
            return None, None, None
        table = self.table.where(selection.in_window(self.table, time, time + o.window, o.window_end == "closed"))
        if not len(table.time):
            return None, None, None
        places = places_of(table, self.context)
        buried = Seen(table, places).buried(air)
        return table, selection.select(table, places, 100.0, o.thinning, self.spacing, buried), places

    def _rows(self, table: Table, used: Any, time: int) -> list[Any]:
        """Rows in use by the step of the window that their time is nearest to."""
        step = np.floor((table.time - time) / self.options.forecast.step + 0.5).astype(int)
        return [np.flatnonzero(used & (step == n)) for n in np.unique(step[used])]

    def _batches(self, table: Table, places: Places, used: Any, time: int) -> list[Batch]:
        grid: Any = self.context.grid
        centres = unit_vectors(np.asarray(grid.longitude), np.asarray(grid.latitude)).reshape(-1, 3)
        out = []
        for rows in self._rows(table, used, time):
            part = table.where(rows)
            points = unit_vectors(part.longitude, part.latitude)
            angle = np.arccos(np.clip(centres @ points.T, -1.0, 1.0))
            n = int(np.floor((part.time[0] - time) / self.options.forecast.step + 0.5))
            seen = Seen(part, Places(*(a[rows] for a in places)))
            tensors = (torch.as_tensor(a) for a in (part.value, part.error, EARTH_RADIUS * angle))
            out.append(Batch(n, seen, *tensors))
        return out

    def _tell(self, time: int, table: Table, chosen: Any, found: Any, spread: Any, order: Any) -> None:
        """Departures of the window, written beside the run."""
        back = np.argsort(order)
        before, after = (a.numpy()[back] for a in (found.before, found.after))
        row = statistics.row(time, table.variable, chosen.used, before, after, spread[back], found.freedom)
        folder = self.context.folder / "run" / "assimilation"
        folder.mkdir(parents=True, exist_ok=True)
        clock = self.context.clock
        stamp = clock.text(time).replace(":", "").replace("-", "")
        statistics.write(folder / f"{stamp}.nc", [row], clock.text(0), clock.calendar)
        self.context.log(f"{found.stop}; {statistics.text(row)}")

    # ------------------------------------------------------------------ what others see

    def _exports(self) -> Fields:
        rates = self.rates[self.part]
        layers = dict(zip(PARTS, np.split(rates[:-1], len(PARTS)), strict=True))
        return {**{name: layers[part] for name, part in GIVEN.items()}, GIVEN_LOWEST: rates[-1]}

    def state(self) -> dict[str, Any]:
        """The increments that hold, and the ensemble."""
        if self.options.method == "learned":
            return {"rates": self.rates, "part": self.part}
        return {"rates": self.rates, "part": self.part, "perturbations": self.x, "begun": self.begun}

    def restore(self, state: Mapping[str, Any]) -> Fields:
        """Restore increments and ensemble."""
        rates = np.array(state["rates"])
        if rates.shape != self.rates.shape:
            raise ValueError(
                f"the restart has increments for {len(rates)} parts of a window, expected {len(self.rates)}: take the"
                " step and window of that run, or start anew"
            )
        self.rates, self.part = rates, int(state["part"])
        if self.options.method != "learned" and "perturbations" in state:
            self.x, self.begun = np.array(state["perturbations"]), int(state["begun"])
        return self._exports()

    def diagnostics(self) -> dict[str, np.ndarray[Any, Any]]:
        """Increments of a window in the lowest layer."""
        lowest = self.rates.mean(0)[:: self.options.levels] * self.options.window
        return dict(zip(self.diagnostic_units, lowest[[0, 2, 4]], strict=True))

    def finalize(self) -> None:
        """A plot of all windows that were written."""
        folder = self.context.folder / "run" / "assimilation"
        if self.context.rank == 0 and folder.is_dir():
            rows = [row for path in sorted(folder.glob("*.nc")) for row in statistics.read(path)]
            if rows:
                statistics.plot(folder / "departures.png", rows)
