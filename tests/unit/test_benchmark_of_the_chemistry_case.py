# SPDX-License-Identifier: BSD-3-Clause
"""What two runs of unequal length say of the chemistry's speed, on a machine whose load changes."""

import pytest

from benchmarks.chemistry_case import KINDS, clocked, not_comparable, results

HOUR = 3600.0


def run(hours, wall, cpu, exchanging=0.5):
    times = dict.fromkeys(KINDS, 0.0) | {"computing": 10.0 - exchanging, "waiting": exchanging}
    rows = {name: {"ranks": 2.0, **times} for name in ("atmosphere", "chemistry")}
    return {"simulated": hours * HOUR, "wall": wall, "cpu": cpu, "coupler_cpu": 0.1 * cpu, "rows": rows}


def test_cpu_time_gives_the_days_of_free_cores_whatever_the_walls_are():
    for walls in ((40.0, 60.0), (65.0, 55.0)):
        short, long = run(1, walls[0], 40.0), run(2, walls[1], 60.0)
        got = results(short, long, comparable=not not_comparable(short, long, 2))
        assert got["full.days_per_hour_of_two_free_cores"] == pytest.approx(2.0 * HOUR / (24.0 * 20.0))
        assert got["full.cpu_s_per_day"] == pytest.approx(480.0)
        assert got["exchange.share"] == pytest.approx(0.05)
        assert got["exchange.coupler_cpu_share"] == pytest.approx(0.1)


def test_walls_that_no_machine_can_have_give_no_days_an_hour():
    shorter = run(1, 65.0, 39.0), run(2, 55.0, 54.0)  # 15.5 days an hour backwards
    assert "55 s" in not_comparable(*shorter, 2)
    faster = run(1, 65.0, 39.0), run(2, 68.0, 54.0)  # five cores busy on two
    assert "2 cores" in not_comparable(*faster, 2)
    for pair in (shorter, faster):
        assert "full.days_per_hour" not in results(*pair, comparable=not not_comparable(*pair, 2))
    fair = run(1, 40.0, 39.0), run(2, 60.0, 54.0)
    assert not_comparable(*fair, 2) == ""
    assert results(*fair, comparable=True)["full.days_per_hour"] == pytest.approx(7.5)


def test_a_longer_run_of_less_cpu_time_is_refused():
    with pytest.raises(SystemExit, match="no result"):
        results(run(1, 40.0, 60.0), run(2, 60.0, 55.0), comparable=True)


def test_every_part_that_has_a_clock_is_there():
    found = clocked()
    assert len(found) > 8 and all(callable(getattr(owner, method)) for owner, method, _ in found)
