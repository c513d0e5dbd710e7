# SPDX-License-Identifier: BSD-3-Clause
"""Runs that several tests compare with."""

import pytest

from tests.lanes import made_once
from tests.toys.cases import tessera, toy_case


@pytest.fixture(scope="session")
def serial_toy(tmp_path_factory):
    """The toy case, run on one process without MPI."""
    return made_once(tmp_path_factory, "serial_toy", lambda f: tessera(toy_case(f / "toy"), "--serial")) / "toy"
