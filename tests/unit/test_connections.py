"""Rules of exchange resolved into tasks: what is active, what is not and why, and what is refused."""

import numpy as np
import pytest

from coupler.case.case import make_plan
from coupler.case.launch import run_here
from coupler.component import Component
from coupler.errors import NamelistError
from coupler.fields import FieldSpec
from tests.unit.conftest import AIR, GRIDS, SEA


class Gauge(Component):
    """Gives rain in mm a day, temperature in degC and pressure in hPa; everything constant."""

    exports = (
        FieldSpec("precipitation_flux", units="mm day-1"),
        FieldSpec("air_temperature", units="degC"),
        FieldSpec("air_pressure_at_mean_sea_level", units="hPa"),
    )

    def initialize(self, context):
        shape = context.local_shape
        self.out = {
            "precipitation_flux": np.full(shape, 8.64),
            "air_temperature": np.full(shape, 15.0),
            "air_pressure_at_mean_sea_level": np.full(shape, 1013.25),
        }
        return self.out

    def step(self, time, seconds, imports):
        return self.out

    def state(self):
        return {}

    def restore(self, state):
        return None


class Reader(Component):
    """Wants rain in kg m-2 s-1, temperature in K, pressure in Pa."""

    imports = (FieldSpec("precipitation_flux"), FieldSpec("air_temperature"), FieldSpec("air_pressure"))
    seen: dict = {}

    def initialize(self, context):
        return {}

    def step(self, time, seconds, imports):
        type(self).seen = {k: np.array(v) for k, v in imports.items()}
        return {}

    def state(self):
        return {}

    def restore(self, state):
        return None


class BadReader(Reader):
    """Wants the rain as a speed."""

    imports = (FieldSpec("precipitation_flux", units="K"),)


HERE = "tests.unit.test_connections"
PLAIN = {"from": "atmosphere", "to": "ocean", "period": "PT2H", "lag": "PT2H"}


def said(folder):
    with pytest.raises(NamelistError) as error:
        make_plan(folder)
    return str(error.value)


def test_a_rule_carries_what_both_sides_agree_on_fluxes_as_means_and_states_as_instants(case):
    plan = make_plan(case())
    carried = {t.inputs[0].statistic: [f.name for f in t.outputs[0].fields] for t in plan.tasks}
    assert carried == {
        "mean": ["surface_downwelling_shortwave_flux_in_air", "precipitation_flux"],
        "instant": ["air_temperature"],
    }
    assert all((t.period, t.lag, t.lag_windows) == (7200, 7200, 1) for t in plan.tasks)


def test_a_rule_that_carries_nothing_is_listed_with_the_reason(case):
    plan = make_plan(case(coupling=[PLAIN, {"from": "ocean", "to": "atmosphere", "period": "PT2H", "lag": "PT2H"}]))
    (inactive,) = plan.inactive
    assert inactive.rule == "ocean -> atmosphere"
    assert inactive.why == f"atmosphere (model {AIR}) imports nothing"


def test_a_field_named_in_a_rule_that_one_side_does_not_know_is_inactive_with_the_reason(case):
    rule = {**PLAIN, "fields": ["air_temperature", "snowfall_flux"]}
    rest = {**PLAIN, "fields": ["precipitation_flux", "surface_downwelling_shortwave_flux_in_air"]}
    plan = make_plan(case(coupling=[rule, rest]))
    (inactive,) = plan.inactive
    assert inactive.rule == "atmosphere -> ocean: snowfall_flux"
    assert "does not export it" in inactive.why


def test_a_missing_supply_is_told_with_who_could_give_it(case):
    text = said(case(coupling=[{**PLAIN, "fields": ["air_temperature", "precipitation_flux"]}]))
    assert "ocean needs 'surface_downwelling_shortwave_flux_in_air', and no rule supplies it" in text
    assert "atmosphere could: add a rule {from: atmosphere, to: ocean, ...}" in text


def test_names_that_nobody_knows_are_told_with_the_nearest(case):
    text = said(case(coupling=[{**PLAIN, "fields": ["air_temprature"]}, {**PLAIN, "to": "ocaen"}]))
    assert "unknown field 'air_temprature'; did you mean 'air_temperature'?" in text
    assert "unknown component 'ocaen'; did you mean 'ocean'?" in text


def test_mistyped_keys_of_a_rule_are_told_with_their_line(case):
    text = said(case(coupling=[{**PLAIN, "perod": "PT1H"}, {**PLAIN, "statistic": "median"}]))
    assert "unknown key 'perod'; did you mean 'period'?" in text
    assert "statistic" in text and "median" in text
    assert all(line.startswith("case.yaml:") for line in text.splitlines())


def test_the_same_field_from_the_same_source_twice_is_refused(case):
    text = said(case(coupling=[PLAIN, PLAIN]))
    assert "air_temperature comes to ocean from atmosphere twice" in text


def test_units_are_converted_on_the_way(case):
    folder = case(
        {
            "atmosphere": {"model": f"{HERE}:Gauge", "step": "PT1H", "grid": GRIDS["atmosphere"]},
            "ocean": {"model": f"{HERE}:Reader", "step": "PT1H", "grid": GRIDS["ocean"]},
        },
        [
            {
                "from": "atmosphere",
                "to": "ocean",
                "period": "PT1H",
                "lag": "PT1H",
                "fields": [
                    "precipitation_flux",
                    "air_temperature",
                    {"from": "air_pressure_at_mean_sea_level", "to": "air_pressure", "scale": 0.5, "offset": 100.0},
                ],
            }
        ],
        duration="PT2H",
    )
    assert run_here(folder, serial=True, resume=False) == 0
    from tests.unit.test_connections import Reader as Seen

    assert np.allclose(Seen.seen["precipitation_flux"], 1e-4, rtol=1e-13), "8.64 mm day-1"
    assert np.allclose(Seen.seen["air_temperature"], 288.15, rtol=1e-14)
    assert np.allclose(Seen.seen["air_pressure"], 0.5 * 101325.0 + 100.0, rtol=1e-14), "scale and offset act in Pa"


def test_units_that_do_not_fit_are_refused_with_both(case):
    folder = case(
        {
            "atmosphere": {"model": f"{HERE}:Gauge", "step": "PT1H", "grid": GRIDS["atmosphere"]},
            "ocean": {"model": f"{HERE}:BadReader", "step": "PT1H", "grid": GRIDS["ocean"]},
        },
        [{**PLAIN}],
    )
    text = said(folder)
    assert "cannot convert 'kg m-2 s-1' to 'K'" in text


def test_direct_needs_the_same_grid(case):
    assert "route: direct needs both sides on the same grid" in said(case(coupling=[{**PLAIN, "route": "direct"}]))
    components = {
        "atmosphere": {"model": AIR, "step": "PT1H", "grid": GRIDS["ocean"]},
        "ocean": {"model": SEA, "step": "PT1H", "grid": GRIDS["ocean"]},
    }
    plan = make_plan(case(components, [{**PLAIN, "route": "direct"}], name="same"))
    assert {t.route for t in plan.tasks} == {"direct"}


def test_the_plan_never_changes_and_is_the_same_everywhere(case):
    from coupler.case.resolved import resolved_text

    folder = case()
    first, second = make_plan(folder, 4), make_plan(folder, 4)
    assert resolved_text(first) == resolved_text(second)
    with pytest.raises(AttributeError):
        first.duration = 3


def test_a_model_from_a_file_in_the_case_is_found(case):
    folder = case()
    (folder / "my_sea.py").write_text("from tests.toys.models import Sea\n\nclass MySea(Sea):\n    pass\n")
    text = (folder / "case.yaml").read_text().replace(SEA, "my_sea:MySea")
    (folder / "case.yaml").write_text(text)
    assert type(make_plan(folder)["ocean"].component).__name__ == "MySea"


def test_an_unknown_model_lists_those_there_are(case):
    components = {"ocean": {"model": "slap", "step": "PT1H", "grid": GRIDS["ocean"]}}
    text = said(case(components, []))
    assert "unknown ocean model 'slap'; did you mean 'slab'?; there are: " in text
    assert "package.module:Class" in text
    components["ocean"]["model"] = "nowhere.to_be_found:Sea"
    assert "cannot be loaded: No module named 'nowhere'" in said(case(components, [], name="other"))
