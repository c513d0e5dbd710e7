# SPDX-License-Identifier: BSD-3-Clause
"""Where a case lies and who works on it: two starts at once, links, moved and copied cases, names of any characters."""

import json
import os
import shutil
import subprocess
import sys
import threading

import netCDF4
import numpy as np
import pytest
import yaml

from coupler.case import run_folder
from coupler.component import Component
from coupler.exchange import operators
from coupler.fields import specs
from tests.toys.cases import ROOT, differences, edit, environment, started

HOURS = {"duration": "PT6H", "restart": {"period": "PT2H"}}
OUTPUT = {"name": "out", "fields": ["sea_surface_temperature"], "period": "PT1H"}


@pytest.fixture
def small(case):
    """Function that writes a case of 6 hours with hourly output."""
    from tests.unit.conftest import AIR, GRIDS, SEA

    def make(name="case", sea=SEA, **changes):
        parts = {
            "atmosphere": {"model": AIR, "step": "PT30M", "grid": GRIDS["atmosphere"]},
            "ocean": {"model": sea, "step": "PT1H", "grid": GRIDS["ocean"], "output": [OUTPUT]},
        }
        return case(parts, name=name, **{**HOURS, **changes})

    return make


@pytest.fixture
def halves(small, command):
    """Function that runs half of a case; the whole one, to compare with, is in ``straight``."""
    command(small("straight"), "--serial")

    def half(name="case"):
        folder = small(name, duration="PT3H")
        assert command(folder, "--serial").returncode == 0
        return edit(folder, [("case.yaml", "PT3H", "PT6H")])

    return half


def snapshot(folder):
    """Everything in a folder: links as such, files with their bytes."""
    return {
        str(p.relative_to(folder)): os.readlink(p) if p.is_symlink() else p.read_bytes() if p.is_file() else None
        for p in folder.rglob("*")
    }


# ------------------------------------------------------------------ two starts


@pytest.mark.parametrize("words", [(), ("--continue",)])
def test_who_comes_second_refuses_and_touches_nothing(halves, command, monkeypatch, words):
    folder = halves()
    (folder / "run" / "restart" / ".2001-01-01T040000.part").mkdir()
    before = snapshot(folder)
    first = run_folder.Hold(folder)
    assert first.take(alone=True)
    monkeypatch.setattr(run_folder, "ENDING", 0.0)
    done = command(folder, "--serial", *words)
    assert done.returncode == 2
    assert f"{folder} is taken by another run that is starting or ending; nothing was changed" in done.stderr
    assert snapshot(folder) == before
    first.release()
    assert command(folder, "--serial", *words).returncode == 0


def test_of_many_that_take_a_case_at_once_one_gets_it(tmp_path):
    holds = [run_folder.Hold(tmp_path) for _ in range(8)]
    gate, taken = threading.Barrier(len(holds)), []

    def take(hold):
        gate.wait()
        if hold.take(alone=True):
            taken.append(hold)

    threads = [threading.Thread(target=take, args=(h,)) for h in holds]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(taken) == 1
    for h in holds:
        h.release()


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("--continue",)])
def test_of_two_processes_started_together_one_wins_with_the_bits_of_a_single_run(halves, tmp_path, words):
    folder = halves()
    both = [started(folder, "--serial", *words) for _ in range(2)]
    said = [p.communicate(timeout=120)[0] for p in both]
    codes = [p.returncode for p in both]
    assert sorted(codes) == [0, 2], said
    refused = said[codes.index(2)]
    assert "is running (process" in refused or "is taken by another run" in refused
    assert "Traceback" not in refused
    assert differences(tmp_path / "straight", folder) == []


# ------------------------------------------------------------------ run/ as a link, or taken away


@pytest.mark.parametrize("there", [True, False], ids=["to a folder", "to nothing yet"])
def test_a_link_stays_a_link_and_the_former_run_is_kept_beside_its_target(small, command, tmp_path, there):
    folder, target = small(), tmp_path / "scratch" / "runs of mine"
    if there:
        target.mkdir(parents=True)
    (folder / "run").symlink_to(target)
    for _ in range(2):
        assert command(folder, "--serial").returncode == 0
    assert (folder / "run").is_symlink() and os.readlink(folder / "run") == str(target)
    assert (target / "history" / "ocean.out.nc").is_file()
    (kept,) = target.parent.glob("runs of mine.*")
    assert (kept / "history" / "ocean.out.nc").is_file()
    assert not list(folder.glob("run.*"))


class Robber(Component):
    """A sea that takes something of the run away."""

    imports = specs("air_temperature")
    exports = specs("sea_surface_temperature")
    takes = ("run",)

    def initialize(self, context):
        self.folder, self.t = context.folder, np.full(context.local_shape, 290.0)
        return {"sea_surface_temperature": self.t}

    def step(self, time, seconds, imports):
        if time == 3 * 3600:
            for name in self.takes:
                path = self.folder / name
                path.rename(self.folder / "taken")
        return {"sea_surface_temperature": self.t}

    def state(self):
        return {"t": self.t}

    def restore(self, state):
        self.t = state["t"]


class HistoryRobber(Robber):
    """One that takes the history away."""

    takes = ("run/history/ocean.out.nc",)


@pytest.mark.parametrize(
    ("robber", "output", "words"),
    [
        ("Robber", False, "run was removed or replaced while the run wrote into it; what it held is lost"),
        ("Robber", True, "ocean.out.nc was removed or replaced while the run wrote it; what it held is lost"),
        ("HistoryRobber", True, "ocean.out.nc was removed or replaced while the run wrote it; what it held is lost"),
    ],
)
def test_what_vanishes_during_a_run_is_no_success(small, command, robber, output, words):
    folder = small(sea=f"tests.unit.test_places_of_runs:{robber}")
    if not output:
        (folder / "ocean.yaml").write_text((folder / "ocean.yaml").read_text().split("output:")[0])
    done = command(folder, "--serial")
    assert done.returncode == 1, done.stdout
    assert words in done.stderr and "Traceback" not in done.stderr
    assert "finished" not in done.stdout


# ------------------------------------------------------------------ moved and copied cases


@pytest.mark.parametrize("how", [shutil.move, shutil.copytree], ids=["moved", "copied"])
def test_a_case_in_another_place_goes_on_to_the_same_bits(halves, command, tmp_path, how):
    folder = halves("here")
    there = tmp_path / "elsewhere" / "there"
    there.parent.mkdir()
    how(str(folder), str(there))
    before = snapshot(folder) if folder.exists() else None
    done = command(there, "--serial", "--continue")
    assert done.returncode == 0 and f"continues from {there}" in done.stdout, done.stderr
    assert differences(tmp_path / "straight", there) == []
    assert (snapshot(folder) if folder.exists() else None) == before


def test_a_copy_of_a_running_case_may_run(halves, command, tmp_path):
    """Its status names a living process, which is that of the other folder."""
    folder = halves("here")
    path = folder / "run" / "status.json"
    status = json.loads(path.read_text())
    path.write_text(json.dumps({**status, "state": "running", "pid": os.getppid(), "process_start": ""}))
    shutil.copytree(folder, tmp_path / "copy")
    assert command(folder, "--serial", "--continue").returncode == 2
    done = command(tmp_path / "copy", "--serial", "--continue")
    assert done.returncode == 0, done.stderr


# ------------------------------------------------------------------ what a continued run finds


def test_a_flipped_bit_in_cached_weights_is_never_used(halves, command, tmp_path, monkeypatch):
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(operators, "CACHED_FROM", 0)
    folder = halves()
    files = list((tmp_path / "cache" / "weights").glob("*.nc"))
    assert files, "no cached weights"
    for path in files:
        with netCDF4.Dataset(path, "a") as file:
            numbers = file["S"][:]
            numbers[numbers.size // 2] *= 1 + 1e-9
            file["S"][:] = numbers
    assert command(folder, "--serial", "--continue").returncode == 0
    assert differences(tmp_path / "straight", folder) == []


def test_a_field_added_to_the_output_starts_a_new_file_and_the_old_one_stays(halves, command):
    folder = halves()
    with netCDF4.Dataset(folder / "run/history/ocean.out.nc") as file:
        assert file["time"].size == 3
    own = yaml.safe_load((folder / "ocean.yaml").read_text())
    own["output"][0]["fields"].append("sea_surface_salinity")
    (folder / "ocean.yaml").write_text(yaml.safe_dump(own))
    done = command(folder, "--serial", "--continue")
    assert done.returncode == 0, done.stderr
    assert "ocean.out.nc has no sea_surface_salinity: it was moved to ocean.out.earlier.nc" in done.stdout
    with netCDF4.Dataset(folder / "run/history/ocean.out.nc") as file:
        assert [int(t) for t in file["time"][:]] == [14400, 18000, 21600]
        assert "sea_surface_salinity" in file.variables
    with netCDF4.Dataset(folder / "run/history/ocean.out.earlier.nc") as file:
        assert [int(t) for t in file["time"][:]] == [3600, 7200, 10800]


# ------------------------------------------------------------------ names of places


def test_a_case_is_run_from_within_by_a_dot(halves, command, tmp_path):
    folder = halves()
    done = command(".", "--serial", "--continue", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert differences(tmp_path / "straight", folder) == []
    assert command("status", ".", cwd=folder).stdout.startswith(".: finished")


NAMES = ["winter 2001", 'so "called"', "it's", "東アジア", "é*[ab]?", "{x,y}", "$HOME;ls", "-n", "100%s {0}", "a\tb"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_any_characters_runs_and_goes_on(halves, command, tmp_path, name):
    folder = halves(name)
    done = command(folder, "--serial", "--continue")
    assert done.returncode == 0, done.stderr
    assert differences(tmp_path / "straight", folder) == []
    assert command("plot", folder, "sea_surface_temperature").returncode == 0


def test_a_working_folder_that_was_removed_is_told(small, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f'cd {gone}; rmdir {gone}; exec "$0" "$1" check {small()}'
    words = ["sh", "-c", script, sys.executable, str(ROOT / "run_case.py")]
    done = subprocess.run(words, capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 2 and "the folder that this shell works in has been removed" in done.stderr
    assert "Traceback" not in done.stderr
