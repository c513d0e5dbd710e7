# SPDX-License-Identifier: BSD-3-Clause
"""Rivers against textbook and closed forms: Muskingum, wetting front, uniform flow, kinematic wave; books closed."""

import numpy as np
import pytest

from components.land.rivers.carried import carry_both_ways
from components.land.rivers.kernels.cube_root import cube_root
from components.land.rivers.kernels.inertia import run_inertia
from components.land.rivers.routing import (
    COURANT,
    SHALLOW,
    Inertia,
    Muskingum,
    Reaches,
    inertia_step,
    kinematic_step,
    longest_step,
    muskingum_coefficients,
    muskingum_step,
)

HOUR = 3600.0
INFLOW = [93, 137, 208, 320, 442, 546, 630, 678, 691, 675, 634, 571, 477, 390, 329, 247, 184, 134, 108, 90]


def chain(n, length, width=1.0, slope=0.0, roughness=0.03):
    below = np.append(np.arange(1, n), -1)
    one = np.ones(n)
    levels = tuple(np.array([i]) for i in range(n))
    return Reaches(below, levels, length * one, width * one, slope * length * np.arange(n, 0, -1), roughness * one)


def tree(seed=0, n=60):
    rng = np.random.default_rng(seed)
    below = np.array([-1] + [int(rng.integers(0, i)) for i in range(1, n)])
    depth = np.zeros(n, int)
    for i in range(1, n):
        depth[i] = depth[below[i]] + 1
    levels = tuple(np.flatnonzero(depth == d) for d in range(depth.max(), -1, -1))
    return Reaches(
        below,
        levels,
        5e3 + 1e4 * rng.random(n),
        20 + 200 * rng.random(n),
        3.0 * depth + rng.random(n),
        0.03 + 0 * depth,
    ), rng


def test_muskingum_of_chow_maidment_and_mays():
    c = muskingum_coefficients(2.3 * HOUR, 0.15, HOUR)
    assert c == pytest.approx((0.063136, 0.344196, 0.592668), abs=1e-6)
    reach = chain(1, 1e4)
    state = Muskingum(np.array([93.0]), np.array([85.0]))
    out = [85.0]
    for value in INFLOW[1:]:
        state, _, _ = muskingum_step(state, reach, np.array([float(value)]), np.array([2.3 * HOUR]), 0.15, HOUR)
        out.append(float(state.outflow[0]))
    assert max(out) == pytest.approx(641.75, abs=0.05)
    assert int(np.argmax(out)) + 1 == 11
    assert out[-1] == pytest.approx(170.5, abs=0.05)


def test_a_step_that_muskingum_cannot_take_is_refused():
    with pytest.raises(ValueError, match=r"expected a step of 2484 to 14076 s for K 8280 s and X 0\.15, got 20000 s"):
        muskingum_coefficients(2.3 * HOUR, 0.15, 20000.0)


def test_a_wetting_front_of_hunter():
    n, u, dx = 0.03, 1.0, 50.0
    reaches = chain(100, dx, roughness=n)._replace(bed=np.zeros(100))
    state, time = Inertia(np.zeros(100), np.zeros(100)), 0.0

    def depth(x, t):
        return (7.0 / 3.0 * n * n * u * u * np.maximum(u * t - x, 0.0)) ** (3.0 / 7.0)

    while time < HOUR:
        step = min(longest_step(state, reaches), HOUR - time, 5.0)
        time += step
        state, _ = inertia_step(state, reaches, np.zeros(100), step)
        state.volume[0] = depth(0.5 * dx, time) * dx  # the boundary: the first cell's centre follows the solution
    found = np.interp([1000.0, 2000.0, 3000.0], (np.arange(100) + 0.5) * dx, state.volume / dx)
    assert depth(np.array([1000.0, 2000.0, 3000.0]), HOUR) == pytest.approx([2.0698, 1.6810, 1.1041], abs=1e-4)
    print(found)
    for got, exact, most in zip(found, (2.0698, 1.6810, 1.1041), (0.01, 0.02, 0.04), strict=True):
        assert abs(got / exact - 1.0) < most


def test_uniform_flow_and_the_speed_of_its_wave():
    reaches = chain(90, 500.0, slope=1e-4)
    depth = np.full(90, 5.0)
    flow = 5.0 ** (5.0 / 3.0) * 0.01 / 0.03
    assert flow == pytest.approx(4.87336, abs=1e-5)
    volume, into = depth * 500.0, np.zeros(90)
    into[0] = flow
    for _ in range(50):
        volume, out = kinematic_step(volume, reaches, into, 600.0)
    assert np.abs(out / flow - 1.0).max() < 1e-9
    state = Inertia(depth * 500.0, np.full(90, flow))
    for _ in range(200):
        state, out = inertia_step(state, reaches, into, 40.0)
    assert np.abs(out / flow - 1.0).max() < 2e-3

    # A small rise travels with 5/3 of the speed of the water.
    def middle(rise):
        volume, into = depth * 500.0, np.zeros(90)
        into[0] = flow * (1.0 + rise)
        times = []
        for _ in range(600):
            volume, out = kinematic_step(volume, reaches, into, 50.0)
            times.append(out[[19, 79]] / flow - 1.0)
        return np.array(times)

    above = middle(1e-3)
    first = [50.0 * float(np.interp(0.5e-3, above[:, k], np.arange(600.0))) for k in (0, 1)]
    assert 60 * 500.0 / (first[1] - first[0]) == pytest.approx(1.62445, rel=0.01)


@pytest.mark.parametrize("kind", ["muskingum", "kinematic", "inertia"])
def test_water_of_a_tree_is_kept(kind):
    reaches, rng = tree()
    n = reaches.width.size
    volume, state = np.zeros(n), Inertia(np.zeros(n), np.zeros(n))
    m = Muskingum(np.zeros(n), np.zeros(n))
    travel = np.full(n, 4000.0)
    came, left, stored, before_lateral = 0.0, 0.0, 0.0, 0.0
    mouth = reaches.downstream < 0
    for step in range(300):
        lateral = 50.0 * rng.random(n) * (step < 100)
        if kind == "kinematic":
            volume, out = kinematic_step(volume, reaches, lateral, 1800.0)
            came, left, stored = came + 1800.0 * lateral.sum(), left + 1800.0 * out[mouth].sum(), volume.sum()
            assert volume.min() >= 0.0
        elif kind == "inertia":
            step_seconds = min(longest_step(state, reaches), 600.0)
            state, out = inertia_step(state, reaches, lateral, step_seconds)
            came, left = came + step_seconds * lateral.sum(), left + step_seconds * out[mouth].sum()
            stored = state.volume.sum()
            assert state.volume.min() >= -1e-9 * max(state.volume.max(), 1.0)
        else:
            before = m
            m, held, _ = muskingum_step(m, reaches, lateral, travel, 0.1, 1800.0)
            came += 900.0 * (lateral.sum() + before_lateral)
            left += 900.0 * (m.outflow[mouth].sum() + before.outflow[mouth].sum())
            before_lateral, stored = lateral.sum(), held.sum()
    assert came > 0.0
    assert abs(came - left - stored) < 1e-9 * came


def test_the_order_of_branches_changes_no_bits_of_the_water_that_arrives():
    reaches, rng = tree(1)
    lateral = rng.random(reaches.width.size)
    volume, out = kinematic_step(np.zeros_like(lateral), reaches, lateral, 3600.0)
    again, same = kinematic_step(np.zeros_like(lateral), reaches, lateral, 3600.0)
    assert np.array_equal(volume, again) and np.array_equal(out, same)


def test_the_kernel_does_what_the_functions_do():
    reaches, rng = tree(2)
    n = reaches.width.size
    reaches = reaches._replace(bank=np.full(n, 2.0), plain=5.0 * reaches.width * reaches.length)
    lateral, given = 60.0 * rng.random(n), rng.random((2, n))
    volume, q, amounts = 1e5 * rng.random(n), np.zeros(n), rng.random((2, n))
    state, held, left, time = Inertia(volume.copy(), q.copy()), amounts, np.zeros((2, n)), 0.0
    while time < 1800.0:
        rest = 1800.0 - time
        step = rest / np.ceil(rest / longest_step(state, reaches))
        before = state.volume
        state, flow = inertia_step(state, reaches, lateral, step)
        held, moved = carry_both_ways(held, given * step, before, flow, reaches, step)
        left, time = left + moved, time + step
    mine = amounts.copy()
    through, gone = run_inertia(
        volume, q, mine, lateral, given, reaches.downstream, reaches.length, reaches.width,
        reaches.bed, reaches.roughness, reaches.slope, reaches.bank, reaches.plain, 1800.0, COURANT, SHALLOW,
    )  # fmt: skip
    assert np.abs(volume - state.volume).max() < 1e-9 * state.volume.max() and (through != 0.0).any()
    assert np.abs(mine - held).max() < 1e-9 * held.max() and np.abs(gone - left).max() < 1e-9 * np.abs(left).max()


def test_cube_roots_are_right_to_the_last_bits():
    x = np.append(10.0 ** np.linspace(-200.0, 200.0, 10001), np.linspace(SHALLOW, 100.0, 10001))
    root = np.empty_like(x)
    cube_root(x, root)
    assert np.abs(root / np.cbrt(x) - 1.0).max() < 1e-15
