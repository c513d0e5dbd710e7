# SPDX-License-Identifier: BSD-3-Clause
"""Aerosol of the regional chemistry: what makes it, what it takes up and what takes it out; functions of arrays."""
