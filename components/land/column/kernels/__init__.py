# SPDX-License-Identifier: BSD-3-Clause
"""Kernels of the land column, compiled by numba: each one function that calls no other."""
