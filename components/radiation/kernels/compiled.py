# SPDX-License-Identifier: BSD-3-Clause
"""Compilation of the radiation kernels: sums over g-points may be reordered, so that they go through vector lanes.

A column's numbers depend on that column alone, so they are the same on any number of ranks.
"""

from pathlib import Path

from coupler.compiled import compiler

_REALM = Path(__file__).parents[1]
compiled = compiler(
    Path(__file__).parent, _REALM / "rrtmgp_tables.py", _REALM.parent / "science/kernels/lanes.py", fastmath=True
)
