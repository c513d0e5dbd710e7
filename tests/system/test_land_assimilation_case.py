# SPDX-License-Identifier: BSD-3-Clause
"""The land's assimilation in a case: what it adds arrives and is booked, and neither ranks nor a restart tell."""

import numpy as np
import pytest

from coupler.files.restart import newest, read_part
from tests.toys.cases import box, differences, tessera, toy_case
from tests.unit.test_land_assimilation import observed

GRID = box(100, 112, 40, 48, 4.0)
PLACES = [(102.0, 42.0), (106.0, 46.0), (110.0, 42.0)]
ROWS = [(day + 0.3, *at, "toa_brightness_temperature", 215.0 + 40.0 * (polarised == "V"), 3.0, 6.925, polarised)
        for day in range(2) for at in PLACES for polarised in "HV"]  # fmt: skip
ROWS += [(0.5, 106.0, 42.0, "land_water_storage", 1400.0, 20.0, 0.0, "")]


def case(folder, rows=ROWS, ranks=(1, 1), duration="P2D", **changes):
    ground = {"plants": {"grassland": 0.6, "bare": 0.4}, "initial_temperature": 288.0, "initial_wetness": 0.3}
    eye = {"observations": "o.nc", "members": 6, "block": 2, "forecast": ground}
    model = {"step": "PT6H", "grid": GRID}
    components = {
        "air": {"model": "tests.toys.air_over_land:AirOverLand", "realm": "atmosphere", **model},
        "land": {"model": "column", **model, "column": {"increments": True, **ground}},
        "assimilation": {"model": "land_assimilation", "realm": "ml_surrogates", **model, "land_assimilation": eye},
    }
    rules = [
        {"from": "air", "to": "land", "period": "PT6H"},
        {"from": "air", "to": "assimilation", "period": "PT6H"},
        {"from": "land", "to": "assimilation", "period": "PT6H", "lag": "PT6H", "statistic": "instant"},
        {"from": "assimilation", "to": "land", "period": "PT6H", **changes},
    ]
    layout = {"coupler": 1, "air": 1, "land": ranks[0], "assimilation": ranks[1]}
    toy_case(folder, components=components, coupling=rules, layout=layout, duration=duration, restart="PT6H",
             start="2001-05-01", calendar="standard")  # fmt: skip
    observed(folder / "o.nc", rows)
    return folder


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    folder = case(tmp_path_factory.mktemp("land") / "serial")
    done = tessera(folder, "--serial")
    return folder, done.stdout + done.stderr


def part(folder, name):
    found = read_part(newest(folder / "run" / "restart"), name)
    return {k.removeprefix("state."): a for k, a in found.items()}


def test_what_is_observed_arrives_in_the_land_and_is_booked(serial, tmp_path):
    folder, text = serial
    assert "7 of 7 observations used" in text and "of 6 cells analysed" in text
    empty = case(tmp_path / "empty", rows=[])
    tessera(empty, "--serial")
    land, plain = part(folder, "land"), part(empty, "land")
    wetter = (land["liquid"] - plain["liquid"])[0]
    assert np.abs(wetter).max() > 0.005
    booked = land["booked_water"] - plain["booked_water"]
    assert np.abs(booked).max() > 0.5
    added = part(folder, "assimilation")["added"]
    much = np.abs(added) > 1.0
    assert much.sum() >= 2 and np.sign(added[much]).tolist() == np.sign(booked[much]).tolist()


def test_a_period_that_leaves_steps_out_is_told_by_check(tmp_path):
    folder = case(tmp_path / "long", period="PT12H")
    done = tessera("check", folder, check=False)
    assert done.returncode and "each step of assimilation gives one for that step alone" in done.stdout + done.stderr


@pytest.mark.ranks
def test_two_ranks_and_a_restart_inside_a_window_have_the_bits_of_one(serial, tmp_path):
    parts = case(tmp_path / "parts", ranks=(2, 2), duration="PT30H")
    tessera(parts)
    text = (parts / "case.yaml").read_text()
    (parts / "case.yaml").write_text(text.replace("duration: PT30H", "duration: P2D"))
    tessera(parts, "--continue", "--serial")
    assert differences(serial[0], parts, history=False) == []
