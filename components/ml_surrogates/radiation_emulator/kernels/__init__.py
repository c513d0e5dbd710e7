# SPDX-License-Identifier: BSD-3-Clause
"""Loops over columns for the recurrent network's inference on CPUs."""
