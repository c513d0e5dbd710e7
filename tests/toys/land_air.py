# SPDX-License-Identifier: BSD-3-Clause
"""A summer noon over columns of the land, the same for all."""

import torch

from components.land.column.column import Forcing
from components.land.column.radiation import partition


def noon(n, lai=3.0, ozone=None, mu=0.8):
    """Fair weather at 25 C with a fresh wind; ``ozone`` in nmol mol-1."""
    one = torch.ones(n, dtype=torch.float64)
    direct, diffuse = partition(900.0 * mu * one, mu * one)
    return Forcing(
        298.15 * one, 0.012 * one, 1e5 * one, 4.0 * one, 10.0 * one, direct, diffuse, 370.0 * one, 0.0 * one, 0.0 * one,
        400.0 * one, mu * one, lai * one, 0.5 * one, ozone=None if ozone is None else ozone * one,
    )  # fmt: skip
