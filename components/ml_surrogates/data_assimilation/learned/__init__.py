# SPDX-License-Identifier: BSD-3-Clause
"""Assimilation by a trained network, after FuXi-DA (Xu et al. 2025)."""
