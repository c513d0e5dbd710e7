# SPDX-License-Identifier: BSD-3-Clause
"""An import with a companion comes where every source of that one gives it too: else it were of a part of a cell."""

import numpy as np

from coupler.case.case import make_plan
from coupler.component import Component
from coupler.fields import FieldSpec, specs
from tests.toys.cases import box, toy_case

UP, EMITTED = "surface_upwelling_longwave_flux_in_air", "surface_emitted_longwave_flux"
HERE = __name__ + ":"


class Air(Component):
    imports = (FieldSpec(UP), FieldSpec(EMITTED, required=False, companion=UP))

    def initialize(self, context):
        return {}

    def step(self, time, seconds, imports):
        return {}


class Plain(Component):
    exports = specs(UP)

    def initialize(self, context):
        return {f.name: np.zeros(context.local_shape) for f in self.exports}

    def step(self, time, seconds, imports):
        return {}


class Telling(Plain):
    exports = specs(UP, EMITTED)


def plan(folder, one, other):
    grid = box(100, 104, 0, 4, 2.0)
    models = {"air": "Air", "sea": one, "soil": other}
    components = {name: {"model": HERE + model, "step": "PT1H", "grid": grid} for name, model in models.items()}
    rules = [{"from": name, "to": "air", "period": "PT1H", "lag": "PT1H"} for name in ("sea", "soil")]
    layout = dict.fromkeys(components, 1)
    return make_plan(toy_case(folder, components=components, coupling=rules, layout=layout))


def test_it_comes_from_all_sources_or_from_none(tmp_path):
    both = plan(tmp_path / "both", "Telling", "Telling")
    assert all([f.name for f in t.outputs[0].fields] == [UP, EMITTED] for t in both.tasks) and not both.inactive
    one = plan(tmp_path / "one", "Telling", "Plain")
    assert all([f.name for f in t.outputs[0].fields] == [UP] for t in one.tasks)
    assert [(i.rule, i.why) for i in one.inactive] == [
        (f"{EMITTED} to air", f"not all that gives air {UP} gives it too")
    ]
