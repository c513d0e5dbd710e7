# SPDX-License-Identifier: BSD-3-Clause
"""4SAIL: canopies against prosail 2.0.5, in closed form and in layers; conservation and reciprocity."""

import pytest
import torch

from components.land.spectra.canopy import Structure, canopy, hot_spot_integral
from components.land.spectra.geometry import geometry
from components.land.spectra.layers import Layers, absorbed, even_layers, solar_light, views
from components.land.spectra.leaf import LeafTraits, leaf
from components.land.spectra.leaf_angles import leaf_angle_shares, oriented_shares
from components.land.spectra.optical_constants import optical_constants

NANOMETRES = [550, 670, 720, 800, 1650]
DOUBLE = torch.float64


def values(*x):
    return torch.tensor(x, dtype=DOUBLE)


LAI, HOT_SPOT = values(3, 1, 6, 3), values(0.05, 0.05, 0.05, 0.05)
SUN, VIEW, AZIMUTH = values(30, 30, 50, 30), values(0, 0, 30, 30), values(0, 0, 120, 0)


def directions(dtype=DOUBLE):
    return geometry(leaf_angle_shares(-0.35, -0.15, dtype).expand(4, -1), SUN.to(dtype), VIEW, AZIMUTH)


def four(dtype=DOUBLE):
    constants = optical_constants(NANOMETRES, dtype)
    light = leaf(LeafTraits(), constants)
    soil = torch.full_like(constants.wavelength, 0.15)
    return canopy(
        light.reflectance, light.transmittance, soil, Structure(LAI.to(dtype), HOT_SPOT.to(dtype)), directions(dtype)
    )


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_published_canopies(dtype):
    got = four(dtype)
    expected = {
        "rso": [0.06647, 0.01854, 0.16878, 0.34771, 0.19433],
        "rsd": [0.06792, 0.01231, 0.18712, 0.39516, 0.22155],
        "rdd": [0.08991, 0.01363, 0.24346, 0.49413, 0.28897],
    }
    for name, row in expected.items():
        assert float((getattr(got, name)[0].double() - values(*row)).abs().max()) < 1e-4, name
    others = values([0.06161, 0.22598], [0.00949, 0.43688], [0.05036, 0.51248])
    assert float((got.rso[1:, [1, 3]].double() - others).abs().max()) < 1e-4
    assert float((got.rdd[1:3, [1, 3]].double() - values([0.03242, 0.35246], [0.01326, 0.54136])).abs().max()) < 1e-4


def test_leaves_that_absorb_next_to_nothing_lose_next_to_nothing():
    light = geometry(leaf_angle_shares(-0.35, -0.15).expand(1, -1), values(30), values(0), values(0))
    got = canopy(values(0.4999), values(0.4999), values(0.0), Structure(values(3), values(0.05)), light)
    assert float(got.rdd + got.tdd) == pytest.approx(0.99940, abs=1e-5)


def test_sun_and_viewer_may_change_places():
    light = geometry(leaf_angle_shares(-0.35, -0.15).expand(1, -1), values(35), values(35), values(40))
    got = canopy(values(0.1, 0.4), values(0.05, 0.5), values(0.0), Structure(values(3), values(0.05)), light)
    assert float((got.rdo - got.rsd).abs().max()) < 1e-12
    there = geometry(leaf_angle_shares(0.2, 0.3).expand(1, -1), values(20), values(50), values(70))
    back = geometry(leaf_angle_shares(0.2, 0.3).expand(1, -1), values(50), values(20), values(70))
    a, b = (
        canopy(values(0.1, 0.4), values(0.05, 0.5), values(0.15), Structure(values(3), values(0.05)), x).rso
        for x in (there, back)
    )
    assert float((a - b).abs().max()) < 1e-12


def test_the_hot_spot_of_twenty_intervals_is_near_its_limit():
    light = directions()
    twenty, limit = (hot_spot_integral(light, LAI[:, None], HOT_SPOT[:, None], n)[0] for n in (20, 2000))
    assert 1e-5 < float((twenty / limit - 1.0).abs().max()) < 5e-3


def test_layers_approach_the_closed_form_by_the_second_order():
    constants = optical_constants([670, 800])
    light = leaf(LeafTraits(), constants)
    soil = torch.full((4, 2), 0.15, dtype=DOUBLE)
    directed = directions()
    exact = canopy(light.reflectance, light.transmittance, soil, Structure(LAI, HOT_SPOT), directed)
    sun = torch.ones_like(soil)
    errors = []
    for number in (10, 20, 40):
        cut = Layers(
            even_layers(LAI, number), HOT_SPOT, light.reflectance.expand(4, 1, -1), light.transmittance.expand(4, 1, -1)
        )
        solar = solar_light(cut, directed, views(cut.lai, HOT_SPOT, directed), soil, sun, 0.0 * sun)
        errors.append(float((solar.field.up[:, 0] - exact.rsd).abs().max()))
        kept = absorbed(cut, directed, solar).sum(1)
        ground = 0.85 * (solar.field.down[:, -1] + sun * torch.exp(-directed.ks * LAI[:, None]))
        assert float((kept + ground + solar.field.up[:, 0] - 1.0).abs().max()) < 1e-12
        assert float((solar.radiance - exact.rso).abs().max()) < 1.5e-3
    assert errors[0] / errors[1] > 3.5 and errors[1] / errors[2] > 3.5


def test_chlorophyll_and_leaf_area_from_a_noisy_spectrum():
    constants = optical_constants(range(450, 2400, 10))
    soil = torch.full_like(constants.wavelength, 0.15)
    light = geometry(leaf_angle_shares(-0.35, -0.15).expand(1, -1), values(30), values(0), values(0))

    def spectrum(x):
        light_of_leaf = leaf(LeafTraits(chlorophyll=torch.exp(x[:1])), constants)
        built = Structure(torch.exp(x[1:]), values(0.05))
        return canopy(light_of_leaf.reflectance, light_of_leaf.transmittance, soil, built, light).rso[0]

    truth = torch.log(values(47.0, 2.4))
    noise = torch.randn(constants.wavelength.shape, generator=torch.Generator().manual_seed(3), dtype=DOUBLE)
    seen = (spectrum(truth) * (1.0 + 0.01 * noise)).detach()
    x = torch.log(values(25.0, 1.0)).requires_grad_()
    search = torch.optim.LBFGS([x], max_iter=60, line_search_fn="strong_wolfe", tolerance_grad=1e-12)

    def misfit():
        search.zero_grad()
        loss = ((spectrum(x) / seen - 1.0) ** 2).sum()
        loss.backward()
        return loss

    search.step(misfit)
    assert float((torch.exp(x.detach() - truth) - 1.0).abs().max()) < 0.05


def test_angles_that_no_leaf_has_are_refused():
    with pytest.raises(ValueError, match=r"\|LIDFa\| \+ \|LIDFb\| of at most 1"):
        leaf_angle_shares(-0.8, 0.5)


def two_kinds(upper, lower, number, sun, sky):
    """Upward light at the top (case A's directions) of a canopy of leaf area 1.5 over another of 2, on soil of .15."""
    constants = optical_constants(NANOMETRES)
    one = geometry(leaf_angle_shares(-0.35, -0.15).expand(1, -1), values(30), values(0), values(0))
    above, below = (leaf(traits, constants) for traits in (upper, lower))
    lai = torch.cat([even_layers(values(1.5), number), even_layers(values(2.0), number)], -1)
    each = [torch.stack([a] * number + [b] * number)[None] for a, b in zip(above[:2], below[:2], strict=True)]
    cut, soil = Layers(lai, values(0.05), *each), torch.full((1, len(NANOMETRES)), 0.15, dtype=DOUBLE)
    light = torch.full_like(soil, sun), torch.full_like(soil, sky)
    return solar_light(cut, one, views(lai, values(0.05), one), soil, *light).field.up[0, 0]


def two_kinds_added(upper, lower, sun, sky):
    """The same in closed form: 4SAIL of either kind, added at the face between them."""
    constants = optical_constants(NANOMETRES)
    one = geometry(leaf_angle_shares(-0.35, -0.15).expand(1, -1), values(30), values(0), values(0))
    a, b = (leaf(traits, constants) for traits in (upper, lower))
    soil = torch.full((1, len(NANOMETRES)), 0.15, dtype=DOUBLE)
    top = canopy(a.reflectance, a.transmittance, 0.0 * soil, Structure(values(1.5), values(0.05)), one)
    under = canopy(b.reflectance, b.transmittance, soil, Structure(values(2.0), values(0.05)), one)
    falls = top.tsd * sun + top.tdd * sky
    rises = (under.rsd * top.tss * sun + under.rdd * falls) / (1.0 - under.rdd * top.rdd)
    return (top.rsd * sun + top.rdd * sky + top.tdd * rises)[0]


@pytest.mark.parametrize(("sun", "sky"), [(1.0, 0.0), (0.0, 1.0)])
def test_layers_of_two_kinds_of_leaves_are_two_canopies_added(sun, sky):
    """mSCOPE's canopies: to the second order, and upside down another spectrum altogether."""
    green, dry = LeafTraits(), LeafTraits(1.5, 2.0, 1.0, 0.0, 1.0, 0.002, 0.01)
    exact = two_kinds_added(green, dry, sun, sky)
    coarse, fine = (float((two_kinds(green, dry, n, sun, sky) - exact).abs().max()) for n in (10, 20))
    assert fine < 3e-4 and coarse / fine > 3.5
    assert float((two_kinds_added(dry, green, sun, sky) - exact).abs().max()) > 0.05


@pytest.mark.parametrize("orientation", [-0.4, -0.3, -0.1, 0.01, 0.25])
def test_leaves_of_rosss_index_show_as_much_to_sun_and_zenith_as_the_two_streams_say(orientation):
    """The extinction of the column's radiation: exactly at the zenith, within 7.5 % down to a sun at 70 degrees."""
    chi = values(orientation)
    shares = oriented_shares(chi)
    phi1 = 0.5 - 0.633 * orientation - 0.33 * orientation**2
    phi2 = 0.877 * (1.0 - 2.0 * phi1)
    assert float(shares.sum()) == pytest.approx(1.0, abs=1e-12)
    for zenith, within in ((0.0, 1e-9), (30.0, 0.075), (50.0, 0.075), (70.0, 0.075)):
        mu = torch.cos(torch.deg2rad(values(zenith)))
        found = geometry(shares, values(zenith), values(0), values(0)).ks * mu
        assert float(found) == pytest.approx(float(phi1 + phi2 * mu), rel=within), zenith
