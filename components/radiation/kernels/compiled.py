# SPDX-License-Identifier: BSD-3-Clause
"""Compilation of the radiation kernels: sums over g-points may be reordered, so that they go through vector lanes.

A column's numbers depend on that column alone, so they are the same on any number of ranks.
"""

from pathlib import Path

from coupler.compiled import compiler

compiled = compiler(Path(__file__).parent, Path(__file__).parents[1] / "rrtmgp_tables.py", fastmath=True)
