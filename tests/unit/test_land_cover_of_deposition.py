# SPDX-License-Identifier: BSD-3-Clause
"""Gases and particles deposit on what lies under them by its shares; mistakes in the land's file are told."""

import netCDF4
import numpy as np
import pytest
import torch

from components.chemistry.regional.deposition import dry
from components.chemistry.regional.deposition.gas_surfaces import LAND_USES, SEASONS
from components.chemistry.regional.deposition.land_cover import (
    BY_AREA_TYPE,
    BY_LAND_USE,
    SEA,
    CoverError,
    by_area_type,
    one_use,
    read_shares,
)
from components.chemistry.regional.deposition.particle_surfaces import SURFACES
from components.chemistry.regional.deposition.surroundings import Below
from components.land.column.parameters import table

D = torch.float64
LAND = torch.tensor([[True, True, False]])


def write(path, types, values, years=()):
    with netCDF4.Dataset(path, "w") as data:
        for name, size in (("type", len(types)), ("lat", 1), ("lon", 3), *([("year", len(years))] if years else ())):
            data.createDimension(name, size)
        data.createVariable("type", str, ("type",))[:] = np.array(types, object)
        if years:
            data.createVariable("year", "i4", ("year",))[:] = years
        dimensions = ("year",) * bool(years) + ("type", "lat", "lon")
        data.createVariable("area_type_fraction", "f8", dimensions)[:] = values
    return path


def ground(cover, wind=4.0):
    one = torch.ones((1, 3), dtype=D)
    place = Below(110.0 * one, 40.0 * one, cover)
    return place.ground(
        wind * one, 60.0 * one, (293.0 * one, 1e5 * one, 1.18 * one), 294.0 * one, 500.0 * one, 0.0 * one, 180.0
    )


def velocities(cover):
    below = ground(cover)
    size = torch.full((1, 3), 4e-7, dtype=D), torch.full((1, 3), 1500.0, dtype=D)
    gas = dry.gas_velocities(("O3", "SO2", "CO"), below)
    return gas["O3"], gas["SO2"], dry.particle_velocities([size[0]], [size[1]], below)[0]


def test_every_type_of_the_land_and_every_surface_is_known():
    assert set(table("plant_types")) <= set(BY_AREA_TYPE) and set(BY_LAND_USE) == set(LAND_USES)
    for surface in (*BY_AREA_TYPE.values(), *BY_LAND_USE.values(), SEA):
        assert surface.land_use in LAND_USES and surface.particles in SURFACES
    assert all(len(a) == len(SEASONS) for _, _, a in SURFACES.values())


def test_the_velocity_of_a_cell_is_the_mean_over_its_surfaces():
    mixed = by_area_type(
        {"deciduous_broadleaf_forest": np.array([[0.3, 0.0, 0.5]]), "bare": np.array([[0.9, 0.0, 0.5]])},
        "agriculture", LAND, D,
    )  # fmt: skip
    torch.testing.assert_close(mixed.share.sum(0), torch.ones((1, 3), dtype=D), rtol=1e-15, atol=0.0)
    forest, bare, crops = (velocities(one_use(n, LAND, D)) for n in ("deciduous_forest", "barren", "agriculture"))
    for found, a, b, c in zip(velocities(mixed), forest, bare, crops, strict=True):
        assert float(found[0, 0]) == pytest.approx(0.25 * float(a[0, 0]) + 0.75 * float(b[0, 0]), rel=1e-12)
        assert float(found[0, 1]) == pytest.approx(float(c[0, 1]), rel=1e-12)  # the file has nothing there
        assert float(found[0, 2]) == pytest.approx(float(a[0, 2]), rel=1e-12)  # the sea
        assert float(a[0, 0]) > 1.2 * float(b[0, 0])


def test_shares_are_those_of_the_last_year_that_has_begun(tmp_path):
    values = np.zeros((2, 2, 1, 3))
    values[0, 0], values[1, 1] = 1.0, 1.0
    path = write(tmp_path / "land.nc", ["bare", "cropland"], values, years=(2000, 2010))
    for year, kind in ((1990, "bare"), (2009, "bare"), (2010, "cropland"), (2020, "cropland")):
        assert read_shares(path, (1, 3), year)[kind].min() == 1.0


def test_mistakes_in_the_file_are_told(tmp_path):
    one = np.ones((1, 1, 3))
    with pytest.raises(CoverError, match="knows nothing: tundar; did you mean 'tundra'"):
        read_shares(write(tmp_path / "a.nc", ["tundar"], one), (1, 3), 2000)
    with pytest.raises(CoverError, match=r"has \(1, 3\) cells, the grid of the chemistry \(4, 3\)"):
        read_shares(write(tmp_path / "b.nc", ["tundra"], one), (4, 3), 2000)
    with pytest.raises(CoverError, match="cannot be read"):
        read_shares(tmp_path / "none.nc", (1, 3), 2000)
