# SPDX-License-Identifier: BSD-3-Clause
"""Compilation of the chemistry's kernels: products and sums may be fused, nothing else is reordered."""

from pathlib import Path

from coupler.compiled import compiler

_LANES = Path(__file__).parents[2] / "science/kernels/lanes.py"
compiled = compiler(Path(__file__).parent, _LANES, fastmath={"contract", "nsz"})
