# SPDX-License-Identifier: BSD-3-Clause
"""Compilation of the rivers' kernels: nothing is reordered."""

from pathlib import Path

from components.science import constants
from coupler.compiled import compiler

compiled = compiler(Path(__file__).parent, Path(str(constants.__file__)))
