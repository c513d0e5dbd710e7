# SPDX-License-Identifier: BSD-3-Clause
"""From synthetic analyses of several times to a run: prepare, check, the same bits on any ranks and over a restart."""

import shutil

import netCDF4
import pytest
import yaml

from tests.toys.analyses import write_analyses
from tests.toys.cases import differences, tessera

CASE = """
title: driven from outside
start: 2001-06-01T00:00:00
duration: PT1H20M
components:
  atmosphere: {model: nonhydrostatic}
layout: {coupler: 1, atmosphere: 1}
restart: {period: PT1H, keep: 9}
"""
ATMOSPHERE = {
    "step": "PT10M",
    "grid": {
        "projection": "+proj=lcc +lat_1=25 +lat_2=45 +lat_0=32 +lon_0=113 +R=6371229",
        "nx": 14,
        "ny": 12,
        "spacing": 300000,
    },
    "nonhydrostatic": {
        "levels": 10, "lowest_layer": 300, "microphysics": "none", "boundary_layer": "none", "convection": "none",
        "radiation": "none",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A case with its prepared files, run on one process; and what prepare said."""
    case = tmp_path_factory.mktemp("prepared") / "case"
    case.mkdir()
    (case / "case.yaml").write_text(CASE)
    (case / "atmosphere.yaml").write_text(yaml.safe_dump(ATMOSPHERE))
    air = write_analyses(case.parent / "era5.nc", (-1.0, 0.0, 1.0, 2.0, 3.0))
    said = tessera("prepare", case, air).stdout
    assert "driver: [atmosphere.initial.nc, atmosphere.boundary.nc]" in said
    named = yaml.safe_load(said[said.index("nonhydrostatic:") : said.index("then:")])
    driven = {**ATMOSPHERE, "nonhydrostatic": ATMOSPHERE["nonhydrostatic"] | named["nonhydrostatic"]}
    (case / "atmosphere.yaml").write_text(yaml.safe_dump(driven))
    tessera(case, "--serial")
    return case, said


def test_prepare_says_what_it_does_and_what_comes_next(prepared):
    case, said = prepared
    assert "atmosphere (nonhydrostatic): from 1 file" in said
    assert "100%  ETA 00:00  2001-06-01T02:00:00" in said and "03:00:00" not in said
    assert f"./run_case.py check {case}" in said


@pytest.mark.ranks
def test_two_ranks_give_the_bits_of_one(prepared, tmp_path):
    case = tmp_path / "case"
    shutil.copytree(prepared[0], case, ignore=shutil.ignore_patterns("run*"))
    text = (case / "case.yaml").read_text()
    (case / "case.yaml").write_text(text.replace("atmosphere: 1}", "atmosphere: 2}"))
    tessera(case)
    assert differences(prepared[0], case, history=False) == []


def test_a_restart_at_a_time_of_the_driver_gives_the_same_bits(prepared, tmp_path):
    case = tmp_path / "case"
    shutil.copytree(prepared[0], case, ignore=shutil.ignore_patterns("run*"))
    text = (case / "case.yaml").read_text()
    (case / "case.yaml").write_text(text.replace("PT1H20M", "PT1H"))
    tessera(case, "--serial")
    (case / "case.yaml").write_text(text)
    tessera(case, "--serial", "--continue")
    assert differences(prepared[0], case, history=False) == []


def test_boundary_files_by_part_give_the_bits_of_one(prepared, tmp_path):
    """Named by a pattern; a missing or doubled part is told at check."""
    case = tmp_path / "case"
    shutil.copytree(prepared[0], case, ignore=shutil.ignore_patterns("run*"))
    whole = case / "atmosphere.boundary.nc"
    for name, records in (("atmosphere.boundary.b.nc", slice(1, 3)), ("atmosphere.boundary.a.nc", slice(0, 1))):
        part_of(whole, case / name, records)
    text = (case / "atmosphere.yaml").read_text()
    (case / "atmosphere.yaml").write_text(text.replace("atmosphere.boundary.nc", "atmosphere.boundary.?.nc"))
    tessera(case, "--serial")
    assert differences(prepared[0], case, history=False) == []
    part_of(whole, case / "atmosphere.boundary.c.nc", slice(2, 3))
    doubled = tessera("check", case, check=False)
    assert doubled.returncode == 2 and "both hold 2001-06-01T02:00:00: name one of them" in doubled.stderr


def test_a_run_of_more_than_a_month_gets_a_boundary_file_a_month(tmp_path):
    """June to August, a time every eight days: three files serve the whole run; without one there is a gap."""
    case = tmp_path / "case"
    case.mkdir()
    (case / "case.yaml").write_text(CASE.replace("PT1H20M", "P64D"))
    (case / "atmosphere.yaml").write_text(yaml.safe_dump(ATMOSPHERE))
    air = write_analyses(tmp_path / "era5.nc", [192.0 * n for n in range(9)])
    said = tessera("prepare", case, air).stdout
    assert "driver: [atmosphere.initial.nc, atmosphere.boundary.*.nc]" in said
    months = sorted(path.name for path in case.glob("atmosphere.boundary*"))
    assert months == [f"atmosphere.boundary.2001-0{month}.nc" for month in (6, 7, 8)]
    named = {"driver": ["atmosphere.initial.nc", "atmosphere.boundary.*.nc"]}
    driven = {**ATMOSPHERE, "nonhydrostatic": ATMOSPHERE["nonhydrostatic"] | named}
    (case / "atmosphere.yaml").write_text(yaml.safe_dump(driven))
    tessera("check", case)
    (case / "atmosphere.boundary.2001-07.nc").unlink()
    done = tessera("check", case, check=False)
    assert done.returncode == 2 and "no driving state between 2001-06-25T00:00:00" in done.stderr
    assert "a file is missing" in done.stderr


def part_of(whole, path, records):
    """Write some records of a boundary file into another."""
    with netCDF4.Dataset(whole) as a, netCDF4.Dataset(path, "w", format="NETCDF4_CLASSIC") as b:
        b.setncatts({name: a.getncattr(name) for name in a.ncattrs()})
        for name, dimension in a.dimensions.items():
            b.createDimension(name, None if dimension.isunlimited() else dimension.size)
        for name, variable in a.variables.items():
            copy = b.createVariable(name, variable.dtype, variable.dimensions)
            copy.setncatts({n: variable.getncattr(n) for n in variable.ncattrs()})
            copy[:] = variable[records] if "time" in variable.dimensions else variable[:]


def test_a_boundary_file_that_ends_early_is_found_by_check(prepared, tmp_path):
    case = tmp_path / "case"
    shutil.copytree(prepared[0], case, ignore=shutil.ignore_patterns("run*"))
    text = (case / "case.yaml").read_text()
    (case / "case.yaml").write_text(text.replace("PT1H20M", "PT3H"))
    done = tessera("check", case, check=False)
    assert done.returncode == 2
    assert "reach from 2001-06-01T00:00:00 to 2001-06-01T02:00:00 (3 times)" in done.stderr
    assert "the run needs 2001-06-01T00:00:00 to 2001-06-01T03:00:00" in done.stderr
