# SPDX-License-Identifier: BSD-3-Clause
"""Compilation of the land's kernels: nothing is reordered, so that they have the bits of torch's operations."""

from pathlib import Path

from components.science import constants
from coupler.compiled import compiler

compiled = compiler(Path(__file__).parent, Path(str(constants.__file__)))
