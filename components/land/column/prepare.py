# SPDX-License-Identifier: BSD-3-Clause
"""The surface file of a case from the user's maps: what ``./run_case.py prepare CASE FILES --component land`` makes.

Land cover becomes shares of plant types (by area), leaf area its mean over the area of each type, soil the mean sand
and clay of a cell's land. Cells no map reaches keep the zonal default of surface_map.py, and so does whatever is given
no map at all: the file says so and can be edited.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.land.column import farm_maps
from components.land.column.farm_data import QUANTITIES, read_quantity
from components.land.column.land_data import LandDataError, Layer, read_cover, read_leaves, read_soil
from components.land.column.parameters import leaf_area, table
from components.land.column.surface_map import ZONES
from coupler.files.atomic import whole_file
from coupler.grids.grid import Grid
from coupler.remap.weights import make_weights

Array = NDArray[np.float64]
LEAST_COVER = 0.01  # share of a cell a map must reach to be believed there


def prepare(grid: Grid, files: Sequence[Path], out: Path, report: Callable[[str, float], None]) -> dict[str, Any]:
    """Write ``out`` for ``grid``; returns what was covered, by kind of map.

    Parameters
    ----------
    grid
        Of the land; its mask says which cells are asked for.
    files
        CF netCDF files on lon-lat grids; each may hold land cover (classes with flag_meanings, or
        area_type_fraction by plant type), leaf_area_index of twelve months, sand and clay or a soil type, and what
        :data:`farm_data.QUANTITIES` names: fertiliser, days of sowing, pH and phosphorus of the soil.
    report
        Takes a line and the share of the work done.

    Raises
    ------
    LandDataError
        A file with none of these, wrong units, unknown classes, or a map that does not reach the grid.
    """
    layers: dict[str, tuple[Layer, Path]] = {}
    for i, path in enumerate(files):
        report(f"reading {path.name}", (i + 0.5) / (len(files) + 3))
        found = {
            k: read(path, grid) for k, read in (("cover", read_cover), ("leaves", read_leaves), ("soil", read_soil))
        }
        found |= {k: read_quantity(path, grid, q) for k, q in QUANTITIES.items()}
        if not any(found.values()):
            raise LandDataError(
                f"{path}: no land cover, leaf_area_index, sand and clay or soil type in it, by standard name or name,"
                f" nor {', '.join(QUANTITIES)}"
            )
        layers.update({k: (layer, path) for k, layer in found.items() if layer is not None})
    land = np.asarray(grid.mask).ravel()
    latitude = np.asarray(grid.latitude).ravel()
    report("plant types", len(files) / (len(files) + 3))
    covered: dict[str, Any] = {}
    share, covered["cover"] = _shares(layers.get("cover"), grid, latitude)
    report("leaf area", (len(files) + 1) / (len(files) + 3))
    lai, covered["leaves"] = _leaves(layers, grid, latitude, share)
    report("soil", (len(files) + 2) / (len(files) + 3))
    soil, covered["soil"] = _soil(layers.get("soil"), grid)
    for kind, name in (("cover", "land cover"), ("leaves", "leaf area"), ("soil", "soil")):
        reached = covered[kind]
        if kind in layers and not (reached & land).any():
            raise LandDataError(f"{layers[kind][1]}: {name} reaches none of the {land.sum()} land cells")
        where = layers[kind][1].name if kind in layers else "no map"
        rest = int((land & ~reached).sum())
        default = "loam" if kind == "soil" else "the zonal default"
        report(f"{name}: {where}; {rest} of {land.sum()} land cells have {default}", 0.0)
    maps = {
        k: farm_maps.remapped(layers[k][0], grid, k, _weights(layers[k][0], grid), LEAST_COVER)
        for k in QUANTITIES
        if k in layers
    }
    farm_maps.tell(maps, land, {k: layers[k][1] for k in maps}, report)
    covered |= {k: np.isfinite(v).reshape(-1, land.size).any(0) for k, v in maps.items()}
    _write(out, grid, share, lai, soil, maps, [path for _, path in layers.values()])
    return covered


def _weights(layer: Layer, grid: Grid) -> Any:
    """Overlap areas of source cells (columns) and target cells (rows), m2."""
    from scipy.sparse import csr_matrix

    weights = make_weights(layer.grid, grid, target_mask=None)
    return csr_matrix((weights.area, weights.indices, weights.indptr), shape=weights.shape)


def _shares(given: tuple[Layer, Path] | None, grid: Grid, latitude: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Shares of every plant type of the table, (type, cell), and where they come from a map."""
    names = list(table("plant_types"))
    share = np.zeros((len(names), latitude.size))
    for cell, where in enumerate(np.abs(latitude)):
        for name, value in next(m for limit, m in ZONES if where <= limit).items():
            share[names.index(name), cell] = value
    reached = np.zeros(latitude.size, bool)
    if given is not None:
        area = _weights(given[0], grid)
        sums = np.stack([area @ given[0].values.get(n, np.zeros(area.shape[1])) for n in names])
        total = sums.sum(0)
        reached = total > LEAST_COVER * np.asarray(grid.area).ravel()
        share[:, reached] = sums[:, reached] / total[reached]
    return share, reached


def _leaves(
    layers: dict[str, tuple[Layer, Path]], grid: Grid, latitude: Array, share: Array
) -> tuple[Array, NDArray[np.bool_]]:
    """Leaf area of every type, (12, type, cell): the mean over the type's own area where land cover is given too."""
    names = list(table("plant_types"))
    months = [(leaf_area(names, m + 0.5)[0], leaf_area(names, m + 0.5, southern=True)[0]) for m in range(12)]
    north, south = (np.array([pair[i] for pair in months])[:, :, None] for i in (0, 1))
    lai = np.where(latitude >= 0.0, north, south)
    reached = np.zeros(latitude.size, bool)
    if "leaves" not in layers:
        return lai, reached
    leaves = layers["leaves"][0]
    area = _weights(leaves, grid)
    there = np.isfinite(leaves.values["lai"]).all(0)
    field = np.where(there, leaves.values["lai"], 0.0)
    land = area @ there.astype(float)
    reached = land > LEAST_COVER * np.asarray(grid.area).ravel()
    mean = (area @ field.T).T / np.where(reached, land, 1.0)
    # Where no type can be told apart, the table's types keep their proportions and the cell gets the map's mean.
    usual = (share[None] * lai).sum(1)
    factor = np.where(usual > 1e-3, mean / np.maximum(usual, 1e-3), 1.0)
    lai = np.where(reached, lai * factor[:, None, :], lai)
    if "cover" in layers:
        lai = _by_type(lai, layers["cover"][0], leaves, grid, names)
    bare = names.index("bare")
    lai[:, bare] = 0.0
    return np.clip(lai, 0.0, 15.0), reached


def _by_type(lai: Array, cover: Layer, leaves: Layer, grid: Grid, names: list[str]) -> Array:
    """Leaf area with the mean over each type's own area wherever the map has the type."""
    area = _weights(cover, grid)
    onto = make_weights(leaves.grid, cover.grid, "nearest").matrix
    values = leaves.values["lai"]
    there = onto @ np.isfinite(values).all(0).astype(float) > 0.5
    near = (onto @ np.nan_to_num(values).T).T
    out = lai.copy()
    for name, fraction in cover.values.items():
        weight = np.where(there, fraction, 0.0)
        total = area @ weight
        some = total > 0.0
        mean = (area @ (weight * near).T).T / np.where(some, total, 1.0)
        out[:, names.index(name)] = np.where(some, mean, out[:, names.index(name)])
    return out


def _soil(given: tuple[Layer, Path] | None, grid: Grid) -> tuple[dict[str, Array], NDArray[np.bool_]]:
    """Sand and clay, mean over the land of each cell; loam where no map reaches."""
    loam = table("soil_textures")["loam"]
    soil = {k: np.full(grid.size, float(loam[k])) for k in ("sand", "clay")}
    reached = np.zeros(grid.size, bool)
    if given is not None:
        area = _weights(given[0], grid)
        there = np.isfinite(given[0].values["sand"]) & np.isfinite(given[0].values["clay"])
        land = area @ there.astype(float)
        reached = land > LEAST_COVER * np.asarray(grid.area).ravel()
        for k, field in soil.items():
            mean = area @ np.where(there, given[0].values[k], 0.0)
            field[reached] = mean[reached] / land[reached]
    return soil, reached


def _write(
    out: Path, grid: Grid, share: Array, lai: Array, soil: dict[str, Array], maps: farm_maps.Maps, sources: list[Path]
) -> None:
    import netCDF4

    names = list(table("plant_types"))
    ny, nx = grid.shape
    with whole_file(out) as part, netCDF4.Dataset(part, "w") as data:
        data.Conventions = "CF-1.11"
        data.title = "land surface: plant types, leaf area, soil texture" + (", farming and soil" if maps else "")
        data.source = ", ".join(sorted({p.name for p in sources})) or "zonal default"
        data.grid = grid.fingerprint
        for name, size in (("time", 12), ("type", len(names)), ("lat", ny), ("lon", nx)):
            data.createDimension(name, size)
        types = data.createVariable("type", str, ("type",))
        types.standard_name = "area_type"
        types[:] = np.array(names, dtype=object)
        month = data.createVariable("time", "i4", ("time",))
        month.long_name, month.units = "month of the year", "1"
        month[:] = np.arange(1, 13)
        flat = np.ptp(np.asarray(grid.latitude), axis=1).max() < 1e-9
        for name, values, axis in (("lat", grid.latitude, "latitude"), ("lon", grid.longitude, "longitude")):
            along = (values[:, 0] if name == "lat" else values[0]) if flat else values
            v = data.createVariable(name if flat else axis, "f8", (name,) if flat else ("lat", "lon"))
            v.standard_name, v.units = axis, "degrees_north" if name == "lat" else "degrees_east"
            v[:] = along
        fields = (
            ("area_type_fraction", "area_fraction", ("type", "lat", "lon"), share),
            ("leaf_area_index", "leaf_area_index", ("time", "type", "lat", "lon"), lai),
            ("sand", "", ("lat", "lon"), soil["sand"]),
            ("clay", "", ("lat", "lon"), soil["clay"]),
        )
        for name, standard, dims, values in fields:
            v = data.createVariable(name, "f4", dims, zlib=True)
            v.units = "1"
            v.long_name = f"mass fraction of {name} in the soil" if name in soil else name.replace("_", " ")
            if standard:
                v.standard_name = standard
            if not flat:
                v.coordinates = "latitude longitude"
            v[:] = values.reshape(*values.shape[:-1], ny, nx)
        farm_maps.write(data, maps, (ny, nx), "" if flat else "latitude longitude")
