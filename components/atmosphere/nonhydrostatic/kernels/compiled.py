# SPDX-License-Identifier: BSD-3-Clause
"""Compilation of the dynamics' kernels: nothing is reordered, so that they have the bits of torch's operations."""

from pathlib import Path

from components.science import kernels
from coupler.compiled import compiler

compiled = compiler(Path(__file__).parent, Path(str(kernels.__file__)).parent)
