# SPDX-License-Identifier: BSD-3-Clause
"""A fault at each moment of each kind of process: named within the deadline, nothing left, resumed to the same bits."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.toys import faulty
from tests.toys.cases import ROOT, TOYS, box, differences, tessera, toy_case

pytestmark = pytest.mark.ranks
DEADLINE = 6
COUPLER, AIR, SEA = 0, 1, 3
"""World ranks: the coupler, the air (1, 2) and the sea (3)."""
AIRS, SEAS, CONTROL, RESTART = (
    "tests.toys.models:Air.",
    "tests.toys.models:Sea.",
    "coupler.exchange.control:Controller.",
    "coupler.files.restart:",
)


def day(folder):
    """A day of air (2 ranks) and sea (1), with restarts each six hours and a mean of three hours as output."""
    output = [{"fields": ["sea_surface_temperature"], "period": "PT3H", "statistic": "mean"}]
    parts = {
        "air": {"model": TOYS + "Air", "step": "PT1H", "grid": box(100, 120, 0, 20, 2.0)},
        "sea": {"model": TOYS + "Sea", "step": "PT1H", "grid": box(102, 117, 2, 17, 1.5), "output": output},
    }
    rules = [{"from": "air", "to": "sea", "period": "PT2H", "lag": "PT2H"}]
    return toy_case(
        folder, components=parts, coupling=rules, layout={"coupler": 1, "air": 2, "sea": 1}, duration="P1D",
        restart="PT6H", deadline=f"PT{DEADLINE}S",
    )  # fmt: skip


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """The same day on one process, undisturbed."""
    case = day(tmp_path_factory.mktemp("unbroken") / "day")
    tessera(case, "--serial")
    return case


def run_with(case, *words, **fault):
    """Run a case with a fault; returns the exit code, what was said, and the seconds it took."""
    began = time.monotonic()
    command = [sys.executable, str(ROOT / "run_case.py"), str(case), *words]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, timeout=90, check=False,
        env=faulty.environment(**fault), start_new_session=True,
    )  # fmt: skip
    return done.returncode, done.stdout, time.monotonic() - began


def left_over(case, seconds=15.0):
    """Processes that still work on a case after some seconds, and shared memory."""
    end = time.monotonic() + seconds
    while True:
        found = [p.parent.name for p in Path("/proc").glob("[0-9]*/cmdline") if str(case) in _words(p)]
        found += [str(p) for p in Path("/dev/shm").glob("sm_segment.*") if not _mapped(p.name)]
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.1)


def _words(path):
    try:
        return path.read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def _mapped(name):
    """Whether another run uses a piece of shared memory."""
    for maps in Path("/proc").glob("[0-9]*/maps"):
        try:
            if name in maps.read_text(errors="replace"):
                return True
        except OSError:
            continue
    return False


def status(case):
    path = case / "run" / "status.json"
    return json.loads(path.read_text()) if path.exists() else {}


def resumes(case, unbroken):
    """Whether the case goes on, or starts where there is no restart, to the bits of the unbroken run."""
    sets = case / "run" / "restart"
    again = ["--continue"] if sets.is_dir() and any(not p.name.startswith(".") for p in sets.iterdir()) else []
    if again and (case / "run" / "restart" / "2001-01-02T000000").is_dir():
        return differences(unbroken, case) == []
    tessera(case, "--serial", *again)
    return differences(unbroken, case) == []


# who, world rank, at which call, the how manieth, what happens, what must be said
BROKEN = {
    "air killed at the start": (AIR, AIRS + "initialize", 1, "kill", "air, rank 0 * killed by signal 9"),
    "air stopped at the start": (AIR, AIRS + "initialize", 1, "stop", "air, rank 0 * is stopped (SIGSTOP)"),
    "air hangs at the start": (AIR, AIRS + "initialize", 1, "hang", "air, rank 0, at * initialize has not returned"),
    "air exits at the start": (AIR, AIRS + "initialize", 1, "exit", "air, rank 0* sys.exit(0) was called (in init"),
    "air leaves at the start": (AIR, AIRS + "initialize", 1, "leave", "air, rank 0 * ended before the run did"),
    "sea killed mid-run": (SEA, SEAS + "step", 9, "kill", "sea, rank 0 * killed by signal 9"),
    "sea stopped mid-run": (SEA, SEAS + "step", 9, "stop", "sea, rank 0 * is stopped (SIGSTOP)"),
    "sea hangs mid-run": (SEA, SEAS + "step", 9, "hang", "sea, rank 0, at * step has not returned"),
    "sea exits mid-run": (SEA, SEAS + "step", 9, "exit", "sea, rank 0* sys.exit(0) was called (in step)"),
    "sea leaves mid-run": (SEA, SEAS + "step", 9, "leave", "sea, rank 0 * ended before the run did"),
    "sea without memory": (SEA, SEAS + "step", 9, "memory", "sea, rank 0* out of memory (in step)"),
    "sea killed in a restart": (SEA, RESTART + "os.fsync", 2, "kill", "sea, rank 0 * killed by signal 9"),
    "sea hangs in a restart": (SEA, RESTART + "os.fsync", 2, "hang", "sea, rank 0*"),
    "sea hangs in state": (SEA, SEAS + "state", 2, "hang", "sea, rank 0, at * state has not returned"),
    "sea killed in its first record": (
        SEA,
        "coupler.files.history:HistoryStream._still_there",
        1,
        "kill",
        "sea, rank 0 * killed by signal 9",
    ),
    "sea killed in its fourth record": (
        SEA,
        "coupler.files.history:HistoryStream._still_there",
        4,
        "kill",
        "sea, rank 0 * killed by signal 9",
    ),
    "sea hangs in a record": (SEA, "coupler.files.history:HistoryStream._still_there", 4, "hang", "sea, rank 0*"),
    "air hangs in its last step": (AIR, AIRS + "step", 24, "hang", "air, rank 0, at * step has not returned"),
    "sea hangs in its last step": (SEA, SEAS + "step", 24, "hang", "sea, rank 0, at * step has not returned"),
    "sea killed in finalize": (SEA, SEAS + "finalize", 1, "kill", "sea, rank 0 * killed by signal 9"),
    "sea stopped in finalize": (SEA, SEAS + "finalize", 1, "stop", "sea, rank 0 * is stopped (SIGSTOP)"),
    "sea hangs in finalize": (SEA, SEAS + "finalize", 1, "hang", "sea, rank 0, at * finalize has not returned"),
    "sea exits in finalize": (SEA, SEAS + "finalize", 1, "exit", "sea, rank 0* sys.exit(0) was called (in finalize)"),
    "sea leaves in finalize": (SEA, SEAS + "finalize", 1, "leave", "sea, rank 0 * ended before the run did"),
    "coupler killed at the start": (COUPLER, CONTROL + "__init__", 1, "kill", "coupler, rank 0 * killed by signal 9"),
    "coupler hangs at the start": (COUPLER, CONTROL + "__init__", 1, "hang", "coupler, rank 0*"),
    "coupler killed mid-run": (COUPLER, CONTROL + "_arrived", 30, "kill", "coupler, rank 0 * killed by signal 9"),
    "coupler hangs mid-run": (COUPLER, CONTROL + "_arrived", 30, "hang", "coupler, rank 0*"),
    "coupler killed in a restart": (COUPLER, RESTART + "complete", 2, "kill", "coupler, rank 0 * killed by signal 9"),
    "coupler killed in a manifest": (COUPLER, RESTART + "sync_folder", 2, "kill", "coupler, rank 0 * killed by sig"),
    "coupler hangs in a restart": (COUPLER, RESTART + "complete", 2, "hang", "coupler, rank 0*"),
    "coupler killed at the end": (COUPLER, CONTROL + "close", 1, "kill", "coupler, rank 0 * killed by signal 9"),
    "coupler hangs at the end": (COUPLER, CONTROL + "close", 1, "hang", "coupler, rank 0*"),
    "coupler exits at the end": (COUPLER, CONTROL + "close", 1, "exit", "sys.exit(0) was called"),
}
TWINS = ("sea killed in a restart", "sea hangs in finalize")
"""Those that every run of the tests makes."""


def cases():
    """The matrix: the twins always, the rest where slow tests run."""
    return [pytest.param(*v, id=n, marks=() if n in TWINS else pytest.mark.slow) for n, v in BROKEN.items()]


@pytest.mark.parametrize(("rank", "call", "count", "act", "words"), cases())
def test_a_process_that_fails_is_named_in_time_and_the_run_resumes(unbroken, tmp_path, rank, call, count, act, words):
    case = day(tmp_path / "day")
    code, said, seconds = run_with(case, rank=rank, call=call, count=count, act=act)
    assert code == 1, said
    position = 0
    for part in words.split("*"):
        assert part.strip() in said[position:], said
        position = said.index(part.strip(), position)
    assert left_over(case) == []
    assert said.count("Traceback") <= 1, said
    if status(case):
        assert status(case)["state"] == "failed" and "error" in status(case)
    assert seconds < 60, "the deadline is 6 s"
    assert resumes(case, unbroken)
