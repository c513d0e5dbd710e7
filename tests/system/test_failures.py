# SPDX-License-Identifier: BSD-3-Clause
"""NODEFAIL and its kin: a run that breaks ends at once, says where, and can be resumed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.toys import forked
from tests.toys.cases import ROOT, TOYS, box, differences, environment, started, tessera, toy_case, wait_for


@pytest.mark.ranks
def test_one_rank_that_raises_ends_the_job_with_one_traceback(tmp_path):
    case = toy_case(tmp_path / "toy", air={"fail_at": 36000})
    process = started(case)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert out.count("Traceback (most recent call last)") == 1
    assert "air, rank 0, at 2001-01-01T10:00:00" in out and "told to fail" in out


@pytest.mark.alone
@pytest.mark.ranks
def test_a_raising_rank_ends_the_whole_job_within_two_seconds(tmp_path):
    case = toy_case(tmp_path / "toy", air={"fail_at": 36000})
    process = started(case)
    lines, raised = [], None
    for line in process.stdout:
        lines.append(line)
        if raised is None and "told to fail" in line:
            raised = time.monotonic()
    process.wait(timeout=60)
    assert raised is not None, "".join(lines)
    assert time.monotonic() - raised < 2.0


@pytest.mark.ranks
def test_a_value_that_is_not_finite_stops_with_field_cell_rank_and_time(tmp_path):
    case = toy_case(tmp_path / "toy", air={"nan_at": 36000})
    done = tessera(case, check=False)
    assert done.returncode == 1
    for word in ("air_temperature is not finite", "cell (1, 2)", "105.00 E, 3.00 N", "rank 0", "2001-01-01T10:30:00"):
        assert word in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.ranks
def test_a_killed_rank_ends_the_job_and_the_run_resumes(serial_toy, tmp_path):
    case = toy_case(tmp_path / "toy", air={"kill_at": 100000})
    begin = time.monotonic()
    done = tessera(case, check=False)
    assert done.returncode == 1 and time.monotonic() - begin < 120
    status = tessera("status", case).stdout
    for name in ("air", "sea", "soil"):
        assert f"{name} " in status
    assert "last exchange" in status and "2001-01-01T150000" in status and "--continue" in status
    text = (case / "case.yaml").read_text()
    (case / "case.yaml").write_text(text.replace("kill_at: 100000", "kill_at: -1"))
    tessera(case, "--continue")
    assert differences(serial_toy, case) == []


@pytest.mark.ranks
def test_kill_minus_nine_from_outside_ends_the_job_within_ten_seconds(tmp_path):
    case = toy_case(tmp_path / "toy", air={"sleep": 0.05})
    process = started(case)
    status = wait_for(case, 0.05)
    os.kill(status["pid"], signal.SIGKILL)
    killed = time.monotonic()
    out, _ = process.communicate(timeout=30)
    assert time.monotonic() - killed < 10.0
    assert process.returncode == 1 and ("--continue" in out or "start again" in out)


def test_a_damaged_or_half_written_restart_is_never_chosen(tmp_path):
    case = toy_case(tmp_path / "toy", duration="P1D", restart="PT6H")
    tessera(case, "--serial")
    sets = sorted((case / "run" / "restart").iterdir())
    (sets[-1] / "manifest.json").unlink()
    with open(sets[-2] / "sea.nc", "r+b") as file:
        file.truncate(1000)
    half = case / "run" / "restart" / ".2001-01-01T230000.part"
    half.mkdir()
    shutil.copy(sets[0] / "sea.nc", half / "sea.nc")
    done = tessera(case, "--continue", "--serial")
    assert sets[-3].name in done.stdout


@pytest.mark.ranks
def test_a_source_that_stops_sending_is_named_with_who_waits_for_what(tmp_path):
    case = toy_case(tmp_path / "toy", air={"hang_at": 36000}, deadline="PT4S")
    done = tessera(case, check=False)
    assert done.returncode == 1
    assert "waits" in done.stderr and "air" in done.stderr and ", for " in done.stderr and "deadline" in done.stderr


@pytest.mark.ranks
def test_two_components_that_wait_for_each_other_are_refused_and_a_lag_lets_them_run(tmp_path):
    components = {
        "air": {"model": TOYS + "WarmAir", "step": "PT30M", "grid": box(100, 140, 0, 40, 2.0)},
        "soil": {"model": TOYS + "Soil", "step": "PT30M", "grid": box(100, 140, 0, 40, 1.0)},
    }
    rules = [{"from": "air", "to": "soil", "period": "PT1H"}, {"from": "soil", "to": "air", "period": "PT1H"}]
    options = {"duration": "PT6H", "restart": "PT6H", "components": components, "layout": {"air": 1, "soil": 1}}
    circle = toy_case(tmp_path / "circle", coupling=rules, **options)
    done = tessera("check", circle, check=False)
    assert done.returncode == 2
    assert "air waits for soil" in done.stderr and "soil waits for air" in done.stderr and "lag" in done.stderr
    assert not (circle / "run").exists()
    open_case = toy_case(tmp_path / "open", coupling=[rules[0], {**rules[1], "lag": "PT1H"}], **options)
    tessera(open_case, "--serial")
    with_mpi = toy_case(tmp_path / "mpi", coupling=[rules[0], {**rules[1], "lag": "PT1H"}], **options)
    tessera(with_mpi)
    assert differences(open_case, with_mpi, history=False) == []


def test_an_uncovered_target_cell_is_told_before_the_first_step(tmp_path):
    components = {
        "air": {"model": TOYS + "Air", "step": "PT30M", "grid": box(100, 120, 0, 20, 2.0)},
        "soil": {"model": TOYS + "Soil", "step": "PT30M", "grid": box(90, 120, 0, 20, 2.0)},
    }
    rules = [{"from": "air", "to": "soil", "period": "PT1H"}]
    case = toy_case(tmp_path / "toy", components=components, coupling=rules, layout={"air": 1, "soil": 1})
    done = tessera(case, "--serial", check=False)
    assert done.returncode and "50 active cells" in done.stderr and "air_temperature" in done.stderr
    assert "[conservative, nearest]" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0 and not os.path.exists("/proc/sys/fs"), reason="needs a writable /proc")
def test_a_read_only_output_folder_is_said_with_the_path(tmp_path):
    case = toy_case(tmp_path / "toy")
    (case / "run").write_text("a file where the folder should be")
    done = tessera(case, "--serial", check=False)
    assert done.returncode == 2 and str(case / "run") in done.stderr
    assert (case / "run").read_text() == "a file where the folder should be"


def test_a_full_disk_leaves_the_last_complete_restart_intact(tmp_path):
    """The second restart cannot be written (its place is taken by a file): the first one stays."""
    case = toy_case(tmp_path / "toy", duration="PT12H", restart="PT6H")
    text = (case / "case.yaml").read_text()
    (case / "case.yaml").write_text(text.replace("duration: PT12H", "duration: PT6H"))
    tessera(case, "--serial")
    (case / "case.yaml").write_text(text)
    (case / "run" / "restart" / ".2001-01-01T120000.part").write_text("in the way")
    done = tessera(case, "--continue", "--serial", check=False)
    assert done.returncode == 1 and "cannot write the restart" in done.stderr and "intact" in done.stderr
    manifest = json.loads((case / "run" / "restart" / "2001-01-01T060000" / "manifest.json").read_text())
    assert manifest["date"] == "2001-01-01T06:00:00"


@pytest.mark.ranks
def test_a_field_of_a_wrong_shape_is_told_with_both_shapes(tmp_path):
    case = toy_case(tmp_path / "toy", air={"turn_at": 3600})
    done = tessera(case, check=False)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert (
        "puts air_temperature with the shape (20, 10)" in done.stderr and "(10, 20) cells on this rank" in done.stderr
    )


@pytest.mark.ranks
@pytest.mark.parametrize("restart", ["PT15H", "PT1H"], ids=["mostly_between", "on_a_periodic_restart"])
def test_sigusr1_to_mpirun_writes_a_restart_and_ends_resumable(serial_toy, tmp_path, restart):
    """As a batch system sends it: mpirun forwards the signal to all processes.

    With a restart every hour the stop always falls on one of them: that set must not be written twice.
    """
    case = toy_case(tmp_path / "toy", air={"sleep": 0.03}, restart=restart)
    mpirun = Path(sys.executable).with_name("mpirun")
    command = [mpirun, "--allow-run-as-root", "--oversubscribe", "-n", "6", *forked.python(), "run_case.py", case]
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               cwd=ROOT, env=environment())  # fmt: skip
    wait_for(case, 0.1)
    process.send_signal(signal.SIGUSR1)
    out, _ = process.communicate(timeout=60)
    assert "a restart will be written at" in out and "stopped, resumable" in out
    assert not list((case / "run" / "restart").glob(".*")), "a set was begun that nobody completed"
    tessera(case, "--continue", "--serial")
    assert differences(serial_toy, case) == []


def test_a_trace_opens_as_json_with_an_event_for_every_step(tmp_path):
    case = toy_case(tmp_path / "toy", duration="PT3H", restart="PT3H", trace=True)
    tessera(case, "--serial")
    events = json.loads((case / "run" / "trace" / "rank0.json").read_text())["traceEvents"]
    assert sum(e["name"] == "computing" and e.get("cat") == "soil" for e in events) >= 6
