# SPDX-License-Identifier: BSD-3-Clause
"""Compilation of the chemistry's kernels: products and sums may be fused, nothing else is reordered."""

from pathlib import Path

from coupler.compiled import compiler

compiled = compiler(Path(__file__).parent, fastmath={"contract", "nsz"})
