# SPDX-License-Identifier: BSD-3-Clause
"""Compiled kernels agree with eager ones, and without a compiler the model runs eagerly after one warning."""

import shutil

import pytest
import torch

from components.ocean.primitive import barotropic_mode, timestep
from components.ocean.primitive.timestep import Ocean
from tests.science.test_ocean_conservation import rough_basin

needs_compiler = pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="no C++ compiler")


def largest_difference(a, b) -> float:
    """Largest difference of two states relative to the largest value of each field."""
    pairs = zip(a.own().tensors().values(), b.own().tensors().values(), strict=True)
    return max(float((x - y).abs().max() / (x.abs().max() + 1e-30)) for x, y in pairs)


@needs_compiler
def test_compiled_substep_agrees():
    """The barotropic substep compiled alone: five steps to 1e-9."""
    eager, compiled = rough_basin(), rough_basin()
    compiled.ocean.barotropic._substep = torch.compile(barotropic_mode._substep, dynamic=False, fullgraph=True)
    eager.run(5)
    compiled.run(5)
    assert largest_difference(eager.state, compiled.state) < 1e-9


@needs_compiler
@pytest.mark.slow
def test_compiled_step_agrees():
    """Everything compiled: five steps to 1e-7 (limiters and convection may switch a round-off earlier)."""
    eager, compiled = rough_basin(), rough_basin()
    compiled.ocean = Ocean(compiled.geometry, compiled.ocean.p, compiled.ocean.halo, compile=True)
    eager.run(5)
    compiled.run(5)
    assert largest_difference(eager.state, compiled.state) < 1e-7


def test_without_a_compiler_it_runs_eagerly(monkeypatch):
    """One warning that names the remedy, and the same bits as eager."""
    eager, other = rough_basin(), rough_basin()
    monkeypatch.setattr(timestep.shutil, "which", lambda name: None)
    with pytest.warns(UserWarning, match="no C\\+\\+ compiler"):
        other.ocean = Ocean(other.geometry, other.ocean.p, other.ocean.halo, compile=True)
    eager.run(1)
    other.run(1)
    assert largest_difference(eager.state, other.state) == 0.0
