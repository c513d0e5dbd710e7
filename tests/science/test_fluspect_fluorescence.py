# SPDX-License-Identifier: BSD-3-Clause
"""Fluorescence of leaves and canopies beside SCOPE 2 run in Octave: 1 %, in the limit of thin layers."""

import csv
from pathlib import Path

import pytest
import torch

from components.land.spectra.canopy_fluorescence import Yields, photons
from components.land.spectra.fluorescence import emission_spectrum
from components.land.spectra.fluorescence import glow as leaf_glow
from components.land.spectra.geometry import geometry
from components.land.spectra.layers import Layers, absorbed, even_layers, solar_light, views
from components.land.spectra.leaf import LeafTraits, leaf
from components.land.spectra.leaf_angles import leaf_angle_shares
from components.land.spectra.plates import interfaces
from components.land.spectra.sif import Canopies, fluorescence_wavelengths, sif
from components.land.spectra.stems import Stems

DOUBLE = torch.float64
GREEN = LeafTraits()
STEP = 5.0  # nm of excitation: the published matrices hold a photon of each of its nanometres


def values(*x):
    return torch.tensor(x, dtype=DOUBLE)


LAI, HOT_SPOT = values(3, 1, 6, 3), values(0.05, 0.05, 0.05, 0.05)
SHARES = leaf_angle_shares(-0.35, -0.15).expand(4, -1)
LOOK = Canopies(LAI, HOT_SPOT, SHARES, values(30, 30, 50, 30), values(0, 0, 30, 30), values(0, 0, 120, 0))


def matrices(traits=GREEN, dtype=DOUBLE):
    grid = fluorescence_wavelengths(dtype=dtype)
    light = leaf(traits, grid.constants, grid.surface)
    count = grid.excitation.numel()
    at = torch.arange(count), torch.arange(count, count + grid.emission.numel())
    glowing = leaf_glow(light, grid.surface, at, (grid.excitation, grid.emission), grid.spectrum)
    return grid, light, glowing.matrices()


def glow(efficiency=0.01, traits=GREEN, layers=10, yields=None, dtype=DOUBLE):
    grid = fluorescence_wavelengths(dtype=dtype)
    sun = torch.full((4, grid.excitation.numel()), 1000.0, dtype=dtype)
    soil = torch.full((grid.excitation.numel() + grid.emission.numel(),), 0.15, dtype=dtype)
    look = Canopies(*(x.to(dtype) for x in LOOK))
    return sif(traits, torch.full((4,), efficiency, dtype=dtype), look, soil, (sun, 0.25 * sun), yields, grid, layers)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_published_matrix_elements(dtype):
    _, _, matrix = matrices(dtype=dtype)
    for excitation, emission, back, forward in (
        (650, 684, 7.1802e-5, 2.0969e-5),
        (650, 740, 1.94427e-4, 1.66218e-4),
        (650, 760, 1.23220e-4, 1.06260e-4),
        (450, 740, 1.33436e-4, 1.03051e-4),
    ):
        row, column = emission - 640, (excitation - 400) // 5
        assert float(matrix.back[row, column]) * STEP * 0.01 == pytest.approx(back, rel=2e-4)
        assert float(matrix.forward[row, column]) * STEP * 0.01 == pytest.approx(forward, rel=2e-4)


def test_the_whole_matrices_beside_fifteen_doublings(shared):
    _, _, matrix = matrices()
    for row in csv.DictReader((Path(shared) / "reference/land/spectra/leaf_fluorescence_matrices.csv").open()):
        at = int(row["emission_nm"]) - 640, (int(row["excitation_nm"]) - 400) // 5
        assert float(matrix.back[at]) * STEP * 0.01 == pytest.approx(float(row["Mb"]), rel=5e-4, abs=1e-10)
        assert float(matrix.forward[at]) * STEP * 0.01 == pytest.approx(float(row["Mf"]), rel=5e-4, abs=1e-10)


def test_the_published_radiances():
    got = glow(layers=30).radiance
    expected = values(
        [0.3473, 2.0151, 1.3775], [0.2527, 1.0976, 0.7071], [0.3096, 2.3857, 1.7175], [0.6059, 2.7753, 1.8567]
    )
    assert float((got[:, [45, 100, 120]] / expected - 1.0).abs().max()) < 0.01


def test_whole_spectra_beside_the_limit_of_thin_layers(shared):
    rows: dict[tuple, dict[str, float]] = {}
    for row in csv.DictReader((Path(shared) / "reference/land/spectra/canopy_reference_scope.csv").open()):
        if row["quantity"].startswith("SIF") and row["value"] != "NA":
            rows.setdefault((row["case"], row["quantity"], int(row["wavelength_nm"])), {})[row["layers"]] = float(
                row["value"]
            )
    got = glow(layers=30)
    assert rows
    for (case, quantity, nanometre), value in rows.items():
        limit = value["240"] - (value["60"] - value["240"]) / 3.0
        own = got.radiance if quantity == "SIF_radiance" else got.hemispheric
        assert float(own["ABCD".index(case), nanometre - 640]) == pytest.approx(limit, rel=0.01, abs=1e-3), (
            case,
            quantity,
            nanometre,
        )


def test_ten_layers_are_enough_in_a_run():
    few, many = glow(layers=10).radiance, glow(layers=60).radiance
    assert float((few[:, [45, 100, 120]] / many[:, [45, 100, 120]] - 1.0).abs().max()) < 0.004


def test_light_absorbed_by_chlorophyll():
    grid, light, _ = matrices()
    count = grid.excitation.numel()
    directed = geometry(SHARES, LOOK.sun, LOOK.view, LOOK.azimuth)
    lai = even_layers(LAI, 30)
    cut = Layers(
        lai, HOT_SPOT, light.reflectance[:count].expand(4, 1, -1), light.transmittance[:count].expand(4, 1, -1)
    )
    sun = torch.full((4, count), 1000.0, dtype=DOUBLE)
    solar = solar_light(cut, directed, views(lai, HOT_SPOT, directed), torch.full_like(sun, 0.15), sun, 0.25 * sun)
    energy = absorbed(cut, directed, solar) * light.chlorophyll_share[:count]
    micromoles = (energy * photons(grid.excitation)).sum((1, 2)) * STEP * 1e-3 * 1e6
    assert float((micromoles[:3] / values(1291.2, 730.7, 1523.4) - 1.0).abs().max()) < 0.01


def test_no_chlorophyll_or_no_yield_no_fluorescence():
    assert float(glow(traits=LeafTraits(chlorophyll=0.0)).radiance.abs().max()) == 0.0
    assert float(glow(efficiency=0.0).radiance.abs().max()) == 0.0
    dark = Yields(torch.zeros(4, 10, dtype=DOUBLE), torch.zeros(4, 10, dtype=DOUBLE))
    assert float(glow(yields=dark).radiance.abs().max()) == 0.0


def test_never_more_photons_than_the_yield_times_those_absorbed_by_chlorophyll():
    for traits in (LeafTraits(), LeafTraits(2.5, 90.0), LeafTraits(1.0, 5.0, 1.0)):
        grid, light, matrix = matrices(traits)
        by_chlorophyll = (1.0 - light.reflectance - light.transmittance) * light.chlorophyll_share
        emitted = (matrix.back + matrix.forward).sum(0)
        share = emitted / by_chlorophyll[: grid.excitation.numel()]
        assert 0.3 < float(share[:57].min()) and float(share.max()) < 1.0


def test_the_spectrum_of_emission_is_one_over_its_range():
    assert float(emission_spectrum(torch.arange(640.0, 851.0, dtype=DOUBLE)).sum()) == pytest.approx(1.0, abs=1e-12)


def test_derivatives_by_chlorophyll_and_efficiency():
    grid = fluorescence_wavelengths([685.0, 740.0])
    surface = interfaces(grid.constants.refractive_index)
    at = torch.arange(71), torch.arange(71, 73)

    def back(x):
        light = leaf(LeafTraits(chlorophyll=x[0], water=x[1]), grid.constants, surface)
        glowing = leaf_glow(light, surface, at, (grid.excitation, grid.emission), grid.spectrum)
        return glowing.matrices().back[:, ::14]

    assert torch.autograd.gradcheck(back, (values(40.0, 0.01).requires_grad_(),), eps=1e-6, atol=1e-9)


def test_layers_may_have_leaves_of_their_own():
    """Alike in all layers: the canopy of one kind; with the chlorophyll above it shows more than with it below."""
    number = 10
    alike = LeafTraits(chlorophyll=torch.full((4, number), 40.0, dtype=DOUBLE))
    assert torch.allclose(glow(traits=alike).radiance, glow().radiance, rtol=1e-12, atol=0.0)
    upper = torch.where(torch.arange(number) < number // 2, 60.0, 5.0).expand(4, -1).to(DOUBLE)
    above, below = (glow(traits=LeafTraits(chlorophyll=x)) for x in (upper, upper.flip(-1)))
    assert bool((above.radiance[:3, 100] > 1.1 * below.radiance[:3, 100]).all())
    dark = Yields(*(torch.where(torch.arange(number) < number // 2, 1.0, 0.0).expand(4, -1).to(DOUBLE),) * 2)
    lit = glow(traits=LeafTraits(chlorophyll=upper), yields=dark).emitted
    assert bool((lit < above.emitted).all()) and bool((lit[:, 100] > 0.6 * above.emitted[:, 100]).all())


def test_stems_hide_leaves_and_do_not_glow():
    grid = fluorescence_wavelengths([740.0])
    sun = torch.full((4, grid.excitation.numel()), 1000.0, dtype=DOUBLE)
    soil = torch.full((grid.excitation.numel() + 1,), 0.15, dtype=DOUBLE)
    bark = values(6.0, 4.0, 0.1)[:, None].expand(3, 4)

    def seen(share):
        stems = Stems(torch.full((4,), share, dtype=DOUBLE), bark)
        one = torch.full((4,), 0.01, dtype=DOUBLE)
        return sif(GREEN, one, LOOK, soil, (sun, 0.25 * sun), None, grid, stems=stems).radiance

    assert float(seen(1.0).abs().max()) == 0.0
    assert torch.allclose(seen(0.0), glow()[0][:, [100]], rtol=1e-9, atol=0.0)
    assert bool((seen(0.3) < 0.7 * seen(0.0)).all())


def test_excitation_every_ten_nanometres_is_enough_in_a_run():
    def seen(step):
        grid = fluorescence_wavelengths([685.0, 740.0, 771.0], step).trapezoids()
        sun = torch.full((4, grid.excitation.numel()), 1000.0, dtype=DOUBLE)
        soil = torch.full((grid.excitation.numel() + 3,), 0.15, dtype=DOUBLE)
        one = torch.full((4,), 0.01, dtype=DOUBLE)
        return sif(GREEN, one, LOOK, soil, (sun, 0.25 * sun), None, grid).radiance

    assert float((seen(10.0) / seen(1.0) - 1.0).abs().max()) < 2e-3
