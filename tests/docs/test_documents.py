# SPDX-License-Identifier: BSD-3-Clause
"""Every command, YAML block and Python block of README and docs is executed.

Blocks of a document run in their order, in a folder of their own that looks like the project's. A comment before a
block says what is special about it:

    <!-- test: skip REASON -->     not executed (installs something, say)
    <!-- test: short -->           cases made here are shortened (P60D to PT6H; restarts and monthly means accordingly)
    <!-- test: exit N -->          the last command must end with this code
    <!-- test: needs mpirun -->    started under mpirun
    <!-- test: said -->            a text block: its lines stand in the output of the block before it
    <!-- test: write PATH -->      the block is a file that the reader makes
    <!-- test: append PATH -->     it is added to one that is there
    <!-- test: rules WORDS -->     a coupling: list, checked in a case of toys; WORDS stand in what check says
                                   ("fine": nothing is wrong)
"""

import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from components.atmosphere.nonhydrostatic.column.parameters import Case as ColumnCase
from components.land.column.single.parameters import Case as LandColumnCase
from components.ml_surrogates.co2_reconstruction.settings import Settings as CarbonDioxideTraining
from components.ocean.primitive.column.parameters import Case as OceanColumnCase
from coupler.analysis.station_card import StationList
from coupler.case.command import main
from coupler.case.models import REALMS, find_model, models_of
from coupler.case.options import CaseOptions, ComponentSettings, StreamOptions
from coupler.exchange.rules import ConnectionRule, FluxRule
from coupler.namelist import Node, read_text
from tests.toys import forked
from tests.toys.cases import in_this_process, starts_ranks

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SKIPPED_COMMANDS = (
    "make ", "sudo apt install", "mpirun -n 8 ./run_case.py", "./run_case.py cases/winter --",
    "./run_case.py resubmit cases/years --pieces", "./run_case.py prepare cases/real --component",
    "./run_case.py score cases/years --",
    "./run_case.py resubmit cases/land --every P1Y", "./run_case.py spinup cases/land", "./run_case.py cases/land --",
)  # fmt: skip
BLOCK = re.compile(r"(?:^<!-- test: (?P<test>[^\n]*?) -->\n)?^```(?P<lang>\w*)\n(?P<body>.*?)^```$", re.M | re.S)
PLAIN = re.compile(r"(\./run_case\.py|python -m) [^|<>&;$*()`\n]+")
"""A command that needs no shell."""
SHORTER = (
    ("P60D", "PT6H"), ("P90D", "PT12H"), ("period: P30D", "period: PT6H"), ("period: P1D", "period: PT6H"),
    ("duration: P1D", "duration: PT6H"),
)  # fmt: skip


class Desk:
    """A folder in which a reader follows a document."""

    def __init__(self, folder):
        self.folder, self.output, self.names = folder, "", {}
        for name in ("run_case.py", "coupler", "components", "namelists", "data"):
            (folder / name).symlink_to(ROOT / name)
        self.env = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": f"{folder}:{ROOT}",
            "OMP_NUM_THREADS": "1",
            "TESSERA_PYTHON": "1",
        }

    def shorten(self):
        for path in self.folder.glob("cases/*/*.yaml"):
            text = path.read_text()
            for long, short in SHORTER:
                text = text.replace(long, short)
            path.write_text(text)

    def bash(self, body, test):
        wanted = int(test.split()[1]) if test.startswith("exit") else 0
        # one command at a time, so that a case is shortened as soon as it is made
        commands, code, self.output = re.split(r"\n(?=\./run_case|python -m|sed|mv|mpirun)", body.strip()), 0, ""
        for n, text in enumerate(commands):
            done = self.here(text) or subprocess.run(
                self.on_ranks(text) or ["bash", "-e", "-c", text], cwd=self.folder, env=self.env, capture_output=True,
                text=True, timeout=300, check=False,
            )  # fmt: skip
            self.shorten()
            self.output += done.stdout + done.stderr
            code = done.returncode
            assert code == (wanted if n == len(commands) - 1 else 0), f"{text}\n{self.output}"

    sh = bash

    def on_ranks(self, text):
        """The words of a plain command that starts ranks, which are forked; None of another."""
        words = shlex.split(text, comments=True)
        plain = PLAIN.fullmatch(text.strip()) and words[0] != "python" and starts_ranks(words[1:])
        return [*forked.python(), str(ROOT / "run_case.py"), *words[1:]] if plain else None

    def here(self, text):
        """A plain command that starts no ranks, within this process; None where a shell is needed."""
        if not PLAIN.fullmatch(text.strip()):
            return None
        words = shlex.split(text, comments=True)
        own = words[0] != "python"
        if own and starts_ranks(words[1:]):
            return None
        sys.path.insert(0, str(self.folder))  # in_this_process puts the path back
        try:
            return in_this_process(words[1:] if own else words[2:], self.folder, main if own else module)
        finally:
            if sys.path[0] == str(self.folder):
                del sys.path[0]

    def text(self, body, test):
        if test.startswith("write"):
            self.write(test.split()[1], body)
        if test == "said":
            seen = " ".join(self.output.split())
            for line in body.splitlines():
                assert " ".join(line.split()) in seen, f"{line!r} is not in:\n{self.output}"

    def python(self, body, test):
        if test.startswith("write"):
            self.write(test.split()[1], body)
            return
        before, path = os.getcwd(), list(sys.path)
        os.chdir(self.folder)
        sys.path.insert(0, str(self.folder))
        try:
            exec(compile(body, "block", "exec"), self.names)
        finally:
            os.chdir(before)
            sys.path[:] = path

    def write(self, name, body):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body)

    def yaml(self, body, test):
        node = read_text(body, "block")
        if test.startswith("rules"):
            check_rules(self.folder, node.values["coupling"], test.removeprefix("rules").strip())
            return
        if test.startswith("write"):
            self.write(test.split()[1], body)
        if test.startswith("append"):
            path = self.folder / test.split()[1]
            path.write_text(f"{path.read_text()}\n{body}")
        check_namelist(node)


def module(words):
    """As `python -m` runs a module."""
    before, sys.argv = sys.argv, list(words)
    try:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    finally:
        sys.argv = before
    return 0


def check_rules(folder, rules, words):
    """`check` of a case of toys under these rules."""
    from coupler.case.case import make_plan
    from coupler.errors import NamelistError

    box = {"west": 100, "east": 120, "south": 10, "north": 26, "resolution": 2.0}
    case = folder / "cases" / "rules"
    case.mkdir(parents=True, exist_ok=True)
    models = {"atmosphere": "tests.toys.models:WarmAir", "land": "tests.toys.models:Soil"}
    top = {"start": "2001-01-01", "duration": "PT6H", "components": {n: {"model": m} for n, m in models.items()}}
    (case / "case.yaml").write_text(yaml.safe_dump({**top, "coupling": rules}))
    for name in models:
        (case / f"{name}.yaml").write_text(yaml.safe_dump({"step": "PT1H", "grid": box}))
    if words == "fine":
        make_plan(case, offline_checks=True)
        return
    with pytest.raises(NamelistError, match=words):
        make_plan(case, offline_checks=True)


def check_namelist(node: Node):
    """A block of YAML against the options that it belongs to; every key must belong to some."""
    values = node.values
    assert isinstance(values, dict) and values, "a YAML block holds keys of a namelist"
    if {"title", "surface_pressure"} <= set(values):  # of a single column
        node.parse(ColumnCase)
        return
    if {"title", "grid", "forcing"} <= set(values):
        node.parse(OceanColumnCase)
        return
    if {"title", "weather", "column"} <= set(values):
        node.parse(LandColumnCase)
        return
    for options, own in ((StationList, {"stations", "columns"}), (CarbonDioxideTraining, {"network", "prior"})):
        if own <= set(values):
            node.parse(options)
            return
    case_keys, common_keys = set(CaseOptions.model_fields), set(ComponentSettings.model_fields)
    if set(values) <= case_keys:
        needed = {"start": "2001-01-01", "duration": "P1D", "components": {}}
        extra = {k: v for k, v in needed.items() if k not in values}
        Node({**values, **extra}, node.places, node.file).parse(CaseOptions)
        for i, rule in enumerate(values.get("coupling", [])):
            node.part("coupling", i).parse(FluxRule if "flux" in rule else ConnectionRule)
        return
    common = node.without(*[k for k in values if k not in common_keys])
    needed = {"step": "PT1H", "grid": "any"}
    extra = {k: v for k, v in needed.items() if k not in values}
    Node({**common.values, **extra}, common.places, node.file).parse(ComponentSettings)
    for i, _ in enumerate(values.get("output", [])):
        node.part("output", i).parse(StreamOptions)
    for key in set(values) - common_keys:
        realms = [r for r in REALMS if key in models_of(r)]
        assert realms, f"{key!r} is neither a key of a component's namelist nor a model"
        fitting = []
        for realm in realms:
            try:
                fitting.append(node.part(key).parse(find_model(key, realm).Options))
            except Exception as error:
                wrong = error
        assert fitting, f"{key}: {wrong}"


def blocks(document):
    text = document.read_text(encoding="utf-8")
    found = list(BLOCK.finditer(text))
    assert text.count("\n```") + text.startswith("```") == 2 * len(found), "an open block"
    return [(m["lang"], m["test"] or "", m["body"], text[: m.start()].count("\n") + 1) for m in found]


@pytest.mark.ranks
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_the_document_does_what_it_says(document, tmp_path):
    desk = Desk(tmp_path)
    (tmp_path / "my_package").mkdir()
    for lang, test, body, line in blocks(document):
        assert lang in ("bash", "sh", "yaml", "python", "text"), (
            f"{document.name}:{line}: a block of {lang or 'no language'}"
        )
        if test.startswith("skip"):
            assert all(c.startswith(SKIPPED_COMMANDS) for c in body.strip().splitlines()), body
            continue
        try:
            getattr(desk, lang)(body, test)
        except BaseException as error:
            error.add_note(f"in {document.name}, the block at line {line}")
            raise


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_paths_named_in_the_readme_exist():
    for name in re.findall(r"`((?:benchmarks|tests|namelists|docs)/[\w./]+)`", (ROOT / "README.md").read_text()):
        assert (ROOT / name).exists(), name


def test_the_table_of_contents_is_whole():
    text = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md"))
    for path in DOCUMENTS[2:]:
        assert f"docs/{path.name}" in text, f"neither README.md nor CONTRIBUTING.md names docs/{path.name}"


def test_each_of_the_ten_couplings_points_to_code_and_to_a_test_with_a_number():
    text = (ROOT / "docs" / "surrogates.md").read_text(encoding="utf-8")
    rows = [row.strip("|").split("|") for row in re.findall(r"^\| *\d+ [a-z].*\|$", text, re.MULTILINE)]
    assert [row[0].split()[0] for row in rows] == [str(n) for n in range(1, 11)]
    for _, _, here, shown in rows:
        assert re.search(r"\]\(\.\./components/", here), here
        assert re.search(r"\]\(\.\./tests/\S+\.py\)", shown) or shown.split(":")[0].strip() == "the same", shown
        assert re.search(r"\d", shown.split("):")[-1]), shown
