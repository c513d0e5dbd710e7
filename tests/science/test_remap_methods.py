# SPDX-License-Identifier: BSD-3-Clause
"""What each remapping method promises: order of accuracy, bounds, conservation, fallbacks, vectors."""

import numpy as np
import pytest

from coupler.grids.grid import Grid, GridError
from coupler.remap.regridder import Regridder, apply_weights, vector_to_east_north
from coupler.remap.weights import make_weights

LAMBERT = "+proj=lcc +lat_1=15 +lat_2=40 +lat_0=30 +lon_0=110 +R=6370000"


def smooth(grid):
    lon, lat = np.deg2rad(grid.longitude.ravel()), np.deg2rad(grid.latitude.ravel())
    return 2.0 + np.cos(lat) ** 2 * np.cos(2.0 * lon) + 0.3 * np.sin(3.0 * lat)


def apply(weights, values):
    return apply_weights(weights.indptr, weights.indices, weights.data, values)


def vortex(grid):
    """Nair and Jablonowski (2008), as in the reference's README."""
    lon, lat = np.deg2rad(grid.longitude).ravel(), np.deg2rad(grid.latitude).ravel()
    lon_p, lat_p = np.deg2rad(120.0), np.deg2rad(30.0)
    sine = np.sin(lat) * np.sin(lat_p) + np.cos(lat) * np.cos(lat_p) * np.cos(lon - lon_p)
    turned = np.arctan2(
        np.cos(lat) * np.sin(lon - lon_p),
        np.cos(lat) * np.sin(lat_p) * np.cos(lon - lon_p) - np.cos(lat_p) * np.sin(lat),
    )
    rho = 3.0 * np.sqrt(np.maximum(1e-30, 1.0 - sine**2))
    omega = 1.5 * np.sqrt(3.0) * np.tanh(rho) / np.cosh(rho) ** 2 / rho
    return 2.0 * (1.0 + np.tanh(rho / 5.0 * np.sin(turned - 6.0 * omega)))


def lambert_to_ocean():
    return (
        Grid.projected("lcc", LAMBERT, 240, 200, 25000.0),
        Grid.regular_lonlat("oce", 99, 150, 0, 50, nx=510, ny=500, edges="great_circle"),
    )


def test_second_order_on_the_vortex_is_as_good_as_yac():
    source, target = lambert_to_ocean()
    weights = make_weights(source, target, "conservative_second_order", normalization="fracarea")
    reached = weights.covered > 0
    error = np.abs(apply(weights, vortex(source)) - vortex(target))[reached].mean()
    assert error <= 1.3e-4  # YAC; ESMF has 2.3e-4
    first = make_weights(source, target, normalization="fracarea")
    assert np.abs(apply(first, vortex(source)) - vortex(target))[reached].mean() > 20 * error


def test_limiter_makes_no_new_extremes():
    source, target = lambert_to_ocean()
    weights = make_weights(source, target, "conservative_second_order", normalization="fracarea")
    random = np.random.default_rng(2)
    step = np.where(source.longitude.ravel() > 115.0, 1.0, 0.0)
    noise = random.normal(size=source.size)
    fields = np.stack([vortex(source), step, noise], axis=1)
    reached = weights.covered > 0
    plain = Regridder(weights).apply(fields)[0][reached]
    limited = Regridder(weights, limiter=True).apply(fields)[0][reached]
    for k in range(3):
        assert limited[:, k].min() >= fields[:, k].min() - 1e-14
        assert limited[:, k].max() <= fields[:, k].max() + 1e-14
    assert plain[:, 1].max() > 1.01 and plain[:, 1].min() < -0.01  # without it the step overshoots
    error = np.abs(limited[:, 0] - vortex(target)[reached]).mean()
    assert error < 3e-4  # and it still is far better than first order (3.4e-3)


@pytest.mark.parametrize("wet", ["strait", "shores"])
def test_second_order_is_no_worse_than_first_where_neighbours_lie_in_a_line(wet):
    """A row of cells, or islands everywhere: what lies across was told by the bend of the row, a hundredfold."""
    source = Grid.regular_lonlat("s", 100, 140, 10, 50, resolution=1.0)
    mask = np.zeros(source.shape, bool)
    mask[30] = True
    source = source.with_mask(mask if wet == "strait" else np.random.default_rng(3).random(source.shape) > 0.3)
    target = Grid.regular_lonlat("t", 100, 140, 10, 50, nx=83, ny=71)

    def field(grid):
        return (np.sin(6 * np.deg2rad(grid.longitude)) * np.cos(5 * np.deg2rad(grid.latitude))).ravel()

    error = []
    for method in ("conservative", "conservative_second_order"):
        weights = make_weights(source, target, method, normalization="fracarea")
        reached = weights.covered > 0.5
        assert reached.sum() > 100 and weights.matrix.data.min() > -2.0 and weights.matrix.data.max() < 3.0
        error.append(np.abs(apply(weights, field(source)) - field(target))[reached])
    assert error[1].max() < 1.05 * error[0].max()
    assert np.sqrt(np.mean(error[1] ** 2)) < {"strait": 0.95, "shores": 0.5}[wet] * np.sqrt(np.mean(error[0] ** 2))


@pytest.mark.parametrize("limiter", [False, True])
def test_second_order_conserves_globally(limiter):
    source = Grid.regular_lonlat("s", 0, 360, -90, 90, resolution=5)
    target = Grid.regular_lonlat("t", 7, 367, -90, 90, nx=50, ny=40, edges="great_circle")
    field = np.random.default_rng(4).random(source.size)
    weights = make_weights(source, target, "conservative_second_order")
    out = Regridder(weights, limiter=limiter).apply(field)[0]
    total = (source.area.ravel() * field).sum()
    assert abs((target.area.ravel() * out).sum() / total - 1.0) < 1e-13
    np.testing.assert_allclose(Regridder(weights, limiter=limiter).apply(np.full(source.size, 7.0))[0], 7.0, rtol=1e-12)


@pytest.mark.parametrize(("method", "order"), [("conservative_second_order", 1.9), ("bilinear", 1.9)])
@pytest.mark.parametrize("kind", ["lonlat", "lambert"])
def test_second_order_methods_converge(method, order, kind):
    errors = []
    for n in (1, 2, 4):
        if kind == "lonlat":
            source = Grid.regular_lonlat("s", 0, 360, -90, 90, nx=36 * n, ny=18 * n)
            target = Grid.regular_lonlat("t", 3, 363, -60, 60, nx=50 * n, ny=22 * n, edges="great_circle")
        else:
            source = Grid.projected("s", LAMBERT, 30 * n, 24 * n, 200000.0 / n)
            target = Grid.regular_lonlat("t", 95, 125, 15, 42, nx=26 * n, ny=24 * n)
        values = apply(make_weights(source, target, method), smooth(source))
        errors.append(np.sqrt(np.mean((values - smooth(target)) ** 2)))
    rates = np.log2(np.array(errors[:-1]) / errors[1:])
    assert rates[-1] >= order, (errors, rates)


def test_coast_conserves_and_stays_in_range():
    source = Grid.regular_lonlat("fine", 100, 140, 10, 50, nx=40, ny=40)
    target = Grid.regular_lonlat("coarse", 100, 140, 10, 50, nx=16, ny=16)
    random = np.random.default_rng(8)
    sea = random.random(source.shape) > 0.4
    sea[:5] = True
    sea[20:32, 10:25] = False
    source = source.with_mask(sea)
    field = random.uniform(-3.0, 5.0, source.size)
    wet = sea.ravel()
    total = (source.area.ravel() * field)[wet].sum()
    scale = (source.area.ravel() * np.abs(field))[wet].sum()
    diluted, _ = Regridder(make_weights(source, target), fill=0.0).apply(field)
    assert abs((target.area.ravel() * diluted).sum() - total) < 1e-13 * scale
    value, covered = Regridder(make_weights(source, target, normalization="fracarea")).apply(field)
    reached = covered > 0
    assert np.isnan(value[~reached]).all() and (~reached).any()  # never silently zero
    assert value[reached].min() >= field[wet].min() and value[reached].max() <= field[wet].max()
    assert abs((target.area.ravel() * covered * value)[reached].sum() - total) < 1e-13 * scale


def test_nearest_and_inverse_distance_take_what_is_near():
    source = Grid.regular_lonlat("s", 0, 360, -90, 90, resolution=10)
    target = Grid.regular_lonlat("t", 0.5, 360.5, -80, 80, resolution=4)
    lon, lat = (np.deg2rad(getattr(target, key).ravel()) for key in ("longitude", "latitude"))
    slon, slat = (np.deg2rad(getattr(source, key).ravel()) for key in ("longitude", "latitude"))
    cosine = np.sin(lat)[:, None] * np.sin(slat) + np.cos(lat)[:, None] * np.cos(slat) * np.cos(lon[:, None] - slon)
    nearest = make_weights(source, target, "nearest")
    np.testing.assert_allclose(cosine[np.arange(target.size), nearest.indices], cosine.max(axis=1), rtol=0, atol=1e-14)
    weights = make_weights(source, target, {"inverse_distance": 3})
    assert (np.diff(weights.indptr) == 3).all()
    row = 137
    d = np.arccos(cosine[row])[weights.indices[weights.indptr[row] : weights.indptr[row + 1]]]
    np.testing.assert_allclose(
        weights.data[weights.indptr[row] : weights.indptr[row + 1]], d**-2 / (d**-2).sum(), rtol=1e-7
    )
    here = make_weights(source, source, "inverse_distance")
    np.testing.assert_array_equal(here.indices, np.arange(source.size))


def test_bilinear_is_exact_for_what_is_linear_in_space():
    source = Grid.projected("s", LAMBERT, 60, 50, 100000.0)
    target = Grid.regular_lonlat("t", 100, 120, 20, 40, resolution=0.5)
    weights = make_weights(source, target, "bilinear")
    assert (np.diff(weights.indptr) == 4).mean() > 0.95
    np.testing.assert_allclose(apply(weights, np.ones(source.size)), 1.0, rtol=1e-13)
    # the four corners, weighted, lie on the ray to the point: ratios of Cartesian coordinates are exact
    xyz = [
        np.stack([np.cos(b) * np.cos(a), np.cos(b) * np.sin(a), np.sin(b)], axis=1)
        for a, b in (
            (np.deg2rad(grid.longitude.ravel()), np.deg2rad(grid.latitude.ravel())) for grid in (source, target)
        )
    ]
    moved = apply(weights, xyz[0])
    np.testing.assert_allclose(moved / np.linalg.norm(moved, axis=1)[:, None], xyz[1], atol=1e-13)


def test_fallbacks_follow_in_order_and_respect_the_mask():
    source = Grid.regular_lonlat("s", 0, 10, 0, 10, resolution=1)
    source = source.with_mask(source.longitude > 3)
    target = Grid.regular_lonlat("t", 0, 12, 0, 10, resolution=1)
    target = target.with_mask(target.latitude > 2)
    wanted = target.mask.ravel()
    field = source.longitude.ravel()
    alone = make_weights(source, target)
    assert alone.uncovered.size > 0
    for rest, expected in (("nearest", 3.5), ({"fixed": -1.0}, -1.0)):
        weights = make_weights(source, target, ["conservative", rest])
        values, covered = Regridder(weights).apply(field)
        np.testing.assert_array_equal(np.isnan(values), ~wanted)
        left = wanted & (target.longitude.ravel() < 3)
        np.testing.assert_array_equal(values[left], expected)
        kept = alone.covered > 0
        np.testing.assert_array_equal(values[kept], apply(alone, field)[kept])
        np.testing.assert_allclose(covered[wanted], 1.0, rtol=1e-13)
    rows = np.array([5, 70, 71, 115, 3])
    part = make_weights(source, target, ["conservative", "nearest", {"fixed": 0}], rows=rows)
    whole = make_weights(source, target, ["conservative", "nearest", {"fixed": 0}]).rows(rows)
    for key in ("indptr", "indices", "data", "covered", "area"):
        np.testing.assert_array_equal(getattr(part, key), getattr(whole, key))


def test_creep_fills_ring_by_ring():
    source = Grid.regular_lonlat("s", 0, 3, 0, 3, resolution=1)
    target = Grid.regular_lonlat("t", 0, 7, 0, 3, resolution=1)
    field = np.arange(9.0)
    one = Regridder(make_weights(source, target, ["conservative", {"creep": 1}])).apply(field)[0].reshape(3, 7)
    np.testing.assert_allclose(one[:, 3], field.reshape(3, 3)[:, 2])
    assert np.isnan(one[:, 4:]).all()
    every = make_weights(source, target, ["conservative", "creep"])
    full = Regridder(every).apply(field)[0].reshape(3, 7)
    np.testing.assert_allclose(full[:, 6], full[:, 3])
    rows = np.array([6, 3, 20])
    part = make_weights(source, target, ["conservative", "creep"], rows=rows)
    np.testing.assert_array_equal(part.data, every.rows(rows).data)


def test_river_mouths_bring_all_water_to_the_coast():
    rivers = Grid.regular_lonlat("rivers", 100, 120, 10, 30, resolution=0.5)
    sea = Grid.regular_lonlat("sea", 95, 130, 5, 35, resolution=1)
    sea = sea.with_mask(np.hypot(sea.longitude - 110, sea.latitude - 20) > 6)
    land = np.hypot(rivers.longitude - 110, rivers.latitude - 20) < 7
    rivers = rivers.with_mask(land)
    runoff = np.random.default_rng(0).random(rivers.size)
    total = (rivers.area.ravel() * runoff)[land.ravel()].sum()
    for method in ("river_mouths", {"river_mouths": 300e3}):
        weights = make_weights(rivers, sea, method)
        flux = Regridder(weights).apply(runoff)[0]
        assert np.isnan(flux[~sea.mask.ravel()]).all()
        assert abs(np.nansum(sea.area.ravel() * flux) / total - 1.0) < 1e-13
        got = np.nan_to_num(flux).reshape(sea.shape) > 0
        distance = np.hypot(sea.longitude - 110, sea.latitude - 20)
        assert got.sum() > 20 and distance[got].min() > 6 and distance[got].max() < 7.5
    with pytest.raises(GridError, match="no coast"):
        make_weights(rivers, Grid.regular_lonlat("open", 95, 130, 5, 35, resolution=1), "river_mouths")


@pytest.mark.parametrize("kind", ["global", "global_positive", "basin", "basin_positive"])
def test_conservation_options(kind):
    source = Grid.regular_lonlat("s", 0, 360, -90, 90, resolution=6)
    source = source.with_mask(np.abs(source.latitude) < 70)
    target = Grid.regular_lonlat("t", 0, 360, -90, 90, resolution=4)
    target = target.with_mask(np.abs(target.latitude) < 60)
    field = smooth(source)
    weights = make_weights(source, target, ["bilinear", "nearest"])
    plain = Regridder(weights).apply(field)[0]
    fixed = Regridder(weights, source, target, conserve=kind).apply(np.stack([field, 2 * field], axis=1))[0]
    inside, wet = source.mask.ravel(), target.mask.ravel()
    area, target_area = source.area.ravel()[inside], target.area.ravel()[wet]
    total, mean = (area * field[inside]).sum(), (area * field[inside]).sum() / area.sum()
    got = (target_area * fixed[wet, 0]).sum()
    if kind.startswith("global"):
        assert abs(got / total - 1.0) < 1e-13
    else:
        assert abs(got / target_area.sum() / mean - 1.0) < 1e-13
    change = fixed[wet, 0] / plain[wet] if kind.endswith("positive") else fixed[wet, 0] - plain[wet]
    assert np.ptp(change) < 1e-13 * np.abs(change).max() + 1e-14
    np.testing.assert_allclose(fixed[wet, 1], 2 * fixed[wet, 0], rtol=1e-13)


def test_vectors_turn_with_the_grids():
    """A solid-body rotation about a tilted axis: wind = axis x position, given along Lambert axes and over a pole."""
    axis = np.array([0.3, -0.5, 0.8])

    def wind(grid):
        lon, lat = np.deg2rad(grid.longitude.ravel()), np.deg2rad(grid.latitude.ravel())
        x = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
        w = np.cross(axis, x)
        east = -np.sin(lon) * w[:, 0] + np.cos(lon) * w[:, 1]
        north = -np.sin(lat) * (np.cos(lon) * w[:, 0] + np.sin(lon) * w[:, 1]) + np.cos(lat) * w[:, 2]
        c, s = np.cos(grid.angle.ravel()), np.sin(grid.angle.ravel())
        return c * east + s * north, -s * east + c * north, east, north

    polar = "+proj=stere +lat_0=90 +lon_0=0 +R=6371000"
    for source, target in (
        (Grid.projected("lcc", LAMBERT, 60, 50, 100000.0), Grid.regular_lonlat("t", 100, 120, 20, 40, resolution=1)),
        (Grid.projected("pole", polar, 60, 60, 100000.0), Grid.regular_lonlat("t", 0, 360, 70, 90, resolution=1)),
    ):
        u, v, east, north = wind(source)
        e, n = vector_to_east_north(source, u, v)
        np.testing.assert_allclose([e, n], [east, north], atol=1e-14)
        regrid = Regridder(make_weights(source, target, "bilinear"), source, target)
        got = regrid.apply_vector(u, v)
        expected = wind(target)
        # bilinear of a rotation is exact but for the sagitta of a cell
        for k in range(2):
            np.testing.assert_allclose(got[k], expected[k], atol=2e-4)
        many = regrid.apply_vector(np.stack([u, 2 * u], axis=1), np.stack([v, 2 * v], axis=1))
        np.testing.assert_array_equal(many[0][:, 0], got[0])


def test_a_field_has_the_same_bits_whatever_travels_with_it():
    source, target = lambert_to_ocean()
    weights = make_weights(source, target).rows(np.arange(0, target.size, 7))
    fields = np.random.default_rng(0).normal(size=(source.size, 50))
    together = apply(weights, fields)
    for count in (1, 2, 3, 5, 7, 8, 13, 50):
        np.testing.assert_array_equal(apply(weights, np.ascontiguousarray(fields[:, :count])), together[:, :count])
    rows = apply_weights(
        weights.indptr, weights.indices, weights.data, np.ascontiguousarray(fields[:, :3].T), fields_first=True
    )
    np.testing.assert_array_equal(rows, together[:, :3].T)
    np.testing.assert_allclose(together, weights.matrix @ fields, rtol=1e-13, atol=1e-13)


def test_mistakes_are_told():
    source = Grid.regular_lonlat("s", 0, 10, 0, 10, resolution=1)
    with pytest.raises(GridError, match="did you mean 'bilinear'"):
        make_weights(source, source, "bilinaer")
    with pytest.raises(GridError, match="put one before it"):
        make_weights(source, source, {"fixed": 0})
    with pytest.raises(GridError, match=r"shape \(5,\) does not fit"):
        Regridder(make_weights(source, source)).apply(np.ones(5))
    with pytest.raises(GridError, match="another source grid"):
        other = Grid.regular_lonlat("o", 1, 11, 0, 10, resolution=1)
        Regridder(make_weights(source, source), other)
    with pytest.raises(GridError, match="limiter needs"):
        Regridder(make_weights(source, source), limiter=True)
    weights = make_weights(source, source)
    with pytest.raises(ValueError, match="read cell"):
        apply_weights(weights.indptr, weights.indices, weights.data, np.ones(50))
