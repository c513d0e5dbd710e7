# SPDX-License-Identifier: BSD-3-Clause
"""Batch scripts and printed commands quote whatever a case is called; machine files are read strictly."""

import os
import shlex
import subprocess

import pytest

from coupler.case.command import main
from coupler.case.machines import script, write_script
from coupler.errors import NamelistError
from coupler.paths import HOME, typed
from tests.toys.cases import toy_case

NAMES = [
    "a b", "it's", 'say "so"', "x; touch leak", "$(touch leak)", "`touch leak`", "l1\ntouch leak", "*", "[a-z]?", "-n",
    "Meer-Ä-海", "~", "#x", "a&b|c>d", "..x", "$HOME", "{name}", "%s", "\\",
]  # fmt: skip


@pytest.fixture
def machine(tmp_path):
    """Path of a machine file whose jobs only say what they were given."""
    path = tmp_path / "mine.yaml"
    path.write_text(
        "directives: ['#SBATCH --job-name={name} -n {processes}']\n"
        "launch: 'printf %s\\\\n'\nresubmit: 'echo {script}'\n"
    )
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_any_characters_runs_nothing(tmp_path, machine, name):
    case = toy_case(tmp_path / name)
    path = write_script(case, str(machine), 4)
    assert path.parent == case and path.suffix == ".sh"
    done = subprocess.run(["bash", str(path)], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0 and not list(tmp_path.rglob("leak")) and not (HOME / "leak").exists(), done.stderr
    assert done.stdout.splitlines()[0] == "./run_case.py"
    assert "\n".join(done.stdout.splitlines()[1:]) == str(case.resolve())
    assert path.read_text().splitlines()[1].endswith(" -n 4")


@pytest.mark.parametrize("name", NAMES)
def test_a_printed_command_can_be_typed(tmp_path, capsys, name):
    case = toy_case(tmp_path / name)
    assert main(["check", str(case)]) == 0
    words = shlex.split(capsys.readouterr().out.split("Run it:  ")[1])
    assert words == ["./run_case.py" if os.getcwd() == str(HOME) else str(HOME / "run_case.py"), str(case)]


def test_within_a_case_its_name_is_told_and_commands_can_be_typed_there(tmp_path, capsys, monkeypatch):
    case = toy_case(tmp_path / "winter", title="")
    monkeypatch.chdir(case)
    assert main(["check", "."]) == 0
    said = capsys.readouterr().out
    assert said.startswith("winter: ") and f"Run it:  {HOME / 'run_case.py'} ." in said
    assert typed(".", "--serial") == f"{HOME / 'run_case.py'} . --serial"
    assert main(["script", ".", "--machine", "workstation"]) == 0 and (case / "winter.sh").is_file()
    (tmp_path / "run_case.py").symlink_to(HOME / "run_case.py")
    monkeypatch.chdir(tmp_path)
    assert typed("cases/x") == "./run_case.py cases/x"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("processes_per_node: 0", "processes_per_node: expected 1 to 1000000 (given: 0)"),
        ("procesess_per_node: 4", "unknown key 'procesess_per_node'; did you mean 'processes_per_node'?"),
        ("launch: 'mpirun -n {procs}'", "unknown word {procs}"),
        ("launch: 'mpirun -n {processes.__class__}'\nwalltime: 3", "not an ISO-8601 duration"),
        ("directives: ['{nodess}']", "unknown word {nodess}; did you mean 'nodes'?"),
        ("- a", "a mapping"),
        ("walltime: PT1H\nwarning: PT1H", "warning: PT1H before the end is not within the walltime of PT1H"),
        ("walltime: P9999999D", "longer than ten thousand years"),
    ],
)
def test_a_machine_file_is_read_strictly(tmp_path, text, wanted):
    case = toy_case(tmp_path / "toy")
    (tmp_path / "mine.yaml").write_text(text + "\n")
    with pytest.raises(NamelistError) as said:
        script(case, str(tmp_path / "mine.yaml"), 4)
    assert wanted in str(said.value) and "mine.yaml:" in str(said.value)


def test_a_variable_of_the_shell_stays_one(tmp_path):
    case = toy_case(tmp_path / "toy")
    (tmp_path / "mine.yaml").write_text("launch: 'srun -n ${SLURM_NTASKS}'\n")
    assert "srun -n ${SLURM_NTASKS} ./run_case.py" in script(case, str(tmp_path / "mine.yaml"), 4)
