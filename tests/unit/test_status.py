# SPDX-License-Identifier: BSD-3-Clause
"""Status of a run: written whole and continuously, and told with the command to go on."""

import json
import os
import subprocess
import sys

import pytest

from coupler.case.case import make_plan
from coupler.case.launch import run_here
from coupler.watch import status
from coupler.watch.status import Status, alive, describe, read_status, under_way


@pytest.fixture
def running(case):
    """A case and the status of its run, 6 of 12 hours done."""
    folder = case()
    s = Status(make_plan(folder), 0)
    s.began -= 30.0
    s.update({"atmosphere": 7 * 3600, "ocean": 6 * 3600}, {"atmosphere": 6 * 3600, "ocean": 4 * 3600}, force=True)
    return folder, s


def test_a_case_that_never_ran_says_how_to_run_it(case):
    folder = case()
    assert read_status(folder) is None
    assert describe(folder) == f"{folder} has not run yet. Run it:  ./run_case.py {folder}"


def test_the_file_holds_what_a_script_needs(running):
    content = json.loads((running[0] / "run" / "status.json").read_text())
    assert content["state"] == "running"
    assert content["date"] == "2001-01-01T06:00:00", "the slowest component counts"
    assert content["share"] == 0.5
    assert content["eta_s"] == pytest.approx(30.0, abs=3.0)
    assert content["simulated_years_per_day"] == pytest.approx(0.25 / 365 / (30.0 / 86400), rel=0.1)
    assert content["components"]["ocean"] == {
        "time": 21600,
        "date": "2001-01-01T06:00:00",
        "last_exchange": "2001-01-01T04:00:00",
    }


def test_it_is_written_twice_a_second_at_most(running):
    folder, s = running
    before = (folder / "run" / "status.json").read_text()
    s.update({"atmosphere": 8 * 3600, "ocean": 8 * 3600}, {})
    assert (folder / "run" / "status.json").read_text() == before
    s.update({"atmosphere": 8 * 3600, "ocean": 8 * 3600}, {}, force=True)
    assert json.loads((folder / "run" / "status.json").read_text())["share"] == pytest.approx(2 / 3, abs=1e-4)


def test_the_progress_line_has_date_share_eta_and_speed(running, capsys):
    _, s = running
    s._said = -1
    s.update({"atmosphere": 9 * 3600, "ocean": 9 * 3600}, {}, force=True)
    line = capsys.readouterr().out.strip()
    assert line.startswith("2001-01-01T09:00:00  75.0%  ETA 00:")
    assert line.endswith("simulated years per day")


def test_a_file_gets_ten_plain_lines_a_terminal_one_that_moves(case, capsys, monkeypatch):
    plan = make_plan(case())
    plain = Status(plan, 0)
    plain.terminal = False
    for t in range(0, 43201, 600):
        plain.update({"atmosphere": t, "ocean": t}, {}, force=True)
    out = capsys.readouterr().out
    assert "\r" not in out and out.count("\n") == 11
    moving = Status(plan, 0)
    moving.terminal = True
    monkeypatch.setattr(status.shutil, "get_terminal_size", lambda *_, **__: os.terminal_size((60, 20)))
    for t in (0, 600):
        moving.update({"atmosphere": t, "ocean": t}, {}, force=True)
    out = capsys.readouterr().out
    assert out.count("\r") == 2 and "\n" not in out
    assert all(len(line) < 60 for line in out.split("\r"))


def test_a_killed_run_is_told_from_a_living_one(running):
    folder, s = running
    assert f"{folder}: running; at 2001-01-01T06:00:00" in describe(folder)
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    assert not alive(child.pid) and alive(os.getpid())
    s.note(pid=child.pid)
    text = describe(folder)
    assert "ended without finishing (killed?)" in text
    assert "ocean            at 2001-01-01T06:00:00, last exchange 2001-01-01T04:00:00" in text
    assert f"to start again (there is no restart):  ./run_case.py {folder}" in text
    s.note(restart="run/restart/2001-01-01T030000")
    assert f"to resume:  ./run_case.py {folder} --continue" in describe(folder)


def test_a_run_on_another_machine_is_not_called_killed(running):
    folder, s = running
    s.note(host="node17", pid=2**22 + 1)
    assert "running on node17, when it last wrote; at 2001-01-01T06:00:00" in describe(folder)
    assert under_way(s.content) is None


@pytest.mark.parametrize("words", [(), ("--continue",)])
def test_a_case_that_is_running_is_not_started_twice(running, command, words):
    folder, _ = running
    before = sorted(p.name for p in folder.rglob("*"))
    done = command(folder, "--serial", *words, apart=True)
    assert done.returncode == 2
    assert f"is running (process {os.getpid()}, at 2001-01-01T06:00:00)" in done.stderr
    assert sorted(p.name for p in folder.rglob("*")) == before


def test_a_finished_run_needs_nothing_more(case, command):
    folder = case(duration="PT4H")
    assert run_here(folder, serial=True, resume=False) == 0
    text = command("status", folder).stdout
    assert "finished; at 2001-01-01T04:00:00 of 2001-01-01T00:00:00 .. 2001-01-01T04:00:00" in text
    assert "newest complete restart: run/restart/2001-01-01T040000" in text
    assert "resume" not in text


def test_a_continued_run_knows_its_restart_from_the_start(case):
    folder = case(duration="PT4H")
    assert run_here(folder, serial=True, resume=False) == 0
    again = Status(make_plan(folder), 14400)
    assert again.content["restart"] == "run/restart/2001-01-01T040000"
    assert Status(make_plan(folder), 0).content["restart"] is None
