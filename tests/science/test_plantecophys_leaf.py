# SPDX-License-Identifier: BSD-3-Clause
"""Coupled leaf gas exchange reproduces plantecophys 1.4-6 (Duursma 2015, PLoS ONE 10, e0143346)."""

import pytest
import torch

from components.land.column.photosynthesis import (
    c3_leaf,
    compensation_point,
    jmax_factor,
    michaelis_constant,
    vcmax_factor,
)
from components.land.column.stomata import BallBerry, Leuning, Medlyn, Surroundings, couple

X = torch.ones(1, dtype=torch.float64)


def exchange(stomata, t=25.0, vpd=1.5, par=1500.0, ca=400.0, humidity=0.6):
    leaf = c3_leaf((t + 273.15) * X, par * X, 50 * X, 100 * X, 0.92 * X)
    near = Surroundings(ca * X, 1e3 * vpd * X, humidity * X, leaf.compensation, X, X)
    return [v.item() for v in couple(stomata, leaf, near)]


def test_defaults_with_medlyn():
    a, gs, ci = exchange(Medlyn(4.0, 0.0))
    assert a == pytest.approx(12.0341, rel=1e-4)
    assert gs == pytest.approx(0.201499, rel=1e-4)
    assert ci == pytest.approx(306.235, rel=1e-4)
    assert gs * 1.5 / 100 * 1000 == pytest.approx(3.02249, rel=1e-4)


@pytest.mark.parametrize(
    ("change", "expected"),
    [({"t": 35.0, "vpd": 3.0}, 8.79677), ({"par": 200.0}, 6.32684), ({"ca": 800.0}, 18.42923)],
)
def test_medlyn_away_from_the_defaults(change, expected):
    assert exchange(Medlyn(4.0, 0.0), **change)[0] == pytest.approx(expected, rel=1e-4)


def test_ball_berry():
    assert exchange(BallBerry(9.0, 0.01))[0] == pytest.approx(11.46237, rel=1e-4)


def test_leuning_without_compensation_point():
    assert exchange(Leuning(9.0, 0.0, 1500.0, compensated=False))[0] == pytest.approx(10.28915, rel=1e-4)


def test_temperature_functions():
    cold, warm = 298.15 * X, 308.15 * X
    assert compensation_point(cold).item() == pytest.approx(42.75, rel=1e-6)
    assert compensation_point(warm).item() == pytest.approx(70.14922, rel=1e-6)
    assert michaelis_constant(cold).item() == pytest.approx(710.32026, rel=1e-6)
    assert michaelis_constant(warm).item() == pytest.approx(1682.0128, rel=1e-6)
    assert vcmax_factor(warm).item() == pytest.approx(1.982989, rel=1e-6)
    assert jmax_factor(warm).item() == pytest.approx(1.320743, rel=1e-6)
