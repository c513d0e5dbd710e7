# SPDX-License-Identifier: BSD-3-Clause
"""Cloud fraction of Xu & Randall (1996): their formula by hand, its limits, its slopes, and bits on blocks."""

import math

import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import (
    saturation_mixing_ratio,
)
from components.atmosphere.nonhydrostatic.physics.cloud_fraction import cloud_fraction
from components.science.constants import EPSILON_VAPOUR
from components.science.water import saturation_pressure, saturation_pressure_ice

P, T = torch.tensor([8.5e4]), torch.tensor([285.0])


def at(humidity, q_c, q_i=0.0, t=T):
    """Fraction of one layer whose humidity is over water."""
    q_v = humidity * saturation_mixing_ratio(saturation_pressure(t), P)
    return float(cloud_fraction(q_v, torch.tensor([q_c]), torch.tensor([q_i]), t, P))


def test_the_formula_by_hand():
    e = 611.2 * math.exp(17.67 * 11.85 / 255.35)
    q_s = EPSILON_VAPOUR * e / (8.5e4 - e)
    by_hand = 0.8**0.25 * (1.0 - math.exp(-100.0 * 1e-4 / (0.2 * q_s) ** 0.49))
    assert 0.1 < by_hand < 0.3
    assert abs(at(0.8, 1e-4) - by_hand) < 1e-5


def test_limits():
    assert at(0.8, 0.0) == 0.0 and at(1.05, 0.0) == 0.0, "no condensate, no cloud"
    assert at(1.0, 1e-5) == 1.0 and at(1.2, 1e-5) == 1.0
    assert at(0.0, 1e-3) == 0.0
    assert at(0.999999, 1e-3) > 0.999, "no jump at saturation"


def test_it_grows_with_condensate_and_humidity():
    water = [at(0.8, q) for q in (1e-6, 1e-5, 1e-4, 1e-3)]
    humid = [at(r, 1e-5) for r in (0.3, 0.6, 0.9, 0.99, 1.0)]
    assert water == sorted(set(water)) and humid == sorted(set(humid))


def test_ice_clouds_saturate_over_ice():
    t = torch.tensor([235.0])
    over_water = saturation_mixing_ratio(saturation_pressure(t), P)
    over_ice = saturation_mixing_ratio(saturation_pressure_ice(t), P)
    share = 1.0001 * float(over_ice / over_water)
    assert at(share, 0.0, 1e-5, t) == 1.0
    assert at(share, 1e-5, 0.0, t) < 1.0


def test_blocks_give_the_same_bits_as_the_whole():
    torch.manual_seed(1)
    shape = (6, 9, 13)
    q_v, q_c, q_i = (torch.rand(shape) * m for m in (1e-2, 1e-4, 1e-4))
    t, p = 240.0 + 50.0 * torch.rand(shape), 3e4 + 7e4 * torch.rand(shape)
    whole = cloud_fraction(q_v, q_c, q_i, t, p)
    block = cloud_fraction(*(a[:, 2:7, 3:10].contiguous() for a in (q_v, q_c, q_i, t, p)))
    assert torch.equal(whole[:, 2:7, 3:10], block)
    assert 0.0 <= float(whole.min()) and float(whole.max()) <= 1.0
