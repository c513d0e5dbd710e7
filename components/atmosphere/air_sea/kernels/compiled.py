"""Compilation of the air-sea flux kernels: strict IEEE arithmetic, so that a cell's fluxes depend on it alone."""

from pathlib import Path

from coupler.compiled import compiler

compiled = compiler(Path(__file__).parent)
