# SPDX-License-Identifier: BSD-3-Clause
"""Loops over cells for the learned forecast on CPUs."""
