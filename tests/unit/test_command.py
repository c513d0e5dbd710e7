# SPDX-License-Identifier: BSD-3-Clause
"""The command line: what it makes, what it says, and how it ends."""

import os
import re
import subprocess
import sys

import pytest
import yaml

from coupler.case.case import make_plan
from coupler.case.command import COMMANDS, main
from coupler.case.documentation import describe_options
from coupler.case.models import REALMS, find_model, models_of
from coupler.case.templates import template_names
from coupler.namelist import read_text
from tests.unit.conftest import ROOT


def test_help_teaches_with_examples(command):
    done = command("--help")
    assert done.returncode == 0
    for name in COMMANDS:
        assert re.search(rf"^    {name}\b", done.stdout, re.M), name
    assert "./run_case.py new winter --template east_asia" in done.stdout


def test_nothing_said_shows_the_help(capsys):
    assert main([]) == 2
    assert "usage: run_case.py" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("word", "said"),
    [("chekc", "did you mean 'check'?"), ("stauts", "did you mean 'status'?"), ("xyzzy", "neither a command")],
)
def test_a_mistyped_command_is_told(word, said, capsys):
    assert main([word]) == 2
    assert said in capsys.readouterr().err


def test_new_makes_a_commented_case_and_says_what_comes_next(tmp_path, capsys):
    folder = tmp_path / "winter"
    assert main(["new", str(folder)]) == 0
    out = capsys.readouterr().out
    assert f"next:  ./run_case.py check {folder}" in out and f"then:  ./run_case.py {folder}" in out
    assert {"atmosphere.yaml", "case.yaml", "land.yaml", "ocean.yaml"} <= {p.name for p in folder.iterdir()}
    assert all(p.read_text().startswith("#") for p in folder.iterdir())


def test_new_never_touches_an_existing_folder(tmp_path, capsys):
    (tmp_path / "winter").mkdir()
    (tmp_path / "winter" / "notes.txt").write_text("mine")
    assert main(["new", str(tmp_path / "winter")]) == 2
    assert "exists already and is left as it is" in capsys.readouterr().err
    assert [p.name for p in (tmp_path / "winter").iterdir()] == ["notes.txt"]


def test_a_wrong_template_lists_the_right_ones(tmp_path, capsys):
    assert main(["new", str(tmp_path / "x"), "--template", "east_aisa"]) == 2
    said = capsys.readouterr().err
    assert "unknown template 'east_aisa'; did you mean 'east_asia'?" in said
    assert all(t in said for t in template_names())
    assert not (tmp_path / "x").exists()


def test_check_of_the_template_finds_nothing_wrong(tmp_path, capsys):
    assert main(["new", str(tmp_path / "demo")]) == 0
    assert main(["check", str(tmp_path / "demo")]) == 0
    out = capsys.readouterr().out
    assert "nothing is wrong" in out and "processes: 6 (coupler 0, atmosphere 1-2, ocean 3-4, land 5)" in out
    assert "land -> atmosphere: every PT1H" in out and "inactive" not in out
    assert not (tmp_path / "demo" / "run").exists()


def test_check_says_which_output_no_run_of_this_length_writes(tmp_path, capsys):
    folder = tmp_path / "demo"
    assert main(["new", str(folder)]) == 0
    text = (folder / "case.yaml").read_text()
    (folder / "case.yaml").write_text(text.replace("duration: P60D", "duration: P5D"))
    assert main(["check", str(folder)]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if "no file will be written" in line]
    assert len(said) == 1 and "output atmosphere.monthly: its period P30D is longer than the run (P5D)" in said[0]


def test_check_as_if_on_fewer_processes(tmp_path, capsys):
    assert main(["new", str(tmp_path / "demo")]) == 0
    assert main(["check", str(tmp_path / "demo"), "-n", "3"]) == 2
    assert "3 processes are too few: this case needs at least 4" in capsys.readouterr().err


def test_no_case_there_says_how_to_make_one(tmp_path, capsys):
    for words in (["check"], ["run"], ["status"], ["graph"]):
        assert main([*words, str(tmp_path)]) == 2
        assert "is not a case" in capsys.readouterr().err


def test_an_ocean_that_is_prescribed_by_one_word(tmp_path, capsys):
    folder = tmp_path / "demo"
    assert main(["new", str(folder)]) == 0
    text = (folder / "case.yaml").read_text()
    assert text.count("ocean: {model: slab}") == 1
    (folder / "case.yaml").write_text(text.replace("ocean: {model: slab}", "ocean: {model: data}"))
    (folder / "ocean.yaml").write_text(re.sub(r"(?ms)^output:.*", "", (folder / "ocean.yaml").read_text()))
    assert main(["check", str(folder)]) == 0
    out = capsys.readouterr().out
    inactive = out[out.index("inactive:") :]
    assert "air_sea flux (ncar)" not in inactive  # the data atmosphere counts what it delivers
    assert "atmosphere -> ocean: ocean (model data) imports nothing" in inactive


@pytest.mark.parametrize("name", ["case", "component", *(f"{r}.{m}" for r in REALMS for m in models_of(r))])
def test_every_documented_default_is_true(name):
    """What ``options`` prints is YAML whose values are the defaults, every one with a comment."""
    text = describe_options(name)
    values = yaml.safe_load(text)
    assert isinstance(values, dict) and values
    lines = [line for line in text.splitlines() if line.strip() and "no options" not in line][1:]
    for before, line in zip(["#", *lines], lines, strict=False):
        indent = len(line) - len(line.lstrip())
        key = line.strip()
        if not key.startswith("#") and key.endswith(":") is False and indent <= 2 and name.count(".") == (indent == 2):
            assert before.strip().startswith("#"), f"{name}: {key} has no help"


@pytest.mark.parametrize("name", [f"{r}.{m}" for r in REALMS for m in models_of(r)])
def test_options_as_printed_are_the_defaults(name):
    realm, model = name.split(".")
    cls = find_model(model, realm).Options
    if any(f.is_required() for f in cls.model_fields.values()):
        pytest.skip("a required option has no default to print")
    printed = read_text(describe_options(name)).part(model)
    assert printed.parse(cls) == cls()


def test_options_of_a_model_that_is_none_lists_them(capsys):
    assert main(["options", "ocean.slap"]) == 2
    assert "known models: case, component, " in capsys.readouterr().err


def test_the_list_names_templates_models_and_cases(capsys):
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert "east_asia" in out and re.search(r"ocean +data, .*slab", out)
    assert main(["list", "templates"]) == 0
    assert "models:" not in capsys.readouterr().out


def test_the_graph_is_dot(case, capsys):
    assert main(["graph", str(case())]) == 0
    out = capsys.readouterr().out
    assert out.startswith('digraph "case" {') and out.rstrip().endswith("}")
    assert "atmosphere -> ocean" in out and "PT2H, lag PT2H" in out


def test_a_missing_forcing_file_is_found_with_its_line_and_nothing_is_made(tmp_path, command):
    folder = tmp_path / "demo"
    assert main(["new", str(folder)]) == 0
    path = folder / "atmosphere.yaml"
    path.write_text(path.read_text().replace("east_asia_atmosphere.nc", "east_asia_atmospere.nc"))
    done = command("check", folder)
    assert done.returncode == 2
    assert re.search(r"atmosphere\.yaml:\d+: .*east_asia_atmospere\.nc", done.stderr)
    assert not (folder / "run").exists()


def test_a_component_that_raises_gives_one_traceback_and_exit_1(case, command):
    folder = case(duration="PT4H")
    path = folder / "atmosphere.yaml"
    path.write_text(path.read_text() + "fail_at: 3600\n")
    done = command(folder, "--serial")
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == 1
    assert "atmosphere, rank 0, at 2001-01-01T01:00:00: RuntimeError: the toy was told to fail" in done.stderr


def test_a_folder_that_cannot_be_written_is_told(case, monkeypatch, capsys):
    from pathlib import Path

    from coupler.case.launch import run_here

    folder = case(duration="PT2H")

    def refuse(self, *args, **kwargs):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "write_text", refuse)
    assert run_here(folder, serial=True, resume=False) == 2
    assert f"cannot write into {folder / 'run'}: Read-only file system; nothing was changed" in capsys.readouterr().err


def test_a_second_run_keeps_the_first(case, capsys):
    from coupler.case.launch import run_here

    folder = case(duration="PT2H")
    for _ in range(2):
        assert run_here(folder, serial=True, resume=False) == 0
    assert "the former run was moved to" in capsys.readouterr().out
    assert len(list(folder.glob("run.*"))) == 1


def test_a_run_knows_what_it_was_made_with(case):
    import json

    from coupler.case.launch import run_here

    folder = case(duration="PT2H")
    assert run_here(folder, serial=True, resume=False) == 0
    provenance = json.loads((folder / "run" / "provenance.json").read_text())
    assert set(provenance["namelists"]) == {"case.yaml", "atmosphere.yaml", "ocean.yaml"}
    assert all(re.fullmatch("[0-9a-f]{64}", v) for v in provenance["namelists"].values())
    assert provenance["packages"]["numpy"]
    resolved = yaml.safe_load((folder / "run" / "resolved.yaml").read_text())
    assert resolved["components"]["ocean"]["options"]["depth"] == 50.0
    assert make_plan(folder).duration == resolved["duration_seconds"]


def test_the_program_starts_from_anywhere(tmp_path):
    done = subprocess.run(
        [sys.executable, str(ROOT / "run_case.py"), "list", "models"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0 and "slab" in done.stdout


@pytest.mark.parametrize("words", [("options", "atmosphere.nonhydrostatic"), ("list",)])
def test_a_reader_that_has_seen_enough_gets_no_traceback(words):
    """As with ``| head -1``: the pipe is closed before anything is written."""
    end, start = os.pipe()
    os.close(end)
    command = [sys.executable, str(ROOT / "run_case.py"), *words]
    done = subprocess.run(command, stdout=start, stderr=subprocess.PIPE, text=True, check=False)
    os.close(start)
    assert done.returncode == 0
    assert done.stderr == ""
