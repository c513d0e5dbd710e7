# SPDX-License-Identifier: BSD-3-Clause
"""Transposes of all that is linear on the way of a field: <y, A x> = <A' y, x> to 1e-12."""

import numpy as np
import pytest

from coupler.case.case import make_plan
from coupler.errors import ExchangeError
from coupler.exchange.flux_operator import FluxOperator
from coupler.exchange.merge import Merge, Share
from coupler.exchange.operators import LinearOperator
from coupler.exchange.subgrid_operator import SubgridOperator
from coupler.fields import FieldSpec
from coupler.grids.grid import Grid, GridError
from coupler.remap.apply import apply_weights
from coupler.remap.regridder import Regridder
from coupler.remap.weights import METHODS, make_weights
from coupler.window import Window
from tests.toys.cases import TOYS, box, toy_case

LAMBERT = "+proj=lcc +lat_1=15 +lat_2=40 +lat_0=30 +lon_0=110 +R=6370000"
METHODS_AND_FILLS = [
    "conservative",
    "conservative_second_order",
    "bilinear",
    "nearest",
    "inverse_distance",
    "river_mouths",
    {"river_mouths": 400e3},
    {"inverse_distance": 7},
    ["conservative", "nearest"],
    ["conservative_second_order", "nearest"],
    ["conservative_second_order", {"creep": 3}, {"fixed": 7.0}],
    ["bilinear", {"fixed": 280.0}],
    ["conservative", {"creep": 2}, "inverse_distance", {"fixed": -1.0}],
]


def same(left, right, *scales):
    """Equal to 1e-12, relative to the product of some norms."""
    assert abs(left - right) <= 1e-12 * np.prod([np.linalg.norm(s) for s in scales]), (left, right)


@pytest.fixture(scope="module")
def grids():
    """A Lambert grid with holes, and one in longitude and latitude with islands that reaches beyond it."""
    rng = np.random.default_rng(5)
    source = Grid.projected("air", LAMBERT, 26, 22, 130e3)
    target = Grid.regular_lonlat("sea", 88, 132, 12, 48, nx=40, ny=33)
    return source.with_mask(rng.random(source.shape) > 0.15), target.with_mask(rng.random(target.shape) > 0.3)


def made(grids, method, normalization="fracarea", **options):
    target_mask = None if "conservative" in str(method) else "default"
    if "creep" in str(method) or "river" in str(method):
        target_mask = "default"
    return make_weights(*grids, method, normalization=normalization, target_mask=target_mask, **options)


def test_no_method_is_left_out():
    assert {m for m in METHODS if m in str(METHODS_AND_FILLS)} == set(METHODS)


@pytest.mark.parametrize("normalization", ["fracarea", "destarea"])
@pytest.mark.parametrize("method", METHODS_AND_FILLS, ids=str)
def test_weights_of_every_method(grids, method, normalization):
    rng = np.random.default_rng(1)
    w = made(grids, method, normalization)
    turned = w.transpose()
    assert turned.shape == w.shape[::-1] and turned.data.size == w.data.size > 300
    for fields in (1, 3):
        x, y = rng.normal(size=(w.shape[1], fields)), rng.normal(size=(w.shape[0], fields))
        ax = apply_weights(w.indptr, w.indices, w.data, x)
        aty = apply_weights(turned.indptr, turned.indices, turned.data, y)
        same((y * ax).sum(), (aty * x).sum(), y, ax)
    areas = grids[1].area.ravel()
    one = apply_weights(turned.indptr, turned.indices, turned.data, areas)  # areas of the target, back on the source
    same(one @ x[:, 0], areas @ ax[:, 0], areas, ax[:, 0])
    again = turned.transpose()
    assert (again.matrix != w.matrix).nnz == 0


@pytest.mark.parametrize("method", METHODS_AND_FILLS, ids=str)
def test_some_rows_only(grids, method):
    rng = np.random.default_rng(2)
    rows = rng.permutation(grids[1].size)[:200]
    w = made(grids, method, rows=rows)
    turned = w.transpose()
    x, y = rng.normal(size=w.shape[1]), rng.normal(size=200)
    ax = apply_weights(w.indptr, w.indices, w.data, x)
    same(y @ ax, apply_weights(turned.indptr, turned.indices, turned.data, y) @ x, y, ax)


@pytest.mark.parametrize("method", METHODS_AND_FILLS, ids=str)
def test_the_regridder_and_its_vectors(grids, method):
    """The linear part: fixed values and unreached cells add nothing, and no NaN comes back."""
    rng = np.random.default_rng(3)
    w = made(grids, method)
    forward = Regridder(w, *grids, fill=0.0)
    back = forward.transpose()
    x, y = rng.normal(size=w.shape[1]), rng.normal(size=w.shape[0])
    ax = forward.apply(x)[0] - forward.apply(np.zeros_like(x))[0]
    same(y @ ax, back.apply(y)[0] @ x, y, ax)
    assert np.isfinite(back.apply(y)[0]).all() and back(y.reshape(grids[1].shape)).shape == grids[0].shape
    if "fixed" in str(method):
        return
    u, v = rng.normal(size=(2, w.shape[1])), rng.normal(size=(2, w.shape[0]))
    p, q = forward.apply_vector(*u)[:2], back.apply_vector(*v)[:2]
    same(v[0] @ p[0] + v[1] @ p[1], q[0] @ u[0] + q[1] @ u[1], v, p)


def test_what_is_not_linear_is_refused_by_name(grids):
    w = made(grids, "conservative_second_order")
    with pytest.raises(GridError, match="limiter: true has no transpose"):
        Regridder(w, *grids, limiter=True).transpose()
    for kind in ("global", "global_positive", "basin", "basin_positive"):
        with pytest.raises(GridError, match=f"conserve: {kind} has no transpose"):
            Regridder(w, *grids, conserve=kind).transpose()
    for statistic in ("min", "max"):
        with pytest.raises(ExchangeError, match=f"statistic {statistic} has no transpose"):
            Window(1, 4, statistic, False).transpose(3)
    with pytest.raises(ExchangeError, match="without samples"):
        Window(1, 4, "mean", False).transpose()


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("statistic", ["instant", "mean", "sum"])
def test_windows(statistic, weighted):
    rng = np.random.default_rng(4)
    window = Window(3, 50, statistic, weighted)
    samples, fractions = rng.normal(size=(7, 3, 50)), rng.random((7, 50))
    for k in range(7):
        window.add([samples[k, :1], samples[k, 1:]], fractions[k] if weighted else None)
    turned = window.transpose(7)
    if statistic != "instant":
        assert window.transpose().count == 7
    out = window.take().copy()
    y = rng.normal(size=out.shape)
    back = turned(y, fractions if weighted else None)
    if weighted:
        y[-1] = 0.0
    same((y * out).sum(), (np.stack(back) * samples).sum(), y, out)
    if weighted:
        with pytest.raises(ExchangeError, match="fractions of its 7 samples"):
            turned(y)


SHARES = {
    "one": [Share()],
    "one_scaled": [Share(2.5, 3.0)],
    "one_varying": [Share(2.5, 3.0, varying=True)],
    "three": [Share(), Share(0.5, -4.0), Share(1.5, 1.0, diluted=True)],
    "three_varying": [Share(varying=True), Share(3.0, 2.0, varying=True), Share()],
}


@pytest.mark.parametrize("units", ["K", "degC"])
@pytest.mark.parametrize("shares", SHARES.values(), ids=SHARES)
def test_merges(shares, units):
    rng = np.random.default_rng(6)
    merge = Merge(FieldSpec("air_temperature", units=units), shares, holes=True)
    covers = [np.where(rng.random(80) < 0.4, 0.0, rng.random(80) / len(shares)) for _ in shares]
    values = [rng.normal(size=(1, 80)) for _ in shares]
    zero = merge([np.zeros((1, 80))] * len(shares), covers)
    out = merge(values, covers) - zero
    y = rng.normal(size=out.shape)
    assert np.any(sum(covers) == 0.0)
    same((y * out).sum(), sum((b * v).sum() for b, v in zip(merge.transpose(y, covers), values, strict=True)), y, out)


def coast(folder, rule):
    components = {
        "air": {"model": TOYS + "FluxAir", "step": "PT1H", "grid": box(98, 122, -2, 22, 3.0)},
        "sea": {"model": TOYS + "BrightSea", "step": "PT1H", "grid": box(100, 120, 0, 20, 0.8)},
    }
    rules = [{"from": "air", "to": "sea", "period": "PT2H", "lag": "PT2H", **rule}]
    return make_plan(toy_case(folder, components=components, coupling=rules, layout={"air": 1, "sea": 1}))


REMAPS = ["conservative", "conservative_second_order", "bilinear", ["conservative", "nearest"], "nearest"]


@pytest.mark.parametrize("ranks", [1, 3])
@pytest.mark.parametrize("remap", REMAPS, ids=str)
def test_operators_of_connections(tmp_path, remap, ranks):
    """What coupler ranks give back, added up, is the transpose of what they map together."""
    plan = coast(tmp_path / "toy", {"remap": remap})
    rng = np.random.default_rng(7)
    task = plan.tasks[0]
    air, sea = (plan[name].grids["default"].size for name in ("air", "sea"))
    x, y, left, back = rng.normal(size=air), rng.normal(size=sea), 0.0, np.zeros(air)
    for index in range(ranks):
        operator = LinearOperator(plan, task, index, ranks)
        operator.bind([np.arange(air)])
        own = np.arange(*operator.target_rows(0))
        left += y[own] @ apply_weights(*operator.rows(0, own), x)
        back += apply_weights(*operator.transpose(), y[own])
    same(left, back @ x, x, y)
    for wrong in ({"conserve": "global"}, {"limiter": True, "remap": "conservative_second_order"}):
        task = coast(tmp_path / "toy", {"remap": remap, **wrong}).tasks[0]
        with pytest.raises(GridError, match="has no transpose"):
            LinearOperator(plan, task, 0, 1).transpose()


@pytest.mark.parametrize("derivative", [-40.0, "derivative_of_sensible_heat_flux"], ids=["number", "field"])
def test_the_subgrid_correction_and_its_points(tmp_path, derivative):
    heat, light = "surface_downward_sensible_heat_flux", "surface_net_downward_shortwave_flux"
    subgrid = [
        {"field": heat, "kind": "nonsolar", "state": "sea_surface_temperature", "derivative": derivative},
        {"field": light, "kind": "solar", "state": "surface_albedo"},
    ]
    plan = coast(tmp_path / "toy", {"subgrid": subgrid})
    rng = np.random.default_rng(8)
    assert len(plan.tasks) == 2
    for task in plan.tasks:
        operator = SubgridOperator(plan, task, 0, 1)
        air, sea = (plan[name].grids["default"].size for name in ("air", "sea"))
        operator.bind([np.arange(air), np.arange(sea)])
        solar = task.remap.subgrid.kind == "solar"
        columns = len(task.inputs[0].fields)
        x = rng.normal(size=(air, columns))
        state = rng.uniform(0.1, 0.7, (sea, 1)) if solar else rng.normal(size=(sea, 1))
        cells = np.arange(sea)
        (made,) = operator.values([x, state])
        ax, y = apply_weights(*operator.rows(0, cells), made)[:, 0], rng.normal(size=sea)
        points = apply_weights(*operator.transpose(0), y)
        flux_bar, state_bar = operator.transpose_values(points, [x, state])
        right = flux_bar[:, 0] @ x[:, 0] + (0.0 if solar else state_bar[:, 0] @ state[:, 0])
        same(y @ ax, right, y, ax)
        assert np.abs(flux_bar).max() > 0.1 and (np.abs(state_bar).max() > 0.0) != solar


@pytest.mark.parametrize("options", [{}, {"grid": "first"}, {"grid": "second"}, {"states": "second_order"}], ids=str)
def test_both_ends_of_a_flux_node(tmp_path, options):
    """States to the points of the exchange grid, and fluxes from there to both sides."""
    components = {
        "air": {"model": TOYS + "Air", "step": "PT1H", "grid": box(98, 122, -2, 22, 3.0)},
        "sea": {"model": TOYS + "FluxSea", "step": "PT1H", "grid": box(100, 120, 0, 20, 0.8)},
    }
    rules = [{"flux": "air_sea", "scheme": "ncar", "between": ["air", "sea"], "period": "PT2H", **options}]
    plan = make_plan(toy_case(tmp_path / "toy", components=components, coupling=rules, layout={"air": 1, "sea": 1}))
    (task,) = plan.tasks
    operator = FluxOperator(plan, task, 0, 1)
    rng = np.random.default_rng(9)
    for side, name in enumerate(("air", "sea")):
        size = plan[name].grids["default"].size
        counts, indices, data = operator._states[side]
        x, y = rng.normal(size=size), rng.normal(size=counts.size)
        ax = apply_weights(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), indices, data, x)
        same(y @ ax, apply_weights(*operator.transpose_states(side), y) @ x, y, ax)
    for slot, delivery in enumerate(task.outputs):
        size = plan[delivery.component].grids["default"].size
        x, y = rng.normal(size=operator.points()), rng.normal(size=size)
        ax = apply_weights(*operator.rows(slot, np.arange(size)), x)
        same(y @ ax, apply_weights(*operator.transpose(slot), y) @ x, y, ax)
