# SPDX-License-Identifier: BSD-3-Clause
"""Temperature and salinity of the East Asian seas on the model's cells, without mixing the waters of its basins."""

from pathlib import Path

import gsw
import numpy as np
import scipy.ndimage
from ferret_datasets import open_file
from ocean_grid import EAST, NORTH, SOUTH, WEST


def fill(field: np.ndarray) -> np.ndarray:
    """Fill NaN in each level with the nearest value of that level; a level without any takes the one above."""
    out = field.copy()
    for k in range(out.shape[0]):
        missing = np.isnan(out[k])
        if missing.all():
            out[k] = out[k - 1]
        elif missing.any():
            nearest = scipy.ndimage.distance_transform_edt(missing, return_distances=False, return_indices=True)
            out[k] = out[k][tuple(nearest)]
    return out


def interpolate(field: np.ndarray, z, y, x, to_z, to_y, to_x) -> np.ndarray:
    """Linear in each direction; constant beyond the ends."""
    for axis, (old, new) in enumerate(((z, to_z), (y, to_y), (x, to_x))):
        position = np.interp(new, old, np.arange(len(old)))
        low = np.minimum(position.astype(int), max(len(old) - 2, 0))
        weight = (position - low).reshape([-1 if a == axis else 1 for a in range(3)])
        high = np.minimum(low + 1, len(old) - 1)
        field = np.take(field, low, axis) * (1 - weight) + np.take(field, high, axis) * weight
    return field


def by_basin(field: np.ndarray, z, y, x, to_z, to_y, to_x, wet: np.ndarray) -> np.ndarray:
    """Interpolate without mixing the waters of basins that no water joins at that depth.

    In each level a basin is what hangs together in the model; a value of ``field`` (NaN: none) belongs to the basin of
    its place, or of the nearest wet cell. A basin without a value, below its sill, holds the mean of its own water in
    the level above: what flows over the sill fills it.

    Parameters
    ----------
    field : (z, y, x) values
    z, y, x : their depths (m) and places (degrees)
    to_z, to_y, to_x : those of the model
    wet : (to_z, to_y, to_x) cells that hold water
    """
    position = np.interp(to_z, z, np.arange(len(z)))
    low = np.minimum(position.astype(int), max(len(z) - 2, 0))
    weight = (position - low)[:, None, None]
    field = field[low] * (1.0 - weight) + np.where(weight > 0.0, field[np.minimum(low + 1, len(z) - 1)] * weight, 0.0)
    rows, columns = (np.abs(b[None] - a[:, None]).argmin(1) for a, b in ((y, to_y), (x, to_x)))
    out = np.full(wet.shape, np.nan)
    for k in range(len(to_z)):
        label, count = scipy.ndimage.label(wet[k])
        if not count:
            out[k] = out[k - 1]
            continue
        place = scipy.ndimage.distance_transform_edt(label == 0, return_distances=False, return_indices=True)
        near = label[tuple(place)]
        known, owner = ~np.isnan(field[k]), near[np.ix_(rows, columns)]
        for basin in range(1, count + 1):
            inside, own = label == basin, known & (owner == basin)
            if own.any():
                share = interpolate(own[None].astype(float), [0.0], y, x, [0.0], to_y, to_x)[0]
                total = interpolate(np.where(own, field[k], 0.0)[None], [0.0], y, x, [0.0], to_y, to_x)[0]
                found = inside & (share > 1e-6)
                value = np.divide(total, share, out=np.full(share.shape, np.nan), where=share > 1e-6)
                if not found.any():  # all its values lie just beyond its shore
                    value, found = np.full(share.shape, field[k][own].mean()), inside
                place = scipy.ndimage.distance_transform_edt(~found, return_distances=False, return_indices=True)
                out[k][inside] = value[tuple(place)][inside]
            else:
                above = out[k - 1] if k else fill(field[k][None])[0][np.ix_(*_nearest(y, x, to_y, to_x))]
                out[k][inside] = above[inside].mean()
        place = scipy.ndimage.distance_transform_edt(label == 0, return_distances=False, return_indices=True)
        out[k] = out[k][tuple(place)]
    return out


def _nearest(y, x, to_y, to_x):
    """Rows and columns of the values nearest to the model's."""
    return (np.abs(a[None] - b[:, None]).argmin(1) for a, b in ((y, to_y), (x, to_x)))


def hydrography(folder: Path, z: np.ndarray, lat: np.ndarray, lon: np.ndarray, wet: np.ndarray):
    """Conservative temperature (12 months, degC) and absolute salinity (g kg-1) on the model's levels and cells."""
    levitus = open_file(folder, "levitus_climatology.cdf")
    atlas = open_file(folder, "ocean_atlas_subset.nc")
    lx, ly, lz = levitus.XAXLEVITR.values, levitus.YAXLEVITR.values, levitus.ZAXLEVITR.values
    wx = (lx > WEST - 5) & (lx < EAST + 5)
    wy = (ly > SOUTH - 5) & (ly < NORTH + 5)
    t, s = levitus.TEMP.values[:, wy][:, :, wx], levitus.SALT.values[:, wy][:, :, wx]
    t, s = (by_basin(a, lz, ly[wy], lx[wx], z, lat, lon, wet) for a in (t, s))
    ax, ay, az = atlas.XAX_SUBSET.values, atlas.YAX_SUBSET.values, atlas.ZAXLEVIT19.values
    wx, wy = (ax > WEST - 6) & (ax < EAST + 6), (ay > SOUTH - 6) & (ay < NORTH + 6)
    months = atlas.TEMP.values[:, :, wy][:, :, :, wx]
    anomaly = months - months.mean(0)
    anomaly = np.stack(
        [
            interpolate(fill(np.nan_to_num(a) * np.where(np.isnan(a), np.nan, 1)), az, ay[wy], ax[wx], z, lat, lon)
            for a in anomaly
        ]
    )
    anomaly *= np.clip((1000.0 - z) / 200.0, 0.0, 1.0)[:, None, None]
    p = gsw.p_from_z(-z[:, None, None], lat[None, :, None])
    salinity = gsw.SA_from_SP(np.clip(s, 0, None), p, lon[None, None], lat[None, :, None])
    temperature = np.stack([gsw.CT_from_t(salinity, t + a, p) for a in anomaly])
    return temperature, salinity
