# SPDX-License-Identifier: BSD-3-Clause
"""Dry and wet deposition, of gases and of particles."""
