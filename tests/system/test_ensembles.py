# SPDX-License-Identifier: BSD-3-Clause
"""``instances: N``: each member has the bits of the case run alone with its namelist, however many run at once."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import netCDF4
import numpy as np
import pytest
import yaml

from tests.toys import forked
from tests.toys.cases import ROOT, differences, environment, started, tessera, toy_case

VARY = [
    {"key": "air.options.mean", "values": ["280 K", 285.0, 288]},
    {"key": "sea.options.depth", "normal": ["30 m", "2 m"]},
]


def ensemble(folder, *, members=VARY, sleep=0.0, **case):
    """A toy case of three members."""
    made = toy_case(folder, duration="P1D", restart="PT6H", air={"options": {"sleep": sleep}}, seed=5, **case)
    content = yaml.safe_load((made / "case.yaml").read_text())
    (made / "case.yaml").write_text(yaml.safe_dump({**content, "instances": 3, "members": members}))
    return made


def member(case, number):
    return case / "run" / f"member_{number:03d}"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Three members, two at once, each on one process."""
    case = ensemble(tmp_path_factory.mktemp("ensemble") / "toy", at_once=2)
    done = tessera(case, "--serial")
    return case, done.stdout


def test_a_member_has_the_bits_of_its_namelist_run_alone(whole, tmp_path):
    case, said = whole
    assert "3 members, 2 at once, seeds 5 to 7" in said and "mean, spread and count" in said
    alone = toy_case(
        tmp_path / "alone", duration="P1D", restart="PT6H", air={"options": {"mean": 288, "sleep": 0.0}}, seed=7
    )
    depth = yaml.safe_load((member(case, 2) / "sea.yaml").read_text())["options"]["depth"]
    text = (alone / "sea.yaml").read_text().replace("30 m", depth)
    (alone / "sea.yaml").write_text(text)
    tessera(alone, "--serial")
    assert differences(alone, member(case, 2)) == []
    assert differences(alone, member(case, 1)), "members differ"


def test_one_instance_has_the_bits_of_none(tmp_path):
    case, plain = (
        ensemble(tmp_path / "one", members=[]),
        toy_case(tmp_path / "plain", duration="P1D", restart="PT6H", seed=5),
    )
    text = (case / "case.yaml").read_text().replace("instances: 3", "instances: 1")
    (case / "case.yaml").write_text(text)
    tessera(case, "--serial")
    tessera(plain, "--serial")
    assert differences(plain, member(case, 0)) == []


def test_all_members_at_once_have_the_same_bits(whole, tmp_path):
    case = ensemble(tmp_path / "toy", at_once=3)
    assert "3 at once" in tessera(case, "--serial").stdout
    for number in range(3):
        assert differences(member(whole[0], number), member(case, number)) == []


def test_mean_spread_and_count_of_the_members(whole):
    case, _ = whole
    files = sorted((case / "run" / "ensemble").glob("*.nc"))
    assert [f.name for f in files] == [f.name for f in sorted((member(case, 0) / "run" / "history").glob("*.nc"))]
    values = []
    for number in range(3):
        with netCDF4.Dataset(member(case, number) / "run" / "history" / files[0].name) as f:
            values.append(np.ma.filled(f["air_temperature"][:].astype(float), np.nan))
    with netCDF4.Dataset(files[0]) as f:
        np.testing.assert_allclose(f["air_temperature"][:].filled(np.nan), np.mean(values, axis=0), rtol=1e-6)
        np.testing.assert_allclose(
            f["air_temperature_spread"][:].filled(np.nan), np.std(values, axis=0, ddof=1), rtol=1e-5, atol=1e-6
        )
        assert np.nanmax(f["air_temperature_count"][:]) == 3
        assert f["air_temperature"].cell_methods.endswith("realization: mean")
    drawn = tessera("plot", case, "air_temperature_spread").stdout
    assert "air_temperature_spread" in drawn


def test_status_is_one_table(whole):
    case, _ = whole
    lines = tessera("status", case).stdout.splitlines()
    assert "3 members; finished" in lines[0]
    assert [line.split()[:2] for line in lines[1:4]] == [[f"member_00{n}", "finished;"] for n in range(3)]
    assert "mean 280 K" in lines[1]


def test_a_killed_member_is_named_and_continues_with_the_same_bits(whole, tmp_path):
    case = ensemble(tmp_path / "toy", at_once=2, sleep=0.02)
    run = started(case, "--serial")
    victim = member(case, 1) / "run" / "status.json"
    end = time.monotonic() + 60
    while time.monotonic() < end:
        status = json.loads(victim.read_text()) if victim.is_file() else {}
        if status.get("share", 0) > 0.4:
            os.kill(status["pid"], signal.SIGKILL)
            break
        time.sleep(0.01)
    out, _ = run.communicate(timeout=120)
    assert run.returncode == 1 and "member_001: failed (killed by SIGKILL" in out
    assert "2 of 3 members finished" in out and not (case / "run" / "ensemble").exists()
    assert "member_001  failed" in tessera("status", case).stdout
    again = tessera(case, "--serial", "--continue").stdout
    assert "member_001: finished" in again and "member_000" not in again
    for number in range(3):
        assert differences(member(whole[0], number), member(case, number)) == []


def test_an_ensemble_stops_on_request_and_goes_on(whole, tmp_path):
    case = ensemble(tmp_path / "toy", at_once=1, sleep=0.02)
    run = started(case, "--serial")
    status = member(case, 0) / "run" / "status.json"
    end = time.monotonic() + 60
    while time.monotonic() < end and not (status.is_file() and json.loads(status.read_text()).get("share", 0) > 0.2):
        time.sleep(0.01)
    run.send_signal(signal.SIGTERM)
    out, _ = run.communicate(timeout=60)
    assert run.returncode == 75 and "0 of 3 members finished" in out and "--continue" in out
    tessera(case, "--serial", "--continue")
    assert differences(member(whole[0], 0), member(case, 0)) == []


@pytest.mark.ranks
def test_members_under_one_mpirun_have_the_same_bits(whole, tmp_path):
    """Two groups of three processes take three members in turn."""
    case = ensemble(tmp_path / "toy", layout={"coupler": 1, "air": 1, "sea": 1, "soil": {"ranks": 1, "with": "sea"}})
    command = [shutil.which("mpirun", path=os.path.dirname(sys.executable)) or "mpirun", "--oversubscribe", "-n", "6"]
    allowed = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    allowed |= {"PRTE_ALLOW_RUN_AS_ROOT": "1", "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    done = subprocess.run(
        [*command, *forked.python(), str(ROOT / "run_case.py"), str(case)], capture_output=True, text=True, timeout=300,
        env={**environment(), **allowed, "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 members, 2 at once" in done.stdout
    for number in range(3):
        assert differences(member(whole[0], number), member(case, number)) == []


@pytest.mark.ranks
def test_members_with_ranks_of_their_own_have_the_same_bits(whole, tmp_path):
    case = ensemble(
        tmp_path / "toy", at_once=1, layout={"coupler": 1, "air": 2, "sea": 1, "soil": {"ranks": 1, "with": "sea"}}
    )
    tessera(case)
    for number in range(3):
        assert differences(member(whole[0], number), member(case, number)) == []


@pytest.mark.parametrize(
    ("vary", "said"),
    [
        ({"key": "air.options.mean", "values": [1, 2]}, "expected 3 values, one a member (instances: 3; 2)"),
        ({"key": "see.options.mean", "values": [1, 2, 3]}, "see.options.mean: expected NAME.KEY of one of case, air"),
        ({"key": "air.options.mean", "values": [280, -3, 281]}, "member 1 (air.options.mean: -3): "),
        ({"key": "air.options.meen", "values": [280, 3, 281]}, "did you mean 'mean'?"),
        ({"key": "air.options.mean", "normal": ["280 K", "5 degC"]}, "expected both numbers in one unit"),
        ({"key": "air.options.mean", "uniform": [290, 280]}, "expected the least value before the largest"),
        ({"key": "air.options.mean"}, "expected one of values, normal, lognormal and uniform (given: none)"),
        ({"key": "case.seed", "values": [1, 2, 3]}, "this key cannot vary"),
    ],
)
def test_a_key_that_cannot_vary_is_told_before_anything_runs(tmp_path, vary, said):
    case = ensemble(tmp_path / "toy", members=[vary])
    done = tessera("check", case, check=False)
    assert done.returncode == 2 and said in done.stderr and "case.yaml" in done.stderr
    again = tessera(case, "--serial", check=False)
    assert again.returncode == 2 and said in again.stderr and not (case / "run").exists()


def test_draws_depend_on_seed_key_and_number_alone(tmp_path):
    from coupler.case.members import members_of
    from coupler.case.reading import read_case

    few = ensemble(tmp_path / "few", members=[{"key": "sea.options.depth", "lognormal": ["30 m", 0.1]}])
    many = ensemble(tmp_path / "many", members=[{"key": "sea.options.depth", "lognormal": ["30 m", 0.1]}])
    text = (many / "case.yaml").read_text().replace("instances: 3", "instances: 200")
    (many / "case.yaml").write_text(text)
    drawn = [m.varied["sea.options.depth"] for m in members_of(read_case(many))]
    assert [m.varied["sea.options.depth"] for m in members_of(read_case(few))] == drawn[:3]
    logs = np.log([float(d.split()[0]) / 30.0 for d in drawn])
    assert abs(logs.mean()) < 0.03 and abs(logs.std() - 0.1) < 0.02


def test_the_number_stands_for_the_word_member_in_file_names(tmp_path):
    from coupler.case.members import members_of
    from coupler.case.reading import read_case

    case = ensemble(tmp_path / "toy", members=[], title="start of {member}")
    assert [m.namelists["case.yaml"]["title"] for m in members_of(read_case(case))][2] == "start of 002, member 2"


def test_a_rule_across_members_is_refused_by_name(tmp_path):
    rule = {"from": "air", "to": "sea", "period": "PT6H", "lag": "PT6H", "ensemble": "mean"}
    case = ensemble(tmp_path / "toy", coupling=[rule])
    done = tessera("check", case, check=False)
    assert done.returncode == 2 and "a rule that crosses the members of an ensemble is not built" in done.stderr
