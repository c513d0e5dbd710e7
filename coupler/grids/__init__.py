# SPDX-License-Identifier: BSD-3-Clause
"""Horizontal grids and their division over ranks."""
