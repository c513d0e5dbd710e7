# SPDX-License-Identifier: BSD-3-Clause
"""Compilation of the remapping kernels: strict IEEE arithmetic.

No reordered sums and no fused multiply-add, so a result does not depend on how many rows or fields are worked on
together. The kernels inline those of `coupler.grids`.
"""

from pathlib import Path

from coupler.compiled import compiler

compiled = compiler(Path(__file__).parent, Path(__file__).parents[1] / "grids")
