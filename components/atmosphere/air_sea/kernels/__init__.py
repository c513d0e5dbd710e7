"""Kernels of the air-sea flux laws, compiled by numba."""
