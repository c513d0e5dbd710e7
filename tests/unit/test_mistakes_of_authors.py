# SPDX-License-Identifier: BSD-3-Clause
"""A component's file of another shape, a model that raises, exits or returns nonsense: a line each, all at once."""

import pytest
import yaml

from coupler.case.case import make_plan
from coupler.case.command import main
from coupler.errors import LayoutError, NamelistError

GOOD = """
from coupler.component import Component
from coupler.fields import specs
import numpy as np
class Ocean(Component):
    exports = specs("sea_surface_temperature")
    def initialize(self, context):
        self.t = np.full(context.local_shape, 290.0); return {"sea_surface_temperature": self.t}
    def step(self, time, seconds, imports): return {"sea_surface_temperature": self.t}
    def state(self): return {}
    def restore(self, state): return None
"""
GRID = "{west: 120, east: 126, south: 20, north: 24, resolution: 1.0}"


@pytest.fixture
def ocean(tmp_path, request):
    """Function that writes a case whose ocean is the author's code given, and makes its plan."""

    def make(code=GOOD, model=None, more="", own=f"step: PT1H\ngrid: {GRID}\n", components=None, **how):
        module = f"mine_{abs(hash((request.node.name, code)))}"
        case = tmp_path / "case"
        case.mkdir(exist_ok=True)
        (case / f"{module}.py").write_text(code)
        said = (
            components or f"{{ocean: {{model: '{module}:Ocean'}}}}"
            if model is None
            else f"{{ocean: {{model: {model}}}}}"
        )
        (case / "case.yaml").write_text(f"start: 2001-01-01\nduration: P1D\ncomponents: {said}\n{more}")
        (case / "ocean.yaml").write_text(own)
        return make_plan(case, offline_checks=True, **how)

    return make


def said(make, *args, **kwargs):
    with pytest.raises(NamelistError) as error:
        make(*args, **kwargs)
    return str(error.value)


def test_the_good_one_is_good(ocean):
    assert ocean().components[0].exports[0].name == "sea_surface_temperature"


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (("import numpy as np", "import numpy as np\nraise KeyError('boom')"), "raised KeyError: 'boom' (*:5)"),
        (("import numpy as np", "import sys; sys.exit(0)"), "ends the program by sys.exit(0) (*:4)"),
        (("import numpy as np", "def f(:\n  pass"), ":4: syntax error: invalid syntax"),
        (("import numpy as np", "import numpyy"), "raised ModuleNotFoundError: No module named 'numpyy' (*:4)"),
        (("class Ocean(Component)", "class Sea(Component)"), "has no attribute 'Ocean'"),
        (("class Ocean(Component)", "class Ocean"), "is not a subclass of coupler.component.Component"),
        (("    def state", "    Options = dict\n    def state"), "Options of model * is not a subclass of"),
        (
            ("    def state", "    def __init__(self, o): 1 / 0\n    def state"),
            "the constructor of ocean raised ZeroDivi",
        ),
        (
            ("    def state", "    def grids(self, s): return None\n    def state"),
            "returns is None; a mapping of names",
        ),
        (("    def state", "    def grids(self, s): return {}\n    def state"), "gives no grid called 'default'"),
        (
            ("    def state", "    def grids(self, s): raise SystemExit\n    def state"),
            "grids() of ocean ends the program",
        ),
        (
            ("    def state", "    def check(self, s): return None\n    def state"),
            "what check() of ocean returns is None",
        ),
        (("    def state", "    def check(self, s): return 'abc'\n    def state"), "is a str; a list of messages"),
        (
            ("    def state", "    def check(self, s): raise RuntimeError\n    def state"),
            "check() of ocean raised Runtime",
        ),
        (("    def state", "    exports = ('sst',)\n    def state"), "'sst' in exports of ocean is a str; a FieldSpec"),
        (("    def state", "    exports = None\n    def state"), "exports of ocean is None; a tuple of FieldSpec"),
    ],
)
def test_an_authors_mistake_is_one_line(ocean, change, wanted):
    text = said(ocean, GOOD.replace(*change))
    assert text.startswith(("case.yaml:3: ", "ocean.yaml:1: ")) and "\n" not in text
    position = 0
    for part in wanted.split("*"):
        assert part in text[position:], text
        position = text.index(part, position) + len(part)


@pytest.mark.parametrize("model", ["':'", "'a:'", "':b'", "'a b:C'", "'..x:Y'", "'a:b:c'", "5", "[a]", "true", "''"])
def test_a_model_that_is_no_name_is_refused(ocean, model):
    assert "case.yaml:3: " in said(ocean, model=model)


@pytest.mark.parametrize("own", ["- a\n- b\n", "slab\n", "5\n", "step: PT1H\ngrid: [1, 2]\n", "step: PT1H\ngrid: 5\n"])
def test_a_file_of_another_shape_says_what_is_wanted(ocean, own):
    text = said(ocean, own=own)
    assert "ocean.yaml:" in text and "mapping" in text


@pytest.mark.parametrize("components", ["{ocean: slab}", "[ocean]", "ocean", "{ocean: [slab]}", "{ocean: 3}", "{}"])
def test_components_of_another_shape_say_what_is_wanted(ocean, components):
    text = said(ocean, components=components)
    assert "case.yaml:3: components" in text and ("mapping" in text or "at least one" in text)


@pytest.mark.parametrize("name", ["../../x", "a b", "a/b", "case", "coupler", ".x", "-x", "é*", "x" * 99, "'a;b'"])
def test_a_components_name_cannot_leave_the_case(ocean, name):
    assert "case.yaml:3: " in said(ocean, components=f"{{{name}: {{model: slab, realm: ocean}}}}")


def test_mistakes_of_all_files_come_at_once(ocean):
    more = "titel: x\nlayout: {ocaen: 2}\ncoupling:\n- {from: ocean, too: ocean, period: PT1H}\nseed: -1\n"
    text = said(ocean, more=more, own=f"step: 1h\ngrid: {GRID}\noutput:\n- {{field: [a], period: P1D}}\n")
    lines = [line.split(" ")[0] for line in text.splitlines()]
    assert lines == [
        "case.yaml:4:", "case.yaml:5:", "case.yaml:7:", "case.yaml:7:", "case.yaml:8:",
        "ocean.yaml:1:", "ocean.yaml:4:", "ocean.yaml:4:",
    ]  # fmt: skip


def test_an_authors_check_is_heard_beside_mistakes_of_case_yaml(ocean):
    code = GOOD.replace("    def state", "    def check(self, s): return ['no ice file']\n    def state")
    text = said(ocean, code, more="titel: x\n")
    assert "unknown key 'titel'; did you mean 'title'?" in text and "no ice file" in text


def test_an_authors_check_is_heard_where_the_grid_cannot_be_made(ocean):
    more = (
        "    def grids(self, s): raise OSError('no mask')\n"
        "    def check(self, s): return ['no ice file']\n    def state"
    )
    text = said(ocean, GOOD.replace("    def state", more))
    assert "no mask" in text and "no ice file" in text and len(text.splitlines()) == 2


@pytest.mark.parametrize("key", ["coupling", "layout", "restart", "checks", "title", "seed"])
def test_an_empty_section_is_as_good_as_none(ocean, key):
    assert ocean(more=f"{key}:\n", own=f"step: PT1H\ngrid: {GRID}\noutput:\noptions:\n").duration == 86400


@pytest.mark.parametrize("key", ["duration", "start", "components", "step"])
def test_a_required_key_that_is_empty_is_called_empty(ocean, key, tmp_path):
    ocean()
    folder = tmp_path / "case"
    for name in ("case.yaml", "ocean.yaml"):
        content = yaml.safe_load((folder / name).read_text())
        (folder / name).write_text(yaml.safe_dump({k: None if k == key else v for k, v in content.items()}))
    with pytest.raises(NamelistError, match=f"'{key}' is empty"):
        make_plan(folder)


def test_too_many_ranks_are_refused_with_the_largest_number(ocean):
    assert ocean(more="layout: {coupler: 3, ocean: 24}\n").size == 27
    text = said(ocean, more="layout: {coupler: 1, ocean: 25}\n")
    assert text == (
        "case.yaml:4: layout.ocean: 25 ranks cannot divide the 6 x 4 cells of ocean; the largest number below that can"
        " is 24"
    )
    assert "that can is 20" in said(ocean, more="layout: {ocean: 23}\n")
    for size in (26, 1000, 10**9):
        with pytest.raises(LayoutError, match=r"too many: .* below that works is 25:\n  mpirun -n 25 "):
            ocean(size=size)
    assert ocean(size=25).size == 25


def test_a_duration_beyond_all_dates_is_refused(ocean, tmp_path):
    ocean()
    path = tmp_path / "case" / "case.yaml"
    path.write_text(path.read_text().replace("P1D", "P9999999D"))
    with pytest.raises(NamelistError, match=r"case.yaml:2: .*P9999999D.* longer than ten thousand years"):
        make_plan(tmp_path / "case")


def test_the_command_ends_with_2_and_never_with_success(ocean, tmp_path, capsys):
    with pytest.raises(NamelistError):
        ocean(GOOD.replace("    def state", "    def grids(self, s): raise SystemExit(0)\n    def state"))
    assert main(["check", str(tmp_path / "case")]) == 2
    assert "ends the program" in capsys.readouterr().err


def test_check_names_every_file_that_a_run_will_open(tmp_path, capsys):
    assert main(["new", str(tmp_path / "case"), "--template", "east_asia"]) == 0
    assert main(["check", str(tmp_path / "case")]) == 0
    said = capsys.readouterr().out.split("files:\n")[1]
    assert [f"namelist: {tmp_path / 'case' / n}" in said for n in ("case.yaml", "ocean.yaml")] == [True, True]
    for who in ("atmosphere", "ocean", "land"):
        assert f"  {who}: " in said and said.count(f"east_asia_{who}.nc") == 1


@pytest.mark.parametrize(
    ("own", "wanted"),
    [
        ('program: "python \'x"', "is not a command line: no closing quotation"),
        ("program: 'a : -n 4 b'", "expected one command"),
        ("program: no-such-command x", "'no-such-command' is not a command here"),
        ("program: python no_such.py", "there is no file 'no_such.py'"),
        ("program: 'python a.py | tee log'", "no shell reads it, so '|' would be an argument"),
        ("program: true; rm x", "no shell reads it"),
        ("imports: [{nam: x}]", "unknown key 'nam'; did you mean 'name'?"),
        ("imports: [5]", "imports.0: expected text"),
        ("exports: [{name: a, levels: -1}]", "exports.0.levels: expected 0 to 10000 (given: -1)"),
        ("exports: [sea_surface_temperatur]", "did you mean 'sea_surface_temperature'?"),
    ],
)
def test_an_external_programs_namelist_is_read_strictly(ocean, own, wanted):
    assert wanted in said(ocean, model="external", own=f"step: PT1H\ngrid: {GRID}\n{own}\n")


@pytest.mark.parametrize(
    ("grid", "wanted"),
    [
        ("../../x", "unknown grid '../../x'"),
        ("ocean", "takes its grid from ocean itself"),
        ("{west: 0, east: 4, south: 0, north: 4, resolution: [1, 2, 3]}", "expected at most 2 values"),
        ("{west: 0, east: 4, south: 0, north: 4, resolution: .nan}", "expected a finite number"),
        ("{west: 0, east: 4, south: 4, north: 0, resolution: 1}", "south < north"),
        ("{west: 0, east: 4, south: -91, north: 0, resolution: 1}", "south: expected -90 to 90 degrees north"),
        ("{projection: '+proj=nonsense', nx: 3, ny: 3, spacing: 1000}", "PROJ does not understand"),
        ("{file: nowhere.nc}", "it does not exist"),
    ],
)
def test_a_grid_that_is_none_is_told_at_its_line(ocean, grid, wanted):
    text = said(ocean, own=f"step: PT1H\ngrid: {grid}\n")
    assert text.startswith("ocean.yaml:2: ") and wanted in text
