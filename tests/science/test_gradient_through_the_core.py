# SPDX-License-Identifier: BSD-3-Clause
"""Gradients of a forecast by the atmosphere's own core, 295 km, a checkpoint a step: Taylor's test, and precision."""

import pytest

from tests.toys import real_core


def precisions(steps):
    wide, narrow = (real_core.gradient(real_core.forecast(p), steps) for p in ("double", "single"))
    return {k: abs(float(narrow[k].double().norm() / wide[k].norm()) - 1.0) for k in wide}


def test_an_hour():
    ratios = real_core.taylor(real_core.forecast(levels=10, c=real_core.context(14, 14)), 2)
    print("Taylor", ratios)
    assert min(ratios) <= 1e-5


def test_single_precision_of_an_hour():
    found = precisions(2)
    print("single beside double", found)
    assert max(found.values()) <= 1e-4


def test_the_air_of_a_state_and_the_state_of_its_air_agree():
    f = real_core.forecast(levels=10, c=real_core.context(14, 14))
    air = f.columns(f.initial)
    again = f.columns(f.start(air))
    inner = (slice(None), slice(2, -2), slice(2, -2))
    assert float((again["t"] - air["t"]).abs().max()) < 0.05
    assert float((again["p"] / air["p"] - 1.0).abs().max()) < 1e-3
    assert float((again["q"] - air["q"]).abs().max()) < 1e-12
    assert float((again["u"] - air["u"])[inner].abs().max()) < 1.0  # faces are means of centres
    assert float((again["u"] - air["u"])[inner].abs().mean()) < 0.1


@pytest.mark.slow
def test_six_hours():
    f = real_core.forecast()
    ratios = real_core.taylor(f, 12)
    print("Taylor", ratios)
    assert min(ratios) <= 1e-5
    found = precisions(12)
    print("single beside double", found)
    assert max(found.values()) <= 1e-4
