# SPDX-License-Identifier: BSD-3-Clause
"""Sixty days of the template east_asia: what the air loses the sea and the land gain, and nothing drifts.

Every exchange of every hour is compared with exact sums by the run itself; the daily amounts of both sides
are in budget.csv. The data air counts what it gives (`count_fluxes`), sea and land make their own sums.
"""

import csv
from collections import defaultdict

import numpy as np
import pytest

from coupler.case.case import make_plan
from coupler.exchange.process import make_operator
from coupler.files.restart import newest, read_part
from tests.toys.cases import tessera

HEAT = (
    "surface_downward_sensible_heat_flux",
    "surface_downward_latent_heat_flux",
    "surface_net_downward_longwave_flux",
    "surface_net_downward_shortwave_flux",
)
OF_AIR = {
    "heat": HEAT,
    "evaporation": ("water_evapotranspiration_flux",),
    "eastward momentum": ("surface_downward_eastward_stress",),
    "northward momentum": ("surface_downward_northward_stress",),
}
OF_SEA = {**OF_AIR, "heat": ("surface_downward_heat_flux_in_sea_water",)}
DAYS = 60
pytestmark = [pytest.mark.slow, pytest.mark.ranks, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    made = tmp_path_factory.mktemp("sixty") / "case"
    tessera("new", made)
    tessera(made, timeout=3000)
    return made


@pytest.fixture(scope="module")
def rows(case):
    return list(csv.DictReader((case / "run" / "budget.csv").open()))


def daily(rows, side, to, rule, fluxes):
    """Amounts of some fluxes by day, as sent or as received."""
    amounts = defaultdict(float)
    for r in rows:
        if r["to"] == to and rule in r["rule"] and r["flux"] in fluxes:
            amounts[r["day_start"]] += float(r[side])
    assert len(amounts) == DAYS
    return np.array([amounts[day] for day in sorted(amounts)])


def test_every_exchange_closes_to_1e13_and_nothing_drifts_over_sixty_days(rows):
    assert len({r["day_start"] for r in rows}) == DAYS
    print(f"worst of all exchanges: {max(float(r['worst_relative_residual']) for r in rows):.1e}")
    assert max(float(r["worst_relative_residual"]) for r in rows) <= 1e-13
    for rule, to, flux in {(r["rule"], r["to"], r["flux"]) for r in rows}:
        mine = [r for r in rows if (r["rule"], r["to"], r["flux"]) == (rule, to, flux)]
        sent, received = (sum(float(r[k]) for r in mine) for k in ("sent", "received"))
        size = sum(abs(float(r["sent"])) for r in mine)
        assert abs(received - sent) <= 1e-13 * size, (rule, to, flux)


@pytest.mark.parametrize("what", OF_AIR)
def test_what_the_air_loses_sea_and_land_gain(rows, what):
    air = daily(rows, "received", "atmosphere", "", OF_AIR[what])
    sea = daily(rows, "received", "ocean", "air_sea flux", OF_SEA[what])
    land = daily(rows, "sent", "atmosphere", "land -> atmosphere", OF_AIR[what])
    size = np.abs(sea) + np.abs(land)
    residual = np.abs(air - sea - land) / size
    drift = abs(air.sum() - sea.sum() - land.sum()) / size.sum()
    print(f"{what}: to the sea {sea.sum():.6e}, to the land {land.sum():.6e}; worst day {residual.max():.1e}, "
          f"sixty days {drift:.1e}")  # fmt: skip
    assert np.all(size > 0.0) and residual.max() <= 1e-13 and drift <= 1e-13


def test_the_merged_fluxes_that_the_air_counted_are_what_the_tiles_gave(case, rows):
    """What a cell of the air gets is the mean over its tiles; times their area it is what they gave."""
    plan = make_plan(case)
    grid = plan["atmosphere"].grids["default"]
    area = np.zeros(grid.size)
    for task in plan.tasks:
        slots = [i for i, d in enumerate(task.outputs) if d.component == "atmosphere"]
        if slots:
            _, covered = make_operator(plan, task, 0, 1).output_area(slots[0], np.arange(grid.size))
            area += covered * grid.area.ravel()
    given = read_part(newest(case / "run" / "restart"), "atmosphere")
    for name in (name for names in OF_AIR.values() for name in names):
        counted = area * given[f"state.{name}"].ravel()
        tiles = daily(rows, "received", "atmosphere", "", (name,))
        assert abs(counted.sum() - tiles.sum()) <= 1e-13 * np.abs(counted).sum(), name
