# SPDX-License-Identifier: BSD-3-Clause
"""Overlaps that several tasks share have the bits of those made alone, in either direction and under any mask."""

import numpy as np
import pytest

from coupler.grids.grid import Grid
from coupler.remap import shared
from coupler.remap.overlap import overlap
from coupler.remap.shared import grid_overlap, shared_overlaps
from coupler.remap.tiles import dry_overlap
from coupler.remap.weights import make_weights


@pytest.fixture(scope="module")
def grids():
    air = Grid.regular_lonlat("air", 100, 130, 10, 40, resolution=3.0)
    soil = Grid.projected("soil", "+proj=lcc +lat_1=15 +lat_2=40 +lat_0=25 +lon_0=115 +R=6370000", 20, 20, 1.1e5)
    sea = Grid.regular_lonlat("sea", 98.1, 131.9, 8.2, 42, resolution=1.3)
    wet = np.random.default_rng(1).random(sea.shape) < 0.5
    return air, soil, sea.with_mask(wet)


@pytest.fixture
def cuts(monkeypatch):
    """Pairs of grids that are really cut."""
    made = []
    monkeypatch.setattr(
        shared, "overlap", lambda *a, **k: made.append((a[0].count.size, a[2].count.size)) or overlap(*a, **k)
    )
    return made


def same(one, other):
    assert all(np.array_equal(getattr(one, n), getattr(other, n)) for n in ("indptr", "indices", "area"))


def test_a_pair_is_cut_once_for_both_directions_and_all_masks(grids, cuts):
    air, soil, sea = grids
    wet = sea.mask.ravel()
    some = np.random.default_rng(2).random(air.size) < 0.6
    at_sea, both = {"source_active": wet}, {"source_active": wet, "target_active": some}
    asked = [(air, sea, {}), (air, sea, {"target_active": wet}), (air, sea, {"source_active": some}),
             (sea, air, {}), (sea, air, at_sea), (sea, air, both)]  # fmt: skip
    alone = [grid_overlap(a, b, **k) for a, b, k in asked]
    assert len(cuts) == 6
    cuts.clear()
    with shared_overlaps():
        together = [grid_overlap(a, b, **k) for a, b, k in asked]
        assert cuts == [(air.size, sea.size)]
        for one, other in zip(alone, together, strict=True):
            same(one, other)
        grid_overlap(air, soil)
    cuts.clear()
    grid_overlap(air, sea)
    assert len(cuts) == 1, "nothing is kept after the start"


def test_what_an_earlier_mask_or_other_rows_left_out_is_made(grids, cuts):
    air, _, sea = grids
    wet = sea.mask.ravel()
    rows = np.arange(7, 300)
    alone = grid_overlap(air, sea), grid_overlap(air, sea, rows=rows), grid_overlap(sea, air)
    cuts.clear()
    with shared_overlaps():
        grid_overlap(air, sea, target_active=wet)
        same(grid_overlap(air, sea, rows=rows), alone[1])
        same(grid_overlap(sea, air), alone[2])
        same(grid_overlap(air, sea), alone[0])
    assert len(cuts) == 3  # the last is the one before it, turned


def test_weights_and_tiles_made_together_have_the_bits_of_those_made_alone(grids, cuts):
    air, soil, sea = grids
    names = ("indptr", "indices", "area", "dry", "outside")

    def made():
        return make_weights(air, soil).data, make_weights(soil, air, normalization="fracarea").data, *(
            getattr(dry_overlap(a, b, sea), n) for a, b in ((air, soil), (air, soil), (soil, air)) for n in names
        )  # fmt: skip

    alone = made()
    cuts.clear()
    with shared_overlaps():
        together = made()
    assert len(cuts) == 1
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one, other)


def test_another_sea_makes_another_tile(grids):
    air, soil, sea = grids
    with shared_overlaps():
        first = dry_overlap(air, soil, sea)
        second = dry_overlap(air, soil, sea, ocean_mask=~np.asarray(sea.mask))
    assert not np.array_equal(first.dry, second.dry)
