# SPDX-License-Identifier: BSD-3-Clause
"""A component that errs while it runs: one line with component, call and what was expected; never a success."""

import json

import pytest

from tests.toys.cases import edit, write_case
from tests.toys.erring import MISTAKES

MODEL = "tests.toys.erring:Erring"
GRID = {"west": 100, "east": 106, "south": 10, "north": 14, "resolution": 1.0}
RAISES = {
    "raises": "ValueError: the toy was told to fail (in {})",
    "raises lines": "ValueError: first line (in {})",
    "raises without text": "KeyError (in {})",
    "raises badly": "BadText: (its text cannot be made: RuntimeError) (in {})",
    "raises deeply": "RecursionError: maximum recursion depth exceeded (in {})",
    "leaves a generator": "GeneratorExit (in {})",
    "exits": "sys.exit(None) was called (in {})",
    "exits with 0": "sys.exit(0) was called (in {})",
    "exits with 3": "sys.exit(3) was called (in {})",
    "exits with text": "sys.exit('enough') was called (in {})",
    "is out of memory": "out of memory (in {}) at ",
}
CALLS = ("initialize", "step", "diagnostics", "state", "restore", "call_seconds", "finalize")
WHOLE = {
    "none": "returned None; expected a dict of arrays",
    "a tuple": "returned a tuple; expected a dict of arrays",
    "a list": "returned a list; expected a dict of arrays",
    "an array": "returned an array of float64, shape (4, 6); expected a dict of arrays",
}
FIELD = {
    "text": "sea_surface_temperature as an array of text",
    "an array of text": "sea_surface_temperature as an array of text",
    "complex": "sea_surface_temperature as an array of complex numbers",
    "objects": "sea_surface_temperature as an array of Python objects, shape (4, 6)",
    "dates": "sea_surface_temperature as an array of dates",
    "a missing value": "sea_surface_temperature as None",
    "ragged": "sea_surface_temperature as a list",
    "a generator": "sea_surface_temperature as a generator",
    "a set": "sea_surface_temperature as a set",
    "a dict": "sea_surface_temperature as a dict",
    "an object": "sea_surface_temperature as an object",
    "a huge integer": "sea_surface_temperature as 1208925819614629174706176",
    "a date": "sea_surface_temperature as a date",
}
EXPORTED = {
    "booleans": "sea_surface_temperature as an array of booleans",
    "an empty array": "sea_surface_temperature as an empty array, shape (0,); expected one value a cell",
    "another grid": "sea_surface_temperature as an OnGrid",
    "a blank": "a field called 'sea surface'; expected a name without blanks",
    "a slash": "a field called 'a/b'; expected a name without blanks",
    "a number as name": "a field called 3; expected a name without blanks",
}
KEPT = {
    "a blank": "an entry called 'sea surface'; expected letters, digits",
    "a slash": "an entry called 'a/b'; expected letters, digits",
    "a number as name": "an entry called 3; expected letters, digits",
    "a masked array": "sea_surface_temperature as an array with masked values, shape (4, 6), which a restart",
    "half precision": "sea_surface_temperature as an array of float16, which a restart cannot keep",
    "another grid": "sea_surface_temperature on the grid 'faces'; its grids are default",
}


@pytest.fixture
def errs(tmp_path, command):
    """Function that runs a case whose component makes a mistake; its standard error, the status looked at."""

    def run(call, mistake):
        fields = ["depth"] if call == "diagnostics" else ["sea_surface_temperature"]
        own = {"model": MODEL, "step": "PT1H", "grid": GRID, "options": {"call": call, "mistake": mistake}}
        parts = {"ocean": {**own, "output": [{"fields": fields, "period": "PT1H"}]}}
        folder = write_case(tmp_path / "case", parts, [], duration="PT3H", restart={"period": "PT1H"})
        if call == "restore":
            edit(folder, [("case.yaml", "PT3H", "PT2H"), ("ocean.yaml", "call: restore", "call: none")])
            assert command(folder, "--serial").returncode == 0
            edit(folder, [("case.yaml", "PT2H", "PT3H"), ("ocean.yaml", "call: none", "call: restore")])
        done = command(folder, "--serial", *(["--continue"] if call == "restore" else []))
        assert done.returncode == 1 and "finished" not in done.stdout, done.stdout
        status = json.loads((folder / "run" / "status.json").read_text())
        assert status["state"] == "failed" and (status["component"], status["rank"]) == ("ocean", 0)
        assert done.stderr.strip().startswith(f"error: {status['error']}"), "the cause stays in the status"
        return done.stderr.strip()

    return run


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("mistake", RAISES)
def test_what_raises_or_exits_is_told_by_component_time_and_call_above_its_traceback(errs, call, mistake):
    said = errs(call, mistake)
    assert said.startswith("error: ocean, rank 0, at 2001-01-01T0") and RAISES[mistake].format(call) in said
    lack = mistake == "is out of memory"  # a line is enough
    assert said.count("Traceback (most recent call last)") == (not lack) and "erring.py" in said


@pytest.mark.parametrize("call", ["initialize", "step", "diagnostics"])
@pytest.mark.parametrize(("mistake", "words"), {**WHOLE, **FIELD, **EXPORTED}.items())
def test_what_is_no_field_is_told_in_one_line(errs, call, mistake, words):
    said = errs(call, mistake)
    assert said.startswith(f"error: ocean: {call} returned ") and words in said, said
    assert "Traceback" not in said and "\n" not in said.split("\n /tmp")[0].split("\n/")[0]


@pytest.mark.parametrize(("mistake", "words"), {**WHOLE, **FIELD, **KEPT}.items())
def test_what_a_restart_cannot_keep_is_told_in_one_line(errs, mistake, words):
    said = errs("state", mistake)
    assert said.startswith("error: ocean: state returned ") and words in said, said
    assert "Traceback" not in said


@pytest.mark.parametrize("call", ["initialize", "step"])
def test_a_field_of_another_shape_or_name_is_told_although_no_rule_wants_it(errs, call):
    assert "ocean puts sea_surface_temperature with the shape (3, 6); its grid 'ocean' has (4, 6)" in errs(
        call, "a wrong shape"
    )
    said = errs(call, "an unknown name")
    assert "ocean puts 'warmth', which it does not export; it exports sea_surface_temperature" in said


def test_a_diagnostic_of_another_shape_is_never_written(errs, monkeypatch):
    monkeypatch.setitem(MISTAKES, "turned", lambda good: {"depth": good["depth"].T})
    said = errs("diagnostics", "turned")
    assert "ocean: depth for the history ocean.mean_PT1H.nc has the shape (6, 4); expected (4, 6)" in said
