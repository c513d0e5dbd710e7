# SPDX-License-Identifier: BSD-3-Clause
"""Permittivity of soil (Dobson et al. 1985) and brightness temperature of tau-omega, beside SMRT 1.7's permittivity."""

import pytest
import torch

from components.ml_surrogates.estimation.microwave import (
    Cover,
    Soil,
    brightness_temperature,
    fresnel,
    soil_permittivity,
)

T = torch.tensor(293.15, dtype=torch.float64)
SOIL = Soil(0.4, 0.2)


def test_permittivity():
    real, loss = soil_permittivity(6.925e9, torch.tensor(0.15, dtype=torch.float64), T, SOIL)
    print(float(real), float(loss))
    assert (float(real), float(loss)) == pytest.approx((8.120, 1.287), abs=6e-4)


@pytest.mark.parametrize(
    ("frequency", "water", "cover", "wanted"),
    [
        (6.925e9, 0.15, Cover(), (167.02, 272.44)),
        (6.925e9, 0.15, Cover(roughness=0.1), (171.11, 273.11)),
        (6.925e9, 0.15, Cover(0.5, 0.05, 0.1), (261.79, 280.87)),
        (6.925e9, 0.35, Cover(), (119.52, 234.61)),
        (10.65e9, 0.25, Cover(0.5, 0.05, 0.1), (257.44, 277.94)),
    ],
)
def test_brightness_temperature(frequency, water, cover, wanted):
    seen = brightness_temperature(frequency, torch.tensor(water, dtype=torch.float64), T, SOIL, cover)
    print([float(a) for a in seen])
    assert [float(a) for a in seen] == pytest.approx(wanted, abs=0.05)


def test_fresnel_at_nadir_and_at_brewsters_angle():
    """At nadir ((n - 1) / (n + 1))^2 in both; nothing of the vertical at tan(angle) = n."""
    four, none = torch.tensor(4.0, dtype=torch.float64), torch.tensor(0.0, dtype=torch.float64)
    assert [float(r) for r in fresnel(four, none, 0.0)] == pytest.approx([1 / 9, 1 / 9], abs=1e-12)
    assert float(fresnel(four, none, 63.43494882292201)[1]) == pytest.approx(0.0, abs=1e-12)


def test_wetter_soil_is_colder_and_gradients_pass_even_where_it_is_dry():
    water = torch.tensor([0.0, 0.05, 0.2, 0.4], dtype=torch.float64, requires_grad=True)
    h, _ = brightness_temperature(6.925e9, water, T, SOIL, Cover(0.3, 0.05, 0.2))
    (slope,) = torch.autograd.grad(h.sum(), water)
    assert bool((h[1:] < h[:-1]).all()) and bool(torch.isfinite(slope).all()) and bool((slope[1:] < 0.0).all())


def test_conductivity_never_falls_below_zero():
    """A sandy soil of low density would have a negative one."""
    args = 1.4e9, torch.tensor(0.1, dtype=torch.float64), T
    sand = soil_permittivity(*args, Soil(0.95, 0.02, 0.9))[1]
    sandier = soil_permittivity(*args, Soil(0.95, 0.0, 0.8))[1]
    assert float(sand) > 0.0 and float(sandier) > 0.0
