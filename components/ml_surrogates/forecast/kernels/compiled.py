# SPDX-License-Identifier: BSD-3-Clause
"""Compilation of the learned forecast's kernels."""

from pathlib import Path

from coupler.compiled import compiler

_SCIENCE = Path(__file__).parents[3] / "science"
compiled = compiler(
    Path(__file__).parent, Path(__file__).parent / "tiles.py", _SCIENCE / "constants.py",
    _SCIENCE / "kernels/lanes.py", fastmath={"contract", "nsz", "arcp"},
)  # fmt: skip
