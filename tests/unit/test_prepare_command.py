# SPDX-License-Identifier: BSD-3-Clause
"""`./run_case.py prepare`: the framework finds the component, checks the files, tells progress and what to write."""

import pytest
import yaml

from coupler.case.command import main
from coupler.case.preparation import Progress
from coupler.component import Component
from coupler.errors import TesseraError
from coupler.fields import specs


class Maker(Component):
    """A component that makes inputs."""

    exports = specs("sea_surface_temperature")

    def prepare_inputs(self, setting, files, report):
        """Copies the text of the files."""
        if any(path.read_text() == "bad" for path in files):
            raise TesseraError(f"{files[0]} is bad")
        report("the files are short", 0.0)
        for n, path in enumerate(files):
            report(path.name, (n + 1) / len(files))
        (setting.folder / "made.txt").write_text(" ".join(path.read_text() for path in files))
        return {"file": "made.txt", "several": ["a", "b"]}


class Plain(Component):
    """A component that makes none."""

    exports = specs("air_temperature")


@pytest.fixture
def case(tmp_path):
    def make(**components):
        names = {name: {"model": f"{__name__}:{model}"} for name, model in components.items()}
        text = {"start": "2001-01-01", "duration": "PT1H", "components": names}
        (tmp_path / "case.yaml").write_text(yaml.safe_dump(text))
        box = {"west": 0, "east": 4, "south": 0, "north": 4, "resolution": 1.0}
        for name in components:
            (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({"step": "PT1H", "grid": box}))
        for name, word in (("x.nc", "one"), ("y.nc", "two"), ("z.nc", "bad")):
            (tmp_path / name).write_text(word)
        return tmp_path

    return make


def test_the_only_component_that_can_is_taken(case, capsys):
    folder = case(sea=Maker.__name__, air=Plain.__name__)
    assert main(["prepare", str(folder), str(folder / "x.nc"), str(folder / "y.nc")]) == 0
    out = capsys.readouterr().out
    assert (folder / "made.txt").read_text() == "one two"
    assert "from 2 files" in out and "the files are short" in out
    assert " 50%  ETA 00:00  x.nc" in out and "100%  ETA 00:00  y.nc" in out
    assert f"Write into {folder / 'sea.yaml'}" in out and f"./run_case.py check {folder}" in out
    written = yaml.safe_load(out[out.index("options:") : out.index("then:")])
    assert written == {"options": {"file": "made.txt", "several": ["a", "b"]}}


@pytest.mark.parametrize(
    ("components", "words", "said"),
    [
        ({"sea": "Maker", "lake": "Maker"}, ["x.nc"], "say whose inputs: --component with one of lake, sea"),
        ({"air": "Plain"}, ["x.nc"], "no component of"),
        ({"sea": "Maker", "air": "Plain"}, ["x.nc", "--component", "air"], "makes no inputs from data"),
        ({"sea": "Maker"}, ["x.nc", "--component", "see"], "has no component 'see'; did you mean 'sea'?"),
        ({"sea": "Maker"}, ["x.nc", "w.nc"], "w.nc does not exist"),
    ],
)
def test_what_cannot_be_done_is_said(case, capsys, components, words, said):
    folder = case(**components)
    words = [str(folder / w) if w.endswith(".nc") else w for w in words]
    assert main(["prepare", str(folder), *words]) == 2
    assert said in capsys.readouterr().err
    assert not (folder / "made.txt").exists()


def test_an_error_of_the_component_is_one_line(case, capsys):
    folder = case(sea="Maker")
    assert main(["prepare", str(folder), str(folder / "z.nc")]) == 1
    assert "z.nc is bad" in capsys.readouterr().err


def test_the_time_left_is_that_of_the_rate_so_far(capsys, monkeypatch):
    progress = Progress()
    monkeypatch.setattr("coupler.case.preparation.time.perf_counter", lambda: progress.began + 30.0)
    progress("half", 0.25)
    assert "25%  ETA 01:30  half" in capsys.readouterr().out
