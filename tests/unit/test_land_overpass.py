# SPDX-License-Identifier: BSD-3-Clause
"""Bands and fluorescence of the land at a satellite's hour: when, where, on which ranks, over a restart."""

import numpy as np
import pytest
import torch

from components.land.column.column_state import Forcing, initial_state
from components.land.column.column_state import Options as ColumnOptions
from components.land.column.component import ColumnLand
from components.land.column.growth import with_leaves
from components.land.column.leaf_contents import leaf_traits, with_spectral_optics
from components.land.column.overpass import Spectra, under_the_satellite
from components.land.column.parameters import parameters, table
from components.land.column.satellite import Satellite, Scene
from components.land.spectra.bands import UNITS, evi, ndvi, nirv, pri, sampling, values
from components.land.spectra.optical_constants import optical_constants
from components.land.spectra.sky import sun_and_sky
from components.land.spectra.soil import soil_reflectance
from components.land.spectra.yields import FLUORESCENCE, cytochrome_yield, dark_heat, fluorescence_yield
from tests.unit.test_land_component import HOUR, context, ground, weather  # noqa: F401

torch.set_num_threads(1)
DOUBLE = torch.float64
ASKED = Spectra(bands=["modis_1", "modis_2", "modis_ndvi", "pri", "tropomi_sif_740", "sif_685"])


def run(ground, folder, steps, options=None, rank=0, ranks=1, first=0, state=None):  # noqa: F811
    land = ColumnLand(options or ColumnLand.Options(spectra=ASKED))
    setting = context(ground, folder, rank, ranks)
    land.initialize(setting)
    if state is not None:
        land.restore(state)
    b = setting.decomposition.block_of(rank)
    block = (slice(b.y0, b.y1), slice(b.x0, b.x1))
    for step in range(first, first + steps):
        land.step(step * HOUR, HOUR, weather(ground.shape, step, block))
    return land, block


def test_a_place_is_seen_once_a_day_at_its_own_hour():
    longitude = torch.tensor([0.0, 120.0, -170.0, 359.0], dtype=DOUBLE)
    for hours in ([1.0] * 24, [0.5] * 48, [3.0] * 8):
        seen = torch.zeros(4)
        begin = 0.0
        for length in hours:
            found, wait = under_the_satellite(13.5, longitude, begin, 3600.0 * length)
            seen[found] += 1
            local = (begin + wait / 3600.0 + longitude[found] / 15.0) % 24.0
            assert torch.allclose(local, torch.full_like(local, 13.5))
            begin += length
        assert seen.tolist() == [1, 1, 1, 1]


def test_nothing_is_seen_before_the_first_overpass_and_all_land_after_a_day(ground, tmp_path):  # noqa: F811
    early, _ = run(ground, tmp_path, 2)
    assert np.isnan(early.diagnostics()["modis_1"]).all()
    land, _ = run(ground, tmp_path, 24)
    for name in ASKED.bands:
        field = land.diagnostics()[name]
        assert np.isfinite(field[ground.mask]).all(), name
        assert np.isnan(field[~ground.mask]).all(), name
    assert (land.diagnostics()["modis_2"][ground.mask] > land.diagnostics()["modis_1"][ground.mask]).mean() > 0.8
    assert (land.diagnostics()["tropomi_sif_740"][ground.mask] >= 0.0).all()


def test_ranks_and_a_restart_have_the_same_bits(ground, tmp_path):  # noqa: F811
    whole, _ = run(ground, tmp_path, 10)
    seen = whole.diagnostics()
    for rank in range(3):
        part, block = run(ground, tmp_path, 10, rank=rank, ranks=3)
        for name in ASKED.bands:
            assert np.array_equal(part.diagnostics()[name], seen[name][block], equal_nan=True), name
    first, _ = run(ground, tmp_path, 6)
    state = {k: np.array(v) for k, v in first.state().items()}
    second, _ = run(ground, tmp_path, 4, first=6, state=state)
    for name in ASKED.bands:
        assert np.array_equal(second.diagnostics()[name], seen[name], equal_nan=True), name


def test_a_restart_in_single_precision_goes_on_seeing(ground, tmp_path):  # noqa: F811
    options = ColumnLand.Options(spectra=ASKED, precision="single")
    whole, _ = run(ground, tmp_path, 3, options, first=5)
    first, _ = run(ground, tmp_path, 1, options, first=5)
    second, _ = run(ground, tmp_path, 2, options, first=6, state={k: np.array(v) for k, v in first.state().items()})
    for name in ASKED.bands:
        assert np.array_equal(second.diagnostics()[name], whole.diagnostics()[name], equal_nan=True), name
    assert np.isfinite(whole.diagnostics()["modis_1"]).any()


def test_looking_changes_nothing_else(ground, tmp_path):  # noqa: F811
    plain, _ = run(ground, tmp_path, 8, ColumnLand.Options())
    looking, _ = run(ground, tmp_path, 8)
    for name, value in plain.state().items():
        assert np.array_equal(value, looking.state()[name]), name


def test_mistakes_are_told_together(ground, tmp_path):  # noqa: F811
    asked = Spectra(bands=["modis_1", "modis_42"], time="overpass 25:00")
    problems = ColumnLand(ColumnLand.Options(spectra=asked)).check(context(ground, tmp_path))
    assert len(problems) == 2
    assert "unknown band 'modis_42'; known bands: modis_1" in problems[0]
    assert "expected a time such as 'overpass 13:30', 00:00 to 23:59, got 'overpass 25:00'" in problems[1]


def test_every_band_can_be_had():
    names = [name for name in UNITS if UNITS[name] == "1"]
    points = sampling(names)
    flat = values(names, torch.full((2, points.wavelength.size), 0.3, dtype=DOUBLE), points)
    assert set(flat) == set(names)
    for name in names:
        expected = 0.0 if name.rpartition("_")[2] in ("ndvi", "evi", "pri") else -0.024 if "nirv" in name else 0.3
        assert float(flat[name][0]) == pytest.approx(expected, abs=1e-12), name


def test_indices_by_hand():
    red, near, blue = (torch.tensor([x], dtype=DOUBLE) for x in (0.05, 0.45, 0.03))
    assert float(ndvi(red, near)) == pytest.approx(0.8)
    assert float(evi(red, near, blue)) == pytest.approx(2.5 * 0.4 / (0.45 + 0.3 - 0.225 + 1.0))
    assert float(nirv(red, near)) == pytest.approx(0.72 * 0.45)
    assert float(pri(red, near)) == pytest.approx(-0.8)


def test_spectra_of_sun_and_sky_hold_the_energy():
    nm = torch.arange(400.0, 701.0, 5.0, dtype=DOUBLE)
    direct, diffuse = torch.tensor([300.0, 0.0], dtype=DOUBLE), torch.tensor([60.0, 40.0], dtype=DOUBLE)
    sun, sky = sun_and_sky(nm, direct, diffuse, torch.tensor([0.9, 0.3], dtype=DOUBLE))
    for light, energy in ((sun, direct), (sky, diffuse)):
        assert torch.allclose(torch.trapezoid(light, nm * 1e-3), energy, rtol=1e-12, atol=0)
    assert float(sky[0, 0] / sky[0, -1]) > float(sun[0, 0] / sun[0, -1])  # the sky is bluer than the sun


def test_wet_soil_has_waters_bands():
    constants = optical_constants([550.0, 900.0, 1450.0, 1650.0])
    albedo = torch.tensor([[0.1, 0.1], [0.2, 0.2]], dtype=DOUBLE)
    dry, wet = soil_reflectance(albedo, torch.tensor([0.0, 1.0], dtype=DOUBLE), constants)
    assert dry.tolist() == pytest.approx([0.1, 0.2, 0.2, 0.2])
    assert wet[:2].tolist() == pytest.approx([0.1, 0.2])
    assert float(wet[2]) < float(wet[3]) < 0.2


def test_yields_at_their_ends():
    warm = torch.tensor([298.15], dtype=DOUBLE)
    free = fluorescence_yield(torch.ones(1, dtype=DOUBLE), warm)
    assert float(free.relative) == pytest.approx(1.0, abs=1e-12)
    blocked = fluorescence_yield(torch.zeros(1, dtype=DOUBLE), warm)
    kd = float(dark_heat(warm))
    assert float(blocked.photochemistry) == 0.0
    assert float(blocked.fluorescence) == pytest.approx(FLUORESCENCE / (FLUORESCENCE + kd + 2.48), rel=1e-9)
    some = fluorescence_yield(torch.linspace(0, 1, 50, dtype=DOUBLE), warm.expand(50))
    assert 1.2 < float(some.relative.max()) < 2.0  # it rises before heat takes over, as measured


def test_the_cytochrome_yield_in_the_dark_and_when_all_is_open():
    dark = cytochrome_yield(torch.ones(1, dtype=DOUBLE), torch.full((1,), 0.8, dtype=DOUBLE))
    assert float(dark.relative) == pytest.approx(1.0, abs=1e-9)
    q, phi = torch.tensor([0.5], dtype=DOUBLE), torch.tensor([0.2], dtype=DOUBLE)
    bright = cytochrome_yield(q, phi)
    kn = 4.0 * (0.5 / 0.2 - 1.0) - 1.0
    assert float(bright.fluorescence) == pytest.approx(0.5 * 0.05 / (5.0 + kn) + 0.5 * 0.05 / (1.0 + kn), rel=1e-9)


def test_spectral_optics_close_the_books(ground, tmp_path):  # noqa: F811
    land, _ = run(ground, tmp_path, 12, ColumnLand.Options(optics="spectral"))
    assert np.abs(land.diagnostics()["energy_residual"]).max() < 1e-3
    assert float(land.parameters.reflectance[0].max()) < 0.2 < float(land.parameters.reflectance[1].min())


def seen(plants, lai, sai):
    """Red, near infrared and fluorescence of columns under a high sun."""
    p, one = parameters(plants, ["loam"] * len(plants)), torch.ones(len(plants), dtype=DOUBLE)
    light = torch.stack([250.0 * one, 250.0 * one])
    weather = (293.0, 0.008, 1e5, 3.0, 10.0, light, 0.3 * light, 350.0, 0.0, 0.0, 400.0, 0.8, lai, sai)
    forcing = Forcing(*(x if isinstance(x, torch.Tensor) else x * one for x in weather))
    satellite = Satellite(["modis_1", "modis_2", "tropomi_sif_740"], ColumnOptions())
    got = satellite.look(Scene(initial_state(p, 293.0 * one), forcing, p, 0.8 * one))
    return [got[name] for name in satellite.bands]


def test_stems_reflect_in_the_two_bands_as_the_table_says():
    plants = list(table("plant_types"))
    p = parameters(plants, ["loam"] * len(plants))
    spectral = with_spectral_optics(p)
    for found, wanted, name in zip(spectral.stem_reflectance.T, p.stem_reflectance.T, plants, strict=True):
        assert float((found - wanted).abs().max()) < 0.03, (name, found, wanted)


def test_a_leafless_forest_is_seen_by_its_stems():
    """They darken the near infrared and do not glow; with leaves among them there is less to see of the leaves."""
    forest = ["deciduous_broadleaf_forest"] * 2
    lai, sai = torch.tensor([0.0, 0.0], dtype=DOUBLE), torch.tensor([0.0, 2.0], dtype=DOUBLE)
    red, near, glow = seen(forest, lai, sai)
    assert float(glow[1]) == 0.0 and float((near[1] - near[0]).abs()) > 0.01 and float((red[1] - red[0]).abs()) > 0.005
    _, near, glow = seen(forest, lai + 3.0, sai)
    assert float(near[1]) < float(near[0]) - 0.05 and float(glow[1]) < 0.9 * float(glow[0])


def test_plant_types_have_leaves_and_angles_of_their_own():
    plants = ["evergreen_needleleaf_forest", "deciduous_broadleaf_forest", "grassland"]
    red, near, glow = seen(plants, 3.0, 0.0)
    assert float(near.max() - near.min()) > 0.05 and float(glow.max() - glow.min()) > 0.1
    assert bool((red < 0.1).all() and (near > 0.25).all())


def starved(state, share):
    """The same plants with a share of their leaves' nitrogen."""
    c = state.cycles
    n = c.nitrogen.plant
    return state._replace(cycles=c._replace(nitrogen=c.nitrogen._replace(plant=n._replace(leaf=share * n.leaf))))


def grown(plants, area):
    """Columns with a leaf area out of their pools, leaves with all they need."""
    p, one = parameters(plants, ["loam"] * len(plants), cycles=True), torch.ones(len(plants), dtype=DOUBLE)
    state = initial_state(p, 293.0 * one)
    c, carbon = state.cycles, area / p.cycles.sla
    carbon_plant = c.carbon._replace(plant=c.carbon.plant._replace(leaf=carbon))
    nitrogen_plant = c.nitrogen._replace(plant=c.nitrogen.plant._replace(leaf=carbon / p.cycles.ratios.leaf))
    return p, state._replace(cycles=c._replace(carbon=carbon_plant, nitrogen=nitrogen_plant))


def test_leaf_contents_are_those_of_the_pools():
    """Sla 10 and C:N 40: 20 mg of dry matter and .25 mg of nitrogen in a square centimetre."""
    p, state = grown(["evergreen_needleleaf_forest"], 3.0)
    rows = p._replace(cycles=p.cycles._replace(
        sla=torch.full_like(p.cycles.sla, 10.0), vcmax_slope=p.traits.vcmax25 * 10.0 * 40.0,
        ratios=p.cycles.ratios._replace(leaf=torch.full_like(p.cycles.sla, 40.0)),
    ))  # fmt: skip
    c = state.cycles
    leaf_c = torch.tensor([0.3], dtype=DOUBLE)
    c = c._replace(
        carbon=c.carbon._replace(plant=c.carbon.plant._replace(leaf=leaf_c)),
        nitrogen=c.nitrogen._replace(plant=c.nitrogen.plant._replace(leaf=leaf_c / 40.0)),
    )
    full = leaf_traits(rows, c, "fun")
    assert float(full.protein) == pytest.approx(4.43 * 2.5e-4, rel=1e-12)
    assert float(full.protein + full.other_carbon) == pytest.approx(0.02, rel=1e-12)
    assert float(full.chlorophyll) == pytest.approx((62.5 - 3.72) / 1.3, rel=1e-12)
    assert float(full.water) == pytest.approx(0.02 * 0.03 / 0.0244, rel=1e-12)
    half = leaf_traits(rows, starved(state._replace(cycles=c), 0.5).cycles, "fun")
    assert float(half.protein) == pytest.approx(0.5 * float(full.protein), rel=1e-12)
    assert float(half.chlorophyll) == pytest.approx((31.25 - 3.72) / 1.3, rel=1e-12)
    assert torch.equal(leaf_traits(rows, starved(state._replace(cycles=c), 0.5).cycles, "none").protein, full.protein)


def test_starved_leaves_are_brighter():
    """Less chlorophyll in the visible; in the near infrared, where only dry matter absorbs, next to nothing."""
    plants = ["deciduous_broadleaf_forest", "grassland", "evergreen_needleleaf_forest"]
    p, state = grown(plants, 3.0)
    full = with_spectral_optics(p, state.cycles, "fun")
    poor = with_spectral_optics(p, starved(state, 0.3).cycles, "fun")
    gain = poor.reflectance - full.reflectance
    assert bool((gain[0] > 0.02).all()) and bool((gain[1].abs() < 0.01).all()), gain


def test_a_satellite_sees_the_leaves_that_have_grown():
    """NDVI and fluorescence of pools with .2 and 4 m2 of leaves, whatever the table's leaf area."""
    plants = ["deciduous_broadleaf_forest", "grassland"] * 2
    p, state = grown(plants, torch.tensor([0.2, 0.2, 4.0, 4.0], dtype=DOUBLE))
    one = torch.ones(4, dtype=DOUBLE)
    light = torch.stack([250.0 * one, 250.0 * one])
    weather = (293.0, 0.008, 1e5, 3.0, 10.0, light, 0.3 * light, 350.0, 0.0, 0.0, 400.0, 0.8, 2.0, 0.1)
    forcing = Forcing(*(x if isinstance(x, torch.Tensor) else x * one for x in weather))
    options = ColumnOptions(nitrogen="fun", prognostic_leaves=True)
    here, q = with_leaves(state, forcing, p, options)
    got = Satellite(["modis_ndvi", "tropomi_sif_740"], options).look(Scene(state, here, q, 0.8 * one))
    for values_ in got.values():
        assert bool((values_[2:] > 1.3 * values_[:2]).all()), got


GROWING = ColumnLand.Options(spectra=ASKED, optics="spectral", leaves="prognostic", nitrogen="fun")


def test_growing_leaves_with_spectral_optics_keep_the_bits(ground, tmp_path):  # noqa: F811
    """Over a day's end, when the optics change, and over a restart after it; on three ranks."""
    whole, _ = run(ground, tmp_path, 28, GROWING)
    first, _ = run(ground, tmp_path, 26, GROWING)
    before = first.columns.parameters.reflectance.clone()
    state = {k: np.array(v) for k, v in first.state().items()}
    second, _ = run(ground, tmp_path, 2, GROWING, first=26, state=state)
    assert torch.equal(second.columns.parameters.reflectance, before)
    assert not torch.equal(before, with_spectral_optics(first.parameters).reflectance)
    for name, value in whole.state().items():
        assert np.array_equal(value, second.state()[name], equal_nan=True), name
    for rank in range(3):
        part, block = run(ground, tmp_path, 28, GROWING, rank=rank, ranks=3)
        for name in ASKED.bands:
            assert np.array_equal(part.diagnostics()[name], whole.diagnostics()[name][block], equal_nan=True), name
    area = whole.diagnostics()["leaf_area_index"][ground.mask]
    assert float(area.max()) > 1.0
