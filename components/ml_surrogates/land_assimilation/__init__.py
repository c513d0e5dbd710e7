# SPDX-License-Identifier: BSD-3-Clause
"""Assimilation of satellites' observations into the land."""
