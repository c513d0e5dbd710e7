# SPDX-License-Identifier: BSD-3-Clause
"""Cells and levels of the ocean of the East Asia case, and the Earth they lie on."""

import numpy as np

WEST, EAST, SOUTH, NORTH = 99.0, 150.0, -5.0, 52.0
LEAST_CELL = 0.15  # share of a level, from which the model opens a cell at the sea floor
LEAST_DEPTH, GREATEST_DEPTH = 20.0, 5500.0
RADIUS, ROTATION, GRAVITY, RHO0 = 6371.0e3, 7.292115e-5, 9.80665, 1026.0


def level_thickness() -> np.ndarray:
    """25 levels, 10 m at the surface, 5500 m in all."""
    dz = np.array(
        [10, 10, 10, 12, 14, 17, 21, 26, 32, 40, 50, 63, 80, 100, 130, 165, 205, 250, 300, 355, 415, 480, 555, 635, 0.0]
    )
    dz[-1] = GREATEST_DEPTH - dz.sum()
    return dz
