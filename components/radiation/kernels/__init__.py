# SPDX-License-Identifier: BSD-3-Clause
"""Kernels of RRTMGP, compiled by numba."""
