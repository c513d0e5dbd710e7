# SPDX-License-Identifier: BSD-3-Clause
"""A network in the inversion's place, by a word: its values where the guards let it, the inversion's elsewhere."""

import re

import numpy as np
import pytest
import torch

from components.ml_surrogates.co2_reconstruction.inputs import Fixed
from components.ml_surrogates.co2_reconstruction.reconstruction import Reconstruction
from components.ml_surrogates.co2_reconstruction.settings import Settings
from components.ml_surrogates.co2_reconstruction.surprises import Usual
from coupler.case.models import models_of
from coupler.files.restart import newest, read_part
from tests.system.test_carbon_dioxide_inversion import GAS, GLOBE, PLACES, REGION, TOYS, check, last, stations
from tests.toys.cases import differences, tessera, toy_case

SHAPE, AREA = (9, 18), (12, 16)
SURPRISED = Usual(ensemble=1.0, wind=0.0, spread=0.0, memory=0.0, largest=3.6)
OFFSET = 0.25  # of the spread: what the toy's network adds


def network(folder, *, spread=8.0, shape=SHAPE, meteorology=False, largest=float("inf"), usual=None, cyclic=True):
    """An untrained network whose head adds a constant; one that knows what is usual of reports is on the filter."""
    ny, nx = shape
    lat = torch.linspace(-80.0, 80.0, ny)[:, None].expand(ny, nx).contiguous()
    lon = torch.linspace(10.0, 350.0, nx).expand(ny, nx).contiguous()
    fixed = Fixed(torch.zeros(shape), torch.full(shape, spread), torch.zeros(shape), lat, lon)
    torch.manual_seed(1)
    prior = "enkf" if usual else "interpolation"
    model = Reconstruction(Settings(frames=2, width=4, meteorology=meteorology, prior=prior, cyclic=cyclic), fixed)
    model.usual = usual
    model.net.head.bias.data[0] = OFFSET
    model.get_buffer("largest_increment").fill_(largest)
    model.save(folder / "toy", {}, "toy")


def case(
    folder,
    model="co2_reconstruction",
    *,
    ranks=1,
    duration="PT18H",
    restart="PT15H",
    spread=8.0,
    largest=float("inf"),
    usual=None,
    domain="globe",
    **options,
):
    grid, shape = (GLOBE, SHAPE) if domain == "globe" else (REGION, AREA)
    given = {
        "domain": "global" if domain == "globe" else "regional",
        "stations": ["s.nc"],
        "interval": "PT6H",
        "method": "oi",
        "frames": 2,
    }
    if usual:
        given |= {"method": "enkf", "members": 12}
    if model == "co2_reconstruction":
        given |= {"network": "toy", "least_stations": 3, **options}
    components = {
        "air": {"model": TOYS + "Air", "step": "PT1H", "grid": grid, "realm": "atmosphere"},
        "chemistry": {
            "model": model, "step": "PT3H", "grid": grid, model: given,
            "output": [{"fields": [GAS], "period": "PT6H", "statistic": "instant"}],
        },
    }  # fmt: skip
    toy_case(
        folder, components=components, coupling=[{"from": "air", "to": "chemistry", "period": "PT3H"}],
        layout={"coupler": 1, "air": 1, "chemistry": ranks}, duration=duration, restart=restart, calendar="standard",
    )  # fmt: skip
    stations(folder / "s.nc", PLACES[domain])
    network(folder, spread=spread, shape=shape, cyclic=domain == "globe", largest=largest, usual=usual)
    return folder


def run(folder):
    done = tessera(folder, "--serial")
    return last(folder), done.stdout + done.stderr


@pytest.fixture(scope="module")
def inversion(tmp_path_factory):
    return run(case(tmp_path_factory.mktemp("carbon") / "inversion", "co2_inversion"))[0]


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    folder = case(tmp_path_factory.mktemp("carbon") / "learned")
    return folder, *run(folder)


def test_it_may_stand_for_chemistry():
    assert {"co2_inversion", "co2_reconstruction"} <= set(models_of("chemistry"))
    assert "co2_reconstruction" not in models_of("radiation")


def test_the_network_adds_to_the_inversion_once_the_window_is_full(inversion, learned):
    _, fields, text = learned
    np.testing.assert_allclose(fields[0] - inversion[0], OFFSET * 8e-6, rtol=1e-4)
    assert f"{SHAPE[0] * SHAPE[1]} before the window is full" in text  # at 6 h, of two frames
    assert "were asked of the network" in text


@pytest.mark.parametrize(
    "options, reason",
    [
        ({"least_stations": 5}, "with too few stations"),
        ({"spread": 0.01}, "outside the training range"),
        ({"largest": 1e-6}, "after an increment beyond those of the training"),
    ],
)
def test_what_the_guards_stop_keeps_the_inversions_value_and_is_counted(tmp_path, inversion, options, reason):
    fields, text = run(case(tmp_path / "case", **options))
    assert reason in text and "keep the inversion's value" in text
    same = fields[0] == inversion[0]
    assert same.all() if reason == "with too few stations" else same.mean() > 0.5


@pytest.fixture(scope="module")
def alarmed(tmp_path_factory):
    """A run whose stations report 24 ppm, and one 34 ppm, more than the trend: surprising at first, then taken in."""
    folder = case(tmp_path_factory.mktemp("carbon") / "alarmed", duration="PT30H", restart="PT21H", usual=SURPRISED)
    return folder, *run(folder)


def test_reports_that_keep_exceeding_what_is_expected_silence_the_network_about_them_until_they_end(alarmed):
    _, _, text = alarmed
    begun, ended = (
        [line for line in text.splitlines() if words in line]
        for words in ("the network is silent within 1500 km", "are again what is expected of them")
    )
    for lines in (begun, ended):  # once each
        assert len(lines) == 2 and sum("reports at 40.0 N, 10.0 E" in line for line in lines) == 1
    assert all("2001-01-02T06:00:00" in line for line in ended)  # six hours after the last reports
    counted = re.search(r"(\d+) near reports that keep exceeding what is expected of them, ", text)
    assert int(counted.group(1)) > 0


def test_alarms_are_the_same_for_more_ranks_and_a_restart_between_analyses(alarmed, tmp_path):
    parts = case(tmp_path / "parts", duration="PT21H", usual=SURPRISED)
    tessera(parts, "--serial")
    content = (parts / "case.yaml").read_text()
    (parts / "case.yaml").write_text(content.replace("duration: PT21H", "duration: PT30H"))
    tessera(parts, "--continue", "--serial")
    assert differences(alarmed[0], parts, history=False) == []
    kept = read_part(newest(parts / "run" / "restart"), "chemistry")["state.watch"]
    assert np.count_nonzero(kept[1]) == 4


@pytest.mark.ranks
def test_alarms_on_three_ranks_stopped_within_a_window_are_those_of_one(alarmed, tmp_path):
    parts = case(tmp_path / "parts", ranks=3, duration="PT21H", usual=SURPRISED)
    tessera(parts)
    content = (parts / "case.yaml").read_text()
    (parts / "case.yaml").write_text(content.replace("duration: PT21H", "duration: PT30H"))
    tessera(parts, "--continue")
    assert differences(alarmed[0], parts, history=False) == []


def test_a_network_that_wants_the_geopotential_does_not_speak_without(tmp_path, inversion):
    folder = case(tmp_path / "case")
    network(folder, meteorology=True)
    fields, text = run(folder)
    assert "without geopotential" in text
    np.testing.assert_array_equal(fields[0], inversion[0])


def test_a_restart_within_a_window_gives_the_same_bits(learned, tmp_path):
    parts = case(tmp_path / "parts", duration="PT15H")
    tessera(parts, "--serial")
    content = (parts / "case.yaml").read_text()
    (parts / "case.yaml").write_text(content.replace("duration: PT15H", "duration: PT18H"))
    tessera(parts, "--continue", "--serial")
    np.testing.assert_array_equal(last(parts), learned[1])


@pytest.mark.ranks
@pytest.mark.parametrize("ranks", [2, 3])
def test_more_ranks_give_the_bits_of_one(learned, tmp_path, ranks):
    more = case(tmp_path / "more", ranks=ranks)
    tessera(more)
    np.testing.assert_array_equal(last(more), learned[1])


@pytest.fixture(scope="module")
def regional(tmp_path_factory):
    folder = case(tmp_path_factory.mktemp("carbon") / "regional", domain="region", least_stations=1)
    return folder, *run(folder)


def test_a_network_for_an_area_adds_to_its_inversion_there(regional):
    _, fields, text = regional
    assert f"{AREA[0] * AREA[1]} before the window is full" in text
    assert np.isfinite(fields).all() and np.ptp(fields[1]) == 0.0  # the standard deviation of the network, everywhere


@pytest.mark.ranks
@pytest.mark.parametrize("ranks", [2, 3])
def test_a_network_for_an_area_stopped_within_a_window_on_ranks_gives_the_bits_of_one(regional, tmp_path, ranks):
    parts = case(tmp_path / "parts", domain="region", least_stations=1, ranks=ranks, duration="PT15H")
    tessera(parts)
    content = (parts / "case.yaml").read_text()
    (parts / "case.yaml").write_text(content.replace("duration: PT15H", "duration: PT18H"))
    tessera(parts, "--continue")
    assert differences(regional[0], parts, history=False) == []


def test_check_refuses_a_network_on_another_inversion(tmp_path):
    code, text = check(case(tmp_path / "case", method="enkf"))
    assert code and "the network adds to interpolation, which is method: oi; found method: enkf" in text


def test_check_names_a_network_for_another_grid_or_none(tmp_path):
    code, text = check(case(tmp_path / "none", network="nobody"))
    assert code and "network" in text and "nobody" in text
    other = case(tmp_path / "other")
    network(other, shape=(5, 10))
    code, text = check(other)
    assert code and "the network was made for a grid of (5, 10), found (9, 18)" in text
