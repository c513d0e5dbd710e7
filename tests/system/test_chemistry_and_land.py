# SPDX-License-Identifier: BSD-3-Clause
"""The nitrogen that the chemistry deposits arrives in a land with cycles, all of it."""

import json

import pytest
import yaml

from coupler.case.case import make_plan
from tests.system.test_regional_chemistry import AIR, RULE, SMALL
from tests.toys.cases import tessera, toy_case
from tests.unit.test_rivers_component import budget

NITROGEN = "minus_tendency_of_atmosphere_mass_content_of_nitrogen_compounds_expressed_as_nitrogen_due_to_deposition"
ACID = {
    "name": "acid", "version": "1.0.0", "species": [{"name": "HNO3"}],
    "phases": [{"name": "gas", "species": [{"name": "HNO3"}]}],
    "reactions": [{"type": "ARRHENIUS", "gas phase": "gas", "A": 1e-9, "reactants": [{"species name": "HNO3"}],
                   "products": []}],
}  # fmt: skip


def case(folder):
    """An atmosphere, nitric acid in it, and a land with cycles under a sky of its own."""
    step = {"step": "PT20M", "grid": SMALL}
    components = {
        "atmosphere": {"model": "nonhydrostatic", "step": "PT400S", "grid": SMALL, "nonhydrostatic": AIR},
        "chemistry": {"model": "regional", **step,
                      "regional": {"levels": 8, "gases": "acid.json", "start": {"HNO3": 2.0e-9}}},
        "sky": {"model": "tests.toys.streams:Sky", **step},
        "land": {"model": "column", **step, "column": {"leaves": "prognostic", "nitrogen": "demand"}},
    }  # fmt: skip
    rules = [
        RULE,
        {"from": "sky", "to": "land", "period": "PT20M", "remap": "conservative"},
        {"from": "chemistry", "to": "land", "period": "PT20M", "lag": "PT20M", "remap": "conservative"},
    ]
    folder.mkdir()
    (folder / "acid.json").write_text(json.dumps(ACID))
    toy_case(folder, components=components, coupling=rules, layout={"coupler": 1}, duration="PT1H", restart="PT1H",
             start="2001-06-01T05:00:00")  # fmt: skip
    return folder


def test_the_land_is_told_of_deposited_nitrogen(tmp_path):
    plan = make_plan(case(tmp_path / "case"))
    (task,) = (t for t in plan.tasks if t.name == "chemistry -> land")
    assert [f.name for f in task.outputs[0].fields] == [NITROGEN] and task.inputs[0].statistic == "mean"


def test_the_chemistry_sees_the_land_s_water_and_snow(tmp_path):
    folder = case(tmp_path / "case")
    text = (folder / "case.yaml").read_text()
    components, rules = yaml.safe_load(text)["components"], yaml.safe_load(text)["coupling"]
    components["chemistry"] = {"model": "regional", "step": "PT20M", "grid": SMALL,
                               "regional": {"levels": 8, "gases": "cb05", "aerosol": {}}}  # fmt: skip
    held_by = ["volume_fraction_of_condensed_water_in_soil", "surface_snow_amount"]
    rules = [*rules, {"from": "land", "to": "chemistry", "period": "PT20M", "lag": "PT20M", "fields": held_by}]
    for model in ("column", "slab"):
        components["land"] = {"model": model, "step": "PT20M", "grid": SMALL}
        toy_case(tmp_path / model, components=components, coupling=rules, layout={"coupler": 1}, duration="PT1H",
                 restart="PT1H", start="2001-06-01T05:00:00")  # fmt: skip
        (task,) = (t for t in make_plan(tmp_path / model).tasks if t.name == "land -> chemistry")
        assert [f.name for f in task.outputs[0].fields] == held_by, model


@pytest.mark.slow
def test_deposited_nitrogen_arrives_in_the_land(tmp_path):
    folder = case(tmp_path / "case")
    tessera(folder, "--serial")
    sent, received = budget(folder)["land", NITROGEN]
    assert sent > 0.0 and received == pytest.approx(sent, rel=1e-12)


def test_the_land_is_told_of_ozone_unless_its_option_says_no(tmp_path):
    folder = case(tmp_path / "case")
    carried = {}
    for word in ("low", "none"):
        components = yaml.safe_load((folder / "case.yaml").read_text())["components"]
        components["chemistry"] = {"model": "regional", "step": "PT20M", "grid": SMALL,
                                   "regional": {"levels": 8, "gases": "cb05"}}  # fmt: skip
        components["land"]["column"]["ozone"] = word
        text = yaml.safe_load((folder / "case.yaml").read_text())
        other = tmp_path / word
        other.mkdir()
        toy_case(other, components=components, coupling=text["coupling"], layout={"coupler": 1}, duration="PT1H",
                 start="2001-06-01T05:00:00")  # fmt: skip
        tasks = [t for t in make_plan(other).tasks if t.name.startswith("chemistry -> land")]
        carried[word] = {f.name for task in tasks for part in task.outputs for f in part.fields}
    assert carried["low"] - carried["none"] == {"mole_fraction_of_ozone_in_surface_air"}
