# SPDX-License-Identifier: BSD-3-Clause
"""Faults put into a run: a process that dies, stands still or ends, the coupler or a component: told, and resumed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.toys.cases import ROOT, differences, environment, started, tessera, toy_case, wait_for


def left_over(case):
    """Processes that still work on a case."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if str(case) in words:
            found.append(path.parent.name)
    return found


def gone(case, seconds=60.0):
    """Wait until no process of a case is left."""
    end = time.monotonic() + seconds
    while left_over(case) and time.monotonic() < end:
        time.sleep(0.1)
    return left_over(case) == []


LAUNCHER = [signal.SIGHUP, signal.SIGQUIT, signal.SIGKILL, signal.SIGINT, signal.SIGTERM]


@pytest.mark.slow
@pytest.mark.ranks
@pytest.mark.parametrize("number", LAUNCHER, ids=lambda n: n.name)
def test_the_launchers_end_stops_the_run_with_a_restart_and_the_same_bits(serial_toy, tmp_path, number):
    case = toy_case(tmp_path / "toy", air={"sleep": 0.05})
    process = started(case)
    wait_for(case, 0.1)
    process.send_signal(number)
    process.communicate(timeout=120)
    assert gone(case)
    assert json.loads((case / "run" / "status.json").read_text())["state"] == "stopped"
    assert not list(Path("/dev/shm").glob("sm_segment.*"))
    tessera(case, "--continue", "--serial")
    assert differences(serial_toy, case) == []


@pytest.mark.slow
@pytest.mark.ranks
@pytest.mark.parametrize("who", ["coupler", "air", "sea"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=lambda n: n.name)
def test_a_process_that_dies_or_stands_still_is_named_within_the_deadline(serial_toy, tmp_path, who, number):
    case = toy_case(tmp_path / "toy", air={"sleep": 0.05}, deadline="PT6S")
    process = started(case)
    wait_for(case, 0.4)
    people = json.loads((case / "run" / "processes.json").read_text())
    pid = next(p["pid"] for p in people if p["who"].startswith(f"{who}, rank 0"))
    os.kill(pid, number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1 and f"{who}, rank 0" in out and str(pid) in out, out
    assert gone(case) and not list(Path("/dev/shm").glob("sm_segment.*"))
    assert json.loads((case / "run" / "status.json").read_text())["state"] == "failed"
    tessera(case, "--continue", "--serial")
    assert differences(serial_toy, case) == []


def test_a_reader_of_the_output_that_has_left_ends_no_run(tmp_path):
    case = toy_case(tmp_path / "toy", duration="PT3H", restart="PT3H")
    read, write = os.pipe()
    os.close(read)
    words = [sys.executable, str(ROOT / "run_case.py"), str(case), "--serial"]
    done = subprocess.run(words, stdout=write, stderr=subprocess.PIPE, text=True, env=environment(), check=False)
    os.close(write)
    assert done.returncode == 0 and "Traceback" not in done.stderr
