# SPDX-License-Identifier: BSD-3-Clause
"""The template east_asia_land: any number of land ranks and a restart give the same bits; heat and water are booked.

Six hours, and (slow) a day, and the thirty days as they stand.
"""

import csv

import netCDF4
import numpy as np
import pytest

from tests.toys.cases import differences, tessera


def make(folder, duration, ranks, restart="PT12H", books="P1D"):
    tessera("new", folder, "--template", "east_asia_land")
    text = (folder / "case.yaml").read_text()
    for old, new in (
        ("duration: P30D", f"duration: {duration}"),
        ("  land: 1\n", f"  land: {ranks}\n"),
        ("period: P10D  ", f"period: {restart}  "),
        ("  atmosphere: 2\n  ocean: 2\n", "  atmosphere: 1\n  ocean: 1\n"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    (folder / "case.yaml").write_text(text)
    text = (folder / "land.yaml").read_text()
    assert "water_residual], period: P1D" in text
    (folder / "land.yaml").write_text(text.replace("water_residual], period: P1D", f"water_residual], period: {books}"))
    return folder


def go_on(folder, until, old, ranks, before, *words):
    text = (folder / "case.yaml").read_text()
    text = text.replace(f"duration: {before}", f"duration: {until}").replace(f"  land: {old}\n", f"  land: {ranks}\n")
    (folder / "case.yaml").write_text(text)
    tessera(folder, "--continue", *words, timeout=7200)


def books(folder):
    """Largest heat (J m-2) and water (kg m-2) not booked since the start, and the largest change of either store."""
    found = {}
    (file,) = (folder / "run" / "history").glob("land*books*.nc")
    with netCDF4.Dataset(file) as data:
        for k in ("energy_residual", "water_residual"):
            found[k] = float(np.abs(np.ma.filled(data[k][:], 0.0)).max())
    newest = sorted((folder / "run" / "restart").iterdir())[-1]
    with netCDF4.Dataset(newest / "land.nc") as data:
        data.set_auto_mask(False)
        for k in ("booked_heat", "booked_water"):
            found[k] = float(np.nanmax(np.abs(data[f"state.{k}"][:])))
        found["unsolved"] = float(np.nansum(data["state.columns_unsolved"][:]))
    return found


def exchange_residual(folder):
    with (folder / "run" / "budget.csv").open() as file:
        return max(float(row["worst_relative_residual"]) for row in csv.DictReader(file))


def closed(folder):
    found = books(folder)
    assert found["booked_heat"] > 1e5
    assert found["booked_water"] > 0.1
    assert found["energy_residual"] < 1e-9 * max(found["booked_heat"], 1e7)
    assert found["water_residual"] < 1e-9
    assert found["unsolved"] == 0
    assert exchange_residual(folder) < 1e-12
    return found


@pytest.mark.ranks
@pytest.mark.timeout(3600)
def test_six_hours_on_ranks_to_a_restart_and_on_one_process_after_it(tmp_path):
    one = make(tmp_path / "one", "PT6H", 1, "PT3H", "PT3H")
    tessera(one, "--serial", timeout=1800)
    closed(one)
    two = make(tmp_path / "two", "PT3H", 3, "PT3H", "PT3H")
    tessera(two, timeout=1800)
    go_on(two, "PT6H", 3, 1, "PT3H", "--serial")
    assert differences(one, two, history=False) == []


@pytest.mark.ranks
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_day_on_any_ranks_and_over_a_restart(tmp_path):
    one = make(tmp_path / "one", "P1D", 1)
    tessera(one, "--serial", timeout=1800)
    closed(one)
    two = make(tmp_path / "two", "PT12H", 2)
    tessera(two, timeout=1800)
    go_on(two, "P1D", 2, 4, "PT12H")
    assert differences(one, two, history=False) == []


@pytest.mark.ranks
@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_thirty_days_on_any_ranks_and_over_a_restart(tmp_path):
    one = make(tmp_path / "one", "P30D", 1, "P10D")
    tessera(one, timeout=7200)
    print(closed(one), exchange_residual(one))
    two = make(tmp_path / "two", "P20D", 2, "P10D")
    tessera(two, timeout=7200)
    go_on(two, "P30D", 2, 4, "P20D")
    assert differences(one, two, history=False) == []
