# SPDX-License-Identifier: BSD-3-Clause
"""The surface mosaic in the exchange: ocean, prescribed ocean outside its domain, and land share out the atmosphere."""

import csv
import dataclasses

import numpy as np
import pytest

from coupler.case.case import make_plan
from coupler.exchange.flux_operator import FluxOperator
from coupler.exchange.operators import LinearOperator
from coupler.exchange.points import PointOperator as FluxShares
from coupler.files.restart import newest, read_part
from tests.toys.cases import TOYS, box, differences, tessera, toy_case

AIR_GRID = box(95, 143, -4, 44, 2.0)
PRESCRIBED = {"role": "prescribed"}


def mosaic(folder, air_grid=AIR_GRID, **changes):
    """Air over a smaller ocean with islands, a prescribed sea on the air's grid, and land on a grid of its own."""
    components = {
        "atmosphere": {"model": TOYS + "MosaicAir", "step": "PT1H", "grid": air_grid},
        "ocean": {"model": TOYS + "MaskedSea", "step": "PT1H", "grid": box(102, 138, 2, 38, 0.75)},
        "prescribed_ocean": {
            "model": TOYS + "FarSea",
            "step": "PT1H",
            "grid": dict(air_grid),
            **changes.pop("role", PRESCRIBED),
        },
        "land": {"model": TOYS + "Ground", "step": "PT1H", "grid": box(94, 144, -5, 45, 1.25)},
    }
    components = {name: components[name] for name in changes.pop("order", components)}
    node = {"flux": "air_sea", "scheme": "ncar", "period": "PT1H", **changes.pop("node", {})}
    rules = [
        {**node, "between": ["atmosphere", "ocean"]},
        {**node, "between": ["atmosphere", "prescribed_ocean"]},
        {"from": "land", "to": "atmosphere", "period": "PT1H", "lag": "PT1H"},
    ]
    layout = changes.pop("layout", {"atmosphere": 2, "ocean": 1, "prescribed_ocean": 1, "land": 1})
    return toy_case(folder, components=components, coupling=rules, layout=layout, duration="PT6H", restart="PT3H")


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    made = mosaic(tmp_path_factory.mktemp("mosaic") / "toy")
    tessera(made, "--serial")
    return made


def test_the_tiles_of_every_cell_sum_to_one(case):
    plan = make_plan(case)
    assert [t.tile.kind for t in plan.tasks] == ["", "outside", "land"]
    cells = np.arange(plan["atmosphere"].grids["default"].size)
    shares = []
    for t in plan.tasks:
        kind = FluxOperator if t.kind == "flux" else LinearOperator
        slot = next(i for i, d in enumerate(t.outputs) if d.component == "atmosphere")
        shares.append(kind(plan, t, 0, 1).output_area(slot, cells)[1])
    total = np.sum(shares, axis=0)
    np.testing.assert_allclose(total, 1.0, rtol=0, atol=1e-13)  # polygon areas: round-off of three grids
    np.testing.assert_allclose(np.sum(shares / total, axis=0), 1.0, rtol=0, atol=1e-14)  # as they are merged
    assert all(np.any((s > 0.01) & (s < 0.99)) for s in (shares[0], shares[2])) and shares[1].max() > 0.99


def test_what_the_tiles_give_is_what_the_atmosphere_gets(case):
    rows = [r for r in csv.DictReader((case / "run" / "budget.csv").open()) if r["to"] == "atmosphere"]
    assert len({r["rule"] for r in rows}) == 3
    assert max(float(r["worst_relative_residual"]) for r in rows) < 1e-13
    plan = make_plan(case)
    area = plan["atmosphere"].grids["default"].area
    heat = read_part(newest(case / "run" / "restart"), "atmosphere")["state.heat"]
    merged = float(np.sum(area * heat)) * 3600
    one_hour = sum(float(r["received"]) for r in rows) / 6
    assert abs(merged - one_hour) < 0.2 * abs(one_hour)  # the fluxes change little within the six hours


@pytest.mark.ranks
def test_any_ranks_give_the_same_bits(case, tmp_path):
    other = mosaic(
        tmp_path / "toy", layout={"coupler": 2, "atmosphere": 3, "ocean": 2, "prescribed_ocean": 1, "land": 2}
    )
    tessera(other)
    assert differences(case, other, history=False) == []


@pytest.mark.parametrize("grid", ["first", "second"])
def test_fluxes_on_one_sides_grid_can_be_chosen_and_conserve_too(case, tmp_path, grid):
    other = mosaic(tmp_path / "toy", node={"grid": grid})
    tessera(other, "--serial")
    rows = [r for r in csv.DictReader((other / "run" / "budget.csv").open()) if "flux (" in r["rule"]]
    assert max(float(r["worst_relative_residual"]) for r in rows) < 1e-13
    here, there = (read_part(newest(c / "run" / "restart"), "atmosphere")["state.heat"] for c in (case, other))
    assert 0.0 < np.abs(here - there).max() < 50.0


def test_a_prescribed_ocean_on_another_grid_is_refused(tmp_path):
    case = mosaic(tmp_path / "toy")
    text = (case / "case.yaml").read_text()
    head, tail = text.split("  prescribed_ocean:\n", 1)
    (case / "case.yaml").write_text(
        head + "  prescribed_ocean:\n" + tail.replace("resolution: 2.0", "resolution: 1.0", 1)
    )
    done = tessera("check", case, check=False)
    assert done.returncode == 2 and "give it the grid of atmosphere" in done.stderr


@pytest.mark.parametrize("role", [PRESCRIBED, {}])
def test_the_order_of_the_oceans_does_not_count(case, tmp_path, role):
    order = ("land", "prescribed_ocean", "ocean", "atmosphere")
    plan, other = make_plan(case), make_plan(mosaic(tmp_path / "toy", order=order, role=role))
    assert [t.tile for t in other.tasks] == [t.tile for t in plan.tasks]


def test_two_oceans_that_might_both_be_the_model_are_refused_with_the_remedy(tmp_path):
    case = mosaic(tmp_path / "toy", role={})
    text = (case / "case.yaml").read_text()
    head, tail = text.split("  prescribed_ocean:\n", 1)
    (case / "case.yaml").write_text(
        head + "  prescribed_ocean:\n" + tail.replace("resolution: 2.0", "resolution: 1.0", 1)
    )
    done = tessera("check", case, check=False)
    assert done.returncode == 2
    assert "ocean and prescribed_ocean are oceans: say  role: prescribed  in the namelist of" in done.stderr


def test_the_sides_of_a_flux_node_may_stand_in_either_order(case, tmp_path):
    """The law's upper side is the first of the rule, but the tile is where both meet."""
    plan = make_plan(case)
    task = next(t for t in plan.tasks if t.tile.kind == "outside")
    turned = dataclasses.replace(task, inputs=task.inputs[::-1])
    cells = np.arange(plan["atmosphere"].grids["default"].size)
    slot = next(i for i, d in enumerate(task.outputs) if d.component == "atmosphere")
    shares = [FluxShares(plan, t, 0, 1).output_area(slot, cells)[0] for t in (task, turned)]
    np.testing.assert_allclose(*shares, rtol=1e-12, atol=1e-3)
