# SPDX-License-Identifier: BSD-3-Clause
"""The surface mosaic as a run has it: what one side loses the other gains, and land has what the sea leaves."""

import numpy as np
import pytest

from coupler.case.case import make_plan
from coupler.exchange.flux_operator import FluxOperator
from coupler.exchange.operators import LinearOperator
from coupler.remap.apply import apply_weights, row_sums
from coupler.remap.weights import make_weights
from tests.system.test_mosaic import mosaic


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """Air over a smaller ocean with islands, a prescribed sea outside it, and land; three grids that do not nest."""
    return make_plan(mosaic(tmp_path_factory.mktemp("mosaic") / "toy"))


def laws(plan, index=0, count=1):
    return [FluxOperator(plan, t, index, count) for t in plan.tasks if t.kind == "flux"]


def cells_of(operator, slot):
    return np.arange(*operator.target_rows(slot))


def share(operator, slot):
    return operator.output_area(slot, cells_of(operator, slot))


@pytest.mark.parametrize("which", [0, 1], ids=["ocean", "outside"])
def test_what_the_atmosphere_loses_the_sea_gains(plan, which):
    operator = laws(plan)[which]
    assert sorted(operator.sides) == ([0, 1], [0])[which], "a prescribed sea takes nothing"
    random = np.random.default_rng(3)
    sizes = [plan[d.component].grids["default"].size for d in operator.task.inputs]
    wind, warmth = (random.uniform(*span, sizes[0])[operator.cells[0]] for span in ((2.0, 20.0), (270.0, 300.0)))
    surface = random.uniform(272.0, 303.0, sizes[1])[operator.cells[1]]
    flux = np.stack([1.2 * 1005 * 1.3e-3 * wind * (warmth - surface), 1.2 * 1.3e-3 * wind**2], axis=1)
    for field in range(2):
        total = np.sum(operator.area * flux[:, field])
        scale = np.sum(operator.area * np.abs(flux[:, field]))
        for slot in range(len(operator.sides)):
            mean = apply_weights(*operator.rows(slot, cells_of(operator, slot)), np.ascontiguousarray(flux[:, field]))
            area, covered = share(operator, slot)
            assert np.array_equal(mean == 0.0, covered == 0.0)
            assert abs(np.sum(area * mean) - total) < 3e-15 * scale


def test_the_oceans_wet_mask_is_authoritative(plan):
    """The wet area within the atmosphere is the area of the atmosphere's share of the ocean."""
    operator = laws(plan)[0]
    wet = plan["ocean"].grids["default"].mask.ravel()
    slots = dict(zip(operator.sides, range(2), strict=True))
    above, below = (share(operator, slots[side])[0] for side in (0, 1))
    assert abs(above.sum() / below.sum() - 1.0) < 1e-13 and not below[~wet].any()
    np.testing.assert_allclose(below[wet], plan["ocean"].grids["default"].area.ravel()[wet], rtol=1e-12)


def test_a_coupler_rank_has_the_bits_of_the_whole(plan):
    table = np.random.default_rng(1).normal(size=(97, 89))

    def made(operator, slot):
        values = table[operator.cells[0] % 97, operator.cells[1] % 89]
        return apply_weights(*operator.rows(slot, cells_of(operator, slot)), values)

    whole, parts = laws(plan), [laws(plan, index, 3) for index in range(3)]
    for which, operator in enumerate(whole):
        for slot in range(len(operator.sides)):
            pieces = np.concatenate([made(part[which], slot) for part in parts])
            assert pieces.tobytes() == made(operator, slot).tobytes() and np.ptp(pieces) > 1.0


def test_land_gets_what_the_seas_leave_of_every_cell(plan):
    (task,) = (t for t in plan.tasks if t.tile.kind == "land")
    operator = LinearOperator(plan, task, 0, 1)
    air, land, sea = (plan[name].grids["default"] for name in ("atmosphere", "land", "ocean"))
    ocean, outside = (share(law, law.sides.index(0))[0] for law in laws(plan))
    area, covered = share(operator, 0)
    np.testing.assert_allclose((area + ocean + outside) / air.area.ravel(), 1.0, rtol=0, atol=1e-13)
    np.testing.assert_allclose(covered, area / air.area.ravel(), rtol=0, atol=1e-13)
    # a land cell inside the ocean's domain: what its own cut with the ocean says
    inside = ((land.longitude > 104) & (land.longitude < 136) & (land.latitude > 4) & (land.latitude < 36)).ravel()
    cut = make_weights(sea, land, target_mask=None)
    own = (1.0 - row_sums(cut.indptr, cut.area) / land.area.ravel())[inside]
    got = (operator.input_area(0, np.arange(land.size)) / land.area.ravel())[inside]
    np.testing.assert_allclose(got, own, rtol=0, atol=1e-12)
    assert ((own > 0.01) & (own < 0.99)).sum() >= 15  # coasts
    flux = np.random.default_rng(0).normal(size=land.size)
    operator.bind([np.arange(land.size)])
    mean = apply_weights(*operator.rows(0, np.arange(air.size)), flux)
    sent = operator.input_area(0, np.arange(land.size)) * flux
    assert abs(np.sum(area * mean) - sent.sum()) < 1e-14 * np.abs(sent).sum()
