# SPDX-License-Identifier: BSD-3-Clause
"""Non-hydrostatic regional atmosphere: see README.md for equations, options and verification."""
