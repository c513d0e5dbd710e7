# SPDX-License-Identifier: BSD-3-Clause
"""Kernels of the dynamics."""
