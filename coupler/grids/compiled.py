# SPDX-License-Identifier: BSD-3-Clause
"""Compilation of the kernels of grids: strict IEEE arithmetic, as in `coupler.remap.compiled`."""

from pathlib import Path

from coupler.compiled import compiler

compiled = compiler(Path(__file__).parent)
