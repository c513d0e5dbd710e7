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
    direction = torch.exp(-g.centre / 400) * torch.cos(g.x - 123) * torch.cos(g.y - 34) * g.mask_t
    tracers = sea.state.tracers

    def height(temperature):
        s = replace(sea.state, tracers=torch.cat([temperature[None], tracers[1:]]))
        for _ in range(20):
            s = sea.ocean.step(s, sea.forcing)
        return (s.eta * weight).sum()

    temperature = tracers[0].clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(height(temperature), temperature)
    slope = float((gradient * direction).sum())
    with torch.no_grad():
        # small enough that hardly a limiter switches between the two, large enough for round-off
        e = 1e-6
        change = float(height(tracers[0] + e * direction) - height(tracers[0] - e * direction))
    ratio = change / (2 * e * slope)
    print(f"Taylor ratio - 1 = {ratio - 1:.1e}")
    assert abs(slope) > 1e-3
    assert abs(ratio - 1.0) < 1e-6
