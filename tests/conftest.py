# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest

pytest_plugins = ["tests.lanes"]
os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """Folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with real data (``data/``) and reference numbers (``reference/``); skips the test where it is absent."""
    folder = Path(os.environ.get("TESSERA_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"no reference data: {folder} does not exist (set TESSERA_SHARED to the folder that holds data/)")
    return folder
