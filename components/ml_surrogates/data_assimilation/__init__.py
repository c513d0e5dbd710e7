# SPDX-License-Identifier: BSD-3-Clause
"""Assimilation of observations into the atmosphere; see README.md."""
