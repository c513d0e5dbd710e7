# SPDX-License-Identifier: BSD-3-Clause
"""The assimilation beside the atmosphere: no observation changes no bit; some do; ranks and restarts do not."""

from pathlib import Path

import netCDF4
import numpy as np
import pytest

from components.ml_surrogates.data_assimilation import observation_file
from components.ml_surrogates.data_assimilation.observation_file import Table
from coupler.clock import Clock
from coupler.files.restart import newest, read_part
from tests.toys.cases import box, differences, tessera, toy_case

GRID = box(100, 124, 20, 40, 2.0)
LEVELS = 8
AIR = {
    "levels": LEVELS, "relief": "", "boundary_layer": "none", "radiation": "none", "convection": "none",
    "microphysics": "none", "export_columns": True, "increments": True, "precision": "double",
}  # fmt: skip
START = "2001-01-01"


def observations(path: Path, hours, warmer=3.0):
    """Warmer air than the jet's, and more wind, at some points at 500 and 850 hPa."""
    points = [(a, b, p) for a in (106.0, 112.0, 118.0) for b in (26.0, 30.0, 34.0) for p in (5e4, 8.5e4)]
    rows = [(3600.0 * h, *where, v) for h in hours for where in points for v in ("air_temperature", "eastward_wind")]
    n = len(rows)
    names = np.array([r[4] for r in rows], dtype=str)
    value = np.where(
        names == "air_temperature", [270.0 + warmer + 15.0 * (r[3] > 6e4) - 0.5 * (r[2] - 30) for r in rows], 12.0
    )
    p = np.array([r[3] for r in rows])
    table = Table(
        np.array([r[0] for r in rows]), np.array([r[1] for r in rows]), np.array([r[2] for r in rows]),
        np.stack([p, p], 1), names, np.array(["sonde"] * n, dtype=str), value, np.ones(n),
    )  # fmt: skip
    observation_file.write(path, table if n else table._replace(pressure=np.zeros((0, 2))), Clock(START, "standard"))


def case(
    folder,
    *,
    assimilates=True,
    hours=(0.0, 0.5, 0.8),
    ranks=(1, 1),
    duration="PT80M",
    lag="PT0S",
    restart="PT40M",
    **options,
):
    components = {"atmosphere": {"model": "nonhydrostatic", "step": "PT400S", "grid": GRID, "nonhydrostatic": AIR}}
    rules, layout = [], {"coupler": 1, "atmosphere": ranks[0]}
    if assimilates:
        # the way back is taken at every step of the assimilation: each has increments of its own
        rules = [
            {"from": "atmosphere", "to": "assimilation", "period": "PT40M", "lag": "PT40M", "statistic": "instant"},
            {"from": "assimilation", "to": "atmosphere", "period": "PT20M", "lag": lag, "statistic": "instant"},
        ]
        layout["assimilation"] = ranks[1]
        components["assimilation"] = {
            "model": "data_assimilation", "realm": "ml_surrogates", "step": "PT20M", "grid": GRID,
            "data_assimilation": {
                "observations": "o.nc", "levels": LEVELS, "window": "PT40M", "members": 5, "radius": 6e5,
                "gross_check": 50.0,
                "forecast": {"step": "PT400S", "relief": ""}, **options,
            },
        }  # fmt: skip
    toy_case(
        folder, components=components, coupling=rules, layout=layout, duration=duration, restart=restart, start=START
    )
    if assimilates:
        observations(folder / "o.nc", hours)
    return folder


def air(folder):
    part = read_part(newest(folder / "run" / "restart"), "atmosphere")
    return {name: value for name, value in part.items() if name.startswith("state.")}


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    folder = case(tmp_path_factory.mktemp("assimilation") / "serial")
    done = tessera(folder, "--serial")
    return folder, done.stdout + done.stderr


@pytest.fixture(scope="module")
def without(tmp_path_factory):
    folder = case(tmp_path_factory.mktemp("assimilation") / "without", assimilates=False)
    tessera(folder, "--serial")
    return air(folder)


def test_an_empty_file_gives_the_bits_of_the_run_without(without, tmp_path):
    empty = case(tmp_path / "empty", hours=())
    tessera(empty, "--serial")
    found = air(empty)
    assert set(found) == set(without)
    for name in found:
        np.testing.assert_array_equal(found[name], without[name], err_msg=name)


def test_the_analysis_is_nearer_to_the_observations_and_says_so(serial, without):
    folder, text = serial
    assert "72 of 72 used" in text and "36 of 36 used" in text
    files = sorted((folder / "run" / "assimilation").glob("*.nc"))
    assert [f.stem for f in files] == ["20010101T000000", "20010101T004000"]
    assert (folder / "run" / "assimilation" / "departures.png").exists()
    for file in files:
        with netCDF4.Dataset(file) as data:
            for i in (0, 2):
                assert 0.0 < data["oma_rms"][0, i] < data["omb_rms"][0, i]
    changed = air(folder)
    assert max(float(np.abs(changed[k] - without[k]).max()) for k in changed) > 1e-3


@pytest.fixture(scope="module")
def late(tmp_path_factory):
    """With a lag of a window on the way back, so that a restart may lie within a window."""
    folder = case(tmp_path_factory.mktemp("assimilation") / "late", lag="PT40M", increment_at="end", restart="PT20M")
    tessera(folder, "--serial")
    return folder


@pytest.mark.ranks
def test_more_ranks_and_a_restart_inside_a_window_give_the_same_bits(late, tmp_path):
    given = {"lag": "PT40M", "increment_at": "end", "restart": "PT20M"}
    parts = case(tmp_path / "parts", ranks=(2, 3), duration="PT60M", **given)
    tessera(parts)
    text = (parts / "case.yaml").read_text()
    (parts / "case.yaml").write_text(text.replace("duration: PT60M", "duration: PT80M"))
    tessera(parts, "--continue", "--serial")
    assert differences(late, parts, history=False) == []


@pytest.mark.ranks
def test_two_ranks_without_a_lag_share_the_members_and_give_the_bits_of_one(serial, tmp_path):
    two = case(tmp_path / "two", ranks=(1, 2))
    tessera(two)
    assert differences(serial[0], two, history=False) == []


def test_a_lag_of_one_window_adds_the_increment_of_its_end_in_the_next(without, late):
    changed = air(late)
    assert max(float(np.abs(changed[k] - without[k]).max()) for k in changed) > 1e-3


def test_en4dvar_lowers_the_departures(tmp_path):
    folder = case(tmp_path / "variational", method="en4dvar", iterations=4, duration="PT40M", hours=(0.0, 0.5))
    tessera(folder, "--serial")
    with netCDF4.Dataset(folder / "run" / "assimilation" / "20010101T000000.nc") as data:
        assert data["oma_rms"][0, 0] < data["omb_rms"][0, 0]
        # errors are one, so that the search brings 2 J_b + sum(OMA^2) below sum(OMB^2), what it begins with
        n, before, after = (np.ma.filled(data[k][0], 0.0) for k in ("count", "omb_rms", "oma_rms"))
        first, last = (float(np.nansum(n * a * a)) for a in (before, after))
        assert 0.0 < data["degrees_of_freedom"][0] < first - last


def learned(folder, **given):
    """A network in place of ensemble and search; the second of three windows has no observation."""
    from tests.toys.learned_maps import written

    made = case(folder, method="learned", network="trained", hours=(0.0, 1.4), **{"duration": "PT2H", **given})
    written(made / "trained")
    return made


@pytest.fixture(scope="module")
def by_network(tmp_path_factory):
    folder = learned(tmp_path_factory.mktemp("learned") / "serial")
    done = tessera(folder, "--serial")
    return folder, done.stdout + done.stderr


def test_a_network_changes_the_air_and_says_where_it_saw_nothing(by_network, tmp_path):
    folder, text = by_network
    assert text.count("36 of 36 used") == 2
    assert text.count("the increment is that of the control without observations (CORR)") == 1
    unchanged = case(tmp_path / "without", assimilates=False, duration="PT2H")
    tessera(unchanged, "--serial")
    changed, plain = air(folder), air(unchanged)
    assert max(float(np.abs(changed[k] - plain[k]).max()) for k in changed) > 1e-3


@pytest.mark.ranks
def test_a_network_gives_the_same_bits_on_more_ranks_and_after_a_restart(by_network, tmp_path):
    parts = learned(tmp_path / "parts", ranks=(2, 3), duration="PT80M")
    tessera(parts)
    text = (parts / "case.yaml").read_text()
    (parts / "case.yaml").write_text(text.replace("duration: PT80M", "duration: PT2H"))
    tessera(parts, "--continue", "--serial")
    assert differences(by_network[0], parts, history=False) == []
