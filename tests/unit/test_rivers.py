# SPDX-License-Identifier: BSD-3-Clause
"""Runoff on its way to the sea: the land's part of each cell, to the nearest coast, nothing made and nothing lost."""

import numpy as np
import pytest

from components.science.surface_fields import RUNOFF_HEAT
from coupler.case.case import make_plan
from coupler.exchange.operators import LinearOperator
from coupler.exchange.waterways import way_of
from coupler.remap.apply import apply_weights
from tests.toys.coupled import coupled_case


@pytest.fixture(scope="module")
def rivers(tmp_path_factory):
    """Plan and task of the runoff in the coupled template on its coarse grid."""
    plan = make_plan(coupled_case(tmp_path_factory.mktemp("rivers") / "case"))
    (task,) = (t for t in plan.tasks if t.kind != "flux" and way_of(plan, t) == "coast")
    assert [f.name for f in task.outputs[0].fields] == ["runoff_flux", RUNOFF_HEAT]
    return plan, task


def matrix(operator, cells):
    """Dense weights of some rows, [row, source cell]."""
    w = operator.weights
    operator.bind([np.arange(w.shape[1], dtype=np.int64)])
    indptr, indices, data = operator.rows(0, cells)
    out = np.zeros((cells.size, w.shape[1]))
    np.add.at(out, (np.repeat(np.arange(cells.size), np.diff(indptr)), indices), data)
    return out


def test_what_leaves_the_land_arrives_and_ranks_share_it(rivers):
    plan, task = rivers
    land, sea = plan["land"].grids["default"], plan["ocean"].grids["default"]
    whole = LinearOperator(plan, task, 0, 1)
    runoff = 1.0 + np.random.default_rng(0).random(land.size)
    arrived = sea.area.ravel() @ (matrix(whole, np.arange(sea.size)) @ runoff)
    drained = whole.input_area(0, np.arange(land.size))
    assert arrived == pytest.approx(drained @ runoff, rel=1e-13)
    tiles = [t for t in plan.tasks if t.tile.kind == "land" and t.outputs[0].component == "atmosphere"]
    assert tiles
    for tile in tiles:
        given = LinearOperator(plan, tile, 0, 1).input_area(0, np.arange(land.size))
        drains = drained > 0.0  # all of it or nothing: the rest flows to the sea outside the domain
        assert not drains[given == 0.0].any() and drains[given > 0.0].mean() > 0.75
        np.testing.assert_allclose(drained[drains], given[drains], rtol=1e-9)  # the land that the air has too
    area, covered = whole.output_area(0, np.arange(sea.size))
    assert np.array_equal(covered > 0.0, sea.mask.ravel()) and np.all(area[~sea.mask.ravel()] == 0.0)
    halves = [LinearOperator(plan, task, n, 2) for n in range(2)]
    shared = sum(half.input_area(0, np.arange(land.size)) for half in halves)
    np.testing.assert_allclose(shared, drained, rtol=1e-12)


def test_only_land_discharges_and_only_towards_this_ocean(rivers):
    plan, task = rivers
    land, sea = plan["land"].grids["default"], plan["ocean"].grids["default"]
    operator = LinearOperator(plan, task, 0, 1)
    drained = operator.input_area(0, np.arange(land.size)) / land.area.ravel()
    x, y = land.longitude.ravel(), land.latitude.ravel()
    near = lambda lon, lat: np.hypot(x - lon, y - lat).argmin()  # noqa: E731
    assert drained[near(112.0, 30.0)] == pytest.approx(1.0, abs=1e-9)  # Hubei
    assert drained[near(145.0, 20.0)] == 0.0  # the Pacific
    assert drained[near(78.0, 18.0)] == 0.0  # the Deccan drains into a sea outside the domain
    mouths = np.flatnonzero(matrix(operator, np.arange(sea.size)).sum(1) > 0.0)
    assert mouths.size > 30 and sea.longitude.ravel()[mouths].max() < 148.0  # none along the open edge in the east


def test_hubei_reaches_the_coast_of_china(rivers):
    plan, task = rivers
    land, sea = plan["land"].grids["default"], plan["ocean"].grids["default"]
    x, y = land.longitude.ravel(), land.latitude.ravel()
    cell = np.hypot(x - 115.0, y - 30.0).argmin()
    weights = matrix(LinearOperator(plan, task, 0, 1), np.arange(sea.size))
    (mouth,) = np.flatnonzero(weights[:, cell])
    assert 116.0 < sea.longitude.ravel()[mouth] < 123.5 and 23.0 < sea.latitude.ravel()[mouth] < 38.0
    assert weights[mouth, cell] == pytest.approx(land.area.ravel()[cell] / sea.area.ravel()[mouth], rel=1e-9)


def test_the_transpose_brings_back_to_the_land(rivers):
    plan, task = rivers
    operator = LinearOperator(plan, task, 0, 1)
    rng = np.random.default_rng(3)
    x, y = rng.random(plan["land"].grids["default"].size), rng.random(plan["ocean"].grids["default"].size)
    forward = y @ (matrix(operator, np.arange(y.size)) @ x)
    assert apply_weights(*operator.transpose(), y) @ x == pytest.approx(forward, rel=1e-12)


def test_one_word_puts_rivers_between_land_and_ocean(tmp_path):
    """The template with `rivers: {model: rivers}`: the same land drains, and the great rivers end in the ocean."""
    change = ("case.yaml", "rivers: {model: none}", "rivers: {model: rivers}")
    plan = make_plan(coupled_case(tmp_path / "case", change))
    assert [i.rule for i in plan.inactive if "rivers of the case" in i.why] == ["land -> ocean"]
    tasks = {way_of(plan, t): t for t in plan.tasks if t.kind != "flux"}
    land, reaches = plan["land"].grids["default"], plan["rivers"].grids["default"]
    drained = LinearOperator(plan, tasks["reaches"], 0, 1).input_area(0, np.arange(land.size)) / land.area.ravel()
    x, y = land.longitude.ravel(), land.latitude.ravel()
    near = lambda lon, lat: np.hypot(x - lon, y - lat).argmin()  # noqa: E731
    assert drained[near(112.0, 30.0)] == pytest.approx(1.0, abs=1e-9)  # Hubei
    assert drained[near(145.0, 20.0)] == 0.0  # the Pacific
    arriving = LinearOperator(plan, tasks["mouths"], 0, 1).input_area(0, np.arange(reaches.size))
    model = plan["rivers"].component
    names = {name: arriving[cell] for cell, name in model.cell_names(plan["rivers"].setting).items()}
    assert [names[name] for name in ("Yangtze", "Yellow", "Pearl", "Mekong")] == pytest.approx([1.0] * 4, rel=1e-12)
    assert names["Irrawaddy"] == names["Amur"] == names["Qaidam"] == 0.0
