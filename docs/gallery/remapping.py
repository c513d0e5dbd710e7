# SPDX-License-Identifier: BSD-3-Clause
"""One front, four remappings: from a grid of 2.5 degrees to one of half a degree.

First-order conservation and the nearest centre draw the blocks of the source; the second order follows its slopes, and
overshoots where no limiter is asked for; bilinear reads off between centres, and leaves open (white) what lies outside
them.
"""

import matplotlib.pyplot as plt
import numpy as np

from coupler.grids.grid import Grid
from coupler.remap.regridder import Regridder
from coupler.remap.weights import make_weights

METHODS = ("nearest", "bilinear", "conservative", "conservative_second_order")


def draw():
    """The figure."""
    source = Grid.regular_lonlat("coarse", 100, 140, 10, 40, resolution=2.5)
    target = Grid.regular_lonlat("fine", 100, 140, 10, 40, resolution=0.5)
    lat, lon = np.radians(source.latitude), np.radians(source.longitude)
    field = 290.0 + 5.0 * np.tanh(20.0 * (lat - 0.44 - 0.08 * np.sin(12.0 * lon)))
    figure, axes = plt.subplots(2, 3, figsize=(12, 6), sharex=True, sharey=True, layout="constrained")
    shown = {"the source, 2.5 degrees": (source, field)}
    for method in METHODS:
        shown[method.replace("_", " ")] = (
            target,
            Regridder(make_weights(source, target, method), source, target)(field),
        )
    for ax, (title, (grid, values)) in zip(axes.flat, shown.items(), strict=False):
        picture = ax.pcolormesh(
            grid.longitude, grid.latitude, values, shading="nearest", cmap="RdBu_r", vmin=284, vmax=296
        )
        ax.set_title(title)
    ax = axes.flat[-1]
    ax.remove()
    ax = figure.add_subplot(2, 3, 6)
    for title, (grid, values) in shown.items():
        column = int(np.argmin(np.abs(grid.longitude[0] - 121.0)))
        ax.plot(grid.latitude[:, column], values[:, column], label=title, marker="o" if "source" in title else None)
    ax.set(xlabel="latitude along 121 E", ylabel="K", xlim=(18, 34))
    ax.legend(fontsize=7)
    figure.colorbar(picture, ax=axes[:, :2], label="K", location="bottom", shrink=0.5)
    return figure
