# SPDX-License-Identifier: BSD-3-Clause
"""Compilation of the chemistry's kernels: products and sums may be fused, nothing else is reordered."""

from pathlib import Path

from coupler.compiled import compiler

_HERE = Path(__file__).parent
compiled = compiler(_HERE, _HERE / "lanes.py", fastmath={"contract", "nsz"})
