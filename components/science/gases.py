# SPDX-License-Identifier: BSD-3-Clause
"""Mole fractions of the well-mixed gases."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Gases:
    """Mole fractions of the well-mixed gases (2014 values of the RFMIP protocol); the last two are RRTMGP's alone."""

    carbon_dioxide: float = 397.5e-6
    methane: float = 1831.5e-9
    nitrous_oxide: float = 327.0e-9
    oxygen: float = 0.209
    cfc11: float = 233.1e-12
    cfc12: float = 520.6e-12
    cfc22: float = 229.5e-12
    carbon_tetrachloride: float = 83.1e-12
    nitrogen: float = 0.781
    carbon_monoxide: float = 1.2e-7
