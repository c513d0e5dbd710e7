"""Runs that several tests compare with."""

import pytest

from tests.toys.cases import tessera, toy_case


@pytest.fixture(scope="session")
def serial_toy(tmp_path_factory):
    """The toy case, run on one process without MPI."""
    case = toy_case(tmp_path_factory.mktemp("serial") / "toy")
    tessera(case, "--serial")
    return case
