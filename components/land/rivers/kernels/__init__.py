# SPDX-License-Identifier: BSD-3-Clause
"""Kernels of the rivers, compiled by numba."""
