# SPDX-License-Identifier: BSD-3-Clause
"""Land where the land model has no column: the nearest column stands for it, in both directions; none of it is zero."""

import numpy as np
import pytest

from coupler.case.case import make_plan
from coupler.errors import GridError
from coupler.exchange.operators import LinearOperator
from coupler.exchange.tiles import keepers
from tests.toys.coupled import coupled_case


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """On cells of 295 km the islands of the ocean's mask lie in cells that the interpolated land mask leaves out."""
    return make_plan(coupled_case(tmp_path_factory.mktemp("bare") / "case"))


def operator(plan, source, target, index=0, count=1):
    ends = source, target
    task = next(t for t in plan.tasks if (t.inputs[0].component, t.outputs[0].component) == ends)
    return LinearOperator(plan, task, index, count)


def pairs(op, turned=False):
    """Areas by (row, column)."""
    w = op.weights
    out = np.zeros(w.shape)
    row = np.repeat(np.arange(w.shape[0]), np.diff(w.indptr))
    out[row, w.indices] = w.area
    return out.T if turned else out


def test_every_share_of_land_gets_a_columns_values(plan):
    land = plan["land"].grids["default"]
    mask = np.asarray(land.mask).ravel()
    op = operator(plan, "land", "atmosphere")
    assert mask[op.weights.indices].all()
    cells = np.arange(land.size)
    _, cover = op.output_area(0, cells)
    bare = (cover > 0) & ~mask  # both on one grid
    assert bare.sum() == 30 and cover[bare].max() == pytest.approx(0.159, abs=1e-3)
    indptr, indices, data = op.rows(0, cells)
    values = np.where(mask, 300.0, 0.0)
    got = np.add.reduceat(np.append(data * values[indices], 0.0), indptr[:-1])[np.diff(indptr) > 0]
    np.testing.assert_allclose(got, 300.0, rtol=1e-13)


def test_both_directions_share_the_same_pairs(plan):
    there, back = operator(plan, "atmosphere", "land"), operator(plan, "land", "atmosphere")
    np.testing.assert_allclose(pairs(there, turned=True), pairs(back), rtol=1e-12)
    np.testing.assert_allclose(there.input_area(0, np.arange(484)), back.output_area(0, np.arange(484))[0], rtol=1e-12)


def test_ranks_of_the_coupler_share_it_without_changing_a_bit(plan):
    whole = pairs(operator(plan, "atmosphere", "land"))
    halves = [pairs(operator(plan, "atmosphere", "land", i, 2)) for i in (0, 1)]
    assert np.array_equal(np.concatenate(halves), whole)


def test_it_is_said(plan, caplog):
    operator(plan, "land", "atmosphere")
    assert "in 30 cells where land has no column belong to the nearest column, at most 451 km away" in caplog.text


def test_a_land_without_columns_is_refused(plan):
    land = plan["land"].grids["default"]
    with pytest.raises(GridError, match="no active cell"):
        keepers(land.with_mask(np.zeros(land.shape, bool)))
