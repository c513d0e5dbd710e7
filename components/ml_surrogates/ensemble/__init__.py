# SPDX-License-Identifier: BSD-3-Clause
"""Ensemble forecasts by a network that learns its own perturbations, after FuXi-ENS (Zhong et al. 2025)."""
