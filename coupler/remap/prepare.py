# SPDX-License-Identifier: BSD-3-Clause
"""Compile every remapping kernel once, so that no run has to: ``python -m coupler.remap.prepare``."""

from __future__ import annotations

import time

import numpy as np

from coupler.grids.grid import Grid


def compile_kernels() -> float:
    """Make and apply small weights of every kind; returns the seconds it took."""
    from coupler.remap.regridder import Regridder
    from coupler.remap.tiles import dry_overlap
    from coupler.remap.weights import make_weights

    begin = time.perf_counter()
    straight = Grid.regular_lonlat("straight", 0, 360, -90, 90, nx=9, ny=6, edges="great_circle")
    curved = Grid.regular_lonlat("curved", 5, 365, -90, 90, nx=12, ny=5)
    curved = curved.with_mask(np.arange(curved.size).reshape(curved.shape) % 4 > 0)
    for source, target in ((straight, straight), (straight, curved)):
        for method in ("conservative", "bilinear", "nearest"):
            make_weights(source, target, method)
    weights = make_weights(straight, curved, "conservative_second_order")
    for limiter in (False, True):
        regrid = Regridder(weights, straight, curved, limiter=limiter)
        for fields in (1, 2, 4, 20):
            regrid.apply(np.ones((straight.size, fields)))
    for land in (straight, Grid.regular_lonlat("land", 0, 360, -90, 90, nx=7, ny=5)):
        dry_overlap(land, straight, curved)
    return time.perf_counter() - begin


if __name__ == "__main__":
    print(f"remapping kernels ready ({compile_kernels():.0f} s)")
