"""The surface mosaic: fractions sum to one, and what one side loses the other gains."""

import numpy as np
import pytest

from coupler.grids.grid import Grid, GridError
from coupler.remap.mosaic import (
    make_exchange_grid,
    make_land_exchange_grid,
    merge_tiles,
    surface_fractions,
    wet_share,
)

LAMBERT = "+proj=lcc +lat_1=15 +lat_2=40 +lat_0=30 +lon_0=110 +R=6370000"


@pytest.fixture(scope="module")
def east_asia():
    air = Grid.projected("air", LAMBERT, 60, 50, 100000.0)
    sea = Grid.regular_lonlat("sea", 99, 150, 5, 45, nx=102, ny=80)
    wet = ~(np.sin(3 * np.deg2rad(sea.longitude)) * np.cos(4 * np.deg2rad(sea.latitude)) > 0.3)
    return air, sea.with_mask(wet)


def land_test(latitude, longitude):
    return np.asarray(longitude) < 105.0


def test_fractions_sum_to_one_in_every_cell(east_asia):
    air, sea = east_asia
    fractions = surface_fractions(air, sea, outside_wet=wet_share(air, land_test))
    total = fractions.ocean + fractions.prescribed_ocean + fractions.land
    assert np.abs(total - 1.0).max() <= 1e-14
    for part in (fractions.ocean, fractions.prescribed_ocean, fractions.land):
        assert part.min() >= 0.0 and part.max() <= 1.0
        assert 0.05 < part.mean() < 0.8
    # the ocean's wet mask is authoritative: its wet area within the atmosphere is the ocean fraction's area
    exchange = make_exchange_grid(air, sea)
    wet = (exchange.fraction("ocean") * exchange.surface_area).sum()
    assert abs((fractions.ocean * air.area).sum() / wet - 1.0) < 1e-13


def test_fractions_on_a_land_grid_and_without_an_ocean_model(east_asia):
    _, sea = east_asia
    land = Grid.regular_lonlat("land", 102, 140, 10, 40, resolution=1)
    fractions = surface_fractions(land, sea)
    assert not fractions.prescribed_ocean.any()
    assert np.abs(fractions.ocean + fractions.land - 1.0).max() <= 1e-14
    share = wet_share(land, land_test)
    alone = surface_fractions(land, outside_wet=share)
    assert not alone.ocean.any()
    np.testing.assert_array_equal(alone.prescribed_ocean, share)
    assert share[0, 0] == 0.0 and share[0, -1] == 1.0


def test_reaching_beyond_the_ocean_needs_an_answer(east_asia):
    air, sea = east_asia
    with pytest.raises(GridError, match="beyond the ocean's domain"):
        surface_fractions(air, sea)
    with pytest.raises(GridError, match="between 0"):
        surface_fractions(air, sea, outside_wet=np.full(air.shape, 2.0))


def test_what_the_atmosphere_loses_the_ocean_gains(east_asia):
    air, sea = east_asia
    exchange = make_exchange_grid(air, sea)
    random = np.random.default_rng(3)
    wind = exchange.to_exchange("atmosphere", random.uniform(2.0, 20.0, air.size))
    warmth = exchange.to_exchange("atmosphere", random.uniform(270.0, 300.0, air.size))
    surface = exchange.to_exchange("ocean", random.uniform(272.0, 303.0, sea.size))
    flux = np.stack([1.2 * 1005 * 1.3e-3 * wind * (warmth - surface), 1.2 * 1.3e-3 * wind**2], axis=1)
    up, down = (exchange.from_exchange(side, flux) for side in ("atmosphere", "ocean"))
    for field in range(2):
        total = np.sum(exchange.area * flux[:, field])
        scale = np.sum(exchange.area * np.abs(flux[:, field]))
        for side, mean in (("atmosphere", up), ("ocean", down)):
            share = exchange.fraction(side)
            assert np.array_equal(np.isnan(mean[:, field]), share == 0.0)
            received = np.nansum(exchange.side_area(side) * share * mean[:, field])
            assert abs(received - total) < 3e-15 * scale


def test_a_part_has_the_bits_of_the_whole(east_asia):
    air, sea = east_asia
    exchange = make_exchange_grid(air, sea)
    values = np.random.default_rng(1).normal(size=exchange.size)
    for side, size in (("atmosphere", air.size), ("ocean", sea.size)):
        whole = exchange.from_exchange(side, values)
        pieces = np.full(size, -1.0)
        for rank in range(3):
            part = exchange.part(side, np.arange(rank, size, 3))
            pieces[part.cells] = part.mean(values[part.members])
        np.testing.assert_array_equal(pieces, whole)


def test_subgrid_corrections_keep_the_atmosphere_cells_integral(east_asia):
    air, sea = east_asia
    exchange = make_exchange_grid(air, sea)
    random = np.random.default_rng(5)
    albedo = exchange.to_exchange("ocean", random.uniform(0.05, 0.6, sea.size))
    temperature = exchange.to_exchange("ocean", random.uniform(275.0, 303.0, sea.size))
    solar, flux, slope = random.uniform(0, 400, air.size), random.normal(-100, 50, air.size), np.full(air.size, -40.0)
    wet = exchange.fraction("atmosphere") > 0
    spread = exchange.spread_solar(solar, albedo)
    np.testing.assert_allclose(exchange.from_exchange("atmosphere", spread)[wet], solar[wet], rtol=1e-13)
    # a brighter sea absorbs less than its neighbour under the same sky: Q is proportional to 1 - albedo
    same = exchange.atmosphere_cell == np.bincount(exchange.atmosphere_cell).argmax()
    ratio = spread[same] / (1.0 - albedo[same])
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-13)
    heat = exchange.spread_nonsolar(flux, slope, temperature)
    np.testing.assert_allclose(exchange.from_exchange("atmosphere", heat)[wet], flux[wet], rtol=0, atol=1e-10)
    np.testing.assert_allclose(np.polyfit(temperature[same], heat[same], 1)[0], -40.0, rtol=1e-9)


def test_tiles_merge_and_a_missing_tile_is_said(east_asia):
    fractions = {"sea": np.array([1.0, 0.25, 0.0]), "land": np.array([0.0, 0.75, 1.0])}
    values = {"sea": np.array([2.0, 4.0, np.nan]), "land": np.array([np.nan, 8.0, 16.0])}
    np.testing.assert_array_equal(merge_tiles(fractions, values), [2.0, 7.0, 16.0])
    with pytest.raises(GridError, match="tile 'land'"):
        merge_tiles(fractions, {"sea": values["sea"]})


@pytest.mark.parametrize("same", [True, False])
def test_land_gets_what_the_ocean_leaves_of_every_cell(east_asia, same):
    air, sea = east_asia
    land = air if same else Grid.regular_lonlat("land", 70, 155, 0, 60, resolution=1.25)
    outside = wet_share(air, land_test)
    exchange = make_land_exchange_grid(air, land, sea, outside_wet=outside)
    whole = surface_fractions(air, sea, outside_wet=outside)
    np.testing.assert_allclose(exchange.fraction("atmosphere"), whole.land.ravel(), rtol=0, atol=2e-10)
    # a land cell inside the ocean's domain: what its own cut with the ocean says
    inside = (land.longitude > 101) & (land.longitude < 135) & (land.latitude > 15) & (land.latitude < 38)
    inside &= surface_fractions(land, sea, outside_wet=np.zeros(land.shape)).ocean < 1.0
    own = surface_fractions(land, sea, outside_wet=np.zeros(land.shape)).land[inside]
    np.testing.assert_allclose(exchange.fraction("land").reshape(land.shape)[inside], own, rtol=0, atol=2e-10)
    assert ((own > 0.01) & (own < 0.99)).sum() >= 15  # coasts
    flux = np.random.default_rng(0).normal(size=exchange.size)
    scale = np.sum(exchange.area * np.abs(flux))
    for side in ("atmosphere", "land"):
        mean, share = exchange.from_exchange(side, flux), exchange.fraction(side)
        received = np.nansum(exchange.side_area(side) * share * mean)
        assert abs(received - np.sum(exchange.area * flux)) < 1e-14 * scale
