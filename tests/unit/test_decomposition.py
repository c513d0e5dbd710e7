# SPDX-License-Identifier: BSD-3-Clause
"""Blocks of a grid over ranks; what one process can tell (the traffic is tested in tests/mpi)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupler.errors import LayoutError
from coupler.grids.decomposition import Decomposition, block_cells, blocks_of, split

SHAPES = st.one_of(st.tuples(st.integers(1, 30), st.integers(1, 30)), st.tuples(st.integers(1, 200)))


class Rank:
    """A communicator that only knows its place."""

    def __init__(self, rank, size):
        self.rank, self.size = rank, size

    def Get_rank(self):
        return self.rank

    def Get_size(self):
        return self.size


@given(st.integers(0, 500), st.integers(1, 40))
def test_runs_differ_by_one_at_most(n, parts):
    bounds = split(n, parts)
    lengths = np.diff(bounds)
    assert (bounds[0], bounds[-1], len(lengths)) == (0, n, parts)
    assert lengths.max() - lengths.min() <= 1


@given(SHAPES, st.integers(1, 24))
def test_blocks_partition_the_cells(shape, ranks):
    try:
        parts = [Decomposition(shape, Rank(r, ranks)) for r in range(ranks)]
    except LayoutError:
        assert ranks > max(shape) or not any(
            ranks % p == 0 and p <= shape[0] and ranks // p <= shape[-1] for p in range(1, ranks + 1)
        )
        return
    cells = np.concatenate([d.cells for d in parts])
    assert np.array_equal(np.sort(cells), np.arange(np.prod(shape)))
    whole = np.arange(np.prod(shape)).reshape(shape)
    for r, d in enumerate(parts):
        assert np.array_equal(d.local(whole).reshape(-1), d.cells)
        assert d.local(whole).shape == d.local_shape
        assert np.array_equal(d.cells, block_cells(shape, ranks, r)), "the coupler finds the same cells"


@pytest.mark.parametrize(
    ("shape", "ranks", "blocks"),
    [
        ((100, 200), 4, (2, 2)),
        ((100, 400), 4, (1, 4)),
        ((400, 100), 4, (4, 1)),
        ((9, 10), 7, (7, 1)),
        ((9, 14), 7, (1, 7)),
        ((100, 140), 2, (2, 1)),
        ((10, 12), 3, (1, 3)),
        ((50,), 5, (1, 5)),
    ],
)
def test_borders_are_short(shape, ranks, blocks):
    assert blocks_of(shape, ranks) == blocks


def test_more_ranks_than_the_grid_can_bear_are_refused():
    with pytest.raises(LayoutError, match="3 x 3 cells cannot be divided over 7 ranks"):
        blocks_of((3, 3), 7)
    with pytest.raises(LayoutError, match="at most one rank a cell"):
        blocks_of((3,), 4)


def test_one_process_needs_no_communicator():
    d = Decomposition((3, 4))
    whole = np.arange(24.0).reshape(2, 3, 4)
    assert np.array_equal(d.gather(whole), whole) and np.array_equal(d.scatter(whole), whole)
    assert d.sum([1e16, 1.0, -1e16]) == 1.0
    assert (d.max(whole), d.min(whole)) == (23.0, 0.0)


def test_a_periodic_halo_on_one_process_wraps_round():
    d = Decomposition((3, 4))
    padded = np.full((7, 8), np.nan)
    inner = np.arange(12.0).reshape(3, 4)
    padded[2:5, 2:6] = inner
    d.halo(padded, width=2, periodic=(True, True))
    assert np.array_equal(padded, np.pad(inner, 2, mode="wrap"))


def test_the_rim_of_an_open_domain_is_left_alone():
    d = Decomposition((3, 4))
    padded = np.full((5, 6), -1.0)
    padded[1:4, 1:5] = 7.0
    d.halo(padded, width=1)
    assert (padded[0] == -1).all() and (padded[:, -1] == -1).all() and (padded[1:4, 1:5] == 7).all()


def test_wrong_shapes_and_wide_halos_are_refused():
    d = Decomposition((3, 4))
    with pytest.raises(ValueError, match=r"a padded block has the shape \(5, 6\), the array given \(3, 4\)"):
        d.halo(np.zeros((3, 4)), width=1)
    with pytest.raises(LayoutError, match="narrower than its halo of 4: use fewer ranks"):
        d.halo(np.zeros((11, 12)), width=4)
    with pytest.raises(ValueError, match=r"a block has the shape \(3, 4\)"):
        d.gather(np.zeros((4, 3)))
