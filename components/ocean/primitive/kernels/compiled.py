# SPDX-License-Identifier: BSD-3-Clause
"""Compilation of the ocean's kernels: nothing is reordered, so that they have the bits of torch's operations."""

from pathlib import Path

from coupler.compiled import compiler

compiled = compiler(Path(__file__).parent)
