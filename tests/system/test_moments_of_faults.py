# SPDX-License-Identifier: BSD-3-Clause
"""A fault at each moment of each kind of process: named within the deadline, nothing left, resumed to the same bits."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.toys import faulty
from tests.toys.cases import ROOT, TOYS, box, differences, edit, started, tessera, toy_case

pytestmark = pytest.mark.ranks
DEADLINE = "PT20S"
"""Longer than any process of a run waits for a processor where four tests share two."""
PATIENT = "PT10M"
"""Deadline of runs within this process, which a watchdog would end with all its tests."""
COUPLER, AIR, SEA = 0, 1, 3
"""World ranks: the coupler, the air (1, 2) and the sea (3)."""
AIRS, SEAS, CONTROL, RESTART = (
    "tests.toys.models:Air.",
    "tests.toys.models:Sea.",
    "coupler.exchange.control:Controller.",
    "coupler.files.restart:",
)


def day(folder, deadline=DEADLINE):
    """A day of air (2 ranks) and sea (1), with restarts each six hours and a mean of three hours as output."""
    output = [{"fields": ["sea_surface_temperature"], "period": "PT3H", "statistic": "mean"}]
    parts = {
        "air": {"model": TOYS + "Air", "step": "PT1H", "grid": box(100, 120, 0, 20, 2.0)},
        "sea": {"model": TOYS + "Sea", "step": "PT1H", "grid": box(102, 117, 2, 17, 1.5), "output": output},
    }
    rules = [{"from": "air", "to": "sea", "period": "PT2H", "lag": "PT2H"}]
    return toy_case(
        folder, components=parts, coupling=rules, layout={"coupler": 1, "air": 2, "sea": 1}, duration="P1D",
        restart="PT6H", deadline=deadline,
    )  # fmt: skip


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """The same day on one process, undisturbed."""
    case = day(tmp_path_factory.mktemp("unbroken") / "day", PATIENT)
    tessera(case, "--serial")
    return case


def run_with(case, *words, before=None, **fault):
    """Run a case with a fault, which must end in time; returns the exit code and what was said."""
    command = [sys.executable, str(ROOT / "run_case.py"), str(case), *words]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, timeout=180, check=False,
        env=faulty.environment(**fault), start_new_session=True,
        preexec_fn=lambda: (_heard(), before and before()),
    )  # fmt: skip
    return done.returncode, done.stdout


def _heard():
    """SIGINT is heard, also where the tests themselves are started with it ignored, as shells do in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def left_over(case, seconds=15.0):
    """Processes that still work on a case after some seconds, and shared memory that is younger than the case."""
    end, begun = time.monotonic() + seconds, (case / "case.yaml").stat().st_mtime
    while True:
        found = [p.parent.name for p in Path("/proc").glob("[0-9]*/cmdline") if str(case) in _words(p)]
        found += [str(p) for p in Path("/dev/shm").glob("sm_segment.*") if _since(p, begun) and not _mapped(p.name)]
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.1)


def _words(path):
    try:
        return path.read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def _since(path, begun):
    """Whether a file, if it is still there, was written after a time."""
    try:
        return path.stat().st_mtime >= begun
    except OSError:
        return False


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
    edit(case, [("case.yaml", DEADLINE, PATIENT)])
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
    "sea killed in a restart": (SEA, RESTART + "checksum", 2, "kill", "sea, rank 0 * killed by signal 9"),
    "sea hangs in a restart": (SEA, RESTART + "checksum", 2, "hang", "sea, rank 0*"),
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
    code, said = run_with(case, rank=rank, call=call, count=count, act=act)
    assert code == 1, said
    position = 0
    for part in words.split("*"):
        assert part.strip() in said[position:], said
        position = said.index(part.strip(), position)
    assert left_over(case) == []
    assert said.count("Traceback") <= 1, said
    if status(case):
        assert status(case)["state"] == "failed"
        assert words.split(" ")[0].strip("*") in status(case)["error"], "the status names the one to blame"
    assert resumes(case, unbroken)


# ------------------------------------------------------------------ wishes to stop

SAVING, LAST = RESTART + "checksum", SEAS + "finalize"
WISHES = {
    "HUP to the launcher at the start": (AIR, AIRS + "initialize", 1, "launcher SIGHUP"),
    "TERM to the launcher at the start": (SEA, SEAS + "initialize", 1, "launcher SIGTERM"),
    "KILL to the launcher at the start": (AIR, AIRS + "initialize", 1, "launcher SIGKILL"),
    "INT to the launcher in a restart": (SEA, SAVING, 2, "launcher SIGINT"),
    "KILL to the launcher in a restart": (SEA, SAVING, 2, "launcher SIGKILL"),
    "KILL to the launcher in a manifest": (COUPLER, RESTART + "complete", 2, "launcher SIGKILL"),
    "QUIT to the launcher at the end": (SEA, LAST, 1, "launcher SIGQUIT"),
    "KILL to the launcher at the end": (SEA, LAST, 1, "launcher SIGKILL"),
    "INT to the group mid-run": (SEA, SEAS + "step", 5, "group SIGINT"),
    "TERM to the group mid-run": (SEA, SEAS + "step", 5, "group SIGTERM"),
    "QUIT to the group mid-run": (AIR, AIRS + "step", 5, "group SIGQUIT"),
    "HUP to the group mid-run": (SEA, SEAS + "step", 5, "group SIGHUP"),
    "USR1 to the air": (AIR, AIRS + "step", 5, "self SIGUSR1"),
    "USR1 to the sea": (SEA, SEAS + "step", 5, "self SIGUSR1"),
    "USR1 to the coupler": (COUPLER, CONTROL + "_arrived", 10, "self SIGUSR1"),
    "USR1 to the launcher": (SEA, SEAS + "step", 5, "launcher SIGUSR1"),
    "USR1 to the sea in a restart": (SEA, SAVING, 2, "self SIGUSR1"),
    "USR1 to the sea at the end": (SEA, LAST, 1, "self SIGUSR1"),
}
WISH_TWINS = ("TERM to the group mid-run",)


@pytest.mark.parametrize(
    ("rank", "call", "count", "act"),
    [pytest.param(*v, id=n, marks=() if n in WISH_TWINS else pytest.mark.slow) for n, v in WISHES.items()],
)
def test_a_wish_to_stop_at_any_moment_leaves_a_restart_that_goes_on_to_the_same_bits(
    unbroken, tmp_path, rank, call, count, act
):
    case = day(tmp_path / "day")
    code, said = run_with(case, rank=rank, call=call, count=count, act=act)
    killed = act == "launcher SIGKILL"
    assert left_over(case) == []
    assert code == -9 if killed else code in (0, 75), said
    assert status(case)["state"] == {0: "finished", 75: "stopped"}.get(code, status(case)["state"]), said
    assert status(case)["state"] in ("finished", "stopped"), said
    assert "Traceback" not in said
    assert resumes(case, unbroken)


def test_a_wish_to_stop_that_a_hanging_component_never_hears_ends_by_the_deadline(unbroken, tmp_path):
    case = day(tmp_path / "day")
    code, said = run_with(case, rank=SEA, call=SEAS + "step", count=9, act="launcher SIGTERM, hang")
    assert code == 1, said
    assert "sea, rank 0, at " in said and "step has not returned" in said
    assert left_over(case) == []
    assert status(case)["state"] == "failed"
    assert resumes(case, unbroken)


@pytest.mark.slow
def test_a_hangup_that_is_ignored_stays_ignored(unbroken, tmp_path):
    """As under nohup."""
    case = day(tmp_path / "day")
    fault = {"rank": SEA, "call": SEAS + "step", "count": 5, "act": "launcher SIGHUP, group SIGHUP"}
    code, said = run_with(case, before=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN), **fault)
    assert code == 0 and status(case)["state"] == "finished", said
    assert differences(unbroken, case) == []


# ------------------------------------------------------------------ one process


STEP, LASTLY = SEAS + "step", CONTROL + "close"


@pytest.mark.parametrize(
    ("call", "count", "act", "wanted"),
    [
        (STEP, 5, "self SIGTERM", 75),
        (STEP, 5, "self SIGINT", 75),
        pytest.param(STEP, 5, "self SIGQUIT", 75, marks=pytest.mark.slow),
        pytest.param(STEP, 5, "self SIGHUP", 75, marks=pytest.mark.slow),
        pytest.param(STEP, 5, "self SIGUSR1", 75, marks=pytest.mark.slow),
        (STEP, 5, "self SIGINT, self SIGINT", 130),
        (SAVING, 5, "self SIGTERM", 75),
        (LASTLY, 1, "self SIGTERM", 0),
        (STEP, 5, "kill", -9),
        pytest.param(SAVING, 5, "kill", -9, marks=pytest.mark.slow),
        (RESTART + "complete", 2, "kill", -9),
        ("coupler.files.history:HistoryStream._still_there", 1, "kill", -9),
        pytest.param(SEAS + "finalize", 1, "kill", -9, marks=pytest.mark.slow),
        (STEP, 5, "memory", 1),
        (SEAS + "finalize", 1, "exit", 1),
        pytest.param(STEP, 9, "hang", 1, marks=pytest.mark.slow),
        pytest.param(SEAS + "finalize", 1, "hang", 1, marks=pytest.mark.slow),
        pytest.param(SAVING, 5, "hang", 1, marks=pytest.mark.slow),
        pytest.param("coupler.case.provenance:write_resolved", 1, "hang", 1, marks=pytest.mark.slow),
    ],
)
def test_a_run_on_one_process_ends_as_well(unbroken, tmp_path, call, count, act, wanted):
    case = day(tmp_path / "day")
    code, said = run_with(case, "--serial", rank=None, call=call, count=count, act=act)
    assert code == wanted, said
    if wanted in (0, 75):
        assert status(case)["state"] == {0: "finished", 75: "stopped"}[wanted]
    elif wanted > 0:
        assert status(case).get("state", "failed") == "failed"
    if wanted == 1:
        assert ("coupler" if "provenance" in call else "sea") + ", rank 0" in said, said
    assert resumes(case, unbroken)


def test_a_wish_to_stop_is_kept_where_all_components_can(tmp_path):
    """With a period without lag that is shorter than the longest step: the stop must not fall into a step."""
    parts = {
        "air": {"model": TOYS + "Air", "step": "PT1H", "grid": box(100, 120, 0, 20, 2.0)},
        "sea": {"model": TOYS + "Sea", "step": "PT2H", "grid": box(102, 117, 2, 17, 1.5)},
        "soil": {"model": TOYS + "Soil", "step": "PT1H", "grid": box(105, 117, 5, 17, 1.5)},
    }
    rules = [
        {"from": "air", "to": "sea", "period": "PT2H", "lag": "PT2H"},
        {"from": "air", "to": "soil", "period": "PT1H"},
    ]
    case = toy_case(
        tmp_path / "day", components=parts, coupling=rules, layout={"coupler": 1, "air": 1, "sea": 1, "soil": 1},
        duration="P1D", restart="PT12H", deadline=DEADLINE,
    )  # fmt: skip
    code, said = run_with(case, "--serial", rank=None, call=AIRS + "step", count=3, act="self SIGTERM")
    assert code == 75 and "a restart will be written at 2001-01-01T08:00:00" in said, said
    tessera(case, "--continue", "--serial")


# ------------------------------------------------------------------ reductions, external programs


@pytest.mark.parametrize(
    ("act", "words"),
    [
        pytest.param("stop", "is stopped (SIGSTOP)", id="stopped"),
        pytest.param("hang", "step has not returned", id="hangs", marks=pytest.mark.slow),
        pytest.param("kill", "was killed by signal 9", id="killed", marks=pytest.mark.slow),
        pytest.param("leave", "ended before the run did", id="leaves", marks=pytest.mark.slow),
    ],
)
def test_a_rank_that_does_not_come_to_a_sum_is_named(tmp_path, act, words):
    case = day(tmp_path / "day")
    text = (case / "case.yaml").read_text().replace("models:Sea", "models:SummingSea").replace("sea: 1", "sea: 2")
    (case / "case.yaml").write_text(text)
    call = "coupler.grids.decomposition:Decomposition.sum"
    code, said = run_with(case, rank=SEA + 1, call=call, count=9, act=act)
    assert code == 1, said
    assert "sea, rank 1" in said and words in said[said.index("sea, rank 1") :], said
    assert left_over(case) == []
    assert status(case)["state"] == "failed"


PROGRAM = Path(__file__).with_name("external_sea.py")
EXTERNAL = 2
"""World rank of the external program."""


def with_a_program(folder, program):
    """Half a day of an air and an external sea."""
    fields = {"imports": ["surface_downwelling_shortwave_flux_in_air", "air_temperature"],
              "exports": ["sea_surface_temperature"]}  # fmt: skip
    parts = {
        "air": {"model": TOYS + "Air", "step": "PT1H", "grid": box(100, 140, 0, 40, 2.0)},
        "sea": {"model": "external", "step": "PT1H", "grid": box(102, 138, 2, 38, 1.5), "program": program, **fields},
    }
    rules = [{"from": "air", "to": "sea", "period": "PT3H", "lag": "PT3H", "statistic": "mean"}]
    return toy_case(
        folder, components=parts, coupling=rules, layout={"coupler": 1, "air": 1, "sea": 1}, duration="PT12H",
        restart="PT6H", deadline=DEADLINE,
    )  # fmt: skip


PARTS = "coupler.participant:Participant."
PROGRAMS = {
    "exits mid-run": (PARTS + "get", 9, "exit", 1, "sea, rank 0: sys.exit(0) was called"),
    "leaves mid-run": (PARTS + "get", 9, "leave", 1, "sea, rank 0 * ended before the run did"),
    "is killed mid-run": (PARTS + "get", 9, "kill", 1, "sea, rank 0 * was killed by signal 9"),
    "is stopped mid-run": (PARTS + "get", 9, "stop", 1, "sea, rank 0 * is stopped (SIGSTOP)"),
    "sleeps mid-run": (PARTS + "get", 9, "hang", 1, "sea, rank 0*"),
    "exits in finish": (PARTS + "finish", 1, "exit", 1, "sea, rank 0*"),
    "leaves in finish": (PARTS + "finish", 1, "leave", 1, "sea, rank 0 * ended before the run did"),
    "sleeps in finish": (PARTS + "finish", 1, "hang", 1, "sea, rank 0*"),
    "sleeps after its end": ("coupler.watch.watchdog:Watchdog.end", 1, "hang", 0, "finished; output is in"),
}
PROGRAM_TWINS = ("exits in finish",)


@pytest.mark.parametrize(
    ("call", "count", "act", "wanted", "words"),
    [pytest.param(*v, id=n, marks=() if n in PROGRAM_TWINS else pytest.mark.slow) for n, v in PROGRAMS.items()],
)
def test_an_external_program_that_fails_or_never_ends_is_named_in_time(tmp_path, call, count, act, wanted, words):
    case = with_a_program(tmp_path / "day", f"{sys.executable} {PROGRAM} strips")
    code, said = run_with(case, rank=EXTERNAL, call=call, count=count, act=act)
    assert code == wanted, said
    position = 0
    for part in words.split("*"):
        assert part.strip() in said[position:], said
        position = said.index(part.strip(), position)
    assert left_over(case) == []
    assert status(case)["state"] == ("failed" if wanted else "finished")
    assert said.count("Traceback") <= 1, said


@pytest.mark.slow
def test_a_program_that_takes_no_part_is_named_with_what_it_lacks(tmp_path):
    case = with_a_program(tmp_path / "day", "true")
    code, said = run_with(case, rank=EXTERNAL, call=PARTS + "get", act="kill")
    assert code == 1, said
    assert "Does sea (true) make a Participant?" in said, said
    assert left_over(case) == []


# ------------------------------------------------------------------ two starts, and places, on ranks


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("--continue",)], ids=["anew", "continued"])
def test_of_two_launchers_started_together_one_wins_with_the_bits_of_a_single_run(unbroken, tmp_path, words):
    case = day(tmp_path / "two of a kind")
    if words:
        edit(case, [("case.yaml", "duration: P1D", "duration: PT7H")])
        tessera(case, "--serial")
        edit(case, [("case.yaml", "duration: PT7H", "duration: P1D")])
    both = [started(case, *words) for _ in range(2)]
    said = [p.communicate(timeout=120)[0] for p in both]
    codes = [p.returncode for p in both]
    assert sorted(codes) == [0, 2], said
    refused = said[codes.index(2)]
    assert refused.count("error:") == 1 and ("is running (process" in refused or "is taken by another run" in refused)
    assert left_over(case) == [] and not list(case.glob(".failed*"))
    assert differences(unbroken, case) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ['it\'s "our" winter', "東アジア *[ab]? $HOME;ls"])
def test_a_name_of_any_characters_runs_on_ranks(unbroken, tmp_path, name):
    case = day(tmp_path / name)
    tessera(case)
    assert differences(unbroken, case) == []
