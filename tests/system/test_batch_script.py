# SPDX-License-Identifier: BSD-3-Clause
"""A batch script comes from a machine file; nothing else of the case is edited."""

import subprocess

import pytest

from coupler.case.machines import machine_names
from tests.toys.cases import environment, tessera, toy_case


def test_a_slurm_script_asks_for_the_processes_and_goes_on_where_a_job_stopped(tmp_path):
    case = toy_case(tmp_path / "toy")
    path = tessera("script", case, "--machine", "slurm", "-n", 12).stdout.strip()
    text = open(path).read()
    assert "#SBATCH --ntasks=12" in text and "#SBATCH --signal=B:USR1@300" in text and "--continue" in text
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0
    again = tessera("script", case, check=False)
    assert again.returncode == 2 and "exists already" in again.stderr


@pytest.mark.parametrize("machine", machine_names())
def test_the_script_of_every_machine_is_shell_and_starts_all_processes(tmp_path, machine):
    case = toy_case(tmp_path / "toy", layout={"coupler": 1, "air": 2, "sea": 2, "soil": 1})
    path = tessera("script", case, "--machine", machine, "-n", 130).stdout.strip()
    text = open(path).read()
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0
    assert "-n 130 ./run_case.py" in text and "{" not in text
    if machine == "slurm_srun":
        assert "#SBATCH --nodes=3" in text and "srun --mpi=pmix" in text


@pytest.mark.ranks
def test_a_workstation_script_runs(tmp_path):
    case = toy_case(tmp_path / "toy", duration="PT3H", restart="PT3H")
    path = tessera("script", case, "--machine", "workstation").stdout.strip()
    done = subprocess.run(["bash", path], capture_output=True, text=True, env=environment(), timeout=200, check=False)
    assert done.returncode == 0 and "finished" in done.stdout, done.stdout + done.stderr


def test_an_unknown_machine_is_told_with_those_there_are(tmp_path):
    case = toy_case(tmp_path / "toy")
    done = tessera("script", case, "--machine", "slrum", check=False)
    assert done.returncode == 2 and "did you mean 'slurm'" in done.stderr
