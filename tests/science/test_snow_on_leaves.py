# SPDX-License-Identifier: BSD-3-Clause
"""Leaves fill with snow as Hedstrom and Pomeroy (1998) have it: the fuller they are, the less of a fall they take."""

import math

import pytest
import torch

from components.land.column.interception import SNOW_CAPACITY, Held, intercept

AREA = torch.tensor([0.5, 3.0, 6.0], dtype=torch.float64)
MOST = SNOW_CAPACITY * AREA
COLD = torch.full_like(AREA, 260.0)
NONE = torch.zeros_like(AREA)


def filled(fall, parts):
    """Snow on leaves, and on the ground, once ``fall`` times their capacity has fallen in some parts."""
    held, ground = Held(NONE, NONE), NONE
    for _ in range(parts):
        caught = intercept(held, NONE, fall * MOST / parts, AREA, COLD, 0.0)
        held, ground = caught.held, ground + caught.snowfall
    return held.snow, ground


@pytest.mark.parametrize("fall", [0.1, 1.0, 3.0])
def test_one_fall_onto_bare_leaves(fall):
    snow, ground = filled(fall, 1)
    assert (snow / MOST).tolist() == pytest.approx([0.7 * (1.0 - math.exp(-fall))] * 3, rel=1e-12)
    assert (snow + ground).tolist() == pytest.approx((fall * MOST).tolist(), rel=1e-12)


@pytest.mark.parametrize("fall", [0.1, 1.0, 3.0])
def test_a_fall_of_many_steps_fills_them_by_an_exponential(fall):
    """They took .7 of all that fell until they were full: after a fall of their capacity .70 of it, not .50."""
    snow, ground = filled(fall, 4000)
    assert (snow / MOST).tolist() == pytest.approx([1.0 - math.exp(-0.7 * fall)] * 3, rel=1e-3)
    assert (snow + ground).tolist() == pytest.approx((fall * MOST).tolist(), rel=1e-12)


def test_full_and_leafless_plants_take_none():
    over = intercept(Held(NONE, 1.1 * MOST), NONE, MOST, AREA, COLD, 0.0)
    assert torch.equal(over.held.snow, 1.1 * MOST) and torch.equal(over.snowfall, MOST)
    bare = intercept(Held(NONE, NONE), NONE, MOST, NONE, COLD, 1800.0)
    assert torch.equal(bare.held.snow, NONE) and torch.equal(bare.snowfall, MOST)
