# SPDX-License-Identifier: BSD-3-Clause
"""What the inversion and the learned reconstruction share as components: options, stations, window, exports."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import torch

from components.chemistry.carbon_dioxide_fields import background, plane_transport
from components.chemistry.carbon_dioxide_fields.plane_transport import PlaneTransport, PlaneWinds
from components.chemistry.carbon_dioxide_fields.stations_on_grid import Placed, long_means, place, reported
from components.chemistry.stations import global_mean, reading
from components.chemistry.stations.series import Found
from components.ml_surrogates.estimation.analysis import Analysis, Domain, Forcing, Observations, mean_increment
from components.ml_surrogates.estimation.cycled_oi import CycledInterpolation
from components.ml_surrogates.estimation.kriging import correlated
from components.ml_surrogates.estimation.tracer_enkf import TracerEnsemble
from components.science.cell_faces import cell_lengths
from components.science.constants import CARBON_MOLAR_MASS, DRY_AIR_MOLAR_MASS, GRAVITY
from components.science.sphere_transport import MemberTransport, SphereGrid, SphereTransport, fluxes_of_wind
from coupler.clock import Clock
from coupler.component import Array, Component, Context, Fields, Setting
from coupler.errors import CaseError
from coupler.fields import FieldSpec, specs
from coupler.files.forcing import Forcing as FieldFile
from coupler.namelist import Duration, Fraction, Length, Pascals, Range

MOLE_FRACTION = "mole_fraction_of_carbon_dioxide_in_air"
STANDARD_ERROR = "mole_fraction_of_carbon_dioxide_in_air_standard_error"
LAND_FLUX = "surface_net_downward_mass_flux_of_carbon_dioxide_expressed_as_carbon"
LAYER_WINDS = ("eastward_wind_in_atmosphere_layer", "northward_wind_in_atmosphere_layer")
WINDS = ("eastward_wind", "northward_wind")
LAYER_REST = ("air_temperature_in_atmosphere_layer", "humidity_mixing_ratio", "air_pressure")
REST = ("air_temperature", "specific_humidity", "surface_air_pressure", "geopotential")
PPM = 1e-6
KILOMETRE = 1e3  # m
Ppm = Annotated[float, Range(above=0.0, most=100.0)]
PpmPerDay = Annotated[float, Range(above=0.0, most=100.0)]
Members = Annotated[int, Range(least=4, most=1000)]
Frames = Annotated[int, Range(least=1, most=64)]


class Expected(NamedTuple):
    """What the system expects before an analysis (ny, nx), how far its members differ, ppm, and what is reported."""

    mean: torch.Tensor
    doubt: torch.Tensor
    reports: Observations


class StationOptions(Component.Options):
    """Options that the inversion and the reconstruction share."""

    domain: Literal["global", "regional"] = "regional"
    """global: a grid of longitudes and latitudes around the Earth; regional: any structured grid, with inflow."""
    stations: list[str]
    """Files of stations (CF netCDF, ObsPack, WDCGG's text); looked up in the case, then in data/."""
    outside: Literal["refuse", "skip"] = "refuse"
    """Stations outside the grid: an error, or left out and said so."""
    global_mean: str = global_mean.FILE
    """Table of the global mean by month, whose trend is taken off first."""
    background: Literal["latitude_season", "trend"] = "latitude_season"
    """What the air is drawn to and what flows in: the trend with a season by latitude, or the trend alone."""
    inflow: str = ""
    """CF file with the mole fraction that flows in at the sides, such as the output of a global run."""
    levels: Annotated[int, Range(least=0, most=300)] = 0
    """Layers of the atmosphere whose winds are taken; 0: winds of the lowest air, without layers."""
    mixed_layers: Annotated[int, Range(least=1, most=100)] = 6
    """Lowest layers whose mean wind moves the gas."""
    depth: Pascals = 1.0e4
    """Of the ventilated layer, in which fluxes are mixed."""
    ventilation: Duration = 8 * 86400
    """Time in which the layer is drawn to the background."""
    method: Literal["oi", "enkf"] = "enkf"
    """enkf: an ensemble of the gas and of its fluxes; oi: cycled optimal interpolation."""
    interval: Duration = 21600
    """Between analyses; a multiple of the time step."""
    frames: Frames = 8
    """Analyses whose meteorology and observations make the window."""
    spread: Ppm = 8.0
    """Of the prior, ppm."""
    length: Length = 1.5e6
    """Of its correlation."""
    nugget: Fraction = 0.02
    """Share of the variance that nearby places do not have in common; of oi."""
    representation: Ppm = 0.5
    """Standard deviation of a station about its cell, ppm."""
    members: Members = 60
    """Of the ensemble."""
    radius: Length = 2500.0 * KILOMETRE
    """Of the ensemble's localisation; nothing acts beyond twice as far."""
    flux_spread: PpmPerDay = 1.5
    """Of the fluxes that nobody knows, in ppm of the layer a day."""
    flux_length: Length = 1.5e6
    """Of their correlation."""
    flux_memory: Duration = 10 * 86400
    """Of these fluxes."""
    relaxation: Fraction = 0.3
    """Of the ensemble's spread to that before an analysis."""
    model_error: Fraction = 0.0
    """What winds and ventilation make wrong in a day, in units of ``spread``; widens the ensemble."""


class CarbonDioxideAnalysis(Component):
    """Carbon dioxide near the ground from stations, winds and fluxes; the first rank computes."""

    diagnostic_units: Mapping[str, str] = {"carbon_dioxide_increment": "mol mol-1"}
    shapes_state = ("method", "members", "frames", "levels")

    class Options(StationOptions):
        """Options that the inversion and the reconstruction share."""

    def __init__(self, options: Any):
        super().__init__(options)
        n = options.levels
        winds, rest = (LAYER_WINDS, LAYER_REST) if n else (WINDS, REST)
        size = {"levels": n} if n else {}
        self.imports = (
            *(FieldSpec(name, window="mean", **size) for name in winds),
            *(FieldSpec(name, required=False, window="instant", **size) for name in rest),
            FieldSpec(LAND_FLUX, required=False, partial=True),
        )
        self.exports = specs(MOLE_FRACTION, STANDARD_ERROR)
        self.seen = (*winds, *rest)

    # ------------------------------------------------------------------ check

    def check(self, setting: Setting) -> list[str]:
        """Files that are missing or wrong, stations outside the grid, a grid that the domain cannot be, times."""
        o, problems = self.options, []
        if o.interval % setting.step:
            problems.append(f"interval of {o.interval} s is not a multiple of the step, {setting.step} s")
        if o.levels and o.mixed_layers > o.levels:
            problems.append(f"expected mixed_layers of at most the levels ({o.levels}), found {o.mixed_layers}")
        problems += _wrong_grid(setting.grid, o.domain)
        try:
            table = global_mean.read(setting.file(o.global_mean))
            problems += _outside_table(table, setting)
        except CaseError as error:
            problems.append(str(error))
        if o.inflow:
            problems += self._inflow(setting).problems(0, setting.duration)
        found = self._read(setting)
        problems += [*found.problems, *long_means(found.series)]
        if found.series and getattr(setting.grid, "is_structured", False):
            grid: Any = setting.grid
            placed = place(found.series, grid.longitude, grid.latitude, setting.clock)
            if o.outside == "refuse":
                problems += [f"{text}; outside: skip  leaves such stations out" for text in placed.outside]
            if not placed.names and o.outside == "skip":
                problems.append(f"none of {len(found.series)} stations lies in the grid")
            inside = (placed.time > 0.0) & (placed.time <= setting.duration)
            if placed.names and not inside.any():
                problems.append("no station reports within the case")
        return [f"{setting.name}: {text}" for text in problems]

    def remarks(self, setting: Setting) -> list[str]:
        """What the files say beside their values, and stations that are left out."""
        grid: Any = setting.grid
        if not getattr(grid, "is_structured", False):
            return []
        found = self._read(setting)
        placed = place(found.series, grid.longitude, grid.latitude, setting.clock)
        said = [*found.notes, *(f"{text}; it is left out" for text in placed.outside)]
        return [*said, f"{len(placed.names)} stations in {len(placed.cells)} cells"]

    def _read(self, setting: Setting) -> Found:
        return reading.read_all([setting.file(name) for name in self.options.stations])

    def _inflow(self, setting: Setting) -> FieldFile:
        return FieldFile(setting.file(self.options.inflow), MOLE_FRACTION, setting.clock, units="1", grid=setting.grid)

    # ------------------------------------------------------------------ run

    def initialize(self, context: Context) -> Fields:
        """The background everywhere; on the first rank the system that follows the gas."""
        o, grid = self.options, context.grid
        torch.set_num_threads(context.threads)
        self.context = context
        ny, nx = context.local_shape
        self.window = np.zeros((o.frames, len(self.seen) + 3, ny, nx))
        self.fields = np.zeros((3, ny, nx))  # mole fraction, standard error, increment
        self.advances = 0
        self.table = global_mean.read(context.file(o.global_mean))
        self.latitude = np.asarray(grid.latitude, dtype=np.float64)
        self.placed: Placed = place(
            self._read(context).series, np.asarray(grid.longitude), self.latitude, context.clock
        )
        self.outside = self._inflow(context) if o.inflow else None
        self.system: Any = None
        self.kept: Any = None
        self.expected: Expected | None = None  # of the last analysis, on the first rank
        whole = None
        if context.rank == 0:
            self.system = self._system()
            self.kept = self.system.start(torch.zeros(self.latitude.shape, dtype=torch.float64))
            start, _ = self._background(0)
            whole = np.stack([start, np.full(start.shape, o.spread * PPM), np.zeros(start.shape)])
        self.fields = context.scatter(whole)
        return self._exports()

    def _system(self) -> Analysis[Any]:
        """The analysis that the namelist asks for."""
        o = self.options
        domain, dynamics = self._domain(), self._dynamics()
        spread = torch.tensor(o.spread, dtype=torch.float64)
        covariance = correlated(domain, spread, o.length)
        if o.method == "oi":
            return CycledInterpolation(dynamics, covariance, o.nugget)
        small = 1e-6 * torch.eye(covariance.shape[0], dtype=torch.float64)
        root = torch.linalg.cholesky(covariance + small * o.spread * o.spread)
        size = torch.tensor(o.flux_spread / 86400.0, dtype=torch.float64)
        fluxes = torch.linalg.cholesky(correlated(domain, size, o.flux_length) + small * size * size)
        return TracerEnsemble(
            domain, dynamics, fluxes, float(o.flux_memory), root, radius=o.radius, members=o.members,
            relaxation=o.relaxation, model_error=o.model_error, seed=self.context.seed + 1,
        )  # fmt: skip

    def _domain(self) -> Domain:
        grid = self.context.grid
        lon, lat, area = (torch.as_tensor(np.array(a).ravel()) for a in (grid.longitude, grid.latitude, grid.area))
        return Domain((self.latitude.shape[0], self.latitude.shape[1]), lon, lat, area)

    def _dynamics(self) -> Any:
        grid: Any = self.context.grid
        loss = float(self.options.ventilation)
        if self.options.domain == "global":
            self.sphere = SphereGrid(self.latitude.shape[0], self.latitude.shape[1], dtype=torch.float64)
            return (MemberTransport if self.options.method == "enkf" else SphereTransport)(self.sphere, loss)
        dx, dy = (torch.as_tensor(a) for a in cell_lengths(grid.corner_longitude, grid.corner_latitude))
        return PlaneTransport(dx, dy, loss)

    def step(self, time: int, seconds: int, imports: Mapping[str, Any]) -> Fields:
        """The gas with the winds and fluxes of the step, and at the end of an interval what stations say."""
        o, end = self.options, time + seconds
        given = {name: imports.get(name) for name in (*self.seen, LAND_FLUX)}
        whole = {name: self.context.gather(np.asarray(a)) for name, a in given.items() if a is not None}
        due = end % o.interval == 0
        window = self.context.gather(self.window) if due else None
        fields = frame = None
        if self.context.rank == 0:
            air = {name: torch.as_tensor(np.array(a), dtype=torch.float64) for name, a in whole.items()}
            self.kept = self.system.advance(self.kept, self._forcing(air, end), float(seconds))
            fields, frame = self._estimate(end, due, air)
            if due:
                window = np.concatenate([np.asarray(window)[1:], frame[None]])
                fields = self.improved(fields, window, end)
        self.advances += 1
        self.fields = self.context.scatter(fields)
        if due:
            self.window = self.context.scatter(window)
        return self._exports()

    def improved(self, fields: Array, window: Array, time: int) -> Array:
        """What a learned reconstruction makes of the inversion's fields; the inversion itself leaves them.

        Parameters
        ----------
        fields : (3, ny, nx) mole fraction, its standard error and the increment, mol mol-1
        window : (frames, variables, ny, nx) meteorology, observations in ppm, mask and prior, the latest last
        time : model time, s
        """
        return fields

    def _background(self, time: int) -> tuple[Array, float]:
        """Mole fraction of the background (ny, nx), and seconds since 1970-01-01."""
        since = _since_1970(self.context.clock, time)
        trend = float(self.table.trend_at(np.array([since]))[0])
        season = background.departure(self.latitude, since) if self.options.background == "latitude_season" else 0.0
        return trend + PPM * season + np.zeros(self.latitude.shape), since

    def _forcing(self, air: Mapping[str, torch.Tensor], end: int) -> Forcing:
        """Winds of the layer, and the known flux in ppm a second."""
        o, grid = self.options, self.context.grid
        u, v = (air[name] for name in self.seen[:2])
        if o.levels:
            u, v = (sum(a[k] for k in range(o.mixed_layers)) / o.mixed_layers for a in (u, v))
        flux = torch.zeros_like(u)
        if LAND_FLUX in air:
            layer = o.depth / GRAVITY / DRY_AIR_MOLAR_MASS  # mol m-2
            flux = -torch.nan_to_num(air[LAND_FLUX]) / CARBON_MOLAR_MASS / layer / PPM
        if o.domain == "global":
            return Forcing(fluxes_of_wind(self.sphere, u, v), flux)
        outside = torch.zeros_like(u)
        if self.outside is not None:
            mean, _ = self._background(end)
            outside = torch.as_tensor((self.outside.at(end) - mean) / PPM)
        along, across = plane_transport.along_axes(u, v, torch.as_tensor(np.array(grid.angle)))
        return Forcing(PlaneWinds(along, across, outside), flux)

    def _estimate(self, end: int, due: bool, air: Mapping[str, torch.Tensor]) -> tuple[Array, Array]:
        """Fields (3, ny, nx) at the end of a step, and the frame of the window (variables, ny, nx)."""
        o = self.options
        prior = self._mean()
        mean, _ = self._background(end)
        deviation = self._deviation()
        after = prior
        seen, mask = np.zeros(prior.shape), np.zeros(prior.shape)
        if due:
            value, error, known = reported(self.placed, end - o.interval, end, o.representation * PPM)
            away = (value - mean.ravel()[self.placed.cells]) / PPM
            parts = (torch.as_tensor(a) for a in (np.where(known, away, 0.0), error / PPM, known, self.placed.cells))
            observations = Observations(*parts)
            self.expected = Expected(prior, deviation, observations)
            if known.any():
                found = self.system.analyse(self.kept, observations)
                self.kept, after, deviation = found.state, found.mean, found.standard_deviation
            seen.ravel()[self.placed.cells] = np.where(known, away, 0.0)
            mask.ravel()[self.placed.cells] = known
            self._tell(end, int(known.sum()), prior, after)
        fields = np.stack([mean + PPM * after.numpy(), PPM * deviation.numpy(), PPM * (after - prior).numpy()])
        layers = [air[n] if n in air else torch.zeros_like(prior) for n in self.seen]
        lowest = [a[0].numpy() if a.ndim > 2 else a.numpy() for a in layers]
        return fields, np.stack([*lowest, seen, mask, after.numpy()])

    def _mean(self) -> torch.Tensor:
        mean: torch.Tensor = self.kept.field if self.options.method == "oi" else self.kept.members.mean(0)
        return mean

    def _deviation(self) -> torch.Tensor:
        if self.options.method == "oi":
            return torch.full_like(self.kept.field, self.options.spread)
        deviation: torch.Tensor = self.kept.members.std(0)
        return deviation

    def _tell(self, end: int, known: int, before: torch.Tensor, after: torch.Tensor) -> None:
        """What the analysis has added to the layer: gas that no flux has brought."""
        change = float(mean_increment(self._domain(), before, after))
        self.context.log(
            f"{self.context.clock.text(end)}: {known} of {len(self.placed.cells)} cells with stations report; "
            f"the analysis changes the mean by {change:+.4f} ppm"
        )

    # ------------------------------------------------------------------ what others see

    def _exports(self) -> Fields:
        return {MOLE_FRACTION: self.fields[0], STANDARD_ERROR: self.fields[1]}

    def state(self) -> dict[str, Any]:
        """The system's state, the window, and what was given last."""
        kept = {}
        names = ("field",) if self.options.method == "oi" else ("members", "fluxes")
        for name in names:
            whole = getattr(self.kept, name).numpy() if self.context.rank == 0 else None
            kept[f"analysis_{name}"] = self.context.scatter(whole)
        return {**kept, "window": self.window, "fields": self.fields, "advances": self.advances}

    def restore(self, state: Mapping[str, Any]) -> Fields:
        """Restore a saved state."""
        self.window, self.fields = np.array(state["window"]), np.array(state["fields"])
        self.advances = int(state["advances"])
        whole = {
            name.removeprefix("analysis_"): self.context.gather(np.array(a))
            for name, a in state.items()
            if name.startswith("analysis_")
        }
        if self.context.rank == 0:
            parts = {name: torch.as_tensor(np.array(a)) for name, a in whole.items()}
            if self.options.method == "enkf":
                parts["cycle"] = torch.tensor(self.advances)
            self.kept = type(self.kept)(**parts)
        return self._exports()

    def diagnostics(self) -> dict[str, Array]:
        """What the last analysis has added."""
        return {"carbon_dioxide_increment": self.fields[2]}

    def finalize(self) -> None:
        """Close the file of the inflow."""
        if self.outside is not None:
            self.outside.close()


def _since_1970(clock: Clock, time: int) -> float:
    text = clock.text(time)
    try:
        return float(np.datetime64(text, "s").astype(np.int64))
    except ValueError:  # a day that only the calendar of the case has
        return float(np.datetime64(f"{text[:8]}28{text[10:]}", "s").astype(np.int64))


def _wrong_grid(grid: Any, domain: str) -> list[str]:
    if not getattr(grid, "is_structured", False):
        return ["expected a structured grid, found one of cells without rows"]
    if domain == "regional":
        return []
    ny, nx = grid.shape
    sphere = SphereGrid(ny, nx, dtype=torch.float64)
    lon, lat = np.asarray(grid.longitude) % 360.0, np.asarray(grid.latitude)
    same = np.allclose(lat, sphere.latitude.numpy()[:, None]) and np.allclose(lon, sphere.longitude.numpy() % 360.0)
    if same:
        return []
    return [
        "domain: global expects a grid {west: 0, east: 360, south: -90, north: 90} of equal steps from south to "
        f"north; found latitudes from {lat[0, 0]:g} to {lat[-1, 0]:g} and "
        f"longitudes from {lon[0, 0]:g} on; or domain: regional"
    ]


def _outside_table(table: global_mean.GlobalMean, setting: Setting) -> list[str]:
    first, last = (_since_1970(setting.clock, t) for t in (0, setting.duration))
    month = 31 * 86400.0
    if first < table.time[0] - month or last > table.time[-1] + month:
        begin, end = (str(np.datetime64(int(t), "s"))[:7] for t in (table.time[0], table.time[-1]))
        return [
            f"the global mean is known from {begin} to {end}, and the case lies outside: give a table that covers it"
        ]
    return []
