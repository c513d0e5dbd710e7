# SPDX-License-Identifier: BSD-3-Clause
"""Channels over MPI and through shared memory: whole, in order, never overwritten while held."""

import pytest


@pytest.mark.alone
@pytest.mark.ranks
@pytest.mark.parametrize("ranks", [2, 3])
def test_channels_between_processes(mpirun, ranks):
    out = mpirun("parallel_channels.py", ranks)
    assert out.count("passed check_") == 13
