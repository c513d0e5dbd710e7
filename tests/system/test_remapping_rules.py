# SPDX-License-Identifier: BSD-3-Clause
"""Methods, fallbacks and conservation of a rule, through a whole run."""

import csv

import numpy as np
import pytest

from coupler.component import Component
from coupler.fields import FieldSpec
from coupler.files.restart import newest, read_part
from tests.toys.cases import TOYS, box, differences, tessera, toy_case

RAIN = "precipitation_flux"


class Pots(Component):
    """Stand on the cells that are wet, and gather the rain wherever it comes."""

    imports = (FieldSpec(RAIN, partial=True),)

    def grids(self, setting):
        lon, lat = setting.grid.longitude, setting.grid.latitude
        return {"default": setting.grid.with_mask(np.sin(0.7 * lon) * np.cos(0.9 * lat) < 0.3)}

    def initialize(self, context):
        self.water = np.zeros(context.local_shape)
        self.area = np.where(context.local(context.grid.mask), context.local(context.grid.area), 0.0)
        return {}

    def step(self, time, seconds, imports):
        self.water = self.water + np.nan_to_num(imports[RAIN]) * self.area * seconds
        return {}

    def state(self):
        return {"water": self.water}

    def restore(self, state):
        self.water = np.asarray(state["water"])


AIR = {"model": TOYS + "Air", "step": "PT30M", "grid": box(100, 120, 0, 20, 2.0)}


def two(folder, rule, soil_grid=None, **changes):
    """Air on 2 degrees over a soil grid that reaches further west by default."""
    components = {
        "air": AIR,
        "soil": {"model": TOYS + "Soil", "step": "PT30M", "grid": soil_grid or box(90, 120, 0, 20, 1.0)},
    }
    rules = [{"from": "air", "to": "soil", "period": "PT1H", "lag": "PT1H", **rule}]
    options = {"duration": "PT3H", "restart": "PT3H", "layout": {"air": 1, "soil": 1}, **changes}
    return toy_case(folder, components=components, coupling=rules, **options)


def received(case):
    """Air temperature that the soil holds at the end."""
    held = read_part(newest(case / "run" / "restart"), "soil")
    (name,) = (n for n in held if n.startswith("held.air-to-soil-") and n.endswith(".values"))
    return held[name][0]


def test_nearest_fills_what_conservative_leaves_open(tmp_path):
    case = two(tmp_path / "toy", {"remap": ["conservative", "nearest"]})
    tessera(case, "--serial")
    field = received(case)
    assert np.isfinite(field).all() and field.min() > 270
    np.testing.assert_array_equal(field[:, :10], np.repeat(field[:, 10:11], 10, axis=1))


def test_a_fixed_value_fills_too(tmp_path):
    case = two(tmp_path / "toy", {"remap": ["conservative", {"fixed": 281.5}]})
    tessera(case, "--serial")
    assert (received(case)[:, :10] == 281.5).all() and (received(case)[:, 10:] != 281.5).all()


def test_an_unknown_method_is_refused_with_the_line_and_a_hint(tmp_path):
    case = two(tmp_path / "toy", {"remap": "conservativ"})
    done = tessera("check", case, check=False)
    assert done.returncode == 2 and "case.yaml:" in done.stderr and "did you mean 'conservative'" in done.stderr


@pytest.mark.ranks
@pytest.mark.parametrize("kind", ["global", "global_positive", "basin"])
def test_bilinear_conserves_with_a_correction_and_any_coupler_ranks_give_the_same_bits(tmp_path, kind):
    """The sea takes sunshine bilinearly; the budget's own comparison of sent and received is the proof."""
    sea = {"model": TOYS + "Sea", "step": "PT1H", "grid": box(101, 119, 1, 19, 0.75)}
    rules = [{"from": "air", "to": "sea", "period": "PT3H", "lag": "PT3H", "remap": "bilinear", "conserve": kind}]
    options = {"duration": "PT12H", "restart": "PT12H", "coupling": rules}
    tolerance = {"checks": {"budget_tolerance": 1e-12 if kind != "basin" else 1.0}}
    a = toy_case(
        tmp_path / "serial", components={"air": AIR, "sea": sea}, layout={"air": 1, "sea": 1}, **options, **tolerance
    )
    b = toy_case(tmp_path / "mpi", components={"air": AIR, "sea": sea}, layout={"coupler": 2, "air": 2, "sea": 2},
                 **options, **tolerance)  # fmt: skip
    tessera(a, "--serial")
    tessera(b)
    assert differences(a, b, history=False) == []
    rows = list(csv.DictReader((a / "run" / "budget.csv").open()))
    worst = max(float(r["worst_relative_residual"]) for r in rows)
    assert rows and (worst < 1e-13 if kind != "basin" else worst > 1e-3)


@pytest.mark.parametrize("kind", ["global", "global_positive"])
@pytest.mark.parametrize("normalization", ["fracarea", "destarea"])
@pytest.mark.parametrize("method", ["bilinear", "conservative"])
def test_what_a_correction_conserves_is_what_the_component_gets_in_the_cells_that_are_reached(
    tmp_path, method, normalization, kind
):
    """The pots reach beyond the air on all sides, and its edge runs through some: what they hold is what has fallen."""
    wider = {"west": 90.3, "east": 122.7, "south": -0.9, "north": 20.7, "resolution": 0.9}
    pots = {"model": "tests.system.test_remapping_rules:Pots", "step": "PT1H", "grid": wider}
    rule = {"from": "air", "to": "pots", "period": "PT1H", "lag": "PT1H", "remap": method, "conserve": kind}
    case = toy_case(
        tmp_path / "toy", components={"air": AIR, "pots": pots}, layout={"air": 1, "pots": 1}, duration="PT3H",
        restart="PT3H", coupling=[{**rule, "normalization": normalization}],
    )  # fmt: skip
    tessera(case, "--serial")
    (row,) = csv.DictReader((case / "run" / "budget.csv").open())
    water = read_part(newest(case / "run" / "restart"), "pots")["state.water"].sum()
    assert water == pytest.approx(float(row["sent"]), rel=1e-13)
    assert float(row["received"]) == pytest.approx(float(row["sent"]), rel=1e-13)


def front(folder, layout=None, **rule):
    """Air with a sharp front over finer soil, the air's edge filled from the nearest cell; second order overshoots."""
    components = {
        "air": {"model": TOYS + "FrontAir", "step": "PT30M", "grid": box(100, 120, 0, 20, 2.0)},
        "soil": {"model": TOYS + "Soil", "step": "PT30M", "grid": box(98, 120, 1, 19, 0.5)},
    }
    rules = [{"from": "air", "to": "soil", "period": "PT1H", "lag": "PT1H",
              "remap": ["conservative_second_order", "nearest"], **rule}]  # fmt: skip
    return toy_case(folder, components=components, coupling=rules, duration="PT3H", restart="PT3H",
                    layout=layout or {"air": 1, "soil": 1})  # fmt: skip


@pytest.mark.ranks
def test_the_limiter_keeps_second_order_within_the_range_of_the_source_on_any_ranks(tmp_path):
    free, limited = front(tmp_path / "free"), front(tmp_path / "limited", limiter=True)
    ranks = front(tmp_path / "ranks", {"coupler": 3, "air": 2, "soil": 2}, limiter=True)
    assert "conservative_second_order then nearest, limited" in tessera("check", limited).stdout
    first = front(tmp_path / "first", remap=["conservative", "nearest"])
    for case in (free, limited, first):
        tessera(case, "--serial")
    tessera(ranks)
    low, high = 270.0, 300.0  # the range of the source
    assert received(free).max() > high + 1.0 and received(free).min() < low - 1.0
    held = received(limited)
    assert held.min() >= low - 1e-12 and held.max() <= high + 1e-12
    assert np.abs(held - received(first)).max() > 1.0  # and is no first order: the front has a slope
    assert received(ranks).tobytes() == held.tobytes()


@pytest.mark.parametrize("remap", ["conservative", ["bilinear", "nearest"]])
def test_a_limiter_without_gradients_is_refused(tmp_path, remap):
    done = tessera("check", front(tmp_path / "toy", remap=remap, limiter=True), check=False)
    assert done.returncode == 2 and "limits the gradients of remap: conservative_second_order" in done.stderr
