# SPDX-License-Identifier: BSD-3-Clause
"""Forcing, history and restart files."""
