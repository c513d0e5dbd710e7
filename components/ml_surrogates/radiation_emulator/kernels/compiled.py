# SPDX-License-Identifier: BSD-3-Clause
"""Compilation of the emulator's kernels: sums over classes may be reordered, so that they go through vector lanes."""

from pathlib import Path

from coupler.compiled import compiler

_RADIATION = Path(__file__).parents[3] / "radiation"
compiled = compiler(
    Path(__file__).parent, _RADIATION / "kernels", _RADIATION / "rrtmgp_tables.py",
    _RADIATION.parent / "science/kernels/lanes.py", Path(__file__).parents[1] / "adding.py", fastmath=True,
)  # fmt: skip
