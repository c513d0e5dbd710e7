# SPDX-License-Identifier: BSD-3-Clause
"""Namelists, cases, the command line and the launcher."""
