# SPDX-License-Identifier: BSD-3-Clause
"""Correction of a driver's bias by months: its mean and its variance become those of a reference."""
