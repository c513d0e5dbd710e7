# SPDX-License-Identifier: BSD-3-Clause
"""Rules of exchange resolved into tasks: what is active, what is not and why, and what is refused."""

import csv

import numpy as np
import pytest

from coupler.case.case import make_plan
from coupler.case.launch import run_here
from coupler.component import Component
from coupler.errors import NamelistError
from coupler.fields import FieldSpec
from coupler.namelist import Namelist
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


class Increments(Gauge):
    """Gives a temperature for each of its steps alone."""

    exports = (FieldSpec("air_temperature", each_step=True), FieldSpec("precipitation_flux"), FieldSpec("air_pressure"))


def test_a_rule_that_leaves_out_steps_of_what_each_step_gives_is_refused_with_the_other_mistakes(case):
    components = {
        "atmosphere": {"model": f"{HERE}:Increments", "step": "PT1H", "grid": GRIDS["atmosphere"]},
        "ocean": {"model": f"{HERE}:Reader", "step": "PT1H", "grid": GRIDS["ocean"]},
    }
    text = said(case(components, [{**PLAIN, "to": "ocaen"}, PLAIN]))
    assert "did you mean 'ocean'?" in text
    assert "air_temperature: each step of atmosphere gives one for that step alone; expected period: PT1H" in text
    assert "found period: PT2H, which leaves some out" in text and "precipitation_flux:" not in text
    make_plan(case(components, [{**PLAIN, "period": "PT1H", "lag": "PT1H"}]))
    make_plan(case(components, [{**PLAIN, "statistic": "mean"}]))


def test_the_same_field_from_the_same_source_twice_is_refused(case):
    text = said(case(coupling=[PLAIN, PLAIN]))
    assert "air_temperature is given to ocean twice by atmosphere" in text


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
    assert "unknown ocean model 'slap'; did you mean 'slab'?; known models: " in text
    assert "package.module:Class" in text
    components["ocean"]["model"] = "nowhere.to_be_found:Sea"
    assert "No module named 'nowhere'" in said(case(components, [], name="other"))


# ------------------------------------------------------------------ cover, merging and budgets


class Uniform(Component):
    """Gives one number everywhere on its grid."""

    exports = (FieldSpec("air_temperature"), FieldSpec("precipitation_flux"))

    class Options(Namelist):
        """Options."""

        value: float = 280.0
        """The number."""

    def initialize(self, context):
        noise = np.random.default_rng(7).uniform(0, 1e-4, context.local_shape)
        self.out = {
            "air_temperature": np.full(context.local_shape, self.options.value),
            "precipitation_flux": noise,
        }
        return self.out

    def step(self, time, seconds, imports):
        return self.out

    def state(self):
        return {}

    def restore(self, state):
        return None


class Thermometer(Reader):
    """Wants a temperature, and rain where there is some."""

    imports = (FieldSpec("air_temperature"), FieldSpec("precipitation_flux", required=False))


WEST = {"west": 100, "east": 110, "south": 10, "north": 26, "resolution": 2.0}
EAST = {"west": 110, "east": 121, "south": 10, "north": 26, "resolution": 1.0}
RULE = {"from": "atmosphere", "to": "ocean", "period": "PT1H", "lag": "PT1H"}


def uniform(grid, value=280.0):
    return {"model": f"{HERE}:Uniform", "step": "PT1H", "grid": grid, "value": value}


def thermometer(grid=GRIDS["ocean"]):
    return {"model": f"{HERE}:Thermometer", "step": "PT1H", "grid": grid}


def test_an_uncovered_cell_is_reported_with_its_place_and_the_remedy(case, command):
    folder = case({"atmosphere": uniform(WEST), "ocean": thermometer()}, [RULE], duration="PT2H")
    done = command(folder, "--serial")
    assert done.returncode == 1
    assert "160 active cells on rank 0 get no air_temperature from atmosphere -> ocean" in done.stderr
    assert "the first is at 110.50 E, 10.50 N" in done.stderr
    assert "remap: [conservative, nearest]" in done.stderr


def test_a_second_method_fills_what_the_first_leaves_open(case):
    rule = {**RULE, "remap": ["conservative", "nearest"]}
    folder = case({"atmosphere": uniform(WEST, 271.5), "ocean": thermometer()}, [rule], duration="PT2H")
    assert run_here(folder, serial=True, resume=False) == 0
    from tests.unit.test_connections import Thermometer as Seen

    assert np.allclose(Seen.seen["air_temperature"], 271.5, rtol=1e-14)


def test_two_sources_of_one_import_share_every_cell_by_what_they_cover(case):
    """The border at 110 E cuts the target cells that begin at 109 E in halves."""
    target = {"west": 101, "east": 121, "south": 10, "north": 26, "resolution": 2.0}
    folder = case(
        {
            "atmosphere": uniform(WEST, 270.0),
            "eastern_atmosphere": uniform(EAST, 290.0),
            "ocean": thermometer(target),
        },
        [RULE, {**RULE, "from": "eastern_atmosphere"}],
        duration="PT2H",
    )
    assert run_here(folder, serial=True, resume=False) == 0
    from tests.unit.test_connections import Thermometer as Seen

    seen = Seen.seen["air_temperature"]
    assert np.allclose(seen[:, :4], 270.0, rtol=1e-14)
    assert np.allclose(seen[:, 4], 280.0, rtol=1e-12)
    assert np.allclose(seen[:, 5:], 290.0, rtol=1e-14)


def test_what_is_sent_arrives_to_round_off(case):
    """A rough field from 2 to 0.7 degrees whose cells do not nest."""
    inside = {"west": 100.2, "east": 119.8, "south": 10.4, "north": 25.8, "resolution": 0.7}
    rule = {**RULE, "remap": ["conservative", "nearest"], "fields": ["air_temperature"]}
    rain = {**RULE, "fields": ["precipitation_flux"], "normalization": "destarea"}
    folder = case({"atmosphere": uniform(GRIDS["atmosphere"]), "ocean": thermometer(inside)}, [rule, rain])
    assert run_here(folder, serial=True, resume=False) == 0
    (row,) = csv.DictReader((folder / "run" / "budget.csv").open())
    assert row["flux"] == "precipitation_flux" and row["unit"] == "kg"
    assert float(row["worst_relative_residual"]) <= 1e-13
    assert float(row["sent"]) == pytest.approx(float(row["received"]), rel=1e-13)
    assert float(row["sent"]) > 0


def test_a_residual_above_the_tolerance_stops_the_run(case, monkeypatch, capsys):
    folder = case(
        {"atmosphere": uniform(GRIDS["atmosphere"]), "ocean": thermometer()},
        [RULE],
        checks={"budget_tolerance": 1e-12},
        duration="PT12H",
    )
    from coupler.exchange.receiver import Receiver

    whole = Receiver._integrals
    monkeypatch.setattr(Receiver, "_integrals", lambda self, values: whole(self, values * (1 - 1e-9)))
    assert run_here(folder, serial=True, resume=False) == 1
    said = capsys.readouterr().err
    assert "budget of precipitation_flux (atmosphere -> ocean" in said
    assert "sent " in said and "received " in said and "relative residual 1.00e-09 exceeds" in said
