# SPDX-License-Identifier: BSD-3-Clause
"""The one column solver: a dense solution's numbers, the same bits on a block, and gradients."""

import numpy as np
import pytest
import torch
from torch import library

from components.science import column_solver, settling
from components.science.column_solver import solve
from components.science.settling import fall, sink


def system(levels, *columns, seed=3, dtype=torch.float64):
    rng = np.random.default_rng(seed)
    below, above, right = (torch.tensor(rng.normal(size=(levels, *columns)), dtype=dtype) for _ in range(3))
    return below, 2.5 + below.abs() + above.abs(), above, right


def air(levels, *columns, dtype=torch.float64):
    rng = np.random.default_rng(7)
    return [torch.tensor(rng.uniform(0.1, 1.0, (levels, *columns)), dtype=dtype) for _ in range(4)]


def test_a_dense_solution_is_met():
    below, diagonal, above, right = system(7, 5)
    found = solve(below, diagonal, above, right)
    for c in range(5):
        matrix = np.diag(diagonal[:, c]) + np.diag(below[1:, c], -1) + np.diag(above[:-1, c], 1)
        np.testing.assert_allclose(found[:, c], np.linalg.solve(matrix, right[:, c]), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_kernels_have_the_bits_of_torch_level_by_level_and_a_block_those_of_the_whole(dtype):
    given = system(6, 23, 31, dtype=dtype)
    block = [a[:, 2:5, 3:30] for a in given]
    found = solve(*given)
    assert torch.equal(found, column_solver.by_levels(*given)) and torch.equal(found[:, 2:5, 3:30], solve(*block))
    content, *rest = given = air(6, 23, 31, dtype=dtype)[:3]
    block = [a[:, 2:5, 3:30] for a in given]
    for a, b, c in zip(sink(*given), settling.by_levels(*given), sink(*block), strict=True):
        assert torch.equal(a, b) and torch.equal(a[..., 2:5, 3:30], c)
    speed, rho = rest
    by_levels = settling.by_levels(rho * content, 30.0 * rho * speed, rho)
    for a, b in zip(fall(content, speed, rho, rho, 30.0), by_levels, strict=True):
        assert torch.equal(a, b)
    both = sink(torch.stack([content, content], 1), *rest)[0]
    assert torch.equal(both[:, 1], sink(content, *rest)[0])


def test_many_right_hand_sides_are_solved_as_each_alone():
    below, diagonal, above, right = system(6, 9)
    sides = torch.stack([right, 2.0 * right, right - 1.0], 1)
    found = solve(below, diagonal, above, sides)
    for m in range(3):
        assert torch.equal(found[:, m], solve(below, diagonal, above, sides[:, m]))


def test_gradients_pass():
    given = [a.requires_grad_() for a in system(4, 2)]
    assert torch.autograd.gradcheck(solve, given) and torch.autograd.gradgradcheck(solve, given)
    below, diagonal, above, right = given
    sides = torch.stack([right, right * right], 1)
    assert torch.autograd.gradcheck(lambda *a: solve(*a, sides), (below, diagonal, above))
    assert solve(*(a[:1] for a in given)).shape == (1, 2)
    content, *rest = falling = [a.requires_grad_() for a in air(4, 3)[:3]]
    assert torch.autograd.gradcheck(sink, falling) and torch.autograd.gradgradcheck(sink, falling)
    assert torch.autograd.gradcheck(lambda *a: sink(torch.stack([content, content * content], 1), *a), rest)


def test_each_is_one_operation_to_whoever_compiles():
    library.opcheck(torch.ops.tessera.tridiagonal.default, system(3, 4))
    library.opcheck(torch.ops.tessera.sink.default, air(3, 4)[:3])


def test_what_falls_is_kept():
    q, speed, rho, mass = air(5, 4)
    after, surface = fall(q, 20.0 * speed, rho, mass, 3.0)
    torch.testing.assert_close((mass * after).sum(0) + surface, (mass * q).sum(0), rtol=1e-14, atol=0.0)
