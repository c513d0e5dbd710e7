# SPDX-License-Identifier: BSD-3-Clause
"""Primitive-equation ocean: Boussinesq, hydrostatic, free surface, C-grid, z* levels with partial bottom cells."""
