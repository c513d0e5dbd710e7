# SPDX-License-Identifier: BSD-3-Clause
"""Clouds of layers that are not saturated: Sundqvist's share by hand, stratus under an inversion, bits on blocks."""

import math

import numpy as np
import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import exner, saturation_mixing_ratio
from components.atmosphere.nonhydrostatic.physics import layer_clouds
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.science.water import saturation_pressure_mixed

P = torch.tensor([1.0e5, 9.7e4, 9.3e4, 8.9e4, 8.4e4, 7.6e4, 6.5e4, 5.0e4, 3.0e4]).double()
Z = torch.tensor([100.0, 370.0, 730.0, 1100.0, 1600.0, 2400.0, 3700.0, 5800.0, 9600.0]).double()
T42 = torch.full((1, 1), 3.0e5).double()


def air(theta, shape=(1, 1)):
    wide = lambda x: torch.as_tensor(x).double()[:, None, None].expand(len(x), *shape).contiguous()  # noqa: E731
    p, z, theta = wide(P), wide(Z), wide(theta)
    edges = torch.cat([0.0 * z[:1], 0.5 * (z[1:] + z[:-1]), z[-1:] + 2000.0])
    pi, dz = exner(p), edges[1:] - edges[:-1]
    rho = p / (287.0 * theta * pi)
    return Columns(theta * pi, theta, p, pi, rho, rho * dz, z, dz, edges)


def vapour(air, humidity):
    return humidity * saturation_mixing_ratio(saturation_pressure_mixed(air.t), air.p)


def test_the_share_by_hand():
    """At the ground the critical humidity is .9, high up .7 + .2 e^(1 - (p_s/p)^4)."""
    humidity = torch.tensor([0.89, 0.95, 0.95, 1.0, 1.1], dtype=torch.float64)[:, None, None]
    p = torch.tensor([1.0e5, 1.0e5, 5.0e4, 5.0e4, 5.0e4]).double()[:, None, None]
    got = layer_clouds.below_saturation(humidity, p, T42)[:, 0, 0]
    aloft = 0.7 + 0.2 * math.exp(1.0 - 16.0)
    expected = [0.0, 1.0 - math.sqrt(0.5), 1.0 - math.sqrt(0.05 / (1.0 - aloft)), 1.0, 1.0]
    np.testing.assert_allclose(got, expected, atol=1e-12)


def test_air_in_smaller_cells_is_more_alike():
    p = torch.tensor([1.0e5, 5.0e4]).double()[:, None, None]
    one, other = (1.0 - layer_clouds.critical_humidity(p, size) for size in (T42, T42 / 8.0))
    np.testing.assert_allclose(other, 0.5 * one, rtol=1e-12)


MIXED = [288.0, 288.0, 288.2, 297.0, 300.0, 305.0, 311.0, 320.0, 333.0]


def test_stratus_lies_beneath_the_steepest_inversion():
    moist = air(MIXED)
    got = layer_clouds.under_inversion(moist, torch.full_like(moist.t, 0.85))[:, 0, 0]
    high = 305.0 + (7.6 - 7.0) / (7.6 - 6.5) * 6.0
    np.testing.assert_allclose(got[2], 0.057 * (high - 288.0) - 0.5573, rtol=1e-12)
    assert float(got.sum() - got[2]) == 0.0
    half = layer_clouds.under_inversion(moist, torch.full_like(moist.t, 0.7))[:, 0, 0]
    np.testing.assert_allclose(half, 0.5 * got, rtol=1e-12)
    assert float(layer_clouds.under_inversion(moist, torch.full_like(moist.t, 0.5)).max()) == 0.0


def test_no_stratus_under_an_inversion_on_the_ground_on_high_ground_or_in_the_tropics():
    humid = torch.full((9, 1, 1), 0.9).double()
    night = air([280.0, 288.0, 288.2, 289.0, 291.0, 294.0, 300.0, 312.0, 333.0])
    assert float(layer_clouds.under_inversion(night, humid).max()) == 0.0
    plateau = air(MIXED)
    assert float(layer_clouds.under_inversion(plateau._replace(p=0.85 * plateau.p), humid).max()) == 0.0
    tropics = air([300.0, 300.2, 301.0, 303.0, 305.0, 309.0, 314.0, 325.0, 345.0])
    assert float(layer_clouds.under_inversion(tropics, humid).max()) == 0.0


def test_blocks_give_the_same_bits_as_the_whole():
    torch.manual_seed(2)
    whole = air(MIXED, (5, 11))
    whole = whole._replace(theta=whole.theta + torch.rand(9, 5, 11).double())
    q_v, size = vapour(whole, 0.6 + 0.5 * torch.rand(9, 5, 11).double()), 1e5 + 1e4 * torch.rand(5, 11).double()
    cut = lambda a: a[..., 1:4, 2:7].contiguous()  # noqa: E731
    got = layer_clouds.cover(whole, q_v, size)
    assert torch.equal(cut(got), layer_clouds.cover(Columns(*map(cut, whole)), cut(q_v), cut(size)))
    assert 0.0 <= float(got.min()) and float(got.max()) <= 1.0 and 0.1 < float(got.mean()) < 0.9
