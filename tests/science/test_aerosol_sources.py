# SPDX-License-Identifier: BSD-3-Clause
"""Dust and sea salt from the ground: the published numbers."""

import numpy as np
import pytest
import torch

from components.chemistry.regional.aerosol import dust, sea_salt

AIR = torch.tensor(1.225, dtype=torch.float64)
tensor = lambda *a: torch.tensor(a, dtype=torch.float64)  # noqa: E731


def test_dust_has_the_sizes_of_brittle_fragmentation():
    """Kok (2011), in the five sizes from 0.2 to 20 um."""
    np.testing.assert_allclose(dust.shares(), [0.0435, 0.1064, 0.2194, 0.4860, 0.1446], atol=5e-5)


def test_the_flux_of_dust_is_the_published_one():
    """Kok et al. (2014): u* 0.5 over a threshold of 0.25 m/s, clay 0.2, bare."""
    one = tensor(1.0)
    flux = dust.kok(0.5 * one, 0.25 * one, 0.2 * one, one, AIR)
    assert float(flux) == pytest.approx(7.521e-6, rel=1e-4)
    assert float(dust.kok(0.25 * one, 0.25 * one, 0.2 * one, one, AIR)) == 0.0
    assert float(dust.kok(0.1 * one, 0.25 * one, 0.2 * one, one, AIR)) == 0.0


def test_the_least_threshold_is_the_published_one():
    """Shao & Lu (2000): 0.2039 m/s at 79.7 um."""
    assert dust.most_mobile() == pytest.approx(79.7e-6, abs=0.05e-6)
    assert float(dust.least_threshold(AIR)) == pytest.approx(0.2039, abs=5e-5)
    assert float(dust.least_threshold(AIR, 79.7e-6)) == pytest.approx(0.2039, abs=5e-5)
    for other in (20e-6, 300e-6):
        assert float(dust.least_threshold(AIR, other)) > 0.2039


def test_water_raises_the_threshold_from_what_clay_binds():
    """Fecan et al. (1999): 10 % clay binds 1.84 % of water by mass; 4 % more raise the threshold 2.01 times."""
    clay, dry = tensor(0.1), tensor(0.25)
    held = 1.84 / 100.0 * 1.4
    assert float(dust.wetted(dry, tensor(held * 0.999), clay)) == 0.25
    assert float(dust.wetted(dry, tensor(held + 0.04 * 1.4), clay)) == pytest.approx(
        0.25 * np.sqrt(1 + 1.21 * 4**0.68), rel=1e-3
    )


def test_plants_and_snow_cover_the_ground():
    got = dust.bare(tensor(0.0, 0.15, 0.4, 0.0), tensor(0.0, 0.0, 0.0, 0.75))
    torch.testing.assert_close(got, tensor(1.0, 0.5, 0.0, 0.25))


def test_gocart_s_flux_grows_from_its_threshold():
    wind, one = tensor(3.0, 8.0, 12.0), torch.ones(3, dtype=torch.float64)
    got = dust.gocart(wind, one, 1e-3 * one, AIR * one)
    threshold = 6.5 * np.sqrt((2650.0 - 1.225) / 1.225 * 9.80665 * dust.most_mobile()) * 0.6
    expected = 1e-9 * wind * wind * torch.clamp(wind - threshold, min=0.0)
    torch.testing.assert_close(got, expected)
    assert float(dust.gocart(wind, one, 0.6 * one, AIR * one).sum()) == 0.0


def test_salt_has_gong_s_numbers_and_their_mass():
    """Gong (2003), eq. 2 by hand at 1 um and 80 % humidity: A = 4.7 x 31^-0.017, B = 1."""
    by_hand = 1.373 * 1.057 * 10.0 ** (1.607 * np.exp(-1.0))
    assert float(sea_salt.number(np.array(1.0))) == pytest.approx(by_hand, rel=1e-12)
    fine, coarse = sea_salt.mass()
    assert sum(sea_salt.mass((0.01e-6, 1e-6, 8e-6))) == pytest.approx(fine + coarse, rel=1e-5)
    one = tensor(10.0)
    flux = sea_salt.flux(one, tensor(1.0))
    print("salt at 10 m/s, kg m-2 s-1:", flux[:, 0].tolist())
    assert float(flux[0, 0] / flux[1, 0]) < 0.1
    torch.testing.assert_close(sea_salt.flux(2.0 * one, tensor(0.5)), 0.5 * 2.0**3.41 * flux)


def test_fluxes_have_gradients():
    u = torch.tensor([0.1, 0.4], dtype=torch.float64, requires_grad=True)
    one = torch.ones(2, dtype=torch.float64)
    dust.kok(u, 0.25 * one, 0.1 * one, one, AIR * one).sum().backward()
    assert bool(torch.isfinite(u.grad).all()) and float(u.grad[1]) > 0.0


def test_frozen_ground_gives_no_dust():
    got = dust.thawed(tensor(250.0, 271.15, 272.15, 273.15, 300.0))
    np.testing.assert_allclose(got, [0.0, 0.0, 0.5, 1.0, 1.0], atol=1e-12)
