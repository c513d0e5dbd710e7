# SPDX-License-Identifier: BSD-3-Clause
"""Gradients cross ranks: exchanges of halos have transposes; ocean and atmosphere have the gradient of one rank."""

import pytest


@pytest.mark.ranks
@pytest.mark.parametrize("ranks", [2, 4])
def test_gradients_cross_ranks(mpirun, ranks):
    out = mpirun("parallel_halo_gradients.py", ranks)
    print(out)
    assert out.count("passed check_") == 5
