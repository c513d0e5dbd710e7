# SPDX-License-Identifier: BSD-3-Clause
"""Kernels of the air-sea flux laws, compiled by numba."""
