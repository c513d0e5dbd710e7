# SPDX-License-Identifier: BSD-3-Clause
"""History files: CF netCDF, instant or statistics over a period, several streams a component."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import numpy.typing as npt

from coupler.component import Context, as_numbers
from coupler.errors import ComponentError, FieldError
from coupler.fields import FieldSpec, dictionary
from coupler.files import sources
from coupler.files.atomic import DiskError
from coupler.files.earlier_history import goes_on, take_up
from coupler.grids.grid import Grid
from coupler.plan import ComponentPlan, Plan, Stream
from coupler.window import Window

CELL_METHODS = {"instant": "point", "mean": "mean", "min": "minimum", "max": "maximum", "sum": "sum"}


class HistoryStream:
    """One history file of one component, written by the component's first rank.

    Parameters
    ----------
    plan, component, stream : Plan, ComponentPlan, Stream
        What is written.
    context : Context
        Grids and decomposition.
    start : int
        Model time at which this run begins, s.
    """

    def __init__(self, plan: Plan, component: ComponentPlan, stream: Stream, context: Context, start: int):
        self.plan, self.component, self.stream, self.context = plan, component, stream, context
        self.path = history_path(plan.folder / "run", component.name, stream.name)
        known = {f.name: f for f in (*component.imports, *component.exports)}
        units = {} if component.component is None else dict(component.component.diagnostic_units)
        self.specs: list[FieldSpec] = []
        for name in stream.fields:
            spec = known.get(name)
            if spec is None:
                spec = FieldSpec(name, units=units.get(name, ""), kind="" if name in dictionary() else "state")
            self.specs.append(spec)
        self._windows: dict[str, Window] = {}
        self._file: Any = None
        self._place = (0, 0)
        self._start = start
        if self.context.rank == 0 and self.path.exists():
            if start == 0:
                self.path.unlink()
            else:
                take_up(self.path, start, context.log)

    def takes(self, time: int) -> bool:
        """Whether the fields at the end of a step go into it: all but those between two instants."""
        return self.stream.statistic != "instant" or self.stream.period.ends_at(self.plan.clock, time)

    def add(self, time: int, fields: Mapping[str, npt.ArrayLike]) -> None:
        """Take the fields at the end of a step; write a record when the period is over."""
        if not self.takes(time):
            return
        for spec in self.specs:
            if spec.name not in fields:
                if spec.name in {f.name for f in self.component.imports}:
                    continue
                raise FieldError(f"{self.component.name} gives no field {spec.name!r} for the history {self.path.name}")
            values = self._block(spec, fields[spec.name])
            window = self._windows.get(spec.name)
            cells = int(np.prod(self.context.decompositions[spec.grid].local_shape))
            if window is None:
                window = self._windows[spec.name] = Window(values.size // cells, cells, self.stream.statistic, False)
            window.add([values.reshape(-1, cells)])
        if self.stream.period.ends_at(self.plan.clock, time):
            self._write(time)

    def _block(self, spec: FieldSpec, given: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """A field of this rank, levels first; one value stands for all cells."""
        values, local = as_numbers(given), self.context.decompositions[spec.grid].local_shape
        if np.shape(given) == ():
            return np.full(local, float(values.reshape(-1)[0]))
        if values.shape[-len(local) :] != local:
            raise ComponentError(
                f"{self.component.name}: {spec.name} for the history {self.path.name} has the shape {values.shape}; "
                f"expected {local}, the cells of this rank of the grid {spec.grid!r}, with levels before them"
            )
        return values

    def _write(self, time: int) -> None:
        gathered: dict[str, npt.NDArray[Any]] = {}
        for spec in self.specs:
            window = self._windows.get(spec.name)
            if window is None:
                continue
            decomposition = self.context.decompositions[spec.grid]
            block = window.take().reshape(-1, *decomposition.local_shape)
            whole = decomposition.gather(block)
            if whole is not None:
                gathered[spec.name] = whole
        if self.context.rank != 0:
            return
        try:
            if self._file is None:
                self._file = self._open(gathered)
            self._still_there()
            file = self._file
            n = file.dimensions["time"].size
            file["time"][n] = time
            if self.stream.statistic != "instant":
                file["time_bounds"][n] = (self.stream.period.begin(self.plan.clock, time), time)
            for spec in self.specs:
                if spec.name in gathered:
                    mask = np.asarray(self.component.grids[spec.grid].mask)
                    values = np.where(mask, gathered[spec.name], np.nan)
                    values = np.where(np.isfinite(values), values, netCDF4.default_fillvals["f8"])
                    variable = file[spec.name]
                    variable[n] = values if spec.levels or values.shape[0] > 1 else values[0]
            file.sync()
        except (OSError, RuntimeError) as error:
            raise DiskError(
                f"cannot write the history {self.path}: {error}; the last complete restart is intact"
            ) from error

    def _still_there(self) -> None:
        """Raise a DiskError where the file that is written has been removed: what goes into it is lost."""
        try:
            place = self.path.stat()
        except OSError:
            place = None
        if place is None or (place.st_dev, place.st_ino) != self._place:
            raise DiskError(
                f"the history {self.path} was removed or replaced while the run wrote it; what it held is lost"
            )

    def _open(self, gathered: Mapping[str, npt.NDArray[Any]]) -> Any:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        made = self.path.with_name(f".{self.path.name}.part")
        self._define(made, gathered)
        if self.path.exists():
            goes_on(self.path, made, self.context.log)
        else:
            os.replace(made, self.path)
        file = netCDF4.Dataset(self.path, "a")
        place = self.path.stat()
        self._place = (place.st_dev, place.st_ino)
        return file

    def _define(self, path: Path, gathered: Mapping[str, npt.NDArray[Any]]) -> None:
        """Write a file without records."""
        with netCDF4.Dataset(path, "w", format="NETCDF4_CLASSIC") as file:
            self._define_in(file, gathered)

    def _define_in(self, file: Any, gathered: Mapping[str, npt.NDArray[Any]]) -> None:
        file.Conventions = "CF-1.11"
        file.title = f"{self.plan.title}: {self.component.name} ({self.component.model})"
        file.setncatts(sources.attributes(self.plan.folder))
        file.source = f"Tessera, {self.component.realm} model {self.component.model}"
        file.history = f"{self.stream.statistic} every {self.stream.period}"
        file.createDimension("time", None)
        define_time(file, self.plan.clock.start, self.plan.clock.calendar, bounds=self.stream.statistic != "instant")
        for name in dict.fromkeys(s.grid for s in self.specs):
            define_grid(file, self.component.grids[name], "" if name == "default" else f"_{name}")
        for spec in self.specs:
            if spec.name not in gathered:
                continue
            suffix = "" if spec.grid == "default" else f"_{spec.grid}"
            dims = ["time"]
            levels = gathered[spec.name].shape[0]
            if spec.levels or levels > 1:
                if f"level{levels}" not in file.dimensions:
                    file.createDimension(f"level{levels}", levels)
                dims.append(f"level{levels}")
            structured = self.component.grids[spec.grid].is_structured
            dims += [f"y{suffix}", f"x{suffix}"] if structured else [f"cell{suffix}"]
            regular = is_regular(self.component.grids[spec.grid])
            if regular:
                dims = [*dims[:-2], f"lat{suffix}", f"lon{suffix}"]
            variable = file.createVariable(
                spec.name, "f8", dims, zlib=True, complevel=1, fill_value=netCDF4.default_fillvals["f8"]
            )
            places = [] if regular else [f"lat{suffix}", f"lon{suffix}"]
            base, level, unit = at_level(spec.name)
            if called := standard_name(base):
                variable.standard_name = called
            if unit:
                places.append(define_level(file, level, unit))
            variable.long_name = spec.long_name
            variable.units = spec.units
            if spec.units == "K":
                variable.units_metadata = "temperature: on_scale"
            variable.cell_methods = f"time: {CELL_METHODS[self.stream.statistic]}"
            if places:
                variable.coordinates = " ".join(places)
            if self.component.grids[spec.grid].crs:
                variable.grid_mapping = f"crs{suffix}"

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Windows in their middle, as whole fields on the first rank (all ranks call)."""
        out: dict[str, npt.NDArray[Any]] = {}
        for spec in self.specs:
            window = self._windows.get(spec.name)
            if window is None or window.count == 0 or self.stream.statistic == "instant":
                continue
            decomposition = self.context.decompositions[spec.grid]
            whole = decomposition.gather(window.values.reshape(-1, *decomposition.local_shape))
            if whole is not None:
                out[f"{spec.name}.values"] = whole
                out[f"{spec.name}.count"] = np.asarray(window.count)
        return out

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Restore windows; every rank has the whole fields."""
        for spec in self.specs:
            if f"{spec.name}.count" not in state:
                continue
            decomposition = self.context.decompositions[spec.grid]
            local = decomposition.local(state[f"{spec.name}.values"])
            cells = int(np.prod(decomposition.local_shape))
            window = Window(local.size // cells, cells, self.stream.statistic, False)
            window.restore({"count": state[f"{spec.name}.count"], "values": local.reshape(-1, cells)})
            self._windows[spec.name] = window

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self._still_there()


def at_level(name: str) -> tuple[str, int, str]:
    """A field's name, and the level that ends it with its unit: m above the ground, or hPa.

    >>> at_level("air_temperature_at_2m"), at_level("eastward_wind_at_850hPa"), at_level("air_temperature")
    (('air_temperature', 2, 'm'), ('eastward_wind', 850, 'hPa'), ('air_temperature', 0, ''))
    """
    found = re.fullmatch(r"(.+)_at_(\d+)(m|hPa)", name)
    return (found[1], int(found[2]), found[3]) if found else (name, 0, "")


def standard_name(name: str) -> str:
    """CF standard name of a field of the dictionary, with its modifier (CF, appendix C); empty where it has none.

    >>> standard_name("mole_fraction_of_carbon_dioxide_in_air_standard_error")
    'mole_fraction_of_carbon_dioxide_in_air standard_error'
    """
    whole = name.removesuffix("_standard_error")
    if whole not in dictionary() or whole in NOT_CF:
        return ""
    return whole if whole == name else f"{whole} standard_error"


def define_level(file: Any, level: int, unit: str) -> str:
    """Name of the scalar coordinate (CF 5.7) of a height above the ground or a pressure, which the file then has.

    Parameters
    ----------
    file : open for writing
    level : in ``unit``
    unit : m or hPa
    """
    kind, up = ("height", "up") if unit == "m" else ("air_pressure", "down")
    name = f"{kind}_{level}{unit}"
    if name not in file.variables:
        variable = file.createVariable(name, "f8", ())
        variable.standard_name, variable.units, variable.positive, variable.axis = kind, unit, up, "Z"
        variable[...] = float(level)
    return name


NOT_CF = {
    "minus_tendency_of_atmosphere_mass_content_of_phosphorus_compounds_expressed_as_phosphorus_due_to_deposition",
    "air_temperature_in_atmosphere_layer",
    "air_pressure_at_layer_interface",
    "eastward_wind_in_atmosphere_layer",
    "northward_wind_in_atmosphere_layer",
    "tendency_of_air_temperature_due_to_data_assimilation",
    "tendency_of_humidity_mixing_ratio_due_to_data_assimilation",
    "tendency_of_eastward_wind_due_to_data_assimilation",
    "tendency_of_northward_wind_due_to_data_assimilation",
    "tendency_of_air_pressure_in_lowest_atmosphere_layer_due_to_data_assimilation",
    "tendency_of_mass_content_of_water_in_soil_layer_due_to_data_assimilation",
    "tendency_of_surface_snow_amount_due_to_data_assimilation",
    "cosine_of_solar_zenith_angle",
    "surface_albedo_visible",
    "surface_albedo_near_infrared",
    "surface_net_downward_mass_flux_of_carbon_dioxide_expressed_as_carbon",
    "surface_emitted_longwave_flux",
    "longwave_transmissivity_of_air_above_surface",
    "mass_fraction_of_aged_elemental_carbon_dry_aerosol_particles_in_air",
    "snow_mixing_ratio",
    "mole_fraction_of_carbon_dioxide_in_air_standard_error",
    "mole_fraction_of_ozone_in_surface_air",
    "surface_upward_mass_flux_of_ammonia_expressed_as_nitrogen",
    "irrigation_from_outside",
    "water_flux_from_rivers_into_land",
    "river_bed_conductance",
    "river_bed_conductance_times_stage",
    "river_bed_conductance_times_bed",
    "water_available_from_rivers",
    "atmosphere_mass_content_of_dry_air_in_layer",
    "dry_air_mass_flux_through_west_faces",
    "dry_air_mass_flux_through_south_faces",
    "runoff_mass_flux_of_carbon",
    "runoff_mass_flux_of_nitrogen",
    "runoff_mass_flux_of_phosphorus",
    "stratiform_precipitation_flux_at_bottom_of_layer",
    "convective_precipitation_flux_at_bottom_of_layer",
}
"""Names of the dictionary that the CF standard name table does not have."""


def history_path(run: Path, component: str, stream: str) -> Path:
    """Path of a history file.

    Parameters
    ----------
    run : folder of the run
    component : name in the case
    stream : name of the stream
    """
    return run / "history" / f"{component}.{stream}.nc"


def define_time(file: Any, start: str, calendar: str, *, bounds: bool) -> None:
    """Time axis in seconds since the start of the case."""
    time = file.createVariable("time", "f8", ("time",))
    time.standard_name = "time"
    time.long_name = "time"
    time.units = f"seconds since {start.replace('T', ' ')}" + ("" if "T" in start else " 00:00:00")
    time.calendar = calendar
    time.axis = "T"
    if bounds:
        if "bounds2" not in file.dimensions:
            file.createDimension("bounds2", 2)
        time.bounds = "time_bounds"
        file.createVariable("time_bounds", "f8", ("time", "bounds2"))


def is_regular(grid: Grid) -> bool:
    """Whether longitude depends on x alone and latitude on y alone."""
    if not grid.is_structured or grid.crs:
        return False
    return bool(np.all(grid.longitude == grid.longitude[:1]) and np.all(grid.latitude == grid.latitude[:, :1]))


def define_grid(file: Any, grid: Grid, suffix: str) -> None:
    """Coordinates with bounds, and the projection where there is one."""
    if is_regular(grid):
        _define_axes(file, grid, suffix)
        return
    dims = (f"y{suffix}", f"x{suffix}") if grid.is_structured else (f"cell{suffix}",)
    for name, size in zip(dims, grid.shape, strict=True):
        file.createDimension(name, size)
    longitude, latitude = (cell_corners(grid, c) for c in (grid.corner_longitude, grid.corner_latitude))
    for name, standard, units, values, corners in (
        ("lon", "longitude", "degrees_east", grid.longitude, longitude),
        ("lat", "latitude", "degrees_north", grid.latitude, latitude),
    ):
        variable = file.createVariable(name + suffix, "f8", dims)
        variable.standard_name, variable.units, variable.long_name = standard, units, standard
        variable[...] = values
        if corners is not None:
            n = corners.shape[-1]
            if f"corner{n}" not in file.dimensions:
                file.createDimension(f"corner{n}", n)
            variable.bounds = f"{name}_bounds{suffix}"
            file.createVariable(f"{name}_bounds{suffix}", "f8", (*dims, f"corner{n}"))[...] = corners
    if grid.crs:
        _define_projection(file, grid, suffix)


def cell_corners(grid: Grid, corners: npt.NDArray[Any] | None) -> npt.NDArray[Any] | None:
    """Corners of every cell ``(..., n)``, from those or from the vertices of a structured grid."""
    if corners is None or corners.ndim == len(grid.shape) + 1:
        return corners
    return np.stack([corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]], axis=-1)


def _define_projection(file: Any, grid: Grid, suffix: str) -> None:
    """The projection, and the coordinates in its plane."""
    import pyproj

    assert grid.crs is not None
    crs = file.createVariable(f"crs{suffix}", "i4", ())
    attributes = pyproj.CRS.from_user_input(grid.crs).to_cf()
    for key, value in attributes.items():
        setattr(crs, key, value)
    if len(grid.shape) == 1:
        return
    rotated = "ob_tran" in grid.crs
    x, y = pyproj.Proj(grid.crs)(grid.longitude, grid.latitude)
    names = ("grid_longitude", "grid_latitude") if rotated else ("projection_x_coordinate", "projection_y_coordinate")
    for dim, values, name in ((f"x{suffix}", x[0], names[0]), (f"y{suffix}", y[:, 0], names[1])):
        variable = file.createVariable(dim, "f8", (dim,))
        variable.standard_name, variable.long_name, variable.axis = name, name.replace("_", " "), dim[0].upper()
        variable.units = "degrees" if rotated else "m"
        variable[...] = np.degrees(values) if rotated else values


def _define_axes(file: Any, grid: Grid, suffix: str) -> None:
    if "bounds2" not in file.dimensions:
        file.createDimension("bounds2", 2)
    assert grid.corner_longitude is not None and grid.corner_latitude is not None
    vertices = grid.corner_longitude.shape == (grid.shape[0] + 1, grid.shape[1] + 1)
    for name, standard, units, axis, values, edges in (
        ("lon", "longitude", "degrees_east", "X", grid.longitude[0], grid.corner_longitude[0]),
        ("lat", "latitude", "degrees_north", "Y", grid.latitude[:, 0], grid.corner_latitude[:, 0]),
    ):
        dim = name + suffix
        file.createDimension(dim, values.size)
        variable = file.createVariable(dim, "f8", (dim,))
        variable.standard_name, variable.units, variable.axis, variable.long_name = standard, units, axis, standard
        variable[...] = values
        if vertices:
            variable.bounds = f"{name}_bounds{suffix}"
            bounds = file.createVariable(f"{name}_bounds{suffix}", "f8", (dim, "bounds2"))
            bounds[...] = np.stack([edges[:-1], edges[1:]], axis=1)
