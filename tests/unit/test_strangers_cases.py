# SPDX-License-Identifier: BSD-3-Clause
"""A stranger's case takes no memory before its sizes are known, and runs no code but that of its models."""

import resource
import time

import netCDF4
import pytest

from coupler.case.command import main
from coupler.errors import GridError
from coupler.grids.grid import Grid


@pytest.mark.parametrize(
    "grid",
    [
        "{west: 120, east: 126, south: 20, north: 24, resolution: 1.0e-6}",
        "{west: 120, east: 126, south: 20, north: 24, resolution: [1.0e-300, 1]}",
        "{west: 120, east: 126, south: 20, north: 24, resolution: 5.0e-324}",
        "{projection: '+proj=merc', nx: 100000, ny: 100000, spacing: 1}",
        "{file: huge.nc}",
    ],
)
def test_a_grid_of_1e10_cells_from_a_few_kilobytes_is_refused_with_the_number(tmp_path, capsys, grid):
    with netCDF4.Dataset(tmp_path / "huge.nc", "w") as file:
        for name, unit in (("lat", "degrees_north"), ("lon", "degrees_east")):
            file.createDimension(name, 100_000)
            file.createVariable(name, "f4", (name,), zlib=True).units = unit
    (tmp_path / "case.yaml").write_text("start: 2001-01-01\nduration: P1D\ncomponents: {ocean: {model: slab}}\n")
    (tmp_path / "ocean.yaml").write_text(f"step: PT1H\ngrid: {grid}\n")
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    assert main(["check", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "ocean.yaml:2: grid 'ocean" in said and "cells" in said and "at most 1e+08 are taken" in said
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB
    assert time.monotonic() - began < 60


def test_a_mesh_of_1e10_cells_is_refused_before_it_is_read(tmp_path):
    with netCDF4.Dataset(tmp_path / "huge.nc", "w") as file:
        file.createDimension("y", 100_000)
        file.createDimension("x", 100_000)
        for name, unit in (("lat", "degrees_north"), ("lon", "degrees_east")):
            file.createVariable(name, "f4", ("y", "x"), zlib=True, chunksizes=(1000, 1000)).units = unit
    with pytest.raises(GridError, match=r"would have 6\.25e\+08 cells"):
        Grid.from_file(tmp_path / "huge.nc")


def test_no_tag_runs_anything(tmp_path, capsys):
    for tag in ("!!python/object/apply:os.mkdir", "!!python/name:os.system", "!!python/object/new:os.system", "!x"):
        (tmp_path / "case.yaml").write_text(f"start: 2001-01-01\ntitle: {tag} [{tmp_path / 'made'}]\n")
        assert main(["check", str(tmp_path)]) == 2
        assert f"case.yaml:2: unknown tag {tag}" in capsys.readouterr().err
    assert not (tmp_path / "made").exists()
