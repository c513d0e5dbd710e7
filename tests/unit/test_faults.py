# SPDX-License-Identifier: BSD-3-Clause
"""Faults put into a run: a process that dies, stands still or ends, at every stage; torn files. Told, and resumed."""

import json
import os

import numpy as np
import pytest

from coupler.errors import ComponentError, RestartError
from coupler.exchange import answers
from coupler.files import restart
from coupler.files.earlier_history import set_aside, take_up
from coupler.watch import processes


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "step returned None; expected a dict of arrays"),
        ((1, 2), "step returned a tuple; expected a dict of arrays"),
        ({"t": "warm"}, "step returned t as an array of text"),
        ({"t": np.array([True])}, "step returned t as an array of booleans"),
        ({"t": np.zeros(2, complex)}, "step returned t as an array of complex numbers"),
        ({"t": None}, "step returned t as None"),
        ({"t": np.zeros(0)}, "step returned t as an empty array"),
        ({"a t": np.zeros(2)}, "expected a name without blanks"),
    ],
)
def test_what_a_step_returns_by_mistake_is_told_by_component_and_call(value, words):
    with pytest.raises(ComponentError) as told:
        answers.exports("ocean", "step", value)
    assert str(told.value).startswith("ocean: ") and words in str(told.value)


@pytest.mark.parametrize("value", [1j, object(), "text", np.float16(1), [1, "a"], np.ma.masked_all(3), 2**80])
def test_a_state_that_would_come_back_as_something_else_is_refused(value):
    with pytest.raises(ComponentError, match="ocean: state returned t as"):
        answers.state("ocean", {"t": value})


@pytest.mark.parametrize("damage", [[], {}, None, 3, {"version": restart.VERSION}, "half"])
def test_any_damage_to_a_manifest_is_called_damaged_and_the_set_before_is_taken(tmp_path, damage):
    for time_ in (3600, 7200):
        name = f"2001-01-01T0{time_ // 3600}0000"
        entry = restart.write_part(tmp_path / f".{name}.part", "ocean", {"state.t": np.arange(3.0)})
        restart.complete(tmp_path / f".{name}.part", tmp_path / name, {"time": time_, "components": {"ocean": entry}})
    manifest = tmp_path / name / restart.MANIFEST
    text = manifest.read_text()
    manifest.write_text(text[: len(text) // 2] if damage == "half" else json.dumps(damage))
    with pytest.raises(RestartError, match="damaged"):
        restart.read_manifest(tmp_path / name)
    said = []
    assert restart.newest(tmp_path, said.append).name == "2001-01-01T010000"
    assert len(said) == 1 and "damaged" in said[0]


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n", b"CDF\x01 torn"])
def test_a_torn_history_is_moved_aside_and_said(tmp_path, content):
    path, said = tmp_path / "sea.out.nc", []
    path.write_bytes(content)
    take_up(path, 3600, said.append)
    assert not path.exists() and (tmp_path / "sea.out.nc.damaged").read_bytes() == content
    assert "cannot be read" in said[0] and "sea.out.nc.damaged" in said[0]
    path.write_bytes(content)
    set_aside(path, "{name}.damaged{n}", "again", said.append)
    assert (tmp_path / "sea.out.nc.damaged2").exists()


def test_a_process_of_the_same_number_that_started_later_is_another():
    assert processes.alive(os.getpid(), processes.started(os.getpid()))
    assert not processes.alive(os.getpid(), "boot:1")
