# SPDX-License-Identifier: BSD-3-Clause
"""Two-stream radiation: energy, limits, and a finely layered reference; Monin-Obukhov functions."""

import pytest
import torch

from components.land.column.radiation import Foliage, partition, two_stream
from components.land.column.surface_layer import exchange, psi_heat, psi_momentum

D = torch.float64


def canopy(n=400, seed=0, **fixed):
    gen = torch.Generator().manual_seed(seed)
    u = torch.rand(12, n, dtype=D, generator=gen)
    value = {"lai": 8 * u[0], "sai": 2 * u[1], "chi": -0.4 + u[2], "omega": 0.5 + 0.5 * u[3], "mu": u[4]}
    value.update({k: torch.full((n,), v, dtype=D) for k, v in fixed.items()})
    r = torch.stack([0.05 + 0.1 * u[5], 0.3 + 0.2 * u[6]])
    foliage = Foliage(value["lai"], value["sai"], r, 0.9 * r, value["chi"], value["omega"])
    ground = torch.stack([0.05 + 0.9 * u[7], 0.05 + 0.9 * u[8]])
    return foliage, value["mu"], ground


def test_every_watt_is_somewhere():
    foliage, mu, ground = canopy()
    direct, diffuse = partition(torch.full((400,), 500.0, dtype=D), mu)
    assert torch.allclose((direct + diffuse).sum(0), torch.full((400,), 500.0, dtype=D))
    out = two_stream(foliage, mu, direct, diffuse, ground, ground)
    for part in (out.sunlit, out.shaded, out.ground, out.reflected):
        assert (part > -1e-9).all()
    total = out.sunlit.sum(0) + out.shaded.sum(0) + out.ground + out.reflected.sum(0)
    assert torch.allclose(total, torch.full((400,), 500.0, dtype=D))
    assert (out.sunlit_area <= foliage.lai + foliage.sai + 1e-9).all()


def test_without_leaves_the_ground_is_all():
    foliage, mu, ground = canopy(lai=0.0, sai=0.0)
    one = torch.ones(2, 400, dtype=D)
    out = two_stream(foliage, mu, one, one, ground, ground)
    assert torch.allclose(out.reflected, 2 * ground)
    assert out.sunlit.abs().max() < 1e-12


def test_against_many_thin_layers():
    """Discrete layers with single-layer optics of the same equations converge to the closed form."""
    foliage, _, ground = canopy(n=6, omega=1.0, chi=0.2)
    mu = torch.linspace(0.2, 0.95, 6, dtype=D)
    chi = foliage.orientation
    phi1 = 0.5 - 0.633 * chi - 0.33 * chi * chi
    phi2 = 0.877 * (1 - 2 * phi1)
    k = (phi1 + phi2 * mu) / mu
    bar = (1 - phi1 / phi2 * torch.log((phi1 + phi2) / phi1)) / phi2
    w = foliage.reflectance + foliage.transmittance
    tilt = (0.5 * (1 + chi)) ** 2
    c = 0.5 * (w + (foliage.reflectance - foliage.transmittance) * tilt)
    b = 1 - w + c
    area = foliage.lai + foliage.sai
    n = 4000
    dx = area / n
    # Diffuse light alone: up = R down marched from the ground (dR/dx along the Riccati equation, RK4).
    r = ground.clone()

    def slope(r):
        return (c - 2 * b * r + c * r * r) / bar

    for _ in range(n):
        k1 = slope(r)
        k2 = slope(r + 0.5 * dx * k1)
        k3 = slope(r + 0.5 * dx * k2)
        k4 = slope(r + dx * k3)
        r = r + dx / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    out = two_stream(foliage, mu, torch.zeros(2, 6, dtype=D), torch.ones(2, 6, dtype=D), ground, ground)
    assert torch.allclose(out.reflected, r, rtol=1e-8)
    assert (k > 0).all()


def test_sunlit_area_is_beers_law():
    foliage, mu, ground = canopy(omega=1.0)
    one = torch.ones(2, 400, dtype=D)
    out = two_stream(foliage, mu, one, one, ground, ground)
    area = foliage.lai + foliage.sai
    assert torch.allclose(out.sunlit_area, (1 - torch.exp(-out.extinction * area)) / out.extinction)


def test_stability_functions_are_continuous_and_ordered():
    for f in (psi_momentum, psi_heat):
        z = torch.tensor([-1e-9, 1e-9, 1 - 1e-9, 1 + 1e-9], dtype=D)
        v = f(z)
        assert abs(v[0] - v[1]).item() < 1e-7
        assert abs(v[2] - v[3]).item() < 1e-7
        grid = torch.linspace(-10, 2, 200, dtype=D)
        assert (f(grid)[1:] < f(grid)[:-1]).all()


@pytest.mark.parametrize(("warm", "sign"), [(5.0, -1), (-5.0, 1)])
def test_exchange_converges(warm, sign):
    x = torch.ones(1, dtype=D)
    zeta, neutral = 0 * x, exchange(0 * x, 4 * x, 10 * x, 0.1 * x, 0.01 * x, 290 * x, 290 * x)
    for _ in range(80):
        out = exchange(zeta, 4 * x, 10 * x, 0.1 * x, 0.01 * x, 290 * x, (290 + warm) * x)
        zeta = 0.5 * (zeta + out.zeta)
    assert abs((out.zeta - zeta).item()) < 1e-6
    assert (zeta.sign() == sign).all()
    assert ((out.conductance > neutral.conductance) == (sign < 0)).all()
