# SPDX-License-Identifier: BSD-3-Clause
"""Synthetic observations: a nature run of the forecast operator, seen at points with errors."""

from collections.abc import Sequence

import numpy as np
import torch

from components.ml_surrogates.data_assimilation.observation_file import Floats, Table
from components.ml_surrogates.data_assimilation.operators import Seen
from components.ml_surrogates.data_assimilation.places import locate
from components.ml_surrogates.estimation import air_perturbations
from components.ml_surrogates.estimation.air import changed, unpacked
from components.ml_surrogates.forecast_operators import Forecast

ERRORS = {"air_temperature": 0.5, "eastward_wind": 1.0, "northward_wind": 1.0}
PRESSURES = (8.5e4, 7e4, 5e4, 3e4)


@torch.no_grad()
def observed(
    forecast: Forecast, state: object, longitude: Floats, latitude: Floats, spacing: float, times: Sequence[int],
    points: int, seed: int,
) -> Table:  # fmt: skip
    """Temperature and wind of a nature run that starts from a state with a balanced disturbance.

    Parameters
    ----------
    forecast, state : operator, and where the nature run begins before it is disturbed
    longitude, latitude : (ny, nx) of the cells, degrees
    spacing : of the grid, m
    times : of the observations, multiples of the forecast's step, s since the start
    points : how many stations
    seed : of disturbance, stations and errors
    """
    air = {k: a.double() for k, a in forecast.columns(state).items()}
    (disturbance, _) = air_perturbations.drawn(
        air, torch.as_tensor(np.array(latitude)), spacing, 2, air_perturbations.Size(4.0, 1.0, 0.1), "balanced", seed
    )
    rng = np.random.default_rng(seed)
    ny, nx = longitude.shape
    rows, columns = rng.integers(3, ny - 3, points), rng.integers(3, nx - 3, points)
    lon, lat = longitude[rows, columns], latitude[rows, columns]
    parts, air = [], changed(air, disturbance)
    step = int(forecast.seconds)
    for n in range(max(times) // step + 1):
        if n * step in times:
            parts.append(_seen(air, n * step, lon, lat, (longitude, latitude), rng))
        state = forecast.advance(state, float(n * step), unpacked(disturbance) if n == 0 else None)
        air = {k: a.double() for k, a in forecast.columns(state).items()}
    return Table(*(np.concatenate(a) for a in zip(*parts, strict=True)))


def _seen(
    air: dict[str, torch.Tensor], time: int, lon: Floats, lat: Floats, grid: tuple[Floats, Floats],
    rng: np.random.Generator,
) -> Table:  # fmt: skip
    names = [(v, p) for v in ERRORS for p in PRESSURES]
    n = len(lon)
    p = np.repeat([p for _, p in names], n)
    variable = np.repeat([v for v, _ in names], n)
    error = np.array([ERRORS[v] for v in variable])
    where = np.tile(lon, len(names)), np.tile(lat, len(names))
    station = np.array([f"station {i}" for i in range(n)])
    made = Table(
        np.full(p.size, float(time)),
        *where,
        np.stack([p, p], 1),
        variable,
        np.tile(station, len(names)),
        0.0 * p,
        error,
    )
    value = Seen(made, locate(*grid, *where))(air).numpy() + error * rng.standard_normal(p.size)
    return made._replace(value=value)
