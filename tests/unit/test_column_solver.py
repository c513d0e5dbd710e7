# SPDX-License-Identifier: BSD-3-Clause
"""The one column solver: a dense solution's numbers, the same bits on a block, and gradients."""

import numpy as np
import torch

from components.science.column_solver import eliminate, solve, substitute


def system(levels, columns, seed=3):
    rng = np.random.default_rng(seed)
    below, above, right = (torch.tensor(rng.normal(size=(levels, columns))) for _ in range(3))
    return below, 2.5 + below.abs() + above.abs(), above, right


def test_a_dense_solution_is_met():
    below, diagonal, above, right = system(7, 5)
    found = torch.stack(solve(below, diagonal, above, right))
    for c in range(5):
        matrix = np.diag(diagonal[:, c]) + np.diag(below[1:, c], -1) + np.diag(above[:-1, c], 1)
        np.testing.assert_allclose(found[:, c], np.linalg.solve(matrix, right[:, c]), rtol=1e-13, atol=1e-15)


def test_factors_serve_many_right_hand_sides_and_blocks_have_the_bits_of_the_whole():
    below, diagonal, above, right = system(6, 9)
    factors = eliminate(below, diagonal, above)
    for r in (right, 2.0 * right):
        whole = torch.stack(substitute(factors, r))
        assert torch.equal(whole, torch.stack(solve(below, diagonal, above, r)))
        part = [a[:, 2:5].contiguous() for a in (below, diagonal, above, r)]
        assert torch.equal(whole[:, 2:5], torch.stack(solve(*part)))


def test_gradients_pass():
    given = [a.requires_grad_() for a in system(4, 2)]
    assert torch.autograd.gradcheck(lambda *a: torch.stack(solve(*a)), given)
    assert len(solve(*(a[:1] for a in given))) == 1
