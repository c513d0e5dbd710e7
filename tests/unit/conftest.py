# SPDX-License-Identifier: BSD-3-Clause
"""A small case of toy components, whose namelists a test may change."""

from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings

from tests.toys.cases import tessera, write_case

settings.register_profile("no clocks", deadline=None)
settings.load_profile("no clocks")

ROOT = Path(__file__).resolve().parents[2]
AIR = "tests.toys.models:Air"
SEA = "tests.toys.models:Sea"
GRIDS = {
    "atmosphere": {"west": 100, "east": 120, "south": 10, "north": 26, "resolution": 2.0},
    "ocean": {"west": 100, "east": 120, "south": 10, "north": 26, "resolution": 1.0},
}


@pytest.fixture
def case(tmp_path):
    """Function that writes a case of toy air and sea into ``tmp_path/case``; see `write_case`."""

    def make(components=None, coupling=None, name="case", **keys):
        parts = {
            "atmosphere": {"model": AIR, "step": "PT30M", "grid": GRIDS["atmosphere"]},
            "ocean": {"model": SEA, "step": "PT1H", "grid": GRIDS["ocean"]},
        }
        rules = [{"from": "atmosphere", "to": "ocean", "period": "PT2H", "lag": "PT2H"}]
        keys = {"duration": "PT12H", **keys}
        return write_case(
            tmp_path / name,
            parts if components is None else components,
            rules if coupling is None else coupling,
            **keys,
        )

    return make


@pytest.fixture
def command():
    """Function that runs the command with arguments, whether it succeeds or not."""
    return partial(tessera, check=False)
