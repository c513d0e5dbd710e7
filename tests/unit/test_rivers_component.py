# SPDX-License-Identifier: BSD-3-Clause
"""Land to rivers to sea in a small case: nothing made and nothing lost, waves that travel, names, words that swap."""

import csv

import netCDF4
import numpy as np
import pytest
import yaml

from components.land.rivers.advance import KINDS, Rivers
from components.land.rivers.channels import channels_of
from components.land.rivers.component import RiverNetwork
from components.land.rivers.network import NOWHERE, SEA, from_codes, from_next
from components.land.rivers.network_file import read_network
from components.science.surface_fields import RIVER_WATER
from coupler.case.case import make_plan
from coupler.errors import NamelistError
from coupler.exchange.operators import LinearOperator
from coupler.exchange.waterways import way_of
from coupler.grids.grid import Grid
from tests.toys.cases import box, edit, tessera
from tests.toys.streams import CARRIED, river_case, slope
from tests.unit.test_land_component import context

ROUTINGS = ("muskingum", "kinematic", "local_inertia")


def restart(folder, component, name=""):
    """The newest restart of a component, or that of a name."""
    name = name or sorted((folder / "run" / "restart").iterdir())[-1].name
    path = folder / "run" / "restart" / name / f"{component}.nc"
    with netCDF4.Dataset(path) as data:
        data.set_auto_mask(False)
        return {
            name.removeprefix("state."): np.asarray(v[...]) for name, v in data.variables.items() if v.dtype is not str
        }


def budget(folder):
    """Sent and received by (target, flux)."""
    found = {}
    with (folder / "run" / "budget.csv").open() as file:
        for row in csv.DictReader(file):
            a, b = found.get((row["to"], row["flux"]), (0.0, 0.0))
            found[row["to"], row["flux"]] = a + float(row["sent"]), b + float(row["received"])
    return found


def mouths_inside(network):
    """Mouths in the ocean's domain, 23 to 37 N from 112 E on."""
    return network.mouths & (np.abs(network.latitude - 30.0) < 7.0)[:, None] & (network.longitude > 112.0)


@pytest.fixture(scope="module", params=ROUTINGS)
def run(request, tmp_path_factory):
    folder, network = river_case(
        tmp_path_factory.mktemp(request.param) / "case",
        rivers={"routing": request.param, "nitrogen_decay": "P5D"},
        restart={"period": "P1D", "keep": 9},
    )
    done = tessera(folder, "--serial")
    return folder, network, done.stdout + done.stderr


def test_what_is_sent_arrives_or_is_stored(run):
    folder, network, _ = run
    state, crossed = restart(folder, "rivers"), budget(folder)
    inside = mouths_inside(network)
    outside = network.mouths & ~inside
    assert inside.sum() == 14 and outside.sum() > 4
    volume = state["volume"].sum() + state["lake"].sum() - state["owed"].sum()
    stored = [1000.0 * volume, *(state["amounts"] + state["lake_amounts"]).sum((1, 2))]
    for k, name in enumerate(CARRIED):
        came, left = state["received"][k].sum(), state["delivered"][k]
        lost = state["removed_in_all"][k - 1].sum() if k else 0.0
        begun = state["begun"][k].sum()
        assert abs(came + begun - left.sum() - lost - stored[k]) < 1e-12 * came, name
        sent, received = crossed["rivers", name]
        assert abs(sent - received) < 1e-12 * sent and received == pytest.approx(came, rel=1e-12)
        sent, received = crossed["ocean", name]
        assert sent == pytest.approx(received, rel=1e-12)
        area = np.asarray(make_plan(folder)["ocean"].grids["default"].area)
        counted = (area * restart(folder, "ocean")["came"][k]).sum()  # one window is in flight at the end
        assert 0.5 * sent < counted < sent * (1.0 + 1e-12) and sent < left[inside].sum() * (1.0 + 1e-12)
        assert left[outside].sum() > 0.0
        away = [v for (to, flux), v in crossed.items() if to.startswith("outside: ") and flux == name]
        assert ("outside: Southern Brook", name) in crossed and ("outside: mouths without a name", name) in crossed
        assert sum(v[0] for v in away) + sent == pytest.approx(left.sum(), rel=1e-12)  # windows of 6 h, all whole
    assert state["lake"].sum() > 0.0 and np.count_nonzero(state["lake"]) == 1  # the Pan keeps its water
    assert state["removed_in_all"][2].sum() > 0.0


def test_the_land_gives_the_rivers_what_of_it_is_dry(run):
    folder, network, _ = run
    plan = make_plan(folder)
    ways = {way_of(plan, t): t for t in plan.tasks}
    assert set(ways) == {"reaches", "mouths"}
    land = plan["land"].grids["default"]
    drained = LinearOperator(plan, ways["reaches"], 0, 1).input_area(0, np.arange(land.size)).reshape(land.shape)
    dry = land.longitude < 116.0
    np.testing.assert_allclose(drained[dry] / land.area[dry], 1.0, rtol=1e-9)
    within = dry | (np.abs(land.latitude - 30.0) < 7.0)  # east of the coast the ocean's domain is wet
    assert np.abs(drained[within & ~dry]).max() == 0.0
    halves = [LinearOperator(plan, ways["mouths"], n, 2) for n in range(2)]
    arriving = sum(half.input_area(0, np.arange(network.land.size)) for half in halves).reshape(network.land.shape)
    inside = mouths_inside(network)
    np.testing.assert_allclose(arriving[inside], 1.0, rtol=1e-12)
    assert (arriving[~inside] == 0.0).all()


def test_mouths_outside_are_named_and_the_short_cut_is_not_taken(run, caplog):
    folder = run[0]
    plan = make_plan(folder)
    (task,) = (t for t in plan.tasks if way_of(plan, t) == "mouths")
    LinearOperator(plan, task, 0, 1)
    assert "lie outside the domain of ocean" in caplog.text and "Southern Brook (21.50 N, 115.50 E)" in caplog.text
    listed = tessera("check", folder).stdout
    assert "rivers of the case brings it from land to ocean" in listed


def test_the_wave_arrives_after_the_rain_and_then_falls(run):
    folder = run[0]
    first, last = (netCDF4.Dataset(sorted((folder / "run" / "restart").iterdir())[k] / "rivers.nc") for k in (0, -1))
    delivered = [np.asarray(d["state.delivered"][0]).sum() for d in (first, last)]
    received = [np.asarray(d["state.received"][0]).sum() for d in (first, last)]
    first.close()
    last.close()
    assert received[1] == received[0]  # it rains for a day
    assert delivered[0] < 0.8 * delivered[1] < 0.9 * received[1]


def test_none_takes_the_rivers_away_and_the_coast_gets_the_water_at_once(tmp_path):
    folder, _ = river_case(tmp_path / "case", duration="P1D")
    edit(folder, [("case.yaml", "model: rivers", "model: none")])
    plan = make_plan(folder)
    assert [c.name for c in plan.components] == ["land", "ocean"]
    assert [way_of(plan, t) for t in plan.tasks] == ["coast"]
    assert sum("rivers has model: none" in i.why for i in plan.inactive) == 2
    tessera(folder, "--serial")
    sent, received = budget(folder)["ocean", "runoff_flux"]
    assert sent == pytest.approx(received, rel=1e-12) and sent > 0.0


def test_an_outflow_needs_its_remapping_and_rivers_their_grid(tmp_path):
    folder, _ = river_case(tmp_path / "case", coupling=[
        {"from": "land", "to": "rivers", "period": "PT3H", "remap": "conservative"},
        {"from": "rivers", "to": "ocean", "period": "PT6H", "remap": "conservative"},
    ])  # fmt: skip
    with pytest.raises(NamelistError, match=r"runoff_flux is an outflow at mouths \(kg s-1\).*remap: river_mouths"):
        make_plan(folder)
    case = yaml.safe_load((folder / "case.yaml").read_text())
    case["components"]["rivers"]["grid"] = box(100, 120, 20, 40, 2.0)
    (folder / "case.yaml").write_text(yaml.safe_dump(case))
    with pytest.raises(NamelistError, match=r"cells of 1 degrees.*resolution: 1"):
        make_plan(folder)


def test_next_cells_of_cama_flood_and_part_of_a_network():
    codes = np.array([[247, 1, 247], [247, 64, 16], [2, 255, 16]])  # rows from the south
    given = from_codes(codes, [10.0, 11.0, 12.0], [0.0, 1.0, 2.0])
    assert np.array_equal(given.codes, [[247, 0, 247], [247, 64, 16], [2, 255, 16]])
    ny, nx = 3, 3
    to = given.downstream
    next_x = np.where(to >= 0, to % nx + 1, np.where(to == SEA, -9999, -9))
    next_y = np.where(to >= 0, ny - to // nx, np.where(to == SEA, -9999, -9))  # counted from the north
    next_x.ravel()[given.sinks], next_y.ravel()[given.sinks] = -10, -10
    for turn in (slice(None), slice(None, None, -1)):
        y = np.array([0.0, 1.0, 2.0])[turn]
        found = from_next(next_x[turn], next_y[turn], [10.0, 11.0, 12.0], y, southward=True)
        assert np.array_equal(found.downstream, to) and np.array_equal(found.sinks, given.sinks)
    assert (to == NOWHERE).sum() == 2 and given.mouths.sum() == 1


def test_a_part_of_a_file_in_any_order_of_its_axes(tmp_path):
    whole = slope(tmp_path / "a.nc")
    with netCDF4.Dataset(tmp_path / "b.nc", "w") as data:
        for name, values, units in (
            ("x", whole.longitude, "degrees_east"),
            ("y", whole.latitude[::-1], "degrees_north"),
        ):
            data.createDimension(name, values.size)
            data.createVariable(name, "f8", (name,))[:] = values
            data[name].units = units
        data.createVariable("dir", "u1", ("x", "y"))[:] = whole.codes[::-1].T
    part = read_network(tmp_path / "b.nc", whole.longitude[4:15], whole.latitude[3:16]).network
    same = whole.downstream[3:16, 4:15]
    inside = part.downstream >= 0
    j, i = np.divmod(part.downstream[inside], 11)
    assert np.array_equal((j + 3) * 20 + i + 4, same[inside])
    assert np.array_equal(part.land, same != SEA)


@pytest.mark.parametrize("routing", ROUTINGS)
def test_land_that_draws_is_paid_by_its_reach_then_by_those_below_and_last_by_the_next_rain(routing, tmp_path):
    network = slope(tmp_path / "network.nc")
    reaches, cells = channels_of(network)
    n, hour = cells.size, 3600.0
    rivers = Rivers(reaches, np.isin(cells, network.sinks), routing, 0.7, 0.1, np.full(len(KINDS), np.inf))
    rain = np.full(n, 50.0)
    state = rivers.steady(rain)
    state = state._replace(amounts=np.stack([(k + 2.0) * state.volume for k in range(len(KINDS))]))
    source = reaches.levels[0][np.argmax(reaches.downstream[reaches.levels[0]] >= 0)]
    below = reaches.downstream[source]
    wanted = np.zeros(n)
    wanted[source] = (state.volume[source] + 0.5 * state.volume[below]) / hour
    new, flow = rivers.advance(state, -wanted, np.zeros((len(KINDS), n)), hour)
    assert new.owed.max() == 0.0  # the reach below had the rest
    there = (new.volume + new.lake).sum() + hour * flow.water[reaches.downstream < 0].sum()
    left = there - hour * flow.water[rivers.sinks].sum()
    assert left == pytest.approx(state.volume.sum() - hour * wanted.sum(), rel=1e-12)
    gone = hour * flow.carried[:, reaches.downstream < 0].sum(1) - hour * flow.carried[:, rivers.sinks].sum(1)
    kept = (new.amounts + new.lake_amounts).sum(1) + gone + flow.removed.sum(1)
    assert kept == pytest.approx(state.amounts.sum(1), rel=1e-12)
    assert flow.removed[0, source] > 0.0 and new.volume.min() >= 0.0
    wanted[source] = 2.0 * state.volume.sum() / hour
    new, flow = rivers.advance(state, -wanted, np.zeros((len(KINDS), n)), hour)
    owed = new.owed.sum()
    assert 0.0 < owed < hour * wanted.sum()
    new, _ = rivers.advance(new, rain, np.zeros((len(KINDS), n)), hour)
    assert new.owed.sum() < owed


@pytest.mark.parametrize("routing", ROUTINGS)
def test_a_restart_of_rivers_keeps_the_bits(routing, tmp_path):
    grid = Grid.regular_lonlat("rivers", 100, 120, 20, 40, resolution=1.0)
    slope(tmp_path / "network.nc")
    options = dict(file="network.nc", routing=routing, initial_runoff=1e-5, nitrogen_decay="P5D")
    models = [RiverNetwork(RiverNetwork.Options(**options)) for _ in range(2)]
    for model in models:
        setting = context(grid, tmp_path)
        setting.grids = model.grids(setting)
        model.initialize(setting)
    first, second = models
    rng = np.random.default_rng(0)
    for step in range(6):
        water = 1e-4 * (rng.random(grid.shape) - 0.3)
        given = {"runoff_flux": np.maximum(water, 0.0), RIVER_WATER: np.maximum(-water, 0.0)}
        given |= {name: 1e-6 * rng.random(grid.shape) for name in CARRIED[1:]}
        out = first.step(3600 * step, 3600, given)
        if step == 2:
            second.restore({name: np.array(v) for name, v in first.state().items()})
        elif step > 2:
            again = second.step(3600 * step, 3600, given)
    assert all(again[name].tobytes() == out[name].tobytes() for name in out)
    one, two = first.state(), second.state()
    assert all(one[name].tobytes() == two[name].tobytes() for name in one) and one["volume"].max() > 0.0
