# SPDX-License-Identifier: BSD-3-Clause
"""Namelists: every mistake told at once with file and line, before anything runs."""

from typing import Literal

import pytest
from pydantic import Field

from coupler.case.case import make_plan
from coupler.errors import NamelistError
from coupler.namelist import (
    Duration,
    Kelvin,
    Metres,
    MonthAndDay,
    Namelist,
    Pascals,
    day_of_year,
    read_file,
    read_text,
)


class Layer(Namelist):
    """A layer."""

    thickness: Metres = 1.0
    """Thickness."""


class Options(Namelist):
    """Options of a test."""

    depth: Metres = Field(50.0, gt=0)
    """Depth."""
    temperature: Kelvin = 288.0
    """Temperature."""
    pressure: Pascals = 1e5
    """Pressure."""
    every: Duration = 3600
    """Period."""
    mixing: Literal["none", "strong"] = "none"
    """Mixing."""
    layers: list[Layer] = []
    """Layers."""
    active: bool = True
    """Whether."""


def problems(text, model=Options):
    with pytest.raises(NamelistError) as said:
        read_text(text, "ocean.yaml").parse(model)
    return [str(p) for p in said.value.problems]


def test_defaults_need_nothing():
    assert read_text("").parse(Options) == Options()


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("depth: 60", "depth", 60.0),
        ("depth: 60 m", "depth", 60.0),
        ("depth: 0.06 km", "depth", 60.0),
        ("depth: 6e1", "depth", 60.0),
        ("temperature: 15 degC", "temperature", 288.15),
        ("pressure: 1013.25 hPa", "pressure", 101325.0),
        ("every: PT20M", "every", 1200),
    ],
)
def test_numbers_with_units_are_converted_where_that_is_certain(text, key, value):
    assert getattr(read_text(text).parse(Options), key) == pytest.approx(value, rel=1e-14)


def test_the_example_of_the_guide():
    text = "\n" * 6 + "depht: 60"
    assert problems(text) == ["ocean.yaml:7: unknown key 'depht'; did you mean 'depth'?"]


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines():
    text = """
depth: deep
temperature: 15 m
every: 1h
mixing: stronk
layers:
  - {thickness: 2}
  - {thickness: 3, thicknes: 4}
colour: blue
"""
    said = problems(text)
    assert [p.split(":")[1] for p in said] == ["2", "3", "4", "5", "8", "9"]
    assert "depth: 'deep' is not a number in m" in said[0]
    assert "wrong unit 'm': expected K" in said[1]
    assert "'1h' is not an ISO-8601 duration such as PT20M" in said[2]
    assert "'none' or 'strong'" in said[3] and "stronk" in said[3]
    assert "unknown key 'thicknes'; did you mean 'thickness'?" in said[4]
    assert "unknown key 'colour'" in said[5] and "did you mean" not in said[5]


def test_a_value_out_of_range_is_told_with_the_limit():
    assert "depth: input should be greater than 0" in problems("depth: -3")[0]
    assert "expected a number in m, not true" in problems("depth: true")[0]
    assert "'yes' is not a number in m" in problems("depth: yes")[0]


def test_a_key_said_twice_is_refused():
    with pytest.raises(NamelistError, match=r"ocean.yaml:3: key 'depth' stands twice"):
        read_text("depth: 1\nactive: true\ndepth: 2\n", "ocean.yaml")


def test_what_is_not_yaml_is_told_with_its_line():
    with pytest.raises(NamelistError, match=r"ocean.yaml:3: not YAML: did not find expected"):
        read_text("depth: 1\nlayers: [1, 2\n", "ocean.yaml")


def test_dates_stay_text_and_exponents_are_numbers():
    assert read_text("a: 2001-01-01\nb: 1e-3\nc: 2001-01-01T06:00:00").values == {
        "a": "2001-01-01",
        "b": 1e-3,
        "c": "2001-01-01T06:00:00",
    }


def test_options_cannot_be_changed_later():
    with pytest.raises(Exception, match="frozen"):
        Options().depth = 3.0


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(NamelistError, match=r"ocean.yaml: cannot be read"):
        read_file(tmp_path / "ocean.yaml")


def test_mistakes_in_all_files_of_a_case_come_together(case):
    folder = case(layout={"oceann": 2})
    (folder / "ocean.yaml").write_text("step: PT1H\ngrid: {west: 0}\noptions:\n  depht: 60\n")
    (folder / "atmosphere.yaml").write_text("stepp: PT1H\nstep: soon\n")
    with pytest.raises(NamelistError) as said:
        make_plan(folder)
    text = str(said.value)
    assert "ocean.yaml:4: unknown key 'depht'; did you mean 'depth'?" in text
    assert "ocean.yaml:2: grid of ocean: give west, east, south, north and resolution" in text
    assert "atmosphere.yaml:1: unknown key 'stepp'; did you mean 'step'?" in text
    assert "atmosphere.yaml:2: step: 'soon' is not an ISO-8601 duration" in text
    assert "atmosphere.yaml:1: 'grid' is missing" in text
    assert "unknown component 'oceann'; did you mean 'ocean'?" in text


def test_the_model_may_stand_in_one_file_only(case):
    folder = case()
    (folder / "ocean.yaml").write_text("model: slab\nstep: PT1H\n")
    with pytest.raises(NamelistError, match=r"ocean.yaml:1: 'model' stands in case.yaml too"):
        make_plan(folder)


def test_options_of_a_model_that_is_not_in_use_are_checked_too(case):
    from tests.unit.conftest import AIR, GRIDS

    folder = case(
        {
            "atmosphere": {"model": AIR, "step": "PT1H", "grid": GRIDS["atmosphere"]},
            "ocean": {"model": "slab", "step": "PT1H", "grid": GRIDS["ocean"], "slab": {}, "data": {"fiel": "x.nc"}},
        },
        coupling=[],
    )
    with pytest.raises(NamelistError, match=r"ocean.yaml:10: unknown key 'fiel'; did you mean"):
        make_plan(folder)


def test_check_tells_them_and_exits_with_2(case, command):
    folder = case()
    (folder / "ocean.yaml").write_text("step: PT1H\ngrid: {}\noptions: {depht: 60 m}\n")
    done = command("check", folder)
    assert done.returncode == 2
    assert "ocean.yaml:3: unknown key 'depht'; did you mean 'depth'?" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "run").exists(), "check must create nothing"


class Visit(Namelist):
    """Something that happens on a date or at a height."""

    at_most_one = ("date", "height")
    date: MonthAndDay | None = None
    height: Metres | None = None


def test_options_that_exclude_each_other_are_told_and_any_or_none_of_them_holds():
    said = problems("date: 05-20\nheight: 3 m", Visit)
    assert len(said) == 1 and "expected one of date, height; found date and height" in said[0]
    for text in ("date: 05-20", "height: 3 m", "{}"):
        assert len(read_text(text).parse(Visit).model_fields_set) == (text != "{}")


@pytest.mark.parametrize(
    ("date", "day"), [("01-01", 1), ("3-1", 60), ("12-31", 365), ("02-29", None), ("13-01", None), ("05/20", None)]
)
def test_a_date_of_every_year_is_one_of_365_days(date, day):
    assert day_of_year(date) == day
    if day is None:
        assert "expected month and day" in problems(f"date: '{date}'", Visit)[0]
    else:
        assert read_text(f"date: '{date}'").parse(Visit).date == date
