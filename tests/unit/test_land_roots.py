# SPDX-License-Identifier: BSD-3-Clause
"""Roots of many falling functions: exact, at the ends, and without regard to neighbours."""

import pytest
import torch

from components.land.column.roots import falling_root

D = torch.float64
N = 800


def family(seed=0):
    """Gain over penalty of made-up plants, with a kink as of two limiting rates."""
    u = torch.rand(3, N, dtype=D, generator=torch.Generator().manual_seed(seed))
    place, power, kink = 0.001 + 0.998 * u[0], 1.0 + 2.0 * u[1], u[2]

    def at(index):
        r, n, k = place[index], power[index], kink[index]

        def f(x):
            q = (x / (1 - x) * (1 - r) / r) ** n * torch.where((x > k) == (r > k), 1.0, torch.where(x > k, 5.0, 0.2))
            return (1 - q) / (1 + q)

        return f

    return place, at


@pytest.mark.parametrize("guess", [0.0, 0.5, 0.9999])
def test_roots_are_found(guess):
    place, at = family()
    every = torch.arange(N)
    count = 0

    def f(x):
        nonlocal count
        count += x.numel()
        return at(every)(x)

    def narrow(index):
        def g(x):
            nonlocal count
            count += x.numel()
            return at(index)(x)

        return g

    found = falling_root(f, torch.full((N,), guess, dtype=D), 60, 1e-12, narrow)
    assert (found - place).abs().max() < 1e-11
    assert count / N < 20  # evaluations a column


def test_a_good_guess_saves_work():
    place, at = family(1)
    calls = []

    def f(x):
        calls.append(1)
        return at(torch.arange(N))(x)

    falling_root(f, place * 1.01, 60, 1e-8)
    near = len(calls)
    calls.clear()
    falling_root(f, torch.full_like(place, 0.5), 60, 1e-8)
    assert near < len(calls)


def test_a_function_without_a_root_points_to_an_end():
    f = torch.tensor([0.5, -0.5], dtype=D)
    found = falling_root(lambda x: f, torch.full((2,), 0.3, dtype=D), 10)
    assert found.tolist() == [1.0, 0.0]


def test_bits_do_not_depend_on_neighbours():
    _, at = family(2)
    whole = falling_root(at(torch.arange(N)), torch.full((N,), 0.4, dtype=D), 12, 1e-8, at)
    few = torch.arange(20, 33)
    alone = falling_root(at(few), torch.full((13,), 0.4, dtype=D), 12, 1e-8)
    assert torch.equal(whole[few], alone)
