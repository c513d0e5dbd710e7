# SPDX-License-Identifier: BSD-3-Clause
"""What one component takes out of another is told to that one, or `check` refuses; what fields lose is said."""

import numpy as np
import pytest

from coupler.case.case import make_plan
from coupler.component import Component
from coupler.errors import NamelistError
from coupler.fields import FieldSpec, specs
from tests.toys.cases import box, toy_case

LEVEL, DRAWN, RUNOFF, HEAT = (
    "water_available_from_rivers", "water_flux_from_rivers_into_land", "runoff_flux",
    "temperature_flux_due_to_runoff_expressed_as_heat_flux_into_sea_water",
)  # fmt: skip
HERE = __name__ + ":"


class Ground(Component):
    imports = (FieldSpec(LEVEL, required=False, taking=DRAWN),)
    exports = specs(RUNOFF, HEAT, DRAWN)

    def initialize(self, context):
        return {f.name: np.zeros(context.local_shape) for f in self.exports}

    def step(self, time, seconds, imports):
        return {}


class Stream(Ground):
    imports = (FieldSpec(RUNOFF), FieldSpec(HEAT, required=False), FieldSpec(DRAWN, required=False))
    exports = specs(LEVEL)


class Given(Ground):  # levels from elsewhere: nobody who could be told
    imports = specs(RUNOFF)
    exports = specs(LEVEL)


def plan(folder, down, up, stream="Stream"):
    grid = box(100, 104, 0, 4, 2.0)
    models = {"ground": "Ground", "stream": stream}
    components = {name: {"model": HERE + model, "step": "PT1H", "grid": grid} for name, model in models.items()}
    rules = [
        {"from": a, "to": b, "period": "PT1H", "lag": "PT1H", **({} if fields is None else {"fields": fields})}
        for a, b, fields in (("ground", "stream", down), ("stream", "ground", up))
        if fields != []
    ]
    return make_plan(toy_case(folder, components=components, coupling=rules, layout=dict.fromkeys(components, 1)))


def test_a_rule_that_leaves_the_counterpart_out_is_refused_at_its_line(tmp_path):
    with pytest.raises(NamelistError) as error:
        plan(tmp_path, [RUNOFF, HEAT], None)
    (problem,) = error.value.problems
    assert f"stream gives ground {LEVEL}, by which ground takes {DRAWN} out of stream" in problem.message
    assert "add it to the fields of a rule ground -> stream" in problem.message
    line = (tmp_path / "case.yaml").read_text().splitlines()[problem.line - 1]
    assert "fields" in line or RUNOFF in line


def test_a_counterpart_that_arrives_as_another_number_is_refused(tmp_path):
    half = {"from": DRAWN, "to": DRAWN, "scale": 0.5}
    with pytest.raises(NamelistError, match=r"is told another number of it.*leave its scale and offset out"):
        plan(tmp_path, [RUNOFF, HEAT, half], None)


@pytest.mark.parametrize(
    ("down", "up", "stream"),
    [(None, None, "Stream"), ([RUNOFF, HEAT, DRAWN], [LEVEL], "Stream"), ([RUNOFF, HEAT], [], "Stream"),
     ([RUNOFF], None, "Given")],
)  # fmt: skip
def test_both_or_neither_or_nobody_to_tell_is_well(tmp_path, down, up, stream):
    assert plan(tmp_path, down, up, stream).tasks


def test_a_flux_that_the_fields_leave_out_is_said_to_be_lost(tmp_path):
    notes = plan(tmp_path / "less", [RUNOFF, DRAWN], None).notes
    assert [n for n in notes if "lost" in n] == [
        f"ground -> stream: {HEAT} is not among the fields of any rule, though ground gives it and stream would take "
        "it: it is lost"
    ]
    assert not any("lost" in n for n in plan(tmp_path / "all", None, None).notes)
