# SPDX-License-Identifier: BSD-3-Clause
"""The sea floor of the East Asian seas on the model's cells: straits, seas that are left out, water types."""

import numpy as np
import scipy.ndimage
import xarray as xr
from ocean_grid import GREATEST_DEPTH, LEAST_DEPTH, RADIUS

WATER_TYPES = ("I", "II", "III")  # Jerlov's; coastal types, darker than III, are left out
SHELF = 200.0  # m; shallower seas are of type III
RICH_WATER = 18.0  # degC of the year at the surface: colder open sea, beyond the Kuroshio's front, is of type II
# Channels narrower than a cell of 0.5 degree, opened to the depth of their sill: name, longitudes, latitudes, depth (m)
CHANNELS = (
    ("Tsushima Strait, west", (128.5, 130.0), (34.5, 35.0), 100.0),
    ("Tsushima Strait, east", (129.5, 130.5), (33.9, 34.6), 90.0),
    ("Tsugaru Strait", (139.9, 141.2), (41.1, 41.5), 130.0),
    ("Soya Strait", (141.6, 142.4), (45.6, 46.0), 50.0),
    ("Tokara Strait", (129.4, 130.6), (29.1, 30.2), 500.0),
    ("Luzon Strait", (120.6, 122.0), (19.1, 21.4), 2000.0),
    ("Taiwan Strait", (118.6, 120.2), (23.0, 25.4), 60.0),
)
# Straits through which water flows east, whose width (m) is less than that of the cells that stand for them
NARROWS = (
    ("Tsugaru Strait, Tappi to Shirakami", (140.3, 140.6), (40.9, 41.9), 19.0e3),
    ("Soya Strait", (141.6, 142.4), (45.5, 46.4), 42.0e3),
)


def cell_depth(relief: xr.Dataset, lon: np.ndarray, lat: np.ndarray, step: float) -> np.ndarray:
    """Mean depth of the wet part of each cell (m); 0 where less than half of the cell is wet."""
    z = relief["ROSE"]
    x, y = z[z.dims[1]].values, z[z.dims[0]].values
    column, row = np.floor((x - lon[0]) / step + 0.5).astype(int), np.floor((y - lat[0]) / step + 0.5).astype(int)
    inside_x, inside_y = (column >= 0) & (column < lon.size), (row >= 0) & (row < lat.size)
    value = z.values[np.ix_(inside_y, inside_x)]
    index = (row[inside_y][:, None] * lon.size + column[inside_x][None]).ravel()
    wet = value.ravel() < 0
    size = lon.size * lat.size
    count, wet_count = np.bincount(index, minlength=size), np.bincount(index, wet, minlength=size)
    depth = np.bincount(index, np.where(wet, -value.ravel(), 0.0), minlength=size) / np.maximum(wet_count, 1)
    depth = np.where(wet_count >= 0.5 * count, depth, 0.0).reshape(lat.size, lon.size)
    return np.where(depth > 0, np.clip(depth, LEAST_DEPTH, GREATEST_DEPTH), 0.0)


def prepare_bathymetry(depth: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Open the straits, close the Indian Ocean, drop pools and dead ends.

    The depth is extended over the ring of the open edges.
    """
    depth = depth.copy()
    x, y = np.meshgrid(lon, lat)
    for _, (x0, x1), (y0, y1), sill in CHANNELS:
        box = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
        depth[box] = np.maximum(depth[box], sill)
    depth[(y < 5.6 - (x - 95.3) * 1.095) & (x < 106.0)] = 0.0  # south-west of Sumatra
    depth[(x < 103.6) & (y > 0.8) & (y < 3.6) & (y < 3.6 - (x - 101.0) * 0.9)] = 0.0  # Strait of Malacca
    depth[(x < 100.2) & (y > 3.0) & (y < 20.0) & ~((x > 99.0) & (y > 9.0) & (y < 14.0))] = 0.0  # Andaman Sea
    depth[-1] = 0.0  # no open northern edge
    depth[:, 0] = 0.0
    while True:
        # the same sea floor in the ring of the open edges as just inside
        depth[:, -1], depth[0] = depth[:, -2], depth[1]
        wet = depth > 0
        label, _ = scipy.ndimage.label(wet)
        wet &= label == np.bincount(label[label > 0]).argmax()
        neighbours = scipy.ndimage.convolve(wet.astype(int), [[0, 1, 0], [1, 0, 1], [0, 1, 0]], mode="nearest")
        wet &= neighbours > 1
        if (wet == (depth > 0)).all():
            break
        depth = np.where(wet, depth, 0.0)
    return depth


def open_share(depth: np.ndarray, lon: np.ndarray, lat: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Share of the length of each east and north face that is water: less than 1 in `NARROWS` alone."""
    east, north = np.ones(depth.shape), np.ones(depth.shape)
    passes = (depth > 0) & (np.roll(depth, -1, 1) > 0)
    for _, (x0, x1), (y0, y1), width in NARROWS:
        rows, faces = (lat >= y0) & (lat <= y1), lon + 0.5 * step
        for i in np.nonzero((faces >= x0) & (faces <= x1))[0]:
            there = rows & passes[:, i]
            length = there.sum() * np.radians(step) * RADIUS
            east[there, i] = min(1.0, width / max(length, 1.0))
    return east, north


def model_domain(depth: np.ndarray, relief: np.ndarray) -> np.ndarray:
    """1 where the model decides what is sea and what is land; 0 in seas that it leaves out and in the outermost ring.

    ``relief`` is the depth before seas were closed; pools and dead ends of a few cells count as land.
    """
    domain = np.ones(depth.shape, np.int8)
    label, count = scipy.ndimage.label((relief > 0) & (depth == 0))
    size = np.bincount(label.ravel(), minlength=count + 1)
    domain[(label > 0) & (size[label] > 8)] = 0
    domain[0] = domain[:, -1] = 0  # the sea outside (and what land there is): never part of the wet mask
    return domain


def water_types(depth: np.ndarray, temperature: np.ndarray) -> np.ndarray:
    """Jerlov's water type of each cell, as a position in `WATER_TYPES`.

    Where light ends follows from what lives and floats in the water (Jerlov 1976; Simonot & Le Treut 1986): the clear
    water of the tropics and of the subtropical gyre, the richer water beyond the Kuroshio's front, and the shelves.

    Parameters
    ----------
    depth : (y, x) of the sea floor, m
    temperature : (y, x) annual mean at the surface, degC
    """
    open_sea = np.where(temperature < RICH_WATER, WATER_TYPES.index("II"), WATER_TYPES.index("I"))
    return np.where((depth > 0) & (depth < SHELF), WATER_TYPES.index("III"), open_sea).astype(np.int8)
