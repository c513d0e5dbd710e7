# SPDX-License-Identifier: BSD-3-Clause
"""A flux law from a package of the user's, between other sides than air and sea, run by its name."""

import csv

import numpy as np
import pytest

from coupler.case import command
from coupler.case.case import make_plan
from coupler.errors import FieldError, NamelistError
from coupler.files.restart import newest, read_part
from tests.toys import ice as toy
from tests.toys.cases import TOYS, box, differences, tessera, toy_case

LAW = "tests.toys.ice:AIR_ICE"


def air_ice(folder, layout=None, **node):
    """Air of 2 degrees over ice of .75 degree, a flux each hour."""
    components = {
        "atmosphere": {"model": TOYS + "MosaicAir", "step": "PT30M", "grid": box(102, 138, 2, 38, 2.0)},
        "ice": {"model": "tests.toys.ice:Ice", "step": "PT1H", "grid": box(102, 138, 2, 38, 0.75)},
    }
    rule = {"flux": LAW, "between": ["atmosphere", "ice"], "period": "PT1H", **node}
    return toy_case(
        folder,
        components=components,
        coupling=[rule],
        layout=layout or {"atmosphere": 1, "ice": 1},
        duration="PT9H",
        restart="PT3H",
    )


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    made = air_ice(tmp_path_factory.mktemp("ice") / "toy", options={"coefficient": 2e-3})
    assert command.main([str(made), "--serial"]) == 0
    return made


def test_what_the_air_gives_the_ice_gets(case):
    rows = list(csv.DictReader((case / "run" / "budget.csv").open()))
    assert {r["rule"] for r in rows} == {f"flux {LAW} between atmosphere and ice"}
    assert {r["to"] for r in rows} == {"atmosphere", "ice"}
    assert max(float(r["worst_relative_residual"]) for r in rows) < 1e-13
    heat = {r["to"]: float(r["received"]) for r in rows if r["flux"] == toy.HEAT}
    assert heat["atmosphere"] == pytest.approx(heat["ice"], rel=1e-13) and abs(heat["ice"]) > 1e18


def test_the_ice_warms_by_the_heat_of_the_law(case):
    """What the budget says the ice got is what its temperature says, and it got some."""
    plan = make_plan(case)
    state = read_part(newest(case / "run" / "restart"), "ice")
    start = 268.0 - 0.1 * plan["ice"].grids["default"].latitude
    stored = float(np.sum(2.0e6 * (state["state.temperature"] - start) * plan["ice"].grids["default"].area))
    rows = csv.DictReader((case / "run" / "budget.csv").open())
    got = sum(float(r["received"]) for r in rows if r["to"] == "ice" and r["flux"] == toy.HEAT)
    assert stored == pytest.approx(got, rel=1e-10)
    assert np.abs(state["state.momentum"]).max() > 10.0


@pytest.mark.ranks
def test_ranks_do_not_change_a_bit(case, tmp_path):
    other = air_ice(tmp_path / "toy", {"coupler": 2, "atmosphere": 2, "ice": 2}, options={"coefficient": 2e-3})
    tessera(other)
    assert differences(case, other, history=False) == []


def test_the_options_have_types_and_lines(tmp_path):
    folder = air_ice(tmp_path / "toy", options={"coefficient": "much", "colour": 1})
    with pytest.raises(NamelistError) as error:
        make_plan(folder)
    assert "case.yaml:" in str(error.value)
    assert "coefficient: 'much' is not a number" in str(error.value)
    assert "unknown key 'colour'" in str(error.value)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"flux": "tests.toys.ice:MISSPELT"}, "unknown field 'air_temprature'; did you mean 'air_temperature'?"),
        ({"flux": "tests.toys.ice:Ice"}, "must be a coupler.flux_law.FluxLaw"),
        ({"flux": "tests.toys.ice:NONE"}, "'tests.toys.ice:NONE' cannot be loaded"),
        ({"scheme": "ncar"}, "leave scheme: ncar out"),
        ({"flux": "air_sea"}, "flux air_sea needs a scheme: one of ncar, coare"),
        ({"flux": "air_see", "scheme": "ncar"}, "unknown flux 'air_see'; did you mean 'air_sea'?"),
    ],
)
def test_what_is_wrong_with_a_law_is_said_with_its_line(tmp_path, node, message):
    with pytest.raises(NamelistError, match=r"case\.yaml:\d+") as error:
        make_plan(air_ice(tmp_path / "toy", **node))
    assert message in str(error.value)


def test_a_scheme_may_be_named_from_outside_too(tmp_path):
    (task,) = make_plan(air_ice(tmp_path / "toy", flux="air_ice", scheme=LAW)).tasks
    assert [[f.name for f in d.fields] for d in task.outputs] == [[toy.HEAT], [toy.HEAT, toy.STRESS]]


def test_a_law_must_return_what_it_says_it_gives():
    with pytest.raises(FieldError, match=f"must return '{toy.STRESS}'"):
        toy.FORGETFUL(air_temperature=np.ones(3), surface_temperature=np.ones(3))
