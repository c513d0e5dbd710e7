# SPDX-License-Identifier: BSD-3-Clause
"""The budget of a run: what both sides of every exchange add up to, whole after any restart."""

import csv
import json

import numpy as np
import pytest

from coupler.case.case import make_plan
from coupler.case.launch import run_here
from coupler.errors import BudgetError
from coupler.exact_sum import exact_bins
from coupler.watch.budget import Budget
from tests.toys.cases import edit

RULE = {"from": "atmosphere", "to": "ocean", "period": "PT2H", "lag": "PT2H", "statistic": "mean"}
SENT, RECEIVED = ("sent", 0), ("received:0", 0)


@pytest.fixture
def plan(case):
    return make_plan(case(coupling=[RULE], duration="P2D"), 1)


def sent(window, *values):
    return ("sent", 0, window, [("precipitation_flux", exact_bins(np.array(values)), float(np.abs(values).sum()))])


def received(window, *values):
    return ("received:0", 0, window, [("precipitation_flux", exact_bins(np.array(values)))])


def rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def one(plan, tmp_path, ranks=1, books=((SENT, RECEIVED),)):
    budget = Budget(plan, tmp_path / "budget.csv", ranks)
    for said in books:
        budget.expect(said)
    return budget


def test_amounts_are_flux_times_seconds_on_the_day_of_the_targets_interval(plan, tmp_path):
    budget = one(plan, tmp_path)
    for window in range(-1, 23):
        budget.add([sent(window, 1.0, 2.0), received(window, 3.0)])
    budget.close_until(48 * 3600)
    budget.write()
    first, second = rows(budget.path)
    assert [first["day_start"], second["day_start"]] == ["2001-01-01", "2001-01-02"]
    assert float(first["sent"]) == float(second["received"]) == 12 * 3.0 * 7200
    assert first["unit"] == "kg" and first["to"] == "ocean" and first["worst_relative_residual"] == "0.000e+00"
    assert "precipitation_flux to ocean" in budget.text()


def test_a_window_counts_once_all_ranks_have_said_theirs_and_not_before(plan, tmp_path):
    """Two ranks send; the entries of one are early, even before the other has said that it will send."""
    budget = one(plan, tmp_path, ranks=3, books=((SENT,), (RECEIVED,)))
    budget.add([sent(-1, 1.0), received(-1, 3.0)])
    assert not budget.whole_until(0)
    budget.expect([SENT])
    budget.close_until(1 << 40)
    assert not budget.totals and not budget.whole_until(0)
    budget.add([sent(-1, 2.0)])
    assert budget.whole_until(0) and not budget.whole_until(7200)
    budget.close_until(1)
    (total,) = budget.totals.values()
    assert (total.sent, total.received, total.windows) == (3.0 * 7200, 3.0 * 7200, 1)


def test_a_window_whose_interval_has_not_begun_waits(plan, tmp_path):
    budget = one(plan, tmp_path)
    budget.add([sent(0, 1.0), received(0, 1.0)])
    budget.close_until(7200)
    assert not budget.totals
    budget.close_until(7201)
    assert len(budget.totals) == 1


def test_a_residual_above_the_tolerance_is_told_with_rule_and_time(plan, tmp_path):
    budget = one(plan, tmp_path)
    budget.add([sent(3, 1.0), received(3, 1.0 + 1e-9)])
    with pytest.raises(
        BudgetError, match=r"precipitation_flux \(atmosphere -> ocean to ocean\) at 2001-01-01T08:00:00"
    ):
        budget.close_until(1 << 40)


@pytest.mark.parametrize("hour", [0, 5, 6, 24, 25])
def test_a_state_through_json_goes_on_as_if_nothing_had_been(plan, tmp_path, hour):
    """Amounts whose sum depends on the order; a state at any hour, also with windows on their way."""
    rng = np.random.default_rng(1)
    flux = rng.lognormal(0.0, 4.0, 25)
    straight, broken = one(plan, tmp_path / "a"), one(plan, tmp_path / "b")
    state = None
    for window in range(-1, 24):
        if state is None and (window + 1) * 7200 > hour * 3600:
            state = json.loads(json.dumps(broken.state(hour * 3600)))
            broken = Budget(plan, tmp_path / "b", 1)
            broken.restore(state, hour * 3600, [t.key for t in plan.tasks])
            broken.expect((SENT, RECEIVED))
            assert broken.whole_until(hour * 3600) and not broken.whole_until((window + 1) * 7200)
        for budget in (straight, broken):
            budget.add([sent(window, flux[window]), received(window, flux[window])])
    for budget in (straight, broken):
        budget.close_until(48 * 3600)
    assert broken.state(1 << 40) == straight.state(1 << 40)
    assert len(broken.state(1 << 40)["daily"]) == 3, "and one window of the day after"


def flux_case(case, name, days):
    """A flux node, windows of 5 h that days and restarts cut, and a connection."""
    from tests.unit.conftest import AIR, GRIDS

    parts = {
        "atmosphere": {"model": AIR, "step": "PT1H", "grid": GRIDS["atmosphere"]},
        "ocean": {"model": "tests.toys.models:FluxSea", "step": "PT1H", "grid": GRIDS["ocean"]},
        "below": {"model": "tests.toys.models:Sea", "step": "PT1H", "grid": GRIDS["ocean"]},
    }
    rules = [
        {"flux": "air_sea", "scheme": "ncar", "between": ["atmosphere", "ocean"], "period": "PT5H"},
        {"from": "atmosphere", "to": "below", "period": "PT3H", "lag": "PT6H"},
    ]
    return case(parts, rules, name=name, duration=f"P{days}D", restart={"period": "PT18H"})


def test_the_file_after_continue_is_the_unbroken_runs_byte_for_byte(case):
    straight, broken = flux_case(case, "straight", 4), flux_case(case, "broken", 1)
    assert run_here(straight, serial=True, resume=False) == run_here(broken, serial=True, resume=False) == 0
    path = broken / "run" / "budget.csv"
    assert {r["day_start"] for r in rows(path)} == {"2001-01-01"}
    for days in (2, 4):
        edit(broken, [("case.yaml", f"duration: P{days // 2}D", f"duration: P{days}D")])
        assert run_here(broken, serial=True, resume=True) == 0
    assert len({r["day_start"] for r in rows(path)}) == 4 and len({r["flux"] for r in rows(path)}) > 3
    assert path.read_bytes() == (straight / "run" / "budget.csv").read_bytes()
