# SPDX-License-Identifier: BSD-3-Clause
"""What radiation sees of clouds: snow, graupel, convection's own clouds, parts of layers."""

import numpy as np
import pytest
import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import exner
from components.atmosphere.nonhydrostatic.physics import layer_clouds
from components.atmosphere.nonhydrostatic.physics.cloud_fraction import cloud_fraction
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.convective_clouds import water
from components.atmosphere.nonhydrostatic.physics.radiated_clouds import Convective, seen
from components.radiation import standard_atmosphere
from components.radiation.exchange import columns_in, columns_out
from components.radiation.particles import ice_diameter
from components.radiation.rrtmgp_scheme import Rrtmgp, sized_ice
from components.science.water import saturation_pressure

SIZE = torch.full((2, 4), 1.0e5).double()


def state(humidity=0.7, shape=(3, 2, 4)):
    t, p, z = (
        torch.tensor(x).double()[:, None, None].expand(len(x), *shape[1:]).contiguous()
        for x in ([285.0, 263.0, 240.0], [9e4, 6e4, 4e4], [0.0, 2500.0, 5500.0, 9000.0])
    )
    pi, dz = exner(p), z[1:] - z[:-1]
    rho = p / (287.0 * t)
    air = Columns(t, t / pi, p, pi, rho, rho * dz, 0.5 * (z[1:] + z[:-1]), dz, z)
    zero = torch.zeros_like(t)
    q_v = humidity * 0.622 * saturation_pressure(t) / p
    return {"vapour": q_v, "cloud_water": zero + 1e-5, "cloud_ice": zero + 1e-5}, air


def test_without_convection_the_fraction_is_xu_and_randall_s_of_water_ice_and_snow():
    parts, air = state()
    parts["snow"] = torch.full_like(air.t, 3e-5)
    got = seen(parts, air, None, "xu_randall", SIZE)
    held = parts["cloud_water"], parts["cloud_ice"] + parts["snow"]
    expected = cloud_fraction(parts["vapour"], *held, air.t, air.p)
    assert torch.equal(got.fraction, expected) and torch.equal(got.snow, parts["snow"])
    assert (got.fraction[:2] > 0.05).all() and (got.fraction[:2] < 0.95).all()
    assert seen(parts, air, None, "whole", SIZE).fraction is None


def test_clouds_of_convection_lie_at_random_beside_the_others_and_freeze_with_height():
    parts, air = state()
    convective = Convective(torch.full_like(air.t, 0.2), torch.full_like(air.t, 1e-4))
    plain, got = (seen(parts, air, c, "xu_randall", SIZE) for c in (None, convective))
    np.testing.assert_allclose(1.0 - got.fraction, 0.8 * (1.0 - plain.fraction), rtol=1e-12, atol=0.02)
    more = (got.ice - plain.ice)[:, 0, 0], (got.cloud - plain.cloud)[:, 0, 0]
    np.testing.assert_allclose(more[0] + more[1], 1e-4, rtol=1e-9)
    assert float(more[0][0]) == 0.0 and 0.0 < float(more[0][1]) < 1e-4 and float(more[1][2]) == pytest.approx(0.0)


def test_graupel_is_seen_as_a_fifth_of_as_much_snow():
    parts, air = state()
    got = seen({**parts, "graupel": torch.full_like(air.t, 1e-3)}, air, None, "xu_randall", SIZE)
    np.testing.assert_allclose(got.snow, 2e-4)


def test_below_saturation_clouds_that_no_tracer_holds_fill_what_those_of_the_tracers_leave():
    parts, air = state(0.97)
    plain, got = (seen(parts, air, None, law, SIZE) for law in ("xu_randall", "sundqvist"))
    cover = layer_clouds.cover(air, parts["vapour"], SIZE)
    more = torch.clamp(cover - plain.fraction, min=0.0)
    assert float(more[0].min()) > 0.05
    np.testing.assert_allclose(got.fraction, torch.maximum(cover, plain.fraction), rtol=1e-12)
    unheld = got.cloud + got.ice - plain.cloud - plain.ice
    np.testing.assert_allclose(unheld, more * water(air, parts["vapour"]), rtol=1e-9)
    dry, _ = state(0.6)
    for a, b in zip(*(seen(dry, air, None, law, SIZE) for law in ("xu_randall", "sundqvist")), strict=True):
        assert torch.equal(a, b)


def clouds(fraction=None, snow=0.0, cloud=1e-4, columns=8):
    mu = torch.full((1, columns), 0.6, dtype=torch.float64)
    air = standard_atmosphere.columns(24, mu, 1.0)
    layers = torch.zeros_like(air.t)
    layers[6:8] = 1.0
    part = None if fraction is None else fraction * layers
    numbers = torch.arange(columns)[None]
    return air._replace(cloud=cloud * layers, snow=snow * layers, fraction=part, column=numbers, day=10.25)


def test_radiation_sees_snow():
    """Snow of 0.3 g/kg shades, less than as much cloud water."""
    scheme = Rrtmgp()
    down = [float(scheme(clouds(cloud=c, snow=s)).shortwave_down[0, 0]) for c, s in ((0, 0), (0, 3e-4), (3e-4, 0))]
    assert down[0] - 5.0 > down[1] > down[2] + 20.0


def test_the_same_water_in_a_part_of_a_layer_lets_more_sunlight_through():
    scheme = Rrtmgp()
    whole, half = (scheme(clouds(f, columns=64)).shortwave_down for f in (1.0, 0.5))
    assert float(half.mean()) > float(whole.mean()) + 50.0
    assert float(half.std()) > 1.0 and float(whole.std()) < 1e-3  # sampled, and not


def test_the_draw_follows_column_time_and_seed_and_not_the_block():
    air = clouds(0.5)
    some = air.each(lambda a: a[..., 2:5].contiguous())
    one = Rrtmgp(seed=3)
    whole, block = one(air), one(some)
    for a, b in zip(whole, block, strict=True):
        assert a is b is None or torch.equal(a[..., 2:5], b)  # RRTMGP gives no transmissivity of its own
    for other in (Rrtmgp(seed=4)(air), one(air._replace(day=10.25 + 1 / 24)), one(air._replace(column=air.column + 8))):
        assert (other.shortwave_down != whole.shortwave_down).all()


def test_the_exchange_carries_what_is_seen_and_says_whole_where_nothing_is_said():
    air = clouds(0.5, snow=1e-5)
    back = columns_in(columns_out(air), air.mu, air.distance, air.mu, 1.0)
    assert torch.equal(back.fraction, air.fraction) and torch.equal(back.snow, air.snow)
    plain = columns_in(columns_out(clouds(None)), air.mu, air.distance, air.mu, 1.0)
    assert set(np.unique(plain.fraction)) == {0.0, 1.0}


def test_ice_is_smaller_where_it_is_colder_or_thinner():
    """Sun & Rikus (1999) by hand, and what it does: thin cold cloud holds back more of the longwave."""
    content = np.array([1e-3, 1e-2, 1e-1])
    sizes = [ice_diameter(np.full(3, t), content) for t in (213.15, 233.15, 253.15)]
    by_hand = 0.8151 * (45.8966 * 0.01**0.2214 + 0.7957 * 0.01**0.2535 * 150.0)
    np.testing.assert_allclose(sizes[1][1], 0.75 * np.sqrt(3.0) * by_hand, rtol=1e-3)
    assert (np.diff(sizes, axis=1) >= 0.0).all() and (np.diff(sizes, axis=0) >= 0.0).all()
    assert 25.0 < sizes[0][0] < 30.0 < 120.0 < sizes[2][2] < 150.0
    air = standard_atmosphere.columns(24, torch.full((1, 8), 0.6, dtype=torch.float64), 1.0)
    ice = torch.where((air.p < 3.0e4) & (air.p > 2.0e4), 1.0e-5, 0.0).double()
    fixed, sized = (scheme(air._replace(ice=ice)).outgoing_longwave for scheme in (Rrtmgp(), sized_ice()))
    assert 2.0 < float((fixed - sized)[0, 0]) < 40.0
