# SPDX-License-Identifier: BSD-3-Clause
"""Photolysis under aerosol beside TUV-x, which solves the same air by its own discrete method.

TUV-x 5.4 (musica 0.17.2), its standard column over a ground of albedo .1: J of NO2 and of O3 to O(1D) with an aerosol
in the lowest two kilometres (depth at 550 nm, going with 1 / wavelength; asymmetry .65) over J with its own aerosol, at
1 and 5 km.
"""

import numpy as np
import pytest
import torch

from components.chemistry.regional import photolysis_haze
from components.chemistry.regional.photolysis_haze import WAVELENGTH, actinic_flux, factor, of_particles, standard
from components.radiation import standard_atmosphere
from components.radiation.aerosol_exchange import SIZES, names

TUV_X = (  # zenith angle, depth, albedo of the aerosol, NO2 at 1 and 5 km, O(1D) at 1 and 5 km
    (20.0, 0.0, 0.99, 0.927, 0.936, 0.950, 0.957),
    (20.0, 0.5, 0.99, 1.035, 1.031, 1.046, 1.037),
    (20.0, 0.5, 0.9, 0.947, 0.981, 0.933, 0.988),
    (20.0, 1.5, 0.95, 1.044, 1.116, 0.981, 1.088),
    (50.0, 0.0, 0.99, 0.972, 0.953, 0.985, 0.973),
    (50.0, 0.5, 0.99, 1.020, 1.063, 1.024, 1.058),
    (50.0, 0.5, 0.9, 0.930, 1.015, 0.909, 1.012),
    (50.0, 1.5, 0.95, 0.924, 1.137, 0.876, 1.100),
    (70.0, 0.0, 0.99, 1.083, 1.015, 1.025, 1.005),
    (70.0, 0.5, 0.99, 0.981, 1.117, 0.988, 1.081),
    (70.0, 0.5, 0.9, 0.886, 1.076, 0.872, 1.039),
    (70.0, 1.5, 0.95, 0.751, 1.162, 0.791, 1.112),
    (80.0, 0.0, 0.99, 1.196, 1.122, 0.995, 1.003),
    (80.0, 0.5, 0.99, 0.956, 1.201, 0.976, 1.078),
    (80.0, 0.5, 0.9, 0.859, 1.165, 0.864, 1.034),
    (80.0, 1.5, 0.95, 0.738, 1.234, 0.810, 1.113),
)
KM = torch.arange(0.0, 81.0, dtype=torch.float64)
ONE = torch.ones((1, 1), dtype=torch.float64)


def interfaces():
    """Pressure at every kilometre of the standard atmosphere, by halving."""
    low, high = torch.full_like(KM, 0.1), torch.full_like(KM, 1.1e5)
    for _ in range(60):
        middle = torch.sqrt(low * high)
        above = standard_atmosphere.height(middle) > 1000.0 * KM
        low, high = torch.where(above, middle, low), torch.where(above, high, middle)
    return middle[:, None, None]


def layers(depth, albedo):
    haze = torch.zeros((3, 2, len(KM) - 1, 1, 1), dtype=torch.float64)
    for band, wavelength in enumerate(WAVELENGTH):
        haze[0, band, :2] = 0.5 * depth * 550.0 / wavelength
    haze[1] = albedo * haze[0]
    haze[2] = 0.65 * haze[1]
    return haze


@pytest.mark.parametrize("row", TUV_X, ids=lambda row: f"{row[0]:g}-{row[1]}-{row[2]}")
def test_photolysis_over_that_with_the_standard_aerosol_is_tuv_x_s(row):
    angle, depth, albedo, *expected = row
    found = factor(layers(depth, albedo), interfaces(), 0.1 * ONE, np.cos(np.deg2rad(angle)) * ONE)[..., 0, 0]
    at = lambda band, km: float(torch.sqrt(found[band, km - 1] * found[band, km]))  # noqa: E731
    ours = [at(0, 1), at(0, 5), at(1, 1), at(1, 5)]
    print(np.round(ours, 3), expected)
    np.testing.assert_allclose(ours, expected, rtol=0.05 if angle < 75.0 else 0.1)  # TUV-x's air is a sphere's


def test_the_standard_aerosol_itself_changes_nothing_and_has_tuv_x_s_depth():
    p = interfaces()
    usual = standard(p)
    assert float(usual[0, 0].sum()) == pytest.approx(0.331411, rel=2e-3)
    assert float(usual[0, 1].sum()) == pytest.approx(0.235 * 550.0 / 315.0, rel=2e-3)
    torch.testing.assert_close(factor(usual, p, 0.1 * ONE, 0.5 * ONE), torch.ones((2, len(KM) - 1, 1, 1)).double())


def test_light_is_neither_made_nor_lost_without_absorption():
    """Scattering alone, over a white ground: every flux through an interface is 0, up equals down and beam."""
    tau = torch.tensor([0.3, 2.0, 0.05, 20.0], dtype=torch.float64)[:, None, None]
    parts = photolysis_haze.two_stream(tau, torch.full_like(tau, photolysis_haze.WHITEST), 0.4 + 0.0 * tau, 0.6)
    reflected, passed, upward, downward = parts
    torch.testing.assert_close(reflected + passed, torch.ones_like(tau), rtol=0, atol=2e-4)
    torch.testing.assert_close(upward + downward + torch.exp(-tau / 0.6), torch.ones_like(tau), rtol=0, atol=2e-4)


def test_an_absorber_without_scattering_leaves_the_beam_alone():
    tau = torch.tensor([0.7, 0.2], dtype=torch.float64)[:, None, None]
    found = actinic_flux(tau, 0.0 * tau, 0.0 * tau, 0.0 * ONE, 0.5 * ONE)[:, 0, 0]
    middle = torch.exp(-torch.tensor([0.35 + 0.2, 0.1], dtype=torch.float64) / 0.5)
    torch.testing.assert_close(found, middle, rtol=1e-6, atol=0.0)


def test_soot_darkens_the_air_beneath_it_and_sulfate_brightens_that_above():
    air = standard_atmosphere.columns(24, torch.full((1, 2), 0.6, dtype=torch.float64), 1.0)
    low = (air.p > 8.0e4).double()
    none = {name: 0.0 * low for s in SIZES for name in names(s)}
    albedo, mu = torch.full((1, 2), 0.1, dtype=torch.float64), torch.full((1, 2), 0.6, dtype=torch.float64)

    def seen(**given):
        return factor(of_particles(none | {n: a * low for n, a in given.items()}, air), air.p_interface, albedo, mu)

    clean, soot, sulfate = seen(), seen(elemental_carbon=5.0e-9), seen(sulfate=4.0e-8)
    assert bool((soot[:, 0] < 0.9 * clean[:, 0]).all()) and bool((sulfate[:, -1] > 1.01 * clean[:, -1]).all())
    assert bool((soot > 0.2).all()) and bool((sulfate < 1.5).all())
