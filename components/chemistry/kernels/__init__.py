# SPDX-License-Identifier: BSD-3-Clause
"""Kernels of the chemistry, compiled by numba."""
