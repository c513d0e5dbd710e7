# SPDX-License-Identifier: BSD-3-Clause
"""A component may take the grid of another by its name; a case runs without a component that nobody needs."""

import re

import pytest

from coupler.case.case import make_plan, read_case, resolve_component
from coupler.clock import Clock
from coupler.errors import NamelistError
from tests.toys.cases import ROOT, TOYS, box, toy_case, write_case


def components(soil_grid, sea_grid=None):
    return {
        "air": {"model": TOYS + "Air", "step": "PT30M", "grid": box(100, 140, 0, 40, 2.0)},
        "sea": {"model": TOYS + "Sea", "step": "PT1H", "grid": sea_grid or box(102, 138, 2, 38, 0.75)},
        "soil": {"model": TOYS + "Soil", "step": "PT30M", "grid": soil_grid},
    }


def test_the_name_of_a_component_stands_for_its_grid(tmp_path):
    plan = make_plan(toy_case(tmp_path / "toy", components=components("air")))
    air, soil = (plan[name].grids["default"] for name in ("air", "soil"))
    assert soil.fingerprint == air.fingerprint and soil.name == "soil"


@pytest.mark.parametrize(
    ("soil", "sea", "words"),
    [
        ("aire", None, "unknown grid 'aire'; did you mean 'air'?; known grids: east_asia_100km"),
        ("sea", "air", "sea takes its grid from air itself"),
        ("soil", None, "soil takes its grid from soil itself"),
    ],
)
def test_a_name_that_leads_nowhere_is_told(tmp_path, soil, sea, words):
    with pytest.raises(NamelistError) as error:
        make_plan(toy_case(tmp_path / "toy", components=components(soil, sea)))
    assert words in str(error.value)


def test_radiation_that_nobody_takes_is_left_out_with_its_ranks(tmp_path):
    parts = components(box(105, 135, 5, 35, 1.5))
    parts["radiation"] = {"model": "gray", "step": "PT1H", "grid": "air"}
    rules = [
        {"from": "air", "to": "sea", "period": "PT6H", "lag": "PT6H"},
        {"from": "air", "to": "soil", "period": "PT1H"},
        {"from": "air", "to": "radiation", "period": "PT1H", "lag": "PT1H"},
    ]
    layout = {"coupler": 1, "air": 2, "sea": 1, "soil": 1, "radiation": 3}
    plan = make_plan(toy_case(tmp_path / "toy", components=parts, coupling=rules, layout=layout))
    assert [c.name for c in plan.components] == ["air", "sea", "soil"] and plan.size == 5
    assert ("radiation", "nobody takes what it gives: the case runs without it") in [
        (i.rule, i.why) for i in plan.inactive
    ]


@pytest.mark.parametrize(
    ("air", "gray", "levels"), [({"levels": 11}, {}, 11), ({}, {}, 24), ({"levels": 11}, {"levels": 12}, 12)]
)
def test_a_grid_in_common_is_one_in_the_vertical_too(tmp_path, air, gray, levels):
    parts = {
        "atmosphere": {"model": "nonhydrostatic", "step": "PT1H", "grid": "east_asia_300km", "nonhydrostatic": air},
        "radiation": {"model": "gray", "step": "PT1H", "grid": "atmosphere", "gray": gray},
    }
    write_case(tmp_path / "case", parts, [], duration="P1D")
    case = read_case(tmp_path / "case")
    plan = resolve_component(case, "radiation", Clock("2001-01-01", "noleap"), 3600)
    assert plan.options.levels == levels and plan.imports[0].levels == levels


def test_the_templates_say_levels_once_and_no_height_of_the_lowest_level():
    for folder in (ROOT / "namelists" / "templates").iterdir():
        text = "\n".join(path.read_text() for path in folder.glob("*.yaml"))
        own = folder.name in ("east_asia_assimilation", "east_asia_co2")  # the air's columns, on their own grid
        assert text.count("levels: ") <= 1 + own, folder.name
        assert not re.search(r"height: *\d", text), folder.name
