# SPDX-License-Identifier: BSD-3-Clause
"""What may change between a restart and the case that goes on from it: refused by name, accepted by a word, or said."""

import importlib
import re

import numpy as np
import pytest
import yaml

from coupler.case.case import make_plan
from coupler.case.continuation import identity
from coupler.case.handed_plan import without_models
from coupler.case.models import REALMS, find_model, models_of
from coupler.case.plan_data import from_bytes, to_bytes
from coupler.component import Component
from coupler.errors import NamelistError
from coupler.fields import specs
from coupler.namelist import Namelist
from tests.toys.cases import edit
from tests.unit.conftest import AIR, GRIDS, SEA

MODELS = sorted((realm, model) for realm in REALMS for model in models_of(realm) if realm != "ml_surrogates")
HALF, WHOLE = "duration: PT2H", "duration: PT4H"


@pytest.mark.parametrize(("realm", "model"), MODELS)
def test_every_model_says_which_options_shape_its_state(realm, model):
    cls = find_model(model, realm)
    said = [c for c in cls.__mro__ if "shapes_state" in vars(c)]
    assert said[0] is not Component, f"{realm}.{model} does not declare shapes_state; () if no option does"
    assert set(cls.shapes_state) <= set(cls.Options.model_fields)
    grown = {"levels", "tiles", "tracers", "file", "layers"} & set(cls.Options.model_fields)
    if cls.state is not Component.state and "state" in vars(cls):
        assert grown - {"file"} <= set(cls.shapes_state), "what gives a state its size shapes it"


@pytest.fixture
def stopped(case, command):
    """Function that runs two hours of a case of an air and some ocean, and lets it go on for four."""

    def make(ocean):
        law = {"flux": "air_sea", "scheme": "ncar", "between": ["atmosphere", "ocean"], "period": "PT1H"}
        parts = {
            "atmosphere": {"model": AIR, "step": "PT1H", "grid": GRIDS["atmosphere"]},
            "ocean": {"step": "PT1H", "grid": GRIDS["ocean"], **ocean},
        }
        folder = case(parts, [law] if ocean["model"] == "slab" else [], duration="PT2H")
        done = command(folder, "--serial")
        assert done.returncode == 0, done.stderr
        return edit(folder, [("case.yaml", HALF, WHOLE)])

    return make


def set_options(folder, **options):
    path = folder / "ocean.yaml"
    content = yaml.safe_load(path.read_text())
    own = "slab" if "slab" in content else "options"
    content[own] = {**(content.get(own) or {}), **options}
    path.write_text(yaml.safe_dump(content))


SLAB = {"model": "slab", "slab": {"depth": 50.0, "damping_time": "P4D"}}


def test_an_option_that_shapes_the_state_is_refused_by_name_and_accepted_by_it(stopped, command):
    folder = stopped(SLAB)
    set_options(folder, depth=30.0)
    done = command(folder, "--serial", "--continue")
    assert done.returncode == 1
    assert "does not belong to this case:\n  ocean.options.depth: 50.0 then, 30.0 now" in done.stderr
    assert "--continue --accept-changes ocean.options.depth" in done.stderr and "Traceback" not in done.stderr
    done = command(folder, "--serial", "--continue", "--accept-changes", "ocean.options.depth")
    assert done.returncode == 0
    assert "changed since the restart: ocean.options.depth: 50.0 then, 30.0 now (accepted)" in done.stdout


def test_an_option_that_does_not_is_only_said(stopped, command):
    folder = stopped(SLAB)
    set_options(folder, damping_time="P2D", initial_temperature=300.0)
    done = command(folder, "--serial", "--continue")
    assert done.returncode == 0, done.stderr
    assert "changed since the restart: ocean.options.damping_time: 345600 then, 172800 now" in done.stdout
    assert "ocean.options.initial_temperature: 288.0 then, 300.0 now" in done.stdout


class Layered(Component):
    """A sea of some layers."""

    exports = specs("sea_surface_temperature")
    shapes_state = ("layers",)

    class Options(Namelist):
        """Options of the layered sea."""

        layers: int = 3
        """Number of layers."""
        hue: str = "blue"
        """Of no consequence."""

    def initialize(self, context):
        self.t = np.full((self.options.layers, *context.local_shape), 290.0)
        return {"sea_surface_temperature": self.t[0]}

    def step(self, time, seconds, imports):
        return {"sea_surface_temperature": self.t[0]}

    def state(self):
        return {"t": self.t}

    def restore(self, state):
        self.t[:] = state["t"]


LAYERED = {"model": "tests.unit.test_changed_cases:Layered", "options": {"layers": 3}}


def test_another_floor_under_the_same_name_is_refused_by_name_and_accepted_by_it(stopped, command, monkeypatch):
    """A restart of before there were marks goes on without a word."""
    model = importlib.import_module("tests.unit.test_changed_cases").Layered
    folder = stopped(LAYERED)
    monkeypatch.setattr(model, "state_marks", lambda self, setting: {"floor": "flat (fingerprint 0)"}, raising=False)
    done = command(folder, "--serial", "--continue")
    assert done.returncode == 0 and "inputs.floor" not in done.stdout, done.stderr
    edit(folder, [("case.yaml", WHOLE, "duration: PT6H")])
    monkeypatch.setattr(model, "state_marks", lambda self, setting: {"floor": "hilly (fingerprint 1)"})
    done = command(folder, "--serial", "--continue")
    assert done.returncode == 1
    assert "ocean.inputs.floor: flat (fingerprint 0) then, hilly (fingerprint 1) now" in done.stderr
    assert "--continue --accept-changes ocean.inputs.floor" in done.stderr and "Traceback" not in done.stderr
    done = command(folder, "--serial", "--continue", "--accept-changes", "inputs")
    assert done.returncode == 0, done.stderr
    assert "hilly (fingerprint 1) now (accepted)" in done.stdout


def test_the_coupler_knows_what_shapes_a_state_without_the_models_code(case):
    folder = case({"ocean": {"step": "PT1H", "grid": GRIDS["ocean"], **LAYERED}}, [])
    plan = make_plan(folder)
    assert identity(from_bytes(to_bytes(without_models(plan)))) == identity(plan)
    assert identity(plan)["components"]["ocean"]["shaping"] == ["layers"]


def test_a_state_that_does_not_fit_although_it_was_accepted_is_told_by_name_and_shapes(stopped, command):
    folder = stopped(LAYERED)
    set_options(folder, layers=4)
    assert "ocean.options.layers: 3 then, 4 now" in command(folder, "--serial", "--continue").stderr
    done = command(folder, "--serial", "--continue", "--accept-changes", "options")
    assert done.returncode == 1
    assert "ocean: cannot restore the state of the restart" in done.stderr
    assert "t has the shape (3, 16, 20) in the restart, (4, 16, 20) now" in done.stderr


def test_a_state_from_before_a_model_had_more_is_told_by_name_and_number_with_the_remedy(stopped, command, monkeypatch):
    folder = stopped(LAYERED)
    model = importlib.import_module("tests.unit.test_changed_cases").Layered
    more = [f"tracer_{n}" for n in range(8)]
    monkeypatch.setattr(model, "state", lambda self: {"t": self.t} | dict.fromkeys(more, self.t))
    monkeypatch.setattr(model, "restore", lambda self, state: [state[name] for name in more])
    done = command(folder, "--serial", "--continue")
    assert done.returncode == 1
    assert "tracer_0 is not in the restart; tracer_1 is not" in done.stderr
    assert "tracer_5 is not in the restart; and 2 more" in done.stderr
    assert "a state from before the model had these is continued by the version that wrote it" in done.stderr


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("('layer',)", "shapes_state of ocean has 'layer', which is not an option; did you mean 'layers'?"),
        ("'layers'", "shapes_state of ocean is a str; a tuple of names of options is expected"),
    ],
)
def test_a_declaration_that_names_no_option_is_refused(case, monkeypatch, words, wanted):
    seen_by_the_case = importlib.import_module("tests.unit.test_changed_cases").Layered
    monkeypatch.setattr(seen_by_the_case, "shapes_state", eval(words))
    with pytest.raises(NamelistError, match=re.escape(wanted)):
        make_plan(case({"ocean": {"step": "PT1H", "grid": GRIDS["ocean"], **LAYERED}}, []))


def test_the_atmospheres_levels_and_tracers_are_refused_and_its_friction_is_said(tmp_path, command):
    """A plan tells; nothing needs to run."""
    from coupler.case.continuation import compare
    from coupler.files import restart

    command("new", tmp_path / "case", "--template", "east_asia_atmosphere")
    plan = make_plan(tmp_path / "case")
    then = identity(plan)
    path = tmp_path / "set"
    restart.complete(tmp_path / "part", path, {"time": 3600, "components": {}, "belongs_to": then, "exchanges": {}})
    name = next(c for c, v in then["components"].items() if v["model"] == "nonhydrostatic")

    def changed(**options):
        mine = then["components"][name]
        now = {**then, "components": {**then["components"], name: {**mine, "options": {**mine["options"], **options}}}}
        return {"belongs_to": now, "exchanges": {}}

    said = compare(path, changed(smagorinsky=0.2))
    assert any(f"{name}.options.smagorinsky" in text for text in said)
    from coupler.errors import RestartError

    for option, value in (("levels", 30), ("top", 2e4), ("tracers", [{"name": "dust"}]), ("microphysics", "kessler")):
        with pytest.raises(RestartError, match=rf"{name}\.options\.{option}: .* then, .* now"):
            compare(path, changed(**{option: value}))
        assert compare(path, changed(**{option: value}), [f"{name}.options.{option}"])


# ------------------------------------------------------------------ components that come and go


def test_an_added_component_is_told_before_anything_starts_or_is_touched(stopped, command, tmp_path, monkeypatch):
    from coupler.case import mpirun
    from tests.unit.test_places_of_runs import snapshot

    folder = stopped(LAYERED)
    text = (folder / "case.yaml").read_text()
    (folder / "case.yaml").write_text(text.replace("components:\n", f"components:\n  soil:\n    model: {SEA}\n"))
    (folder / "soil.yaml").write_text(yaml.safe_dump({"step": "PT1H", "grid": GRIDS["ocean"]}))
    edit(folder, [("case.yaml", "coupling: []", "coupling: [{from: atmosphere, to: soil, period: PT1H, lag: PT1H}]")])
    before = snapshot(folder)
    monkeypatch.setattr(mpirun, "Run", None)  # starting anything would fail
    for words in (("--serial",), ()):
        done = command(folder, "--continue", *words) if words else _launched(folder)
        assert done.returncode == 1
        assert f"soil (model {SEA}) is new: the restart has no state of it" in done.stderr
        assert "start anew without --continue" in done.stderr and "Traceback" not in done.stderr
        assert snapshot(folder) == before


def test_a_component_that_is_gone_is_told(stopped, command):
    folder = stopped(LAYERED)
    text = (folder / "case.yaml").read_text()
    (folder / "case.yaml").write_text(text.replace(f"  atmosphere:\n    model: {AIR}\n", ""))
    (folder / "atmosphere.yaml").unlink()
    done = command(folder, "--serial", "--continue")
    assert done.returncode == 1 and f"atmosphere (model {AIR}) is gone" in done.stderr


def _launched(folder):
    """The command as it would start mpirun, within this process."""
    from tests.toys.cases import in_this_process

    return in_this_process([str(folder), "--continue"])
