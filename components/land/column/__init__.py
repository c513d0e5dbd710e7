# SPDX-License-Identifier: BSD-3-Clause
"""The energy-water-carbon column: one process a module, every module usable alone."""
