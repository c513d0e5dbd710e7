# SPDX-License-Identifier: BSD-3-Clause
"""Atmosphere prescribed from files."""
