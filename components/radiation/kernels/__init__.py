"""Kernels of RRTMGP, compiled by numba."""
