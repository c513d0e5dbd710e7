# SPDX-License-Identifier: BSD-3-Clause
"""The template east_asia_land on cells of 5 degrees with everything on: its books, its bits, nothing below nothing.

Cycles with FUN, leaves out of pools, the plant's water, groundwater, irrigation and cities; half a day, and (slow) a
year, from whose end two ranks up to a noon and four after it go on with the bits of one; and (slow) thirty years of
cells of 9 degrees in steps of 12 hours, each a run of its own from the restart of the one before.
"""

import shutil

import netCDF4
import numpy as np
import pytest

from tests.system.test_east_asia_land_template import exchange_residual
from tests.toys.cases import differences, edit, tessera

BOOKS = ("energy_residual", "water_residual", *(f"{k}_not_booked" for k in ("carbon", "nitrogen", "phosphorus")))
KEPT = ("held_", "snow_ice", "snow_liquid", "liquid", "ice", "pond", "groundwater")
YEARS = 30
EVERYTHING = (
    "stomata: medlyn                  # one of 14; see docs/land.md\n  leaves: prognostic\n  nitrogen: fun\n"
    "  hydraulics: continuum\n  groundwater: lateral\n  irrigation: sprinkler\n  city: {share: 0.05, population: 3000}"
)


def make(folder, duration, restart, ranks=1, step="PT3H", box="resolution: 5.0"):
    tessera("new", folder, "--template", "east_asia_land")
    land = (folder / "land.yaml").read_text()
    stomata = next(line.strip() for line in land.splitlines() if line.strip().startswith("stomata:"))
    outputs = land[land.index("output:") :]
    books = f"output:\n  - {{name: books, fields: [{', '.join(BOOKS)}, leaf_area_index], period: {restart}}}\n"
    return edit(folder, [
        ("case.yaml", "duration: P30D", f"duration: {duration}"), ("case.yaml", "period: P10D", f"period: {restart}"),
        ("case.yaml", "{model: slab}", "{model: none}"), ("case.yaml", "PT1H", step),
        ("case.yaml", "atmosphere: 2\n  ocean: 2\n  land: 1", f"atmosphere: 1\n  land: {ranks}"),
        ("atmosphere.yaml", "step: PT1H", f"step: {step}"), ("land.yaml", "step: PT1H", f"step: {step}"),
        ("land.yaml", "resolution: 1.0", box), ("land.yaml", stomata, EVERYTHING),
        ("land.yaml", outputs, books),
    ])  # fmt: skip


def go_on(folder, before, until, *words, ranks=1):
    edit(folder, [("case.yaml", f"duration: {before}", f"duration: {until}")])
    text = (folder / "case.yaml").read_text()
    start = text.index("  land: ", text.index("layout:"))
    (folder / "case.yaml").write_text(text[:start] + f"  land: {ranks}\n" + text[text.index("\n", start) + 1 :])
    return tessera(folder, "--continue", *words, timeout=7200)


def newest(folder):
    """The land's newest restart by name."""
    path = sorted((folder / "run" / "restart").iterdir())[-1] / "land.nc"
    with netCDF4.Dataset(path) as data:
        data.set_auto_mask(False)
        found = {k.removeprefix("state."): np.asarray(v[...]) for k, v in data.variables.items() if v.dtype is not str}
    return {k: v for k, v in found.items() if v.dtype.kind == "f"}


def sound(folder, years=1):
    """Hold the books to rounding, which grows with the years, and every store to nothing and more; returns numbers."""
    now, left = newest(folder), {}
    for path in (folder / "run" / "history").glob("land*books*.nc"):
        with netCDF4.Dataset(path) as data:
            for k in BOOKS:
                left[k] = max(left.get(k, 0.0), float(np.abs(np.ma.filled(data[k][:], 0.0)).max()))
    turned = float(np.abs(now["booked_heat"]).max())
    assert turned > 1e6 and left["energy_residual"] < 1e-9 * max(turned, 1e7), left
    assert left["water_residual"] < 1e-9 * years, left
    assert all(left[k] < 1e-12 * years for k in BOOKS[2:]), left
    assert exchange_residual(folder) < 1e-12
    pools = [k for k in now if k.startswith(("cycles_carbon", "cycles_nitrogen", "cycles_phosphorus", "cycles_soil"))]
    stores = [k for k in now if k.startswith(KEPT) and "temperature" not in k]
    assert len(pools) > 20 and len(stores) > 5
    least = {k: float(np.nanmin(now[k])) for k in (*pools, *stores)}
    below = {k: v for k, v in least.items() if not v >= 0.0}
    assert not below, below
    return left


@pytest.mark.timeout(600)
def test_half_a_day_is_booked_and_goes_on_from_a_restart(tmp_path):
    one = make(tmp_path / "one", "PT12H", "PT6H")
    tessera(one, "--serial")
    sound(one)
    two = make(tmp_path / "two", "PT6H", "PT6H")
    tessera(two, "--serial")
    go_on(two, "PT6H", "PT12H", "--serial")
    assert differences(one, two, history=False) == []


@pytest.mark.ranks
@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_year_and_two_days_after_it_on_one_rank_and_on_two_then_four_over_a_restart_at_noon(tmp_path):
    one = make(tmp_path / "one", "P365D", "P73D")
    tessera(one, "--serial")
    left, now = sound(one), newest(one)
    print(left, {k: float(np.nanmax(v)) for k, v in now.items() if k in ("columns_unsolved", "columns_unsettled")})
    assert float(np.nanmax(now["cycles_means_days"])) == 365.0
    two = tmp_path / "two"
    shutil.copytree(one, two)
    go_on(one, "P365D", "P367D", "--serial")
    go_on(two, "P365D", "PT8772H", ranks=2)
    said = go_on(two, "PT8772H", "P367D", ranks=4)
    assert "2002-01-01T120000" in said.stdout
    assert differences(one, two, history=False) == []


@pytest.mark.slow
@pytest.mark.timeout(10800)
def test_thirty_years_of_few_cells_are_booked_and_nothing_falls_below_nothing(tmp_path):
    """The whole region in cells of 9 degrees, from the tropics to the taiga, in steps of 12 hours; a year a line."""
    case = make(tmp_path / "case", "P365D", "P365D", step="PT12H", box="resolution: 9.0")
    edit(case, [("land.yaml", "north: 65", "north: 62")])  # whole cells
    for year in range(1, YEARS + 1):
        if year == 1:
            tessera(case, "--serial")
        else:
            go_on(case, f"P{365 * (year - 1)}D", f"P{365 * year}D", "--serial")
        left, now = sound(case, year), newest(case)
        failed = {k: float(np.nansum(now[k])) for k in ("columns_unsolved", "columns_unsettled")}
        leaves = {k: float(np.nansum(v)) for k, v in now.items() if k in ("cycles_carbon_plant_leaf", "groundwater")}
        print(f"year {year}: not booked {left}; {failed}; {leaves}", flush=True)
        assert float(np.nanmax(now["cycles_means_days"])) == 365.0 * year
        assert failed["columns_unsolved"] == 0.0, failed
