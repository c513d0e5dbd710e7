# SPDX-License-Identifier: BSD-3-Clause
"""Compilation of the learned forecast's kernels."""

from pathlib import Path

from coupler.compiled import compiler

_CONSTANTS = Path(__file__).parents[3] / "science/constants.py"
compiled = compiler(Path(__file__).parent, _CONSTANTS, fastmath={"contract", "nsz", "arcp"})
