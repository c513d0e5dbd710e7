# SPDX-License-Identifier: BSD-3-Clause
"""Halos equal slices of the global array, gather and scatter are inverse, sums keep their bits: on any ranks."""

import pytest


@pytest.mark.ranks
@pytest.mark.parametrize("ranks", [1, 2, 3, 4, 6])
def test_traffic_of_a_decomposition(mpirun, ranks):
    out = mpirun("parallel_decomposition.py", ranks)
    assert out.count("passed check_") == 5
