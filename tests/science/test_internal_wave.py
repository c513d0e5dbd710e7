# SPDX-License-Identifier: BSD-3-Clause
"""A standing internal gravity wave of the first vertical mode in a stratified channel: its phase speed is N H / pi."""

import numpy as np
import pytest
import torch

from components.ocean.primitive.horizontal_grid import cartesian
from components.ocean.primitive.idealised import set_up
from components.ocean.primitive.parameters import Parameters
from components.science.constants import GRAVITY


@pytest.mark.parametrize("dt", [1200.0, *(pytest.param(dt, marks=pytest.mark.slow) for dt in (300.0, 600.0))])
def test_phase_speed(dt):
    """Within 2 % of the hydrostatic value for N = 2e-3 s-1, H = 2000 m (1.273 m/s), whatever the step."""
    depth, length, n2, levels, n = 2000.0, 200e3, 4e-6, 20, 40
    alpha = 2e-4
    gradient = n2 / (GRAVITY * alpha)
    dz = np.full(levels, depth / levels)
    z = -(np.cumsum(dz) - 0.5 * dz)
    x = (np.arange(n) + 0.5) * length / n
    shape = np.cos(2 * np.pi * x / length)[None, None] * np.sin(np.pi * z / depth)[:, None, None]
    temperature = 20.0 + gradient * z[:, None, None] + 0.01 * shape + np.zeros((levels, 4, n))
    parameters = Parameters(
        dt=dt, substeps=max(4, int(dt * 140 * 1.5 / (length / n))), equation_of_state="linear", alpha=alpha, beta=0.0,
        reference_temperature=10.0, background_viscosity=0.0, background_diffusivity=0.0,
    )  # fmt: skip
    sea = set_up(
        cartesian(n, 4, length / n, length / n), np.full((4, n), depth), dz, parameters, temperature,
        periodic_x=True, periodic_y=True,
    )  # fmt: skip
    base = torch.tensor(20.0 + gradient * z)[:, None]
    expected = 2e-3 * depth / np.pi
    period = length / expected
    series = []
    for _ in range(int(1.3 * period / dt)):
        series.append(float(np.sum((sea.own(sea.state.tracers[0])[:, 1] - base.numpy()) * shape[:, 0])))
        sea.run(1)
    series = np.array(series)
    crossings = np.nonzero(series[:-1] * series[1:] < 0)[0]
    when = dt * (crossings + series[crossings] / (series[crossings] - series[crossings + 1]))
    measured = length / (2 * np.diff(when).mean())
    print(f"phase speed {measured:.4f} m/s, exact {expected:.4f}; amplitude kept {abs(series).max() / series[0]:.3f}")
    assert measured == pytest.approx(expected, rel=0.02)
