# SPDX-License-Identifier: BSD-3-Clause
"""A case of 100 km over East Asia whose gases have sources of their own at the ground and come in through the sides.

The weather at the sides is a day's analysis of the globe that goes around the Earth at some degrees a day: other air
comes in on every day. Inside, the atmosphere makes its own; the ground has a given temperature and gives heat, vapour,
drag, and each gas its flux: ``gas0`` a steady one, the others random ones of the world of `co2_reconstruction.osse`.

A case of another `draw` is what systems may have in the place of that truth: sides whose weather stands some degrees
too far east or west, land that is too warm (so that its air mixes more), random gases of its own; the steady source
is the same.
"""

from pathlib import Path

import netCDF4
import numpy as np
import pyproj
import torch
import yaml

from components.atmosphere.nonhydrostatic.driving.pressure_levels import read_analysis
from components.land.data.component import DataLand
from components.ml_surrogates.co2_reconstruction.osse import FLUX_TIME, flux_root
from components.ml_surrogates.estimation.analysis import Domain
from coupler.fields import FieldSpec
from coupler.files.land_mask import is_land

DAY, HOUR = 86400.0, 3600.0
START = "2005-01-01"
PLANE = "+proj=lcc +lat_1=-5 +lat_2=40 +lat_0=25 +lon_0=130 +R=6371000"
CENTRE = (118.0, 33.0)  # degrees east and north
FED = 1000.0  # kg m-2 of air in which a random flux makes the ppm a second that it has in the made-up world
ABOVE = 100.0  # ppm that all gases have besides, so that none is negative
ERROR_TIME = 2.0 * DAY  # memory of how far the weather at the sides is out of its place
INFLOW, INFLOW_LENGTH, INFLOW_TIME = 2.0, 2000e3, 3.0 * DAY  # ppm, m, s: of what comes in through the sides
RECORD = 12  # hours from one state of the sides to the next
ROOM = 1.0  # degrees between points of the ground


class Ground(DataLand):
    """Land of a given temperature that gives each gas its flux in ``fluxes.nc``, a record a day."""

    class Options(DataLand.Options):
        """Options of the ground."""

        gases: int = 1
        """Number of gases."""

    def __init__(self, options):
        super().__init__(options)
        self.own = [FieldSpec(f"flux{k}", units="kg m-2 s-1", kind="flux") for k in range(options.gases)]
        self.exports = (*self.exports, *self.own)

    def initialize(self, context):
        """Read the fluxes too."""
        with netCDF4.Dataset(context.file("fluxes.nc")) as f:
            self.flux = {s.name: [context.local(day) for day in f[s.name][:].filled(np.nan)] for s in self.own}
        return {**super().initialize(context), **self._fluxes(0)}

    def step(self, time, seconds, imports):
        """The ground's own, and the fluxes at the end of the step."""
        return {**super().step(time, seconds, imports), **self._fluxes(time + seconds)}

    def _fluxes(self, time):
        day, share = divmod(time / DAY, 1.0)
        return {k: (1.0 - share) * a[int(day)] + share * a[int(day) + 1] for k, a in self.flux.items()}


def _file(path, axes, fields):
    """A netCDF file: axes (name, values, units) in order, fields by name (units, dimensions, values)."""
    with netCDF4.Dataset(path, "w") as f:
        for name, values, units in axes:
            f.createDimension(name, len(values))
            axis = f.createVariable(name, "f8", (name,))
            axis.units = units
            axis[:] = values
        for name, (units, dims, values) in fields.items():
            v = f.createVariable(name, "f4", dims)
            v.setncatts({"units": units, "standard_name": name})
            v[:] = values
    return path


def _displaced(count, size, generator):
    """By how many points the weather is out of its place at each of the records, of a size."""
    keep, out = np.exp(-RECORD * HOUR / ERROR_TIME), [size * torch.randn(1, generator=generator)]
    for _ in range(count - 1):
        out.append(keep * out[-1] + (1.0 - keep**2) ** 0.5 * size * torch.randn(1, generator=generator))
    return torch.cat(out).round().int().tolist()


def _weather(folder, analysis, humidity, days, degrees, error, generator):
    """The sides: a state of the globe that goes around; returns latitudes and their lowest air's temperature."""
    state = read_analysis(analysis, 0, humidity)
    high, near = state.p >= 2000.0, (state.lat > -5.0) & (state.lat < 70.0)
    step = float(state.lon[1] - state.lon[0])
    east = np.arange(60.0, 180.0, step)
    first, by = round((60.0 - state.lon[0]) / step), degrees * RECORD / 24 / step
    if by != round(by):
        raise ValueError(f"{degrees} degrees a day are no whole points of {step} degrees in {RECORD} h")
    hours = RECORD * np.arange(days * 24 // RECORD + 1)
    off = _displaced(hours.size, error / step, generator) if error else [0] * hours.size
    columns = [(first + off[n] + np.arange(east.size) - n * round(by)) % state.lon.size for n in range(hours.size)]
    axes = [
        ("time", hours, f"hours since {START} 00:00:00"), ("level", state.p[high] / 100.0, "hPa"),
        ("latitude", state.lat[near], "degrees_north"), ("longitude", east, "degrees_east"),
    ]  # fmt: skip
    names = {
        "eastward_wind": ("u", "m s-1"), "northward_wind": ("v", "m s-1"), "air_temperature": ("t", "K"),
        "geopotential_height": ("z", "m"), "specific_humidity": ("q", "1"),
    }  # fmt: skip
    dims = tuple(name for name, *_ in axes)
    fields = {}
    for name, (short, units) in names.items():
        one = state.fields[short][high][:, near]
        fields[name] = units, dims, np.stack([one[..., c] for c in columns])
    _file(folder / "weather.nc", axes, fields)
    return state.lat, state.fields["t"][0].mean(-1)


def _ground(folder, latitude, temperature, warmer):
    """The ground is as warm as the lowest air of its latitude, the sea two degrees more, land two less."""
    lat, lon = np.arange(-5.0, 70.0, ROOM), np.arange(65.0, 175.0, ROOM)
    land = is_land(lon[None, :], lat[:, None])
    warm = np.interp(lat, latitude, temperature)[:, None] + np.where(land, -2.0 + warmer, 2.0)
    axes = [
        ("time", [0.0, 400.0], f"days since {START} 00:00:00"), ("lat", lat, "degrees_north"),
        ("lon", lon, "degrees_east"),
    ]  # fmt: skip
    dims = ("lat", "lon")
    _file(folder / "ground.nc", axes, {
        "surface_temperature": ("K", ("time", *dims), np.stack([warm, warm])),
        "land_binary_mask": ("1", dims, np.ones_like(warm)),
    })  # fmt: skip


def _sources(folder, ny, nx, spacing, days, gases, generator, other):
    """Fluxes a day apart on the cells: that of gas0 steady, the others with a memory of ten days."""
    plane = pyproj.Proj(PLANE)
    x, y = plane(*CENTRE)
    x, y = np.meshgrid(x + spacing * (np.arange(nx) - (nx - 1) / 2), y + spacing * (np.arange(ny) - (ny - 1) / 2))
    lon, lat = plane(x, y, inverse=True)
    cells = Domain((ny, nx), *(torch.as_tensor(a.ravel()).float() for a in (lon, lat)), torch.ones(ny * nx))
    parts = spacing * np.array([-0.375, -0.125, 0.125, 0.375])
    land = np.mean([is_land(*plane(x + a, y + b, inverse=True)) for a in parts for b in parts], 0)
    root = FED * flux_root(cells, torch.as_tensor(land).float())

    def white(n, generator=other):
        return torch.randn((n, ny * nx), generator=generator) @ root.T

    steady, random, keep, out = white(1, generator), white(gases - 1), np.exp(-DAY / FLUX_TIME), []
    for _ in range(days + 2):
        out.append(torch.cat([steady, random]))
        random = keep * random + (1.0 - keep**2) ** 0.5 * white(gases - 1)
    flux = torch.stack(out, 1).reshape(gases, days + 2, ny, nx).numpy()
    axes = [
        ("day", np.arange(days + 2.0), f"days since {START} 00:00:00"),
        ("y", np.arange(ny), "1"),
        ("x", np.arange(nx), "1"),
    ]
    fields = {f"flux{k}": ("kg m-2 s-1", ("day", "y", "x"), a) for k, a in enumerate(flux)}
    _file(folder / "fluxes.nc", axes, {**fields, "steady": ("kg m-2 s-1", ("y", "x"), flux[0, 0])})


def _inflow(folder, days, gases, generator):
    """What comes in: gas0 at its mean, the others with random departures."""
    lat, lon = np.arange(-5.0, 70.0, 2.5), np.arange(65.0, 175.0, 2.5)
    east, north = (torch.as_tensor(a.ravel()) for a in np.meshgrid(lon, lat))
    distance = Domain((lat.size, lon.size), east, north, torch.ones_like(east)).distance()
    cov = torch.exp(-0.5 * (distance / INFLOW_LENGTH) ** 2) + 1e-4 * torch.eye(len(distance), dtype=torch.float64)
    root = INFLOW * torch.linalg.cholesky(cov)
    hours = np.arange(0, (days + 1) * 24 + 1, RECORD)
    keep = np.exp(-RECORD * HOUR / INFLOW_TIME)

    def white():
        return torch.randn((gases - 1, len(distance)), generator=generator, dtype=torch.float64) @ root.T

    now, out = white(), []
    for _ in hours:
        out.append(torch.cat([torch.zeros(1, len(distance)), now]))
        now = keep * now + (1.0 - keep**2) ** 0.5 * white()
    fields = ABOVE + torch.stack(out, 1).reshape(gases, hours.size, lat.size, lon.size).numpy()
    axes = [
        ("time", hours, f"hours since {START} 00:00:00"), ("latitude", lat, "degrees_north"),
        ("longitude", lon, "degrees_east"),
    ]  # fmt: skip
    dims = tuple(name for name, *_ in axes)
    _file(folder / "gases.nc", axes, {f"gas{k}": ("1", dims, a) for k, a in enumerate(fields)})


def write_case(
    folder, analysis, humidity, *, days=24, gases=8, shape=(40, 44), spacing=100e3, degrees=9.0, seed=18, draw=0,
    error=0.0, warmer=0.0,
):  # fmt: skip
    """Write the case; returns its folder.

    Parameters
    ----------
    folder : to fill
    analysis, humidity : files of a day's winds and temperature on the globe, and of a state whose humidity is taken
    days, gases : how many; gas0 has a steady source
    shape, spacing : rows and columns of cells, m
    degrees : a day by which the weather at the sides goes to the east
    seed : of sources and inflow
    draw : other than zero: of other random sources and inflow, and of the error
    error : by how many degrees the weather at the sides is out of its place
    warmer : by how much land is warmer, K
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(seed)
    other = torch.Generator().manual_seed(seed + 1000 * draw) if draw else generator
    _ground(folder, *_weather(folder, analysis, humidity, days, degrees, error, other), warmer)
    _sources(folder, *shape, spacing, days, gases, generator, other)
    _inflow(folder, days, gases, other)
    names = [f"gas{k}" for k in range(gases)]
    step = {"step": "PT10M"}
    either = {**{"period": "PT10M", "lag": "PT10M"}, "remap": "conservative"}
    plane = {"projection": PLANE, "nx": shape[1], "ny": shape[0], "spacing": spacing, "center": list(CENTRE)}
    source = {"boundary": "file", "file": "gases.nc", "units": "1"}
    air = {
        "levels": 12, "relief": "", "driver": ["weather.nc"], "boundary_layer": "ysu", "convection": "none",
        "microphysics": "none", "radiation": "none",
        "tracers": [{"name": n, **source, "surface_flux": f"flux{k}"} for k, n in enumerate(names)],
    }  # fmt: skip
    output = {
        "name": "air",
        "fields": ["eastward_wind", "northward_wind", *names],
        "period": "PT6H",
        "statistic": "instant",
    }
    files = {
        "case": {
            "title": "Gases with sources over East Asia", "start": START, "calendar": "standard",
            "duration": f"P{days}D", "seed": 1,
            "components": {"atmosphere": {"model": "nonhydrostatic"}, "land": {"model": f"{__name__}:Ground"}},
            "layout": {"coupler": 1, "atmosphere": 1, "land": {"ranks": 1, "with": "atmosphere"}},
            "coupling": [{"from": a, "to": b, **either} for a, b in (("atmosphere", "land"), ("land", "atmosphere"))],
            "restart": {"period": f"P{days}D", "keep": 1},
        },
        "atmosphere": {**step, "grid": plane, "nonhydrostatic": air, "output": [output]},
        "land": {**step, "grid": "atmosphere", "options": {"file": "ground.nc", "fluxes": True, "gases": gases}},
    }  # fmt: skip
    for name, words in files.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(words, sort_keys=False))
    return folder
