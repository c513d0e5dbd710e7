"""Sixty days of the template east_asia: what one side of an interface sends the other receives, and nothing drifts."""

import csv

import pytest

from tests.toys.cases import tessera


@pytest.mark.slow
def test_heat_water_and_momentum_close_to_1e13_in_every_exchange_and_over_sixty_days(tmp_path):
    case = tmp_path / "case"
    tessera("new", case)
    tessera(case, timeout=1500)
    rows = list(csv.DictReader((case / "run" / "budget.csv").open()))
    assert len({r["day_start"] for r in rows}) == 60
    assert max(float(r["worst_relative_residual"]) for r in rows) <= 1e-13
    for rule, flux in {(r["rule"], r["flux"]) for r in rows}:
        mine = [r for r in rows if (r["rule"], r["flux"]) == (rule, flux)]
        sent, received = (sum(float(r[k]) for r in mine) for k in ("sent", "received"))
        size = sum(abs(float(r["sent"])) for r in mine)
        assert abs(received - sent) <= 1e-13 * size, (rule, flux)
