# SPDX-License-Identifier: BSD-3-Clause
"""Land that changes hands by year: forest to crop to city and back keeps the cell's water and heat."""

from itertools import pairwise

import netCDF4
import numpy as np
import pytest
import torch

from components.land.column.column import heat_stored, initial_state, water_stored
from components.land.column.component import ColumnLand
from components.land.column.cycles.pools import stored
from components.land.column.land_use import Years, hand_over, pass_on
from components.land.column.parameters import parameters
from components.land.column.products import CARBON_FLUX, Products
from components.land.column.structure import named, rebuild
from components.science.surface_fields import ELEMENTS
from coupler.grids.grid import Grid
from tests.unit.test_land_component import HOUR, context, weather

NAMES = ("deciduous_broadleaf_forest", "cropland", "bare")


def test_thirty_percent_of_forest_to_crop_to_city_and_back():
    cells, rng = 5, np.random.default_rng(0)
    plants = [name for name in NAMES for _ in range(cells)]
    p = parameters(plants, ["loam", "clay", "sand", "loam", "silt_loam"] * 3)
    draw = lambda *shape: torch.as_tensor(rng.random(shape))  # noqa: E731
    state = initial_state(p, 262.0 + 30.0 * draw(15), draw(15), 120.0 * draw(15) * (draw(15) > 0.5))
    state = state._replace(held=state.held._replace(water=draw(15), snow=2.0 * draw(15)))
    shares = [
        torch.tensor([[a] * cells, [b] * cells, [c] * cells], dtype=torch.float64)
        for a, b, c in ((0.7, 0.2, 0.1), (0.4, 0.5, 0.1), (0.4, 0.2, 0.4), (0.7, 0.2, 0.1), (1.0, 0.0, 0.0))
    ]

    def mean(values, share):
        return (values.reshape(3, cells) * share).sum(0)

    water, heat = mean(water_stored(state, p), shares[0]), mean(heat_stored(state, p), shares[0])
    scale = mean(heat_stored(state, p).abs(), shares[0]).max()
    begin = state
    for old, new in pairwise(shares):
        state = pass_on(state, p, old, new)
        assert float((mean(water_stored(state, p), new) / water - 1.0).abs().max()) < 1e-12
        assert float((mean(heat_stored(state, p), new) - heat).abs().max()) < 1e-12 * float(scale)
        for part in (state.liquid, state.ice, state.snow.ice, state.snow.liquid, state.held.water):
            assert float(part.min()) >= 0.0
        assert float((state.liquid + state.ice - p.texture.theta_s).max()) < 1e-12
    assert 240.0 < float(state.soil_temperature.min()) and float(state.soil_temperature.max()) < 300.0
    same = pass_on(begin, p, shares[0], shares[0])
    assert all(torch.allclose(a, b, rtol=1e-14) for (_, a), (_, b) in zip(named(same), named(begin), strict=True))


def test_carbon_and_nutrients_of_the_cell_are_in_its_tiles_and_its_products():
    cells, rng = 4, np.random.default_rng(2)
    names = ("deciduous_broadleaf_forest", "maize", "bare")
    p = parameters([n for n in names for _ in range(cells)], ["loam"] * 12, cycles=True)
    state = initial_state(p, torch.full((12,), 288.0, dtype=torch.float64), 0.5)
    draw = {name: value * (0.5 + torch.as_tensor(rng.random(value.shape))) for name, value in named(state.cycles)}
    state = state._replace(cycles=rebuild(state.cycles, draw))
    shares = [
        torch.tensor([[a] * cells, [b] * cells, [c] * cells], dtype=torch.float64)
        for a, b, c in ((1.0, 0.0, 0.0), (0.7, 0.3, 0.0), (0.7, 0.0, 0.3), (1.0, 0.0, 0.0), (0.2, 0.8, 0.0))
    ]

    def of_cell(state, share):
        return torch.stack([(v.reshape(3, cells) * share).sum(0) for v in stored(state.cycles)])

    begun, kept = of_cell(state, shares[0]), torch.zeros(3, 3, cells, dtype=torch.float64)
    for old, new in pairwise(shares):
        state, products = hand_over(state, p, old, new)
        kept = kept + products
        assert float(((of_cell(state, new) + kept.sum(0)) / begun - 1.0).abs().max()) < 1e-12
        assert all(float(v.min()) >= 0.0 for _, v in named(state.cycles._replace(day=state.cycles.due)))
    assert float(products.min()) >= 0.0 and float(kept[:, :, 0].min()) > 0.0
    crop = state.cycles.carbon.plant.storage.reshape(3, cells)[1]
    assert (
        float((crop - p.cycles.farming.seed.reshape(3, cells)[1]).abs().max()) < 1e-12
    )  # what is new to the land begins with a seed
    lives = Products(cells)
    lives.take(kept)
    flux = torch.zeros(cells, dtype=torch.float64)
    given = {CARBON_FLUX: flux, **{f"booked_{name}": flux for name in ELEMENTS}}
    gone = lives.step(given, 365.0 * 86400.0)
    left = lives.stored / kept
    assert left[:, 0, 0].tolist() == pytest.approx(np.exp([-1.0, -0.1, -0.01]), rel=1e-12)
    released = (kept - lives.stored).sum(0) / (365.0 * 86400.0)
    assert torch.allclose(gone[CARBON_FLUX], -released[0], rtol=1e-12, atol=0)
    assert torch.allclose(gone["booked_nitrogen"], -released[1], rtol=1e-12, atol=0)


def test_shares_of_a_year_are_those_of_the_last_that_is_given():
    years = Years((2000, 2010), np.array([[[1.0]], [[2.0]]]))
    assert [float(years.of(y)[0, 0]) for y in (1990, 2000, 2009, 2010, 2050)] == [1.0, 1.0, 1.0, 2.0, 2.0]


@pytest.fixture
def surface(tmp_path):
    grid = Grid.regular_lonlat("land", 100, 108, 20, 28, resolution=4)
    with netCDF4.Dataset(tmp_path / "surface.nc", "w") as data:
        for name, values in (("lat", grid.latitude[:, 0]), ("lon", grid.longitude[0]), ("year", [2000, 2001])):
            data.createDimension(name, len(values))
            data.createVariable(name, "f8", (name,))[:] = values
        data.createDimension("type", 3)
        data.createVariable("type", str, ("type",))[:] = np.array(NAMES, dtype=object)
        share = np.array([[0.6, 0.3, 0.1], [0.3, 0.6, 0.1]])[:, :, None, None] + np.zeros((2, 3, 2, 2))
        data.createVariable("area_type_fraction", "f8", ("year", "type", "lat", "lon"))[:] = share
    return grid, tmp_path


@pytest.mark.parametrize("options", [{}, {"leaves": "prognostic", "nitrogen": "demand"}], ids=["water", "cycles"])
def test_new_year_changes_the_shares_and_a_restart_on_the_last_of_december_keeps_the_bits(surface, options):
    grid, folder = surface
    lands = [ColumnLand(ColumnLand.Options(surface="surface.nc", tiles=2, **options)) for _ in range(2)]
    for land in lands:
        assert land.check(context(grid, folder)) == []
        land.initialize(context(grid, folder, start="2000-12-31"))
    first, second = lands
    assert first.share[:, 0].tolist() == pytest.approx([1.0 / 3.0, 2.0 / 3.0])  # crops, forest
    for step in range(28):
        given = weather(grid.shape, step)
        if step == 24:
            before = first.budget()
        out = first.step(step * HOUR, HOUR, given)
        if step == 17:
            second.restore({name: np.array(v) for name, v in first.state().items()})
        elif step > 17:
            again = second.step(step * HOUR, HOUR, given)
        if step == 24:  # the first hour of the year
            net = given["precipitation_flux"] - out["water_evapotranspiration_flux"] - out["runoff_flux"]
            assert np.abs(first.budget()["water"] - before["water"] - HOUR * net).max() < 1e-9
    assert first.share[:, 0].tolist() == pytest.approx([2.0 / 3.0, 1.0 / 3.0])
    assert all(again[name].tobytes() == out[name].tobytes() for name in out)
    assert np.abs(first.diagnostics()["water_residual"]).max() < 1e-8
    assert np.abs(first.diagnostics()["energy_residual"]).max() < 1e-2
    for element in ELEMENTS if options else ():
        store = np.abs(first.budget()[element]).max()
        assert np.abs(first.diagnostics()[f"{element}_not_booked"]).max() < 1e-12 * store
    if options:
        felled, same = first.state()["products"], second.state()["products"]
        assert felled[:, 0].min() > 0.0 and felled.tobytes() == same.tobytes()


SHARES = {1999: 0.1, 2000: 0.1, 2001: 0.4, 2002: 1.0, 2003: 0.2, 2004: 0.0, 2005: 0.1}


@pytest.mark.parametrize("options", [{}, {"leaves": "prognostic", "nitrogen": "demand"}], ids=["water", "cycles"])
def test_a_city_grows_over_all_and_goes_again_and_the_cell_keeps_what_it_has(surface, options):
    """Forest and crops to city and back, with land use of its own in between; a restart on the last of December."""
    grid, folder = surface
    with netCDF4.Dataset(folder / "surface.nc", "a") as data:
        data.createDimension("when", len(SHARES))
        data.createVariable("when", "i4", ("when",))[:] = list(SHARES)
        built = np.array(list(SHARES.values()))[:, None, None] * np.ones((2, 2))
        built[:, 0, 0] = 0.0  # a cell without a city
        data.createVariable("urban_fraction", "f8", ("when", "lat", "lon"))[:] = built
    words = {"surface": "surface.nc", "tiles": 2, "city": {"population": 9000.0}, **options}
    land, other = (ColumnLand(ColumnLand.Options(**words)) for _ in range(2))
    for one in (land, other):
        assert one.check(context(grid, folder)) == []
        one.initialize(context(grid, folder, start="1999-12-31"))
    for step in range(24):
        land.step(step * HOUR, HOUR, weather(grid.shape, step))
    start = land.budget()
    for year in [*SHARES, 2007]:
        before, paving, last = land.budget(), land.city.stores(), float(land.city.share[-1])
        land._use_land(year)
        after, built = land.budget(), float(land.city.share[-1])
        assert built == SHARES.get(year, 0.1) and float(land.city.share[0]) == 0.0
        for name in before:
            brought = 0.0 if name != "heat" else (built - last) * float(paving.heat[-1])
            change = (after[name] - before[name])[1, 1] - brought
            assert abs(change) < 1e-12 * np.abs(start[name]).max(), (year, name)
            assert np.abs((after[name] - before[name])[0, 0]) < 1e-12 * np.abs(start[name]).max()
        for name, value in (*named(land.now), *named(land.city.sealed.state)):
            if name.startswith(("liquid", "ice", "snow_ice", "held", "cycles_carbon", "cycles_soil", "pond")):
                assert float(value.min()) >= 0.0, name
    found = land.diagnostics()
    assert np.abs(found["energy_residual"]).max() < 1e-2 and np.abs(found["water_residual"]).max() < 1e-8
    assert all(np.abs(found[f"{e}_not_booked"]).max() < 1e-12 * np.abs(start[e]).max() for e in ELEMENTS if options)
    other.restore({name: np.array(v) for name, v in land.state().items()})
    for step in (24 * 367, 24 * 367 + 1):  # the second of January 2001
        out, again = (one.step(step * HOUR, HOUR, weather(grid.shape, step)) for one in (land, other))
    assert all(again[name].tobytes() == out[name].tobytes() for name in out)
    assert float(land.city.share[-1]) == 0.4
    assert all(np.array_equal(other.state()[name], value) for name, value in land.state().items())


def test_shares_by_year_are_refused_with_plants_that_store_water(surface):
    grid, folder = surface
    land = ColumnLand(ColumnLand.Options(surface="surface.nc", hydraulics="continuum"))
    assert any("by year: not with hydraulics: continuum" in text for text in land.check(context(grid, folder)))


def test_years_that_are_none_are_told(surface):
    grid, folder = surface
    with netCDF4.Dataset(folder / "surface.nc", "a") as data:
        data["year"][:] = [2001, 2000]
    land = ColumnLand(ColumnLand.Options(surface="surface.nc"))
    assert any("the years of area_type_fraction are (2001, 2000)" in text for text in land.check(context(grid, folder)))
