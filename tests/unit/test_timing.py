# SPDX-License-Identifier: BSD-3-Clause
"""Where the time goes: the table, who holds the others up, the layout suggested, the trace."""

import json
from dataclasses import replace

import pytest

from coupler.case.case import make_plan
from coupler.case.launch import run_here
from coupler.watch.suggestion import suggest
from coupler.watch.timing import KINDS, Timer, cores_of, table, text, write_trace


@pytest.fixture
def plan(case):
    return make_plan(case(layout={"coupler": 1, "atmosphere": 2, "ocean": 2}), 5)


def report(**seconds):
    return {"seconds": {k.replace("__", "|"): v for k, v in seconds.items()}, "cpu": 1.0, "wall": 10.0}


def reports(air, sea):
    """Ranks 1-2 compute for `air` seconds each, ranks 3-4 for `sea`; the rest of 10 s they wait."""
    a = report(atmosphere__computing=air, atmosphere__waiting=10 - air)
    o = report(ocean__computing=sea, ocean__waiting=10 - sea)
    return [report(coupler__computing=0.1, coupler__waiting=9.9), a, a, o, o]


def test_the_table_has_means_over_ranks(plan):
    made = table(plan, reports(9.0, 3.0), 86400)
    assert made["rows"]["atmosphere"] == {
        "computing": 9.0,
        "waiting": 1.0,
        "sending": 0.0,
        "writing": 0.0,
        "ranks": 2.0,
    }
    assert (made["wall"], made["cpu"], made["simulated"]) == (10.0, 5.0, 86400)


@pytest.mark.parametrize(("air", "sea", "slow"), [(9.0, 3.0, "atmosphere"), (2.0, 9.5, "ocean")])
def test_who_waits_least_holds_the_others_up(plan, air, sea, slow):
    made = table(plan, reports(air, sea), 86400)
    assert made["slowest"] == slow
    assert f"{slow} waits least: it holds the others up" in text(made)


def test_calls_have_their_quantiles_and_their_share(plan):
    some = reports(9.0, 3.0)
    for rank, last in ((1, 0.5), (2, 0.1)):
        some[rank] = {**some[rank], "calls": {"atmosphere": [0.1] * 19 + [last]}}
    made = table(plan, some, 86400)
    assert made["calls"] == {"atmosphere": pytest.approx({"number": 20.0, "p50": 0.1, "p95": 0.1, "share": 0.22})}
    assert "atmosphere: 20 calls a rank, p50 100.0 ms, p95 100.0 ms, 22.0% of the wall clock" in text(made)


def test_a_better_layout_for_as_many_processes_is_suggested(plan):
    made = table(plan, reports(9.0, 2.0), 86400)
    assert made["suggestion"] == {"coupler": 1, "atmosphere": 3, "ocean": 1}
    assert "suggested layout for as many processes:  layout: {coupler: 1, atmosphere: 3, ocean: 1}" in text(made)


def test_components_on_the_same_ranks_stay_together_and_the_coupler_keeps_its_ranks(plan):
    air, sea = plan.components
    lake = replace(sea, name="lake", ranks=sea.ranks[:1])
    together = replace(plan, components=(air, sea, lake))
    rows = {n: {k: 0.0 for k in KINDS} for n in ("coupler", "atmosphere", "ocean", "lake")}
    rows["coupler"]["computing"], rows["atmosphere"]["computing"] = 99.0, 9.0
    rows["ocean"]["computing"], rows["lake"]["computing"] = 1.0, 1.0
    assert suggest(together, rows) == {"coupler": 1, "atmosphere": 3, "ocean": 1, "lake": {"ranks": 1, "with": "ocean"}}
    rows["lake"]["computing"] = 40.0
    assert suggest(together, rows)["ocean"] == 3


def test_components_that_take_turns_come_to_share_their_ranks(plan):
    air, sea = plan.components
    sun = replace(sea, name="sun", ranks=(5, 6))
    task = next(t for t in plan.tasks if t.outputs[0].component == "ocean")
    bundle, delivery = task.inputs[0], task.outputs[0]
    there = replace(
        task, inputs=(replace(bundle, component="atmosphere"),), outputs=(replace(delivery, component="sun"),)
    )
    back = replace(
        task, inputs=(replace(bundle, component="sun"),), outputs=(replace(delivery, component="atmosphere"),)
    )
    there, back = (replace(t, lag=n * t.period, kind="connection") for t, n in ((there, 1), (back, 0)))
    turns = replace(plan, components=(air, sea, sun), tasks=(*plan.tasks, there, back))
    rows = {n: {k: 0.0 for k in KINDS} for n in ("coupler", "atmosphere", "ocean", "sun")}
    for name in ("atmosphere", "ocean", "sun"):
        rows[name]["computing"] = 4.0
    wanted = {"coupler": 1, "atmosphere": 4, "ocean": 2, "sun": {"ranks": 4, "with": "atmosphere"}}
    assert suggest(turns, rows) == wanted  # 8 s, one after the other, become 16 / 4
    both = replace(turns, tasks=(*plan.tasks, there, replace(back, lag=back.period)))
    assert suggest(both, rows) == {}


def on_cores(reports, *cores):
    """The same reports, of processes on one host that may run on the cores given, in turn."""
    return [{**r, "host": "one", "cores": list(cores)} for r in reports]


def test_cores_are_counted_once_a_host():
    assert cores_of([{"host": "a", "cores": [0, 1]}, {"host": "a", "cores": [1, 2]}, {"host": "b", "cores": [0]}]) == 4
    assert cores_of([{"host": "a", "cores": [0]}, {}]) == 0
    mine = Timer().report()
    assert cores_of([mine, mine]) == len(mine["cores"]) >= 1


def test_with_fewer_cores_than_processes_fewer_processes_are_suggested(plan):
    few = table(plan, on_cores(reports(9.0, 8.0), 0, 1), 86400)
    assert few["suggestion"] == {"coupler": 1, "atmosphere": 1, "ocean": 1}
    assert "suggested layout for 2 cores (mpirun -n 3):  layout: {coupler: 1, atmosphere: 1, ocean: 1}" in text(few)
    assert table(plan, on_cores(reports(9.0, 8.8), 0, 1, 2, 3), 86400)["suggestion"] == {}, "cores are enough"
    unequal = on_cores(reports(9.0, 2.0), 0, 1, 2, 3)
    assert table(plan, unequal, 86400)["suggestion"] == {"coupler": 1, "atmosphere": 3, "ocean": 1}
    assert table(plan, on_cores(reports(9.0, 8.0), 0), 86400)["suggestion"] == {
        "coupler": 1, "atmosphere": 1, "ocean": {"ranks": 1, "with": "atmosphere"},
    }, "one core"  # fmt: skip


def test_the_whole_system_on_two_cores(tmp_path, command):
    """CPU seconds of six hours of the template as its seven processes were measured on two cores."""
    assert command("new", tmp_path / "case", "--template", "east_asia_coupled").returncode == 0
    text_ = (tmp_path / "case" / "case.yaml").read_text()
    layout = text_[text_.index("layout:\n") : text_.index("\ncoupling:")]
    sea = "ocean: 1, prescribed_ocean: {ranks: 1, with: ocean}"
    seven = f"layout: {{coupler: 1, atmosphere: 2, {sea}, land: 1, radiation: 2}}\n"
    (tmp_path / "case" / "case.yaml").write_text(text_.replace(layout, seven))
    whole = make_plan(tmp_path / "case")
    cpu = {"atmosphere": 28.9, "ocean": 6.1, "prescribed_ocean": 0.05, "land": 5.9, "radiation": 16.3}
    rows = {n: dict.fromkeys(KINDS, 1.0) for n in ("coupler", *cpu)}
    four = {
        "coupler": 1,
        "atmosphere": 2,
        "ocean": 1,
        "prescribed_ocean": {"ranks": 1, "with": "ocean"},
        "land": {"ranks": 1, "with": "ocean"},
        "radiation": {"ranks": 2, "with": "atmosphere"},
    }
    assert whole.size == 7 and suggest(whole, rows, 2, cpu) == four
    flow = json.dumps(four).replace('"', "")
    (tmp_path / "case" / "case.yaml").write_text(text_.replace(layout, f"layout: {flow}\n"))
    assert make_plan(tmp_path / "case").size == 4, "it can be run"
    assert suggest(make_plan(tmp_path / "case"), rows, 2, cpu) == {}, "and is left alone then"
    assert "with" in suggest(whole, rows, 16, cpu)["radiation"], "with cores enough, for as many processes"
    assert sum(n for n in suggest(whole, rows, 16, cpu).values() if isinstance(n, int)) in (0, 7)


def test_a_balanced_layout_is_left_alone(plan):
    assert table(plan, reports(9.0, 8.9), 86400)["suggestion"] == {}
    assert suggest(make_plan(plan.folder, 1), {}) == {}


def test_the_text_says_speed_and_columns(plan):
    lines = text(table(plan, reports(9.0, 3.0), 365 * 86400)).splitlines()
    assert all(k in lines[0] for k in KINDS)
    assert "8640.0 simulated years per day" in lines[4]
    assert lines[2].split() == ["atmosphere", "2", "9.00", "1.00", "0.00", "0.00", "90%"]


def test_a_finished_run_has_a_table_and_a_trace_on_request(case, command):
    folder = case(duration="PT4H", trace=True)
    done = command("timing", folder)
    assert done.returncode == 2 and "only a finished run has a timing table" in done.stderr
    assert run_here(folder, serial=True, resume=False) == 0
    assert "simulated years per day" in command("timing", folder).stdout
    trace = json.loads((folder / "run" / "trace" / "rank0.json").read_text())["traceEvents"]
    steps = [e for e in trace if e["ph"] == "X" and e["cat"] == "ocean" and e["name"] == "computing"]
    assert len(steps) == 1 + 4, "initialize and four steps"
    assert all(e["dur"] >= 0 for e in steps)
    assert [e["ts"] for e in steps] == sorted(e["ts"] for e in steps)


def test_a_trace_without_being_asked_is_none(tmp_path):
    timer = Timer()
    with timer.measure("ocean", "computing"):
        pass
    assert timer.events is None
    asked = Timer(trace=True)
    with pytest.raises(ZeroDivisionError), asked.measure("ocean", "computing"):
        1 / 0  # noqa: B018
    write_trace(tmp_path / "t.json", 3, asked)
    first, name = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    assert (first["pid"], first["tid"]) == (3, "ocean") and name["args"] == {"name": "rank 3"}
