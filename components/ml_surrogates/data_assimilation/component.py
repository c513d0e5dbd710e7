# SPDX-License-Identifier: BSD-3-Clause
"""The assimilation as a component: options, windows, what it takes and gives; the science is in the other files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch

from components.ml_surrogates.data_assimilation import forecasts, members, observation_file, selection, statistics
from components.ml_surrogates.data_assimilation.learned import maps
from components.ml_surrogates.data_assimilation.observation_file import Table
from components.ml_surrogates.data_assimilation.operators import Seen
from components.ml_surrogates.data_assimilation.places import Places, locate, unit_vectors
from components.ml_surrogates.data_assimilation.window import (
    PARTS,
    Batch,
    Method,
    analyse,
    run_members,
    trajectory,
    unpacked,
)
from components.ml_surrogates.estimation.localisation import SeparableRoot
from components.ml_surrogates.model_file import ModelFileError
from components.science.constants import EARTH_RADIUS
from coupler.component import Component, Context, Fields, Setting
from coupler.errors import CaseError
from coupler.fields import FieldSpec
from coupler.namelist import Count, Duration, Fraction, Length, LengthOrNone, Namelist, Range

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
Levels = Annotated[int, Range(least=3, most=300)]
Members = Annotated[int, Range(least=2, most=1000)]
Iterations = Annotated[int, Range(least=1, most=1000)]
Depth = Annotated[float, Range(above=0.0, most=20.0)]
Factor = Annotated[float, Range(least=0.5, most=2.0)]
Deviations = Annotated[float, Range(above=0.0, most=100.0)]
Size = Annotated[float, Range(least=0.0, most=50.0)]


class ForecastOptions(Namelist):
    """The operator M, of the assimilation's own grid."""

    model: str = "nonhydrostatic"
    """Whose forecast: a model's name, or package.module:Class."""
    step: Duration = 1800
    """Its time step; the window is a multiple of it."""
    driver: list[str] = []
    """Files for its sides, as those of the atmosphere."""
    jet: Literal["ullrich", "january"] = "ullrich"
    """Without a driver: the analytic jet, as that of the atmosphere."""
    relief: str = "east_asia_land.nc"
    """Height of the ground, as that of the atmosphere. Empty: flat."""
    microphysics: Literal["none", "kessler"] = "none"
    """Clouds of the forecast."""
    precision: Literal["single", "double"] = "single"
    """Of its arithmetic."""


class DataAssimilation(Component):
    """Ensemble and variational assimilation into the atmosphere; see README.md."""

    description = "assimilation of observations into the atmosphere"
    diagnostic_units = {"air_temperature_increment": "K", "eastward_wind_increment": "m s-1"}
    shapes_state = ("levels", "members")

    class Options(Namelist):
        """Options of the data assimilation."""

        observations: str = ""
        """CF netCDF, a row an observation; looked up in the case, then in data/. Empty: nothing is observed."""
        levels: Levels = 24
        """Layers of the atmosphere."""
        forecast: ForecastOptions = ForecastOptions()
        """The forecast operator."""
        method: Literal["letkf", "en4dvar", "learned"] = "letkf"
        """letkf: weights column by column. en4dvar: a minimisation through the forecast's gradient. learned: a trained
        network, which needs neither members nor a forecast."""
        network: str = ""
        """For learned: path of the trained network, without its ending; looked up in the case, then in data/."""
        window: Duration = 21600
        """Observations of [t, t + window) make one analysis."""
        increment_at: Literal["start", "end"] = "start"
        """start: for a rule back without lag, which adds the increment from the window's start on. end: for a lag of
        one window, which adds M(x_a) - M(x_b) in the next."""
        members: Members = 20
        """Of the ensemble."""
        radius: Length = 1.2e6
        """Of Gaspari and Cohn's function in the horizontal; nothing acts beyond twice as far."""
        depth: Depth = 0.5
        """The same in ln p."""
        relaxation: Fraction = 0.75
        """Of the spread to that before the analysis, where observations acted."""
        inflation: Factor = 1.03
        """Factor of the spread besides."""
        iterations: Iterations = 20
        """Of the minimisation, at most."""
        perturbations: Literal["balanced", "independent"] = "balanced"
        """Of the first ensemble."""
        wind_spread: Size = 3.0
        """Of the first ensemble, m s-1."""
        temperature_spread: Size = 1.0
        """Of independent perturbations, K."""
        humidity_spread: Fraction = 0.1
        """Over the humidity of the air."""
        gross_check: Deviations = 5.0
        """Standard deviations of observation and ensemble together beyond which an observation is left out."""
        thinning: LengthOrNone = 0.0
        """Side of boxes of which each keeps one observation of a kind; 0: all."""
        first_window: Count = 0
        """Windows at the start that are left without analysis."""

    def __init__(self, options: Any):
        super().__init__(options)
        self.imports = tuple(FieldSpec(name, levels=options.levels) for name in TAKEN)
        self.exports = tuple(FieldSpec(name, levels=options.levels) for name in GIVEN)

    def check(self, setting: Setting) -> list[str]:
        """A file that is missing or wrong or ends early, a window that does not fit, a radius below a cell."""
        o, problems = self.options, []
        for name, step in (("step", setting.step), ("forecast: step", o.forecast.step)):
            if o.window % step:
                problems.append(f"window of {o.window} s is not a multiple of the {name}, {step} s")
        if not getattr(setting.grid, "is_structured", False):
            return [f"{setting.name}: the assimilation needs a structured grid, such as a projected one"]
        cell = spacing_of(setting.grid)
        if o.radius < cell:
            problems.append(f"expected a radius of at least a cell ({cell:.0f} m), found {o.radius:.0f} m")
        if o.observations:
            path = setting.file(o.observations)
            if not path.exists():
                problems.append(f"{o.observations} does not exist, neither in the case nor in data/")
            else:
                problems += self._wrong_observations(path, setting)
        if o.method == "learned":
            problems += self._wrong_network(setting)
        return [f"{setting.name}: {text}" for text in problems]

    def _wrong_observations(self, path: Any, setting: Setting) -> list[str]:
        try:
            table = observation_file.read(path, setting.clock)
        except CaseError as error:
            return str(error).splitlines()
        if not len(table.time):
            return []
        if not ((table.time >= 0.0) & (table.time < setting.duration)).any():
            return [f"{path.name}: none of {len(table.time)} observations lies within the case"]
        last = (setting.duration - 1) // self.options.window * self.options.window
        if table.time[-1] < last:
            end, due = setting.clock.text(int(table.time[-1])), setting.clock.text(last)
            return [f"{path.name} ends early: its last observation is of {end}, the last window begins at {due}"]
        if not self._places(table, setting).inside.any():
            return [f"{path.name}: none of {len(table.time)} observations lies within the domain"]
        return []

    def _wrong_network(self, setting: Setting) -> list[str]:
        """A network that is missing or of another case, and observations that all lie outside its training."""
        o = self.options
        if not o.network:
            return ["method: learned needs a network: expected the path of a trained one, found none"]
        try:
            trained = maps.load(self._network_path(setting))
        except ModelFileError as error:
            return [f"network: {error}"]
        problems = trained.problems(o.levels, o.window, spacing_of(setting.grid))
        if o.increment_at == "end":
            problems.append("method: learned gives increments at the window's start; expected increment_at: start")
        if o.observations and setting.file(o.observations).exists():
            try:
                table = observation_file.read(setting.file(o.observations), setting.clock)
            except CaseError:
                return [f"network: {text}" for text in problems]  # said before
            for reason, rows in trained.untrained(table, o.window).items():
                if rows.any():
                    first = int(np.flatnonzero(rows)[0])
                    problems.append(
                        f"{int(rows.sum())} of {len(rows)} observations {reason}, the first is {table.variable[first]} "
                        f"of {table.value[first]:g} at {table.pressure[first, 0] / 100.0:.0f} hPa; "
                        f"trained: {trained.text()}"
                    )
        return [f"network: {text}" for text in problems]

    def _network_path(self, setting: Setting) -> Path:
        path = Path(self.options.network)
        return path if path.is_absolute() else setting.file(f"{path}.json").with_suffix("")

    def _places(self, table: Table, setting: Setting) -> Places:
        grid: Any = setting.grid
        return locate(grid.longitude, grid.latitude, table.longitude, table.latitude)

    # ------------------------------------------------------------------ run

    def initialize(self, context: Context) -> Fields:
        """No increments yet; the first rank makes the forecast operator."""
        o, grid = self.options, context.grid
        torch.set_num_threads(context.threads)
        self.context = context
        self.table: Table | None = None
        if o.observations:
            self.table = observation_file.read(context.file(o.observations), context.clock)
        ny, nx = context.local_shape
        self.rates = np.zeros((len(PARTS), o.levels, ny, nx))
        self.x = np.zeros((o.members, len(PARTS) * o.levels, ny, nx))
        self.begun = 0
        self.spacing = spacing_of(grid)
        self.operator: Any = None
        if o.method == "learned":
            self.x = self.x[:0]
            self.trained = maps.load(self._network_path(context))
            self.place = maps.place(grid.longitude, grid.latitude)
        return self._exports()

    def step(self, time: int, seconds: int, imports: Mapping[str, Any]) -> Fields:
        """At the start of a window: its analysis; else what it gave holds."""
        o = self.options
        if time % o.window == 0:
            whole = {part: self.context.gather(np.asarray(imports[name])) for name, part in TAKEN.items()}
            air = {k: torch.as_tensor(np.array(a), dtype=torch.float64) for k, a in whole.items() if a is not None}
            if o.method == "learned":
                self.rates = self.context.scatter(self._learned(time, air) if self.context.rank == 0 else None)
                return self._exports()
            perturbed = self.context.gather(self.x)
            rates, x = self._window(time, air, perturbed) if self.context.rank == 0 else (None, None)
            self.rates, self.x = self.context.scatter(rates), self.context.scatter(x)
            self.begun = 1
        return self._exports()

    def _learned(self, time: int, air: forecasts.Air) -> Any:
        """Rates of the window (4, nz, ny, nx) by the network, on the first rank."""
        o, say = self.options, self.context.log
        shape = (len(PARTS), o.levels, *self.context.grid.shape)
        if time // o.window < o.first_window:
            return np.zeros(shape)
        when = self.context.clock.text(time)
        outside = self.trained.outside(air)
        if outside:
            say(f"{when}: no increment: the background lies outside the training range: {'; '.join(outside)}")
            return np.zeros(shape)
        table, chosen, places = self._chosen(time)
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
        return self.trained.increment(air, observed).reshape(shape).numpy() / float(o.window)

    def _window(self, time: int, air: forecasts.Air, perturbed: Any) -> tuple[Any, Any]:
        """Rates of the window (4, nz, ny, nx) and the next perturbations, on the first rank."""
        o, steps = self.options, self.options.window // self.options.forecast.step
        shape = (len(PARTS), o.levels, *self.context.grid.shape)
        x = torch.as_tensor(np.array(perturbed)) if self.begun else self._first(air)
        table, chosen, places = self._chosen(time)
        if table is None or chosen is None or time // o.window < o.first_window or not chosen.used.any():
            return np.zeros(shape), x.numpy()
        forecast = self._forecast()
        state = forecast.start(air)
        batches = self._batches(table, places, chosen.used, time)
        e = run_members(forecast, state, time, steps, x, batches)
        with torch.no_grad():
            _, seen = trajectory(forecast, state, time, steps, None, batches)
        order = np.concatenate(self._rows(table, chosen.used, time))
        before = np.full(len(table.time), np.nan)
        before[order] = table.value[order] - seen.numpy()
        spread = np.zeros(len(table.time))
        spread[order] = e.equivalents.std(0).numpy()
        selection.gross_check(chosen, before, table.error, spread, o.gross_check)
        self.context.log(f"{self.context.clock.text(time)}: {chosen.text()}")
        if e.lost:
            names = ", ".join(str(n) for n in e.lost)
            self.context.log(f"member(s) {names} broke down and are left out: {len(e.lost)} of {o.members}")
        if not chosen.used.any():
            return np.zeros(shape), x.numpy()
        keep = torch.as_tensor(chosen.used[order])
        batches = self._batches(table, places, chosen.used, time)
        e = e._replace(equivalents=e.equivalents[:, keep])
        found = analyse(forecast, air, time, steps, batches, self._method(air["t"]), (state, seen[keep]), e)
        self._tell(time, table, chosen, found, spread[order][keep.numpy()], order[keep.numpy()])
        dx = found.increment if o.increment_at == "start" else found.later
        rates = torch.stack([unpacked(dx)[k] for k in PARTS]) / float(o.window)
        return rates.numpy(), self._filled(found.perturbations, e.lost).numpy()

    def _filled(self, x: torch.Tensor, lost: Sequence[int]) -> torch.Tensor:
        """As many members as there should be: for each that broke down, half of another's perturbation."""
        rows = list(x)
        for n in lost:
            rows.insert(n, 0.5 * rows[n % len(rows)])
        whole = torch.stack(rows)
        return whole - whole.mean(0)

    def _first(self, air: forecasts.Air) -> torch.Tensor:
        o = self.options
        latitude = torch.as_tensor(np.array(self.context.grid.latitude), dtype=torch.float64)
        size = members.Size(o.wind_spread, o.temperature_spread, o.humidity_spread)
        return members.drawn(air, latitude, self.spacing, o.members, size, o.perturbations, self.context.seed)

    def _forecast(self) -> Any:
        if self.operator is None:
            o = self.options.forecast
            options = {**o.model_dump(exclude={"model", "step"}), "levels": self.options.levels}
            longer = self.context.duration + self.options.window  # the last window may reach beyond the case's end
            self.operator = forecasts.make(o.model, replace(self.context, step=o.step, duration=longer), options)
        return self.operator

    def _method(self, like: torch.Tensor) -> Method:
        o = self.options
        assert o.method != "learned"
        ny, nx = self.context.grid.shape
        root = SeparableRoot.of((ny, nx), (self.spacing, self.spacing), o.radius, like)
        return Method(o.method, o.radius, o.depth, o.relaxation, o.inflation, o.iterations, root)

    # ------------------------------------------------------------------ observations

    def _chosen(self, time: int) -> tuple[Table | None, selection.Selection | None, Any]:
        """The window's observations, which of them are in use, and where they lie."""
        if self.table is None:
            return None, None, None
        table = self.table.where(selection.in_window(self.table, time, time + self.options.window))
        if not len(table.time):
            return None, None, None
        places = self._places(table, self.context)
        return table, selection.select(table, places, 100.0, self.options.thinning, self.spacing), places

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
        return {name: self.rates[PARTS.index(part)] for name, part in GIVEN.items()}

    def state(self) -> dict[str, Any]:
        """The increments that hold, and the ensemble."""
        if self.options.method == "learned":
            return {"rates": self.rates}
        return {"rates": self.rates, "perturbations": self.x, "begun": self.begun}

    def restore(self, state: Mapping[str, Any]) -> Fields:
        """Restore increments and ensemble."""
        self.rates = np.array(state["rates"])
        if self.options.method != "learned" and "perturbations" in state:
            self.x, self.begun = np.array(state["perturbations"]), int(state["begun"])
        return self._exports()

    def diagnostics(self) -> dict[str, np.ndarray[Any, Any]]:
        """Increments of a window in the lowest layer."""
        lowest = self.rates[:, 0] * self.options.window
        return {"air_temperature_increment": lowest[0], "eastward_wind_increment": lowest[2]}

    def finalize(self) -> None:
        """A plot of all windows that were written."""
        folder = self.context.folder / "run" / "assimilation"
        if self.context.rank == 0 and folder.is_dir():
            rows = [row for path in sorted(folder.glob("*.nc")) for row in statistics.read(path)]
            if rows:
                statistics.plot(folder / "departures.png", rows)


def spacing_of(grid: Any) -> float:
    """Mean distance of neighbouring cells of a structured grid, m."""
    at = unit_vectors(np.asarray(grid.longitude), np.asarray(grid.latitude))
    along = [np.linalg.norm(np.diff(at, axis=axis), axis=-1).mean() for axis in (0, 1)]
    return float(EARTH_RADIUS * sum(along) / len(along))
