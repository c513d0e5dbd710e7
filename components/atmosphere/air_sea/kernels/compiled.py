# SPDX-License-Identifier: BSD-3-Clause
"""Compilation of the air-sea flux kernels: strict IEEE arithmetic, so that a cell's fluxes depend on it alone."""

from pathlib import Path

from components.science import constants, scheme_constants
from coupler.compiled import compiler

compiled = compiler(Path(__file__).parent, *(Path(str(m.__file__)) for m in (constants, scheme_constants)))
