# SPDX-License-Identifier: BSD-3-Clause
"""Mie's series against published rows and miepython; optics and radiative effect beside AERONET's at Taihu."""

import csv
import gzip

import numpy as np
import pytest
import torch

from components.radiation import standard_atmosphere
from components.radiation.aerosol_optics import BandOptics
from components.radiation.aerosol_optics_by_band import nodes, of_wavelengths
from components.radiation.mie import bulk, lognormal, mie, piecewise
from components.radiation.rrtmgp_scheme import Rrtmgp

WAVELENGTHS = 1e-9 * np.array([440.0, 675.0, 870.0, 1020.0])


def test_efficiencies_are_the_published_ones():
    got = mie(np.array([1.5, 1.5 - 1.0j]), np.array([10.0, 100.0]))
    expected = [(2.881999, 2.881999, 0.742913), (2.097502, 1.283697, 0.850252)]
    np.testing.assert_allclose(np.transpose(got), expected, rtol=1e-5)


def test_efficiencies_are_miepython_s_up_to_large_and_transparent_spheres():
    miepython = pytest.importorskip("miepython")
    rng = np.random.default_rng(0)
    x = 10.0 ** rng.uniform(-1.0, 3.0, 100)
    m = rng.uniform(1.1, 2.5, 100) - 1j * 10.0 ** rng.uniform(-6.0, 0.0, 100)
    theirs = np.array([miepython.efficiencies_mx(*one) for one in zip(m, x, strict=True)])[:, [0, 1, 3]]
    np.testing.assert_allclose(np.transpose(mie(m, x)), theirs, rtol=1e-6)


def test_a_sphere_much_smaller_than_the_wavelength_scatters_as_rayleigh_s():
    """Bohren & Huffman (1983), eqs. 5.7 to 5.9; miepython's own limit is no better than 1e-7 there."""
    m, x = 1.5 + 0.01j, 1.0e-3
    k = (m * m - 1.0) / (m * m + 2.0)
    got = mie(m, x)
    assert float(got.extinction) == pytest.approx(4.0 * x * k.imag, rel=1e-5)
    assert float(got.scattering) == pytest.approx(8.0 / 3.0 * x**4 * abs(k) ** 2, rel=1e-5)
    assert float(mie(m.conjugate(), x).extinction) == float(got.extinction)  # either convention


@pytest.mark.parametrize("m, x", [(1.5, 0.0), (1.5, -1.0), (1.5, np.nan), (-1.5, 1.0), (0.0, 1.0)])
def test_what_is_no_sphere_is_refused(m, x):
    with pytest.raises(ValueError, match="greater than 0"):
        mie(m, x)


def test_a_lognormal_population_has_its_volume_and_effective_radius():
    """Effective radius of a lognormal distribution: r exp(5/2 ln^2 sigma) (Hansen & Travis 1974)."""
    radius = np.geomspace(1e-9, 1e-4, 400)
    share = lognormal(0.07e-6, 2.03, radius)
    assert share.sum() == pytest.approx(1.0)
    assert 1.0 / (share / radius).sum() == pytest.approx(0.07e-6 * np.exp(2.5 * np.log(2.03) ** 2), rel=1e-6)


@pytest.fixture(scope="module")
def taihu(shared):
    """Every second record with an Angstrom exponent above 1.2 that has an index: columns by number, from 1."""
    with gzip.open(shared / "data/chemistry/aeronet_taihu_inversions.csv.gz", "rt", encoding="latin1") as f:
        rows = list(csv.reader(f))
    words = {0, 1, 2, 147, 148, 153, 154}
    table = np.array([[0.0 if i in words else float(x) for i, x in enumerate(row)] for row in rows[7:]])
    table = table[(table[:, 9] > 1.2) & (table[:, 23] > 0.0) & (table[:, 32] > 0.0)][::2]
    assert len(table) > 200
    radius = 1e-6 * np.array([float(x) for x in rows[6][53:75]])
    return radius, lambda first, last=None: table[:, first - 1 : first if last is None else last]


def test_mie_on_aeronet_s_sizes_and_indices_gives_aeronet_s_optics(taihu):
    radius, of = taihu
    r, volume = piecewise(radius, of(54, 75), 4)
    got = bulk(of(33, 36) + 1j * of(37, 40), r, volume[:, None], WAVELENGTHS)
    rms = lambda a: np.sqrt((a * a).mean(axis=0))  # noqa: E731
    depth = rms(1e-6 * got.extinction / of(11, 14) - 1.0)
    albedo, asymmetry = rms(got.albedo - of(24, 27)), rms(got.asymmetry - of(41, 44))
    print("AOD", depth.round(4), "SSA", albedo.round(4), "g", asymmetry.round(4))
    assert (depth < 0.04).all() and (albedo < 0.006).all() and (asymmetry < 0.03).all()


def test_the_effect_of_aeronet_s_optics_is_aeronet_s(taihu):
    """Its effect at the ground is in the light that comes down; half the albedo is of the visible half of the light."""
    _, of = taihu
    sw = of_wavelengths(WAVELENGTHS, *(of(first, first + 3).T for first in (11, 24, 41)))
    mu = np.cos(np.radians(of(121)[:, 0]))
    albedo = of(142, 145) @ np.array([0.5, 0.2, 0.15, 0.15])
    distance = of(92)[:, 0] / (1361.0 * mu)
    air = standard_atmosphere.columns(24, torch.tensor(mu)[None], 1.0)._replace(albedo=torch.tensor(albedo)[None])
    height = -8000.0 * np.log(air.p_interface.numpy()[:, 0] / 101325.0)
    share = np.exp(-height[:-1] / 2000.0) - np.exp(-height[1:] / 2000.0)
    share /= share.sum(axis=0)
    aerosol = BandOptics(np.zeros((1, 16, *share.shape)), sw[:, :, None] * share)
    hazy, clean = Rrtmgp()(air, aerosol), Rrtmgp()(air)
    change = lambda name: distance * (getattr(hazy, name) - getattr(clean, name)).numpy()[0]  # noqa: E731
    for level, ours, theirs, within in (
        ("top", -change("reflected_shortwave"), of(96)[:, 0], 0.12),
        ("ground", change("shortwave_down"), of(95)[:, 0], 0.20),
    ):
        r = np.corrcoef(ours, theirs)[0, 1]
        print(f"{level}: r {r:.4f}, mean {ours.mean():.1f} for AERONET's {theirs.mean():.1f} W m-2")
        assert r > 0.97
        assert abs(ours.mean() / theirs.mean() - 1.0) < within


def test_optics_between_wavelengths_follow_the_power_law():
    """A depth of 0.3 (550 nm / wavelength)^1.3 at four wavelengths is that of every band, meaned over its light."""
    law = lambda wl: 0.3 * (0.55e-6 / wl) ** 1.3  # noqa: E731
    got = of_wavelengths(WAVELENGTHS, law(WAVELENGTHS), np.full(4, 0.9), np.full(4, 0.7))
    wl, weight = nodes("shortwave")
    np.testing.assert_allclose(got[0], (law(wl) * weight).sum(-1), rtol=1e-12)
    np.testing.assert_allclose(got[1:] / got[:2], np.broadcast_to([[0.9], [0.7]], (2, 14)), rtol=1e-12)
    with pytest.raises(ValueError, match="two or more wavelengths that grow"):
        of_wavelengths(WAVELENGTHS[::-1], *np.ones((3, 4)))
