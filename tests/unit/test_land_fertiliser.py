# SPDX-License-Identifier: BSD-3-Clause
"""Fertiliser of the user's: by crop, date or stage, amount and form; told mistakes; books; amounts of maps."""

import typing

import numpy as np
import pytest
import torch

from components.land.column import farm_maps
from components.land.column.checks import _fertiliser
from components.land.column.cycles import daily, fertiliser, pools
from components.land.column.cycles.fertiliser import Crop
from components.land.column.options import ColumnOptions
from components.land.column.parameters import parameters, table
from coupler.errors import NamelistError
from coupler.namelist import read_text

D = torch.float64
CROPS = list(table("crops"))
TEXT = """
nitrogen: fun
fertiliser:
  wheat:
    - {date: 10-05, amount: 60 kg ha-1, form: urea}
    - {stage: 0.4, amount: 90 kg ha-1, form: nitrate}
    - {amount: 20 kg ha-1, form: phosphate}
  maize:
    - {day: 150, amount: 0.01}
"""


def plans(text=TEXT):
    return read_text(text, "case.yaml").parse(ColumnOptions).fertiliser


def grown(plants, maps=None, text=TEXT):
    p = parameters(plants, ["loam"] * len(plants), cycles=True)
    return farm_maps.farmed(p, maps or {}, plants, plans(text))


def moment(date, sown=False, before=0.0, after=0.0, n=3):
    one = torch.ones(n, dtype=D)
    return fertiliser.Moments(one.bool() & sown, torch.zeros(n).bool(), before * one, after * one, date * one)


def given(m, plants=("wheat", "maize", "soybean")):
    f = grown(list(plants)).cycles.farming
    by_table = fertiliser.by_table(m, f.nitrogen, f.urea, f.phosphorus)
    return torch.stack(fertiliser.by_plan(m, f.plan, by_table)) * 1e4


def test_dressings_are_given_on_their_day_at_their_stage_or_at_sowing():
    """Rows: ammonium, nitrate, phosphorus, kg ha-1; soybean has the table's 30 of N, 30 of P, urea .75."""
    assert given(moment(278.0)).tolist() == [pytest.approx(v) for v in ([60, 0, 0], [0, 0, 0], [0, 0, 0])]
    assert given(moment(150.0))[:, 1].tolist() == pytest.approx([50, 50, 0])
    assert given(moment(100.0, before=0.39, after=0.41))[:, 0].tolist() == pytest.approx([0, 90, 0])
    assert given(moment(100.0, before=0.41, after=0.43)).abs().sum().item() == 0.0
    sown = given(moment(100.0, sown=True))
    assert sown[:, 0].tolist() == pytest.approx([0, 0, 20]) and sown[:, 1].tolist() == [0, 0, 0]
    assert sown[:, 2].tolist() == pytest.approx([11.25, 3.75, 15])


def test_a_crop_with_an_empty_list_gets_nothing():
    f = grown(["rice"], text="nitrogen: fun\nfertiliser: {rice: []}").cycles.farming
    m = moment(100.0, sown=True, n=1)
    by_table = fertiliser.by_table(m, f.nitrogen, f.urea, f.phosphorus)
    assert by_table.nitrate.item() > 0.0
    assert torch.stack(fertiliser.by_plan(m, f.plan, by_table)).tolist() == [[0.0], [0.0], [0.0]]


def test_a_map_says_how_much_and_the_dressings_when():
    nothing = np.full((len(CROPS), 2), np.nan)
    nitrogen = nothing.copy()
    nitrogen[CROPS.index("wheat")] = [0.030, np.nan]
    p = grown(["wheat", "wheat"], {"fertiliser_nitrogen": nitrogen})
    plan = p.cycles.farming.plan
    assert (plan.ammonium + plan.nitrate).sum(0).tolist() == pytest.approx([0.030, 0.015])
    assert plan.ammonium[0].tolist() == pytest.approx([0.012, 0.006])
    assert plan.phosphorus.sum(0).tolist() == pytest.approx([0.002, 0.002])


@pytest.mark.parametrize("form", ["urea", "ammonium", "nitrate", "ammonium_nitrate", "phosphate"])
def test_books_of_nitrogen_and_phosphorus_close_and_ammonia_follows_urea(form):
    text = f"nitrogen: fun\nfertiliser: {{maize: [{{day: 150, amount: 100 kg ha-1, form: {form}}}]}}"
    p = grown(["maize", "maize"], text=text)
    t, date = p.cycles, torch.tensor([150.0, 149.0], dtype=D)
    c = pools.at_start(t, p.thickness)
    warm = 293.0 * 86400.0 * torch.ones(2, 2, dtype=D)
    one = torch.full((2,), 86400.0, dtype=D)
    day = c.day._replace(seconds=one, soil=warm, pace=0.5 * warm / 293.0, filled=0.5 * warm / 293.0, air=warm[0],
                         light=0.5 * one, water=0.5 * one)  # fmt: skip
    c = c._replace(day=day)
    before = pools.stored(c)
    after, events = daily.a_day(c, t, "fun", p.roots, p.thickness, date)
    now = pools.stored(after)
    n, phosphorus = events.fertilised_nitrogen, events.fertilised_phosphorus
    kilos = torch.tensor([0.01, 0.0], dtype=D)
    assert torch.equal(phosphorus if form == "phosphate" else n, kilos)
    assert torch.equal(n if form == "phosphate" else phosphorus, 0.0 * kilos)
    assert torch.allclose(now.nitrogen - before.nitrogen, n + events.fixed - events.harvested_nitrogen, atol=1e-15)
    assert torch.allclose(now.phosphorus - before.phosphorus, phosphorus, rtol=0.0, atol=1e-15)
    lost = (after.due.ammonia[0] - after.due.ammonia[1]).item() / 0.01
    share = {"urea": 1.0, "ammonium": 1.0, "ammonium_nitrate": 0.5}.get(form, 0.0)
    # SWAT, 293 K, 10 mm deep, moist: exponents .041 x 14.85 = .60885, and .15 (1 - 10/(10 + exp(4.706 - .305))) of it;
    # (1 - exp(-.69020)) x .07813/(.45602 + .07813).
    assert lost == pytest.approx(share * 0.07292, abs=2e-5)


WRONG = """
nitrogen: fun
fertiliser:
  barley:
    - {amount: 60 kg ha-1}
  wheat:
    - {amount: -60 kg ha-1}
    - {amount: 60 kg ha-1, form: guano}
    - {amount: 60 kg ha-1, day: 367}
    - {amount: 60 kg ha-1, date: 02-30}
    - {amount: 60 kg ha-1, day: 120, stage: .5}
    - {amount: 60 kg ha-1, stage: 2.5}
    - {amount: 60}
"""


def test_all_mistakes_are_told_at_once_with_their_lines():
    with pytest.raises(NamelistError) as error:
        plans(WRONG)
    text = str(error.value)
    print(text)
    for line, what in (
        (4, "'maize', 'rice', 'soybean' or 'wheat'"),
        (7, "0 to 0.1 kg m-2"),
        (8, "guano"),
        (9, "1 to 366"),
        (10, "expected month and day of a year of 365 days, as 05-20; found '02-30'"),
        (11, "expected one of day, date, stage; found day and stage"),
        (12, "0 to 2"),
        (13, "0 to 0.1 kg m-2"),
    ):
        assert any(f"case.yaml:{line}:" in row and what in row for row in text.splitlines()), (line, what)
    assert list(typing.get_args(Crop)) == CROPS


def test_check_tells_fertiliser_that_nobody_gets():
    o = read_text(TEXT + "plants: {rice: 1.0}\n").parse(ColumnOptions)
    assert _fertiliser(o)[0] == "fertiliser: wheat does not grow here; plants has rice"
    o = read_text("leaves: prognostic\nfertiliser: {maize: [{amount: .01}]}").parse(ColumnOptions)
    assert "no want of nitrogen" in _fertiliser(o)[0]


def test_a_date_outside_the_season_of_all_cells_is_told():
    maps = {k: np.full((len(CROPS), 2), np.nan) for k in ("sowing_day", "harvest_day")}
    for crop, sown, cut in (("wheat", 280.0, 160.0), ("maize", 120.0, 260.0)):
        maps["sowing_day"][CROPS.index(crop)] = [sown, np.nan]
        maps["harvest_day"][CROPS.index(crop)] = [cut, np.nan]
    assert farm_maps.outside_season(plans(), maps) == []
    late = plans(TEXT.replace("day: 150", "day: 300").replace("10-05", "07-20"))
    found = farm_maps.outside_season(late, maps)
    assert len(found) == 2
    assert "day 201 of wheat is outside its season" in found[0] and "day 300 of maize" in found[1]
