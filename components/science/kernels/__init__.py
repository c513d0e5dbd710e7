# SPDX-License-Identifier: BSD-3-Clause
"""Kernels that two realms share, compiled by numba."""
