# SPDX-License-Identifier: BSD-3-Clause
"""Runs the checks of a script under mpirun."""

import os
import subprocess
from pathlib import Path

import pytest

from coupler.case.launched import find_mpirun
from tests.lanes import must_start_ranks
from tests.toys import forked

ROOT = Path(__file__).resolve().parents[2]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Undo pytest-mpi's skips: it takes the name of this folder for its marker."""
    for item in items:
        item.own_markers[:] = [m for m in item.own_markers if "--with-mpi" not in m.kwargs.get("reason", "")]


@pytest.fixture
def mpirun():
    """Function that runs a script of this folder on some ranks; its failure is the test's."""

    def run(script, ranks, timeout=240):
        must_start_ranks()
        env = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "OMPI_ALLOW_RUN_AS_ROOT": "1",
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
            "PRTE_ALLOW_RUN_AS_ROOT": "1",
            "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
            "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
            "PYTHONPATH": str(ROOT),
        }
        path = Path(__file__).with_name(script)
        done = subprocess.run(
            [find_mpirun(), "-n", str(ranks), *forked.python(), str(path)],
            capture_output=True,
            text=True,
            env=env,
            cwd=ROOT,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
