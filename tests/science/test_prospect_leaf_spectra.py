# SPDX-License-Identifier: BSD-3-Clause
"""PROSPECT-D and PROSPECT-PRO: leaves against the Python package prosail 2.0.5, which gives these figures."""

import csv
from pathlib import Path

import pytest
import torch

from components.land.spectra.leaf import LeafTraits, leaf, refuse_wrong_traits
from components.land.spectra.optical_constants import optical_constants
from components.land.spectra.plates import plate_transmissivity

NANOMETRES = [450, 550, 670, 720, 800, 970, 1650, 2200]
LEAF = LeafTraits(structure=1.5, chlorophyll=40.0, carotenoids=8.0, water=0.01, dry_matter=0.009)


def agree(got: torch.Tensor, expected: list[float]) -> bool:
    return float((got.double() - torch.tensor(expected, dtype=torch.float64)).abs().max()) < 1e-5


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_green_leaf_has_the_published_spectrum(dtype):
    light = leaf(LEAF, optical_constants(NANOMETRES, dtype))
    assert agree(light.reflectance, [0.04125, 0.15117, 0.03635, 0.30658, 0.44254, 0.43335, 0.31048, 0.15475])
    assert agree(light.transmittance, [0.00140, 0.15025, 0.00607, 0.33000, 0.47463, 0.46793, 0.40155, 0.25314])


def test_a_thick_dark_leaf():
    light = leaf(LeafTraits(2.2, 80.0, 15.0, 0.0, 0.0, 0.02, 0.015), optical_constants([550, 720, 800, 1650]))
    assert agree(light.reflectance, [0.11898, 0.29175, 0.51269, 0.31827])
    assert agree(light.transmittance, [0.04011, 0.16865, 0.35558, 0.24141])


def test_proteins_apart_from_the_other_carbon():
    traits = LEAF._replace(dry_matter=0.0, protein=0.001, other_carbon=0.009)
    assert agree(leaf(traits, optical_constants([800, 1650, 2200])).reflectance, [0.43643, 0.30548, 0.14909])


def test_the_whole_spectrum_beside_scope(shared):
    rows = list(csv.DictReader((Path(shared) / "reference/land/spectra/leaf_reference.csv").open()))
    light = leaf(LEAF, optical_constants([float(row["wavelength_nm"]) for row in rows]))
    for name in ("reflectance", "transmittance"):
        assert agree(getattr(light, name), [float(row[name]) for row in rows]), name


def test_what_is_not_absorbed_is_reflected_or_let_through():
    constants = optical_constants()
    nothing = LeafTraits(1.7, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    light = leaf(nothing, constants)
    assert float((light.reflectance + light.transmittance - 1.0).abs().max()) < 1e-6
    some = leaf(LEAF, constants)
    assert float((some.reflectance + some.transmittance).max()) < 1.0


def test_the_plate_beside_scipys_integral():
    from scipy.special import expn

    k = torch.logspace(-6, 2.0, 400, dtype=torch.float64)
    exact = torch.tensor(2.0 * expn(3, k.numpy()))
    assert float((plate_transmissivity(k) - exact).abs().max()) < 1e-10
    assert float((plate_transmissivity(k.float()) - exact).abs().max()) < 3e-7


def test_derivatives_by_every_trait():
    constants = optical_constants([500.0, 680.0, 1900.0])
    x = torch.tensor([1.7, 33.0, 5.0, 1.0, 0.2, 0.012, 0.007], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: tuple(leaf(LeafTraits(*x), constants)[:2]), (x,))


def test_a_leaf_that_cannot_be_is_refused_by_name():
    with pytest.raises(ValueError, match=r"leaf structure: expected numbers of at least 1, got 0\.5"):
        refuse_wrong_traits(LEAF._replace(structure=0.5))
    with pytest.raises(ValueError, match="leaf water: expected numbers of at least 0, got nan"):
        refuse_wrong_traits(LEAF._replace(water=float("nan")))
    with pytest.raises(ValueError, match=r"400 to 2500 nm.*got 399"):
        optical_constants([399.0, 500.0])
