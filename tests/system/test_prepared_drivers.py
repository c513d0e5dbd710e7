# SPDX-License-Identifier: BSD-3-Clause
"""From synthetic analyses of several times to a run: prepare, check, the same bits on any ranks and over a restart."""

import shutil

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


def test_a_boundary_file_that_ends_early_is_found_by_check(prepared, tmp_path):
    case = tmp_path / "case"
    shutil.copytree(prepared[0], case, ignore=shutil.ignore_patterns("run*"))
    text = (case / "case.yaml").read_text()
    (case / "case.yaml").write_text(text.replace("PT1H20M", "PT3H"))
    done = tessera("check", case, check=False)
    assert done.returncode == 2
    assert "reach from 2001-06-01T00:00:00 to 2001-06-01T02:00:00 (3 times)" in done.stderr
    assert "the run needs 2001-06-01T00:00:00 to 2001-06-01T03:00:00" in done.stderr
