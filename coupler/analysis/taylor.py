# SPDX-License-Identifier: BSD-3-Clause
"""Taylor's diagram (2001, J. Geophys. Res. 106, 7183): correlation as angle, ratio of standard deviations as radius."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from coupler.analysis.figures import INK, LINES, PALE, pyplot
from coupler.analysis.scores import Score

WIDEST = 3.0
"""Ratio of standard deviations beyond which a point stands at the edge, its ratio in the legend."""
MARKS = "osD^vP*X<>"


def draw_taylor(scores: Mapping[str, Score]) -> Any:
    """Points of some regions or months; None where none has a correlation.

    Parameters
    ----------
    scores : by the label of each point
    """
    if not scores:
        return None
    plt = pyplot()
    lowest = min(s.correlation for s in scores.values())
    widest = np.pi if lowest < 0.0 else np.pi / 2
    size = (9.4, 4.2) if lowest < 0.0 else (7.6, 4.6)
    figure, axes = plt.subplots(figsize=size, subplot_kw={"projection": "polar"}, layout="constrained")
    largest = min(max(1.5, 1.1 * max(s.deviation_ratio for s in scores.values())), WIDEST)
    axes.set_thetalim(0.0, widest)
    axes.set_rlim(0.0, largest)
    ticks = np.array([1.0, 0.99, 0.95, 0.9, 0.8, 0.6, 0.4, 0.2, 0.0, -0.2, -0.4, -0.6, -0.8, -0.9, -1.0])
    ticks = ticks[np.arccos(ticks) <= widest + 1e-9]
    axes.set_thetagrids(np.rad2deg(np.arccos(ticks)), [f"{t:g}" for t in ticks], fontsize=8)
    around = np.linspace(0.0, widest, 181)
    radius = np.linspace(0.0, largest, 121)
    x, y = np.meshgrid(around, radius)
    lines = axes.contour(x, y, np.sqrt(1.0 + y * y - 2.0 * y * np.cos(x)), colors=PALE, linewidths=0.6, linestyles=":")
    axes.clabel(lines, fontsize=7, fmt="%g")
    axes.plot(around, np.ones_like(around), color=INK, lw=0.8, ls="--")
    axes.plot(0.0, 1.0, "*", color=INK, ms=11, clip_on=False, label="observed")
    for n, (name, s) in enumerate(scores.items()):
        style = {"color": LINES[n % len(LINES)], "marker": MARKS[n % len(MARKS)]}
        beyond = s.deviation_ratio > largest
        label = f"{name} (ratio {s.deviation_ratio:.3g})" if beyond else name
        angle = np.arccos(np.clip(s.correlation, -1, 1))
        axes.plot(angle, min(s.deviation_ratio, largest), ls="", clip_on=False, label=label, **style)
    axes.set_title("angle: pattern correlation; radius: standard deviation over observed (1); dotted: centred RMSE (1)",
                   fontsize=8.5)  # fmt: skip
    axes.legend(frameon=False, fontsize=7.5, loc="upper left", bbox_to_anchor=(1.06, 1.0))
    return figure
