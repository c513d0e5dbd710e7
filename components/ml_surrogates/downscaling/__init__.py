# SPDX-License-Identifier: BSD-3-Clause
"""Generative downscaling in two steps: a regression for the mean, a diffusion for what it leaves."""
