# SPDX-License-Identifier: BSD-3-Clause
"""A column at a site: from measured weather to fluxes, without the rest of the model.

weather = Weather(start, 1800.0, latitude=40.0, longitude=-88.4, temperature=..., ...)
series = run(weather, parameters(["cropland"], ["silty_clay_loam"]), Options(), lai, sai)
series["upward_latent"]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import torch
from numpy.typing import NDArray

from components.land.column.column import Forcing, Options, State, initial_state, step, water_stored
from components.land.column.humidity import saturation_pressure
from components.land.column.parameters import Parameters
from components.land.column.radiation import partition
from components.land.column.snow import falling_share, over_layers
from components.land.column.structure import cut
from components.science.constants import STEFAN_BOLTZMANN
from components.science.sun import cosine_zenith, days_since_2000
from components.science.water import specific_humidity, vapour_pressure

Series = NDArray[np.float64]
DTYPE = torch.float64
FOLLOWED = (
    "upward_sensible", "upward_latent", "ground_heat", "net_radiation", "upward_longwave",
    "surface_temperature",
    "transpiration", "interception_loss", "ground_evaporation", "surface_runoff", "subsurface_runoff",
    "gross_uptake",
    "net_uptake", "energy_residual", "ground_residual", "water_residual", "unsettled", "unsolved",
)  # fmt: skip


BOUNDS = {
    "temperature": (180.0, 340.0, "K"), "humidity": (0.0, 0.1, "kg kg-1"), "pressure": (3.0e4, 1.2e5, "Pa"),
    "wind": (0.0, 120.0, "m s-1"), "shortwave": (-50.0, 1.8e3, "W m-2"), "longwave": (20.0, 1.0e3, "W m-2"),
    "precipitation": (0.0, 0.2, "kg m-2 s-1"), "co2": (0.0, 1.0e4, "umol mol-1"), "height": (0.1, 1.0e3, "m"),
    "seconds": (1.0, 86400.0, "s"), "latitude": (-90.0, 90.0, "degrees"), "longitude": (-360.0, 360.0, "degrees"),
}  # fmt: skip
"""Least and most: so degrees C, hPa, g/kg and mm a step are told from K, Pa, kg/kg and kg m-2 s-1."""
CONSTANT = ("co2", "height", "seconds", "latitude", "longitude")  # one value may be that of all steps


@dataclass
class Weather:
    """Measured weather, one value a step; the step that begins at ``start`` first (UTC)."""

    start: datetime
    seconds: float
    latitude: float
    longitude: float
    temperature: Series  # K
    humidity: Series  # kg kg-1
    pressure: Series  # Pa
    wind: Series  # m s-1
    shortwave: Series  # W m-2
    longwave: Series  # W m-2
    precipitation: Series  # kg m-2 s-1
    co2: Series | float = 380.0  # umol mol-1
    height: float = 10.0  # m above the displacement height

    def __post_init__(self) -> None:
        """Refuse series of different length, with gaps, or with values that their unit cannot have."""
        length = len(self.temperature)
        if not length:
            raise ValueError("the weather has no steps")
        for name, (least, most, unit) in BOUNDS.items():
            values = np.atleast_1d(getattr(self, name))
            if values.size != length and not (values.size == 1 and name in CONSTANT):
                raise ValueError(f"{name} has {values.size} steps, temperature {length}")
            if not np.isfinite(values).all():
                gaps = int((~np.isfinite(values)).sum())
                raise ValueError(f"{name} has {gaps} gaps: fill them first")
            outside = np.flatnonzero((values < least) | (values > most))
            if outside.size:
                worst = f"{values[outside[0]]:g} in step {outside[0]}"
                raise ValueError(f"{name}: expected {least:g} to {most:g} {unit}, not {worst}")


def snow_share(temperature: Series, humidity: Series, pressure: Series) -> Series:
    """Share of precipitation that falls as snow, of series: see `snow.falling_share`."""
    return np.asarray(falling_share(*(torch.as_tensor(v) for v in (temperature, humidity, pressure))).numpy())


def humidity_from_deficit(temperature: Series, deficit: Series, pressure: Series) -> Series:
    """Specific humidity (kg kg-1) from the vapour pressure deficit (Pa).

    Parameters
    ----------
    temperature : K
    deficit : of vapour pressure, Pa
    pressure : Pa
    """
    e = np.clip(saturation_pressure(torch.as_tensor(temperature))[0].numpy() - deficit, 1.0, None)
    return np.asarray(specific_humidity(e, pressure))


def clear_longwave(temperature: Series, humidity: Series, pressure: Series, cloud: Series | float = 0.5) -> Series:
    """Downwelling longwave where it was not measured, W m-2.

    Clear-sky emissivity of Brutsaert (1975), 1.24 (e/T)^(1/7) with e in hPa, raised by clouds as (1 + .22
    c^2.75)
    (Crawford and Duchon 1999 use c = 1 - SW/SW_clear; the exponent is Sugita and Brutsaert 1993).

    Parameters
    ----------
    temperature : K
    humidity : specific humidity, kg kg-1
    pressure : Pa
    cloud : cover, 0 to 1
    """
    e = vapour_pressure(humidity, pressure) / 100.0
    emissivity = 1.24 * (e / temperature) ** (1.0 / 7.0)
    return np.clip(emissivity * (1.0 + 0.22 * np.asarray(cloud) ** 2.75), 0.0, 1.0) * STEFAN_BOLTZMANN * temperature**4


def forcing(weather: Weather, leaf_area: Callable[[datetime], tuple[float, float]]) -> Forcing:
    """The whole series as a forcing whose columns are the steps.

    Parameters
    ----------
    weather : measured series
    leaf_area : leaf and stem area index at a date
    """
    n = len(weather.temperature)
    latitude, longitude = (torch.tensor([v], dtype=DTYPE) for v in (weather.latitude, weather.longitude))
    sun, leaves = [], []
    for i in range(n):
        middle = weather.start + timedelta(seconds=weather.seconds * (i + 0.5))
        sun.append(cosine_zenith(longitude, latitude, days_since_2000(middle)))
        leaves.append(leaf_area(middle))

    def series(values: Series | float) -> torch.Tensor:
        return torch.tensor(np.array(np.broadcast_to(values, n), dtype=float), dtype=DTYPE)

    mu = torch.cat(sun)
    direct, diffuse = partition(series(weather.shortwave), mu)
    white = snow_share(weather.temperature, weather.humidity, weather.pressure)
    lai, sai = (series(np.array(v)) for v in zip(*leaves, strict=True))
    return Forcing(
        series(weather.temperature), series(weather.humidity), series(weather.pressure), series(weather.wind),
        series(weather.height), direct, diffuse, series(weather.longwave),
        series(weather.precipitation * (1.0 - white)), series(weather.precipitation * white), series(weather.co2), mu,
        lai, sai,
    )  # fmt: skip


def run(
    weather: Weather,
    parameters: Parameters,
    options: Options,
    leaf_area: Callable[[datetime], tuple[float, float]],
    state: State | None = None,
    spin_up: int = 0,
    keep: list[State] | None = None,
) -> dict[str, Series]:
    """Run a single column through measured weather.

    Parameters
    ----------
    leaf_area
        Leaf and stem area index at a date.
    state
        Start; by default the mean temperature of the series and soil at half its water.
    spin_up
        Times the first year (or the whole series, if shorter) is run before.
    keep
        A list that receives the state after every step.

    Returns
    -------
    dict
        Series of :data:`FOLLOWED` and of ``snow_mass``, ``soil_water`` (kg m-2), ``soil_temperature`` and
        ``soil_moisture`` of the layers.
    """
    n = len(weather.temperature)
    if state is None:
        state = initial_state(parameters, torch.full((1,), float(weather.temperature.mean()), dtype=DTYPE))
    given = forcing(weather, leaf_area)
    series: dict[str, list[float]] = {k: [] for k in (*FOLLOWED, "snow_mass", "soil_water")}
    layers: dict[str, list[Series]] = {"soil_temperature": [], "soil_moisture": []}
    year = min(n, round(365 * 86400 / weather.seconds))
    order = [*(i for _ in range(spin_up) for i in range(year)), *range(n)]
    with torch.no_grad():
        for count, i in enumerate(order):
            state, out = step(state, cut(given, slice(i, i + 1)), parameters, weather.seconds, options)
            if keep is not None and count >= len(order) - n:
                keep.append(state)
            if count < len(order) - n:
                continue
            for name in FOLLOWED:
                series[name].append(getattr(out, name).item())
            series["snow_mass"].append((over_layers(state.snow.ice) + over_layers(state.snow.liquid)).item())
            series["soil_water"].append(water_stored(state, parameters).item())
            layers["soil_temperature"].append(state.soil_temperature[:, 0].numpy().copy())
            layers["soil_moisture"].append((state.liquid + state.ice)[:, 0].numpy().copy())
    return {k: np.array(v) for k, v in {**series, **layers}.items()}
