# SPDX-License-Identifier: BSD-3-Clause
"""Estimation of states by observations, variational and ensemble, for any forecast in torch; no MPI, no files."""
