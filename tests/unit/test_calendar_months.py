# SPDX-License-Identifier: BSD-3-Clause
"""Output and restarts by the month of the calendar: bounds, means, and the bits of a continued run."""

import netCDF4
import numpy as np
import pytest

from coupler.case.case import make_plan
from coupler.case.command import main
from coupler.errors import NamelistError
from tests.toys.cases import TOYS, box, differences, write_case

DAY = 86400


def monthly(folder, duration="P3M", start="2001-01-15", step="PT12H", period="P1M", restart="P1M", calendar="noleap"):
    output = [
        {"name": "monthly", "fields": ["sea_surface_temperature"], "period": period, "statistic": "mean"},
        {"name": "all", "fields": ["sea_surface_temperature"], "period": step, "statistic": "instant"},
    ]
    parts = {
        "air": {"model": TOYS + "Air", "step": step, "grid": box(100, 108, 10, 16, 2.0)},
        "sea": {"model": TOYS + "Sea", "step": step, "grid": box(100, 108, 10, 16, 2.0), "output": output},
    }
    rules = [{"from": "air", "to": "sea", "period": "P1D", "lag": "P1D"}]
    more = {"duration": duration, "start": start, "calendar": calendar, "restart": {"period": restart, "keep": 9}}
    return write_case(folder, parts, rules, **more)


def test_means_and_restarts_follow_the_calendar_and_continue_with_the_same_bits(tmp_path):
    whole, parted = monthly(tmp_path / "whole"), monthly(tmp_path / "parted", duration="P20D")
    assert main([str(whole), "--serial"]) == 0 and main([str(parted), "--serial"]) == 0
    text = (parted / "case.yaml").read_text()
    (parted / "case.yaml").write_text(text.replace("P20D", "P3M"))
    assert main([str(parted), "--serial", "--continue"]) == 0
    assert differences(whole, parted) == []
    sets = sorted(p.name[:10] for p in (whole / "run/restart").iterdir() if not p.name.startswith("."))
    assert sets == ["2001-02-01", "2001-03-01", "2001-04-01", "2001-04-15"]
    with (
        netCDF4.Dataset(whole / "run/history/sea.monthly.nc") as means,
        netCDF4.Dataset(whole / "run/history/sea.all.nc") as every,
    ):
        bounds, times = np.asarray(means["time_bounds"][:]), np.asarray(every["time"][:])
        assert bounds.tolist() == [[0, 17 * DAY], [17 * DAY, 45 * DAY], [45 * DAY, 76 * DAY]]
        assert np.all((bounds[:, 0] <= means["time"][:]) & (means["time"][:] <= bounds[:, 1]))
        for (low, high), mean in zip(bounds, means["sea_surface_temperature"][:], strict=True):
            inside = (times > low) & (times <= high)
            assert np.allclose(mean, every["sea_surface_temperature"][inside].mean(axis=0), rtol=1e-14)


def test_a_month_that_ends_within_a_step_is_refused_with_its_date(tmp_path):
    with pytest.raises(NamelistError) as said:
        make_plan(monthly(tmp_path / "a", start="2001-01-15T06:00:00", step="PT12H"))
    text = str(said.value)
    assert "sea.yaml:" in text and "P1M is not a multiple of the step PT12H (it ends at 2001-02-01T00:00:00)" in text
    with pytest.raises(NamelistError, match=r"case.yaml:\d+: restart period P1Y is not .*: it ends at 2002-01-01"):
        make_plan(monthly(tmp_path / "b", start="2001-01-15T06:00:00", period="P1D", restart="P1Y", duration="P2Y"))


@pytest.mark.parametrize("period", ["P1M1D", "P0M", "P1YT6H", "1 month", "P-1M"])
def test_what_is_no_period_is_refused(tmp_path, period):
    with pytest.raises(NamelistError, match=r"sea\.yaml:"):
        make_plan(monthly(tmp_path / "a", period=period))


def test_a_month_is_no_period_of_an_exchange(tmp_path):
    case = monthly(tmp_path / "a")
    text = (case / "case.yaml").read_text()
    (case / "case.yaml").write_text(text.replace("P1D", "P1M"))
    with pytest.raises(NamelistError, match="have no fixed length"):
        make_plan(case)


def test_a_year_longer_than_the_run_is_said(tmp_path):
    plan = make_plan(monthly(tmp_path / "a", period="P1Y", restart="P1Y"))
    assert any("sea.monthly: its period P1Y ends after the run" in note for note in plan.notes)
