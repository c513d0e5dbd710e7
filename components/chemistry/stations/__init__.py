# SPDX-License-Identifier: BSD-3-Clause
"""Mole fractions of carbon dioxide as stations report them, and the readers of their files."""
