# SPDX-License-Identifier: BSD-3-Clause
"""Tropical cyclones: their tracks in a run, best tracks of the agencies, and the errors between them."""
