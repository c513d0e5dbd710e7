# SPDX-License-Identifier: BSD-3-Clause
"""The model is differentiable: the sea level after twenty steps, as a function of the initial temperature."""

from dataclasses import replace

import torch

from tests.science.test_ocean_conservation import rough_basin


def test_taylor_ratio_of_the_sea_level():
    """(J(T + e d) - J(T - e d)) / (2 e dJ) is one within 1e-6, J a weighted sum of the sea level after 20 steps."""
    sea = rough_basin()
    g = sea.geometry
    sea.run(5)
    weight = torch.exp(-((g.x - 124) ** 2 + (g.y - 34) ** 2) / 4) * g.wet_t
    tracers = sea.state.tracers

    def height(temperature):
        s = replace(sea.state, tracers=torch.cat([temperature[None], tracers[1:]]))
        for _ in range(20):
            s = sea.ocean.step(s, sea.forcing)
        return (s.eta * weight).sum()

    temperature = tracers[0].clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(height(temperature), temperature)
    # Along the gradient the sea level changes most (slope 1.8, against .13 along a smooth wave), and so stands out of
    # its round-off, some 1e-12 m, at a change of 2e-5 K, where no limiter switches yet.
    direction = gradient / gradient.abs().max()
    slope = float((gradient * direction).sum())
    with torch.no_grad():
        e = 2e-5
        change = float(height(tracers[0] + e * direction) - height(tracers[0] - e * direction))
    ratio = change / (2 * e * slope)
    print(f"Taylor ratio - 1 = {ratio - 1:.1e}")
    assert slope > 1.0
    assert abs(ratio - 1.0) < 1e-6
