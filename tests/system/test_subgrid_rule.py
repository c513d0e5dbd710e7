# SPDX-License-Identifier: BSD-3-Clause
"""The rule option ``subgrid``: fluxes corrected by the receiving cell's own state, through whole runs."""

import csv

import numpy as np
import pytest

from coupler.case.case import make_plan
from coupler.files.restart import newest, read_part
from coupler.remap.weights import make_weights
from tests.toys.cases import TOYS, box, differences, tessera, toy_case

HEAT, LIGHT = "surface_downward_sensible_heat_flux", "surface_net_downward_shortwave_flux"
SUBGRID = [
    {"field": HEAT, "kind": "nonsolar", "state": "sea_surface_temperature",
     "derivative": "derivative_of_sensible_heat_flux"},
    {"field": LIGHT, "kind": "solar", "state": "surface_albedo"},
]  # fmt: skip


def coast(folder, layout=None, **rule):
    """Coarse air over a fine sea with islands, on grids that do not nest."""
    components = {
        "air": {"model": TOYS + "FluxAir", "step": "PT1H", "grid": box(98, 122, -2, 22, 3.0)},
        "sea": {"model": TOYS + "BrightSea", "step": "PT1H", "grid": box(100, 120, 0, 20, 0.8)},
    }
    rules = [{"from": "air", "to": "sea", "period": "PT2H", "lag": "PT2H", "subgrid": SUBGRID, **rule}]
    return toy_case(folder, components=components, coupling=rules, duration="PT8H", restart="PT3H",
                    layout=layout or {"air": 1, "sea": 1})  # fmt: skip


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    made = coast(tmp_path_factory.mktemp("subgrid") / "toy")
    tessera(made, "--serial")
    return made


def received(case):
    """The last fluxes that the sea got, and its own state when they were made, flat."""
    part = read_part(newest(case / "run" / "restart"), "sea")
    return {name: part[f"state.{name}"].ravel() for name in (HEAT, LIGHT)}


def test_check_explains_the_correction(case):
    out = tessera("check", case).stdout
    assert "corrected by sea_surface_temperature of sea and dQ/dT = derivative_of_sensible_heat_flux" in out
    assert "corrected by surface_albedo of sea" in out


def test_the_integral_over_every_source_cell_is_what_was_sent_and_the_pattern_is_the_seas(case, tmp_path):
    """Target cells here are cut by several source cells: each source cell is checked through the points' own sum."""
    from coupler.exchange.subgrid_operator import SubgridOperator

    plain = coast(tmp_path / "plain", subgrid=[])
    tessera(plain, "--serial")
    plan = make_plan(case)
    air, sea = (plan[name].grids["default"] for name in ("air", "sea"))
    with_it, without = received(case), received(plain)
    weights = make_weights(air, sea, normalization="fracarea")
    assert weights.area is not None
    wet_area = np.bincount(np.repeat(np.arange(sea.size), np.diff(weights.indptr)), weights.area, minlength=sea.size)
    for name in (HEAT, LIGHT):
        here, there = (np.where(wet_area > 0, f[name], 0.0) * wet_area for f in (with_it, without))
        assert abs(here.sum() - there.sum()) <= 1e-13 * np.abs(there).sum()
        assert np.abs(here - there).max() > 0.05 * np.abs(there).max()  # it does something
    rng = np.random.default_rng(1)
    for task in plan.tasks:
        assert task.remap.subgrid is not None
        operator = SubgridOperator(plan, task, 0, 1)
        operator.bind([np.arange(air.size), np.arange(sea.size)])
        state = (
            rng.uniform(0.05, 0.7, sea.size) if task.remap.subgrid.kind == "solar" else rng.uniform(270, 300, sea.size)
        )
        flux, slope = rng.normal(100.0, 80.0, air.size), rng.uniform(-60.0, -10.0, air.size)
        matrix = np.stack([flux, slope], axis=1)[:, : len(task.inputs[0].fields)]
        (made,) = operator.values([np.ascontiguousarray(matrix), state[:, None]])
        got = np.bincount(operator.cells[0], operator.area * made[:, 0], minlength=air.size)
        sent = np.bincount(operator.cells[0], operator.area, minlength=air.size) * flux
        size = np.bincount(operator.cells[0], operator.area * np.abs(made[:, 0]), minlength=air.size)
        assert np.abs(got - sent).max() <= 1e-14 * size.max()
        # the formula of the OASIS3 guide, cell by cell
        mean = np.bincount(operator.cells[0], operator.area * state[operator.cells[1]], minlength=air.size)
        mean = (mean / np.bincount(operator.cells[0], operator.area, minlength=air.size))[operator.cells[0]]
        fine = state[operator.cells[1]]
        q = flux[operator.cells[0]]
        wanted = q * (1 - fine) / (1 - mean)
        if task.remap.subgrid.kind == "nonsolar":
            wanted = q + slope[operator.cells[0]] * (fine - mean)
        np.testing.assert_allclose(made[:, 0], wanted, rtol=1e-12)


def test_the_budget_closes(case):
    rows = list(csv.DictReader((case / "run" / "budget.csv").open()))
    assert {r["flux"] for r in rows} == {HEAT, LIGHT}
    assert max(float(r["worst_relative_residual"]) for r in rows) <= 1e-13


@pytest.mark.ranks
def test_any_ranks_and_a_restart_give_the_same_bits(case, tmp_path):
    other = coast(tmp_path / "ranks", {"coupler": 3, "air": 2, "sea": 3})
    tessera(other)
    assert differences(case, other) == []
    text = (other / "case.yaml").read_text()
    cut = coast(tmp_path / "cut", {"coupler": 2, "air": 1, "sea": 2})
    (cut / "case.yaml").write_text((cut / "case.yaml").read_text().replace("duration: PT8H", "duration: PT3H"))
    tessera(cut)
    (cut / "case.yaml").write_text(text)
    tessera(cut, "--continue")
    assert differences(case, cut) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lag": 0}, "give the rule a lag, such as PT2H"),
        ({"remap": "bilinear"}, "it comes with remap: conservative"),
        ({"subgrid": [{**SUBGRID[0], "derivative": None}]}, "nonsolar needs a derivative"),
        ({"subgrid": [{**SUBGRID[1], "state": "surface_albdo"}]}, "did you mean 'surface_albedo'"),
        ({"subgrid": [{**SUBGRID[1], "kind": "lunar"}]}, "solar"),
    ],
)
def test_mistakes_are_said_with_the_line_and_the_remedy(tmp_path, change, said):
    done = tessera("check", coast(tmp_path / "toy", **change), check=False)
    assert done.returncode == 2 and "case.yaml:" in done.stderr and said in done.stderr


def test_a_number_is_a_derivative_too_and_a_swapped_model_leaves_the_flux_uncorrected(tmp_path):
    number = coast(tmp_path / "number", subgrid=[{**SUBGRID[0], "derivative": -40.0}])
    assert "dQ/dT = -40.0" in tessera("check", number).stdout
    lacking = coast(tmp_path / "lacking", subgrid=[{**SUBGRID[0], "state": "surface_temperature"}])
    out = tessera("check", lacking).stdout
    assert "does not export surface_temperature; the flux goes uncorrected" in out
