# SPDX-License-Identifier: BSD-3-Clause
"""Heights from the wind: an exact solution of the balance equation on the sphere, and the transform below it."""

import numpy as np
import pytest

from components.atmosphere.nonhydrostatic.driving import inversion
from components.science.constants import EARTH_RADIUS, EARTH_ROTATION, GRAVITY, R_DRY
from components.science.spherical_harmonics import SphericalHarmonics, legendre

GAUSSIAN = np.rad2deg(np.arcsin(np.polynomial.legendre.leggauss(48)[0]))
WITH_POLES = np.linspace(90.0, -90.0, 61)
WITHOUT_POLES = np.linspace(-88.5, 88.5, 60)
LON = np.arange(0.0, 360.0, 3.75)


def test_legendre_functions_are_orthonormal():
    mu, weights = np.polynomial.legendre.leggauss(40)
    p = legendre(mu, 30)
    for m in (0, 1, 7, 30):
        product = (p[m, m:] * weights) @ p[m, m:].T
        np.testing.assert_allclose(product, np.eye(31 - m), atol=1e-12)


@pytest.mark.parametrize("lat", [GAUSSIAN, WITH_POLES, WITHOUT_POLES], ids=["gaussian", "poles", "no poles"])
def test_a_field_of_few_waves_comes_back_with_its_derivatives(lat):
    phi, lam = np.deg2rad(lat)[:, None], np.deg2rad(LON)[None, :]
    field = np.sin(phi) ** 3 + np.cos(phi) ** 4 * np.sin(phi) * np.cos(4 * lam)
    sphere = SphericalHarmonics(lat, LON.size, 20)
    c = sphere.analyse(field)
    np.testing.assert_allclose(sphere.synthesise(c), field, atol=1e-12)
    east, north = sphere.gradient(c)
    off = np.abs(lat) < 89.9
    exact = -4 * np.cos(phi) ** 3 * np.sin(phi) * np.sin(4 * lam) / EARTH_RADIUS
    np.testing.assert_allclose(east[off], exact[off], atol=1e-17)
    slope = 3 * np.sin(phi) ** 2 * np.cos(phi) + (np.cos(phi) ** 5 - 4 * np.cos(phi) ** 3 * np.sin(phi) ** 2) * np.cos(
        4 * lam
    )
    np.testing.assert_allclose(north[off], slope[off] / EARTH_RADIUS, atol=1e-17)
    # the divergence of the gradient is the Laplacian
    np.testing.assert_allclose(sphere.divergence(east, north), sphere.laplacian * c, atol=1e-22)
    assert sphere.mean(field) == pytest.approx(0.0, abs=1e-14)


def rossby_haurwitz(lat):
    """Wind and geopotential of the wave of Phillips (1959), as Williamson et al. (1992, eq. 143-149) write them."""
    omega = big_k = 7.848e-6
    a, r = EARTH_RADIUS, 4
    phi, lam = np.deg2rad(lat)[:, None], np.deg2rad(LON)[None, :]
    c, s = np.cos(phi), np.sin(phi)
    u = a * omega * c + a * big_k * c ** (r - 1) * (r * s**2 - c**2) * np.cos(r * lam)
    v = -a * big_k * r * c ** (r - 1) * s * np.sin(r * lam)
    part_a = 0.5 * omega * (2 * EARTH_ROTATION + omega) * c**2 + 0.25 * big_k**2 * c ** (2 * r) * (
        (r + 1) * c**2 + (2 * r**2 - r - 2) - 2 * r**2 / np.where(c > 1e-9, c, np.inf) ** 2
    )
    part_b = (
        2 * (EARTH_ROTATION + omega) * big_k / ((r + 1) * (r + 2)) * c**r * ((r**2 + 2 * r + 2) - (r + 1) ** 2 * c**2)
    )
    part_c = 0.25 * big_k**2 * c ** (2 * r) * ((r + 1) * c**2 - (r + 2))
    return u, v, a**2 * (part_a + part_b * np.cos(r * lam) + part_c * np.cos(2 * r * lam))


@pytest.mark.parametrize("lat", [GAUSSIAN, WITH_POLES, WITHOUT_POLES], ids=["gaussian", "poles", "no poles"])
def test_rossby_haurwitz_wave_has_its_geopotential(lat):
    """An exact solution: the wave's heights span 2.6 km and must come back to a millimetre."""
    u, v, exact = rossby_haurwitz(lat)
    sphere = SphericalHarmonics(lat, LON.size, inversion.truncation(lat, LON.size))
    phi = inversion.balanced_geopotential(sphere, lat, u, v)
    off = np.abs(lat) < 89.9
    error = (phi - sphere.mean(phi) - exact + sphere.mean(exact))[off] / GRAVITY
    assert np.ptp(exact) / GRAVITY > 2000.0
    assert np.abs(error).max() < 1e-3


def test_heights_are_hydrostatic_with_the_stated_mean():
    """An isothermal dry globe at rest: z = R T / g ln(1011 hPa / p) everywhere."""
    p = np.array([1.0e5, 8.5e4, 5.0e4, 2.0e4])
    t = np.full((4, WITH_POLES.size, LON.size), 250.0)
    z = inversion.heights(p, WITH_POLES, LON, 0.0 * t, 0.0 * t, t, 0.0 * t)
    expected = R_DRY * 250.0 / GRAVITY * np.log(101100.0 / p)
    np.testing.assert_allclose(z, np.broadcast_to(expected[:, None, None], z.shape), atol=1e-8)


@pytest.mark.parametrize(
    ("p", "lat", "lon", "words"),
    [
        ([1e5, 5e4], np.linspace(0, 60, 31), LON, "whole globe"),
        ([1e5, 5e4], WITH_POLES, LON[:40], "whole globe"),
        ([1e5, 8.5e4], WITH_POLES, LON, "between 400 and 600 hPa"),
        ([7e4, 5e4], WITH_POLES, LON, "below 850 hPa"),
    ],
)
def test_data_that_do_not_suffice_are_refused(p, lat, lon, words):
    t = np.full((len(p), lat.size, lon.size), 250.0)
    with pytest.raises(ValueError, match=words):
        inversion.heights(np.array(p), lat, lon, 0.0 * t, 0.0 * t, t, 0.0 * t)
