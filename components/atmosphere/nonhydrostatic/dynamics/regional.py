# SPDX-License-Identifier: BSD-3-Clause
"""Geometry of a regional grid on the sphere: metrics from its corners, relief averaged over its cells, model levels."""

from pathlib import Path

import netCDF4
import numpy as np
import numpy.typing as npt
import torch

from components.atmosphere.nonhydrostatic.dynamics.base_state import LogPressure
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry, build_geometry
from components.atmosphere.nonhydrostatic.dynamics.levels import hybrid_heights, smooth_121, stretched_levels
from components.science.cell_faces import cell_lengths as cell_lengths
from components.science.constants import EARTH_ROTATION

Array = npt.NDArray[np.float64]
ELEVATION = ("surface_altitude", "ROSE", "orography", "elevation", "height", "z")
LAND = "land_area_fraction"


def mean_spacing(corner_lon: Array, corner_lat: Array) -> tuple[float, float]:
    """Mean length (m) of the cells along y and along x.

    Parameters
    ----------
    corner_lon, corner_lat : (ny+1, nx+1) of the corners, degrees
    """
    along_x, along_y = cell_lengths(corner_lon, corner_lat)
    return float(along_y.mean()), float(along_x.mean())


def mean_relief(path: str | Path, corner_lon: Array, corner_lat: Array, samples: int = 5) -> Array:
    """Height of the ground (ny, nx) in m, the sea at 0: the mean of ``samples`` squared points in each cell.

    The file holds a relief on latitudes and longitudes (:data:`ELEVATION`), with a land fraction where cells are mixed.

    Raises
    ------
    ValueError
        If the file has no relief.
    """
    with netCDF4.Dataset(path) as f:
        name = next((n for n in ELEVATION if n in f.variables), None)
        if name is None:
            raise ValueError(
                f"{path} has no relief: expected one of {', '.join(ELEVATION)}, with latitude and longitude"
            )
        height = np.maximum(np.ma.filled(np.ma.asarray(f[name][:], dtype=np.float64), 0.0), 0.0)
        height = np.where(np.isfinite(height), height, 0.0)
        if LAND in f.variables and f[LAND].dimensions == f[name].dimensions:
            height = height * np.ma.filled(np.ma.asarray(f[LAND][:], dtype=np.float64), 0.0)
        lat, lon = (np.asarray(f[d][:], dtype=np.float64) for d in f[name].dimensions[-2:])
    return _cell_means(height, lat, lon, corner_lon, corner_lat, samples)


def mean_land(path: str | Path, corner_lon: Array, corner_lat: Array, samples: int = 5) -> Array | None:
    """Share of land of each cell (ny, nx), as `mean_relief` takes means; None where the file does not say."""
    with netCDF4.Dataset(path) as f:
        if LAND not in f.variables:
            return None
        share = np.ma.filled(np.ma.asarray(f[LAND][:], dtype=np.float64), 0.0)
        lat, lon = (np.asarray(f[d][:], dtype=np.float64) for d in f[LAND].dimensions[-2:])
    share = np.clip(np.where(np.isfinite(share), share, 0.0), 0.0, 1.0)
    return _cell_means(share, lat, lon, corner_lon, corner_lat, samples)


def _cell_means(values: Array, lat: Array, lon: Array, corner_lon: Array, corner_lat: Array, samples: int) -> Array:
    """Means (ny, nx) of ``samples`` squared points in each cell of a field on latitudes and longitudes."""
    if lat[0] > lat[-1]:
        lat, values = lat[::-1], values[::-1]
    total = np.zeros((corner_lon.shape[0] - 1, corner_lon.shape[1] - 1))
    c_lon = np.rad2deg(np.unwrap(np.unwrap(np.deg2rad(corner_lon), axis=1), axis=0))
    for a in (np.arange(samples) + 0.5) / samples:
        for b in (np.arange(samples) + 0.5) / samples:
            weights = ((1 - a) * (1 - b), (1 - a) * b, a * (1 - b), a * b)
            corners = (
                (slice(-1), slice(-1)),
                (slice(-1), slice(1, None)),
                (slice(1, None), slice(-1)),
                (slice(1, None),) * 2,
            )
            x = sum(w * c_lon[c] for w, c in zip(weights, corners, strict=True))
            y = sum(w * corner_lat[c] for w, c in zip(weights, corners, strict=True))
            total += _bilinear(values, lat, lon, y, (x - lon[0]) % 360.0 + lon[0])
    return total / samples**2


def _bilinear(values: Array, lat: Array, lon: Array, y: Array, x: Array) -> Array:
    j = np.clip(np.searchsorted(lat, y) - 1, 0, lat.size - 2)
    i = np.clip(np.searchsorted(lon, x) - 1, 0, lon.size - 2)
    wy = np.clip((y - lat[j]) / (lat[j + 1] - lat[j]), 0.0, 1.0)
    wx = np.clip((x - lon[i]) / (lon[i + 1] - lon[i]), 0.0, 1.0)
    return (1 - wy) * ((1 - wx) * values[j, i] + wx * values[j, i + 1]) + wy * (
        (1 - wx) * values[j + 1, i] + wx * values[j + 1, i + 1]
    )


def regional_geometry(
    lat: Array,
    corner_lon: Array,
    corner_lat: Array,
    relief: Array,
    nz: int,
    top: float,
    lowest: float,
    smoothing: int = 2,
    blend_rows: int = 0,
    driver_relief: Array | None = None,
) -> Geometry:
    """Geometry of a whole regional domain.

    Parameters
    ----------
    lat : (ny, nx) latitude of the cell centres, degrees
    corner_lon, corner_lat : (ny+1, nx+1) of the corners, degrees
    relief : (ny, nx) height of the ground, m
    nz, top, lowest : number of layers, height of the lid and thickness of the lowest layer, m
    smoothing : passes of a 1-2-1 filter over the relief
    blend_rows, driver_relief : rows at the sides over which the relief turns into that of the driving data
    """
    dx, dy = cell_lengths(corner_lon, corner_lat)
    ground = smooth_121(torch.as_tensor(relief), smoothing)
    if blend_rows and driver_relief is not None:
        ny, nx = relief.shape
        y, x = np.arange(ny)[:, None], np.arange(nx)[None, :]
        rim = np.minimum(np.minimum(y, ny - 1 - y), np.minimum(x, nx - 1 - x))
        w = torch.as_tensor(np.clip(rim / blend_rows, 0.0, 1.0))
        ground = w * ground + (1 - w) * torch.as_tensor(driver_relief)
    f = torch.as_tensor(2.0 * EARTH_ROTATION * np.sin(np.deg2rad(lat)))
    return build_geometry(
        hybrid_heights(stretched_levels(nz, top, lowest), ground),
        1.0,
        1.0,
        LogPressure(),
        map_factor_x=torch.as_tensor(1.0 / dx),
        map_factor_y=torch.as_tensor(1.0 / dy),
        coriolis=f,
    )
