# SPDX-License-Identifier: BSD-3-Clause
"""Compilation of the shared kernels: nothing is reordered."""

from pathlib import Path

from coupler.compiled import compiler

compiled = compiler(Path(__file__).parent)
