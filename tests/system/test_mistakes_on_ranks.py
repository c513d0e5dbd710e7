# SPDX-License-Identifier: BSD-3-Clause
"""A component errs on one of its ranks: one line, one traceback, and the cause stays in the status."""

import json

import pytest

from tests.toys.cases import edit, tessera, write_case

pytestmark = pytest.mark.ranks
MODEL = "tests.toys.erring:Erring"
GRID = {"west": 100, "east": 106, "south": 10, "north": 14, "resolution": 1.0}
AT = "ocean, rank 1, at 2001-01-01T0"
MISTAKES = [
    ("initialize", "none", "ocean: initialize returned None; expected a dict of arrays (rank 1, at ", 0),
    ("initialize", "exits with 0", AT + "0:00:00: sys.exit(0) was called (in initialize)", 1),
    ("step", "a tuple", "ocean: step returned a tuple; expected a dict of arrays (rank 1, at ", 0),
    ("step", "raises lines", AT + "1:00:00: ValueError: first line (in step)", 1),
    ("step", "is out of memory", AT + "1:00:00: out of memory (in step)", 0),
    ("step", "exits", AT + "1:00:00: sys.exit(None) was called (in step)", 1),
    ("state", "objects", "ocean: state returned sea_surface_temperature as an array of Python objects", 0),
    ("state", "a wrong shape", "ocean: state returned another sea_surface_temperature on rank 1 than on rank 0", 0),
    ("state", "an unknown name", "ocean: state returned another warmth on rank 1 than on rank 0", 0),
    ("state", "raises", AT + "2:00:00: ValueError: the toy was told to fail (in state)", 1),
    ("restore", "raises", AT + "2:00:00: ValueError: the toy was told to fail (in restore)", 1),
    ("restore", "exits with 3", AT + "2:00:00: sys.exit(3) was called (in restore)", 1),
    ("finalize", "raises", AT + "3:00:00: ValueError: the toy was told to fail (in finalize)", 1),
    ("finalize", "exits with 0", AT + "3:00:00: sys.exit(0) was called (in finalize)", 1),
]
TWINS = [("state", "a wrong shape"), ("finalize", "exits with 0")]


@pytest.mark.parametrize(
    ("call", "mistake", "words", "traces"),
    [pytest.param(*m, marks=() if m[:2] in TWINS else pytest.mark.slow, id=" ".join(m[:2])) for m in MISTAKES],
)
def test_the_one_that_erred_is_told_and_stays_in_the_status(tmp_path, call, mistake, words, traces):
    own = {"model": MODEL, "step": "PT1H", "grid": GRID, "options": {"call": call, "mistake": mistake}}
    case = write_case(
        tmp_path / "case", {"ocean": own}, [], duration="PT3H", restart={"period": "PT1H"},
        layout={"coupler": 1, "ocean": 2},
    )  # fmt: skip
    if call == "restore":
        edit(case, [("case.yaml", "PT3H", "PT2H"), ("ocean.yaml", "call: restore", "call: none")])
        tessera(case, "--serial")
        edit(case, [("case.yaml", "PT2H", "PT3H"), ("ocean.yaml", "call: none", "call: restore")])
    done = tessera(case, *(["--continue"] if call == "restore" else []), check=False)
    assert done.returncode == 1 and words in done.stderr, done.stderr
    assert done.stderr.count("Traceback (most recent call last)") == traces
    status = json.loads((case / "run" / "status.json").read_text())
    assert status["state"] == "failed" and status["error"].startswith(words), status["error"]
    assert status["component"] == "ocean"
