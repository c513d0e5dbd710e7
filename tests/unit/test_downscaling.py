# SPDX-License-Identifier: BSD-3-Clause
"""Generative downscaling in small: the sampler on a known distribution, the projection, rectangles, seeds."""

import numpy as np
import pytest
import torch

from components.ml_surrogates.downscaling import diffusion, ideal, scenes, training, two_steps
from components.ml_surrogates.downscaling.evaluation import finest_power
from components.ml_surrogates.downscaling.projection import Projection
from components.ml_surrogates.downscaling.unet import UNet
from coupler.errors import CaseError
from coupler.grids.grid import Grid
from coupler.grids.refined import blocks, refined


class Normal:
    """The exact denoiser of independent normal values of mean .4 and standard deviation .5."""

    def __call__(self, x, sigma, known):
        s2 = (sigma * sigma)[:, None, None, None]
        return (x * 0.25 + 0.4 * s2) / (0.25 + s2)


def test_heuns_steps_draw_from_the_distribution_of_an_exact_denoiser():
    drawn = diffusion.sample(Normal(), torch.zeros(64, 1, 16, 16), 1, 16, 3)
    assert abs(float(drawn.mean()) - 0.4) < 0.01
    assert abs(float(drawn.std()) - 0.5) < 0.02


def test_the_preconditioning_leaves_a_new_network_the_best_linear_guess():
    """With weights of zero at its end it gives c_skip x: for fields of sd 1 the regression of the field on x."""
    torch.manual_seed(1)
    net = diffusion.Denoiser(1, 1, 8)
    x, sigma = torch.randn(3, 1, 8, 8), torch.tensor([0.1, 1.0, 5.0])
    with torch.no_grad():
        out = net(x, sigma, torch.zeros(3, 1, 8, 8)) - net.net.leave.bias * 0.0
    wanted = x / (1.0 + sigma * sigma)[:, None, None, None]
    bias = net.net.leave.bias.item() * (sigma / torch.sqrt(1.0 + sigma * sigma))[:, None, None, None]
    torch.testing.assert_close(out, wanted + bias)


@pytest.mark.parametrize("shape", [(8, 8), (7, 13), (21, 6)])
def test_any_rectangle_goes_through_the_network(shape):
    torch.manual_seed(2)
    assert UNet(3, 2, 8)(torch.randn(2, 3, *shape)).shape == (2, 2, *shape)


def test_the_projection_gives_coarse_means_by_the_weights_of_the_exchange():
    """Cells that do not nest, and rain that stays positive."""
    fine = Grid.regular_lonlat("fine", 100, 110, 20, 28, resolution=0.5)
    coarse = Grid.regular_lonlat("coarse", 100, 110, 20, 28, nx=6, ny=5)
    rng, p = np.random.default_rng(1), Projection(fine, coarse)
    x, y = rng.standard_normal((3, fine.size)), rng.standard_normal((3, coarse.size))
    got = p(x, y)
    np.testing.assert_allclose((p.means @ got.T).T, y[:, p.cells], atol=1e-12)
    np.testing.assert_allclose(p(got, y), got, atol=1e-12)
    rain, means = rng.gamma(0.5, 1.0, (3, fine.size)), rng.gamma(2.0, 0.5, (3, coarse.size))
    wet = p.positive(rain, means)
    assert wet.min() >= 0.0
    assert np.abs((p.means @ wet.T).T - means[:, p.cells]).max() < 0.02 * means.std()


def test_cells_without_a_value_leave_the_others_as_they_would_be():
    """A coarse cell that lacks its mean, and one that lacks a fine cell; nothing else changes."""
    fine, coarse = ideal.grids()
    rng, p = np.random.default_rng(2), Projection(fine, coarse)
    x, y = rng.gamma(0.5, 1.0, (2, fine.size)), rng.gamma(2.0, 0.5, (2, coarse.size))
    whole, wet = p(x, y), p.positive(x, y)
    y[0, 17], x[1, 130] = np.nan, np.nan
    in_17 = p.means[np.flatnonzero(p.cells == 17)].toarray()[0] > 0.0
    with_130 = (p.means.T @ (p.means @ (np.arange(fine.size) == 130))) > 0.0
    for got, full in ((p(x, y), whole), (p.positive(x, y), wet)):
        np.testing.assert_allclose(got[0, ~in_17], full[0, ~in_17], rtol=2e-3, atol=1e-9)
        np.testing.assert_allclose(got[1, ~with_130], full[1, ~with_130], rtol=2e-3, atol=1e-9)
        assert np.isnan(got[1, 130]) and np.isfinite(got[0]).all() and np.isnan(got).sum() == 1
    np.testing.assert_allclose(p(x, y)[0, in_17], x[0, in_17])


def test_the_ideal_truth_has_its_coarse_means_and_small_scales_that_follow_the_air():
    s = ideal.scene(6, ideal.TRAINING, 1)
    assert s.fields.shape == (6, 2, 64, 64) and s.coarse.shape == (6, 2, 16, 16)
    assert np.array_equal(s.fields, ideal.scene(6, ideal.TRAINING, 1).fields)
    assert s.fields[:, 1].min() > 0.0
    assert finest_power(two_steps.bicubic(s.coarse, s.factor)[:, 0]) < 0.2 * finest_power(s.fields[:, 0])


@pytest.mark.parametrize(("power", "of_seven"), [(0.0, np.log(8.0)), (1 / 3, 3.0), (1.0, 7.0)])
def test_a_bend_is_the_power_of_box_and_cox_and_has_an_inverse(power, of_seven):
    field = scenes.Field("rain", positive=True, bend=0.1, power=power)
    rain = np.array([0.0, 1e-9, 0.7, 80.0])
    bent = field.bent(rain)
    assert bent[2] == pytest.approx(of_seven, rel=1e-14)
    np.testing.assert_allclose(field.straight(bent), rain, rtol=1e-7)
    assert field.bent(np.array(-1.0)) == field.straight(np.array(-1.0)) == 0.0


def test_networks_see_air_of_another_season_and_rougher_air_as_they_do_any(trained_on_little):
    """A field without a bend, 20 warmer and three times as rough: the same inputs, and three times the unit."""
    model, s = trained_on_little
    first = model.known(s.coarse, s.ground)
    coarse = s.coarse.copy()
    coarse[:, 0] = 3.0 * coarse[:, 0] + 20.0
    other = model.known(coarse, s.ground)
    floor = two_steps.SMOOTH * float(model.rough[0]) * float(model.lost[0])
    assert float(first.unit[:, 0].min()) > floor  # there is air so smooth that the floor counts
    rough = first.unit[:, 0] > 4.0 * floor
    assert rough.float().mean() > 0.5
    torch.testing.assert_close(other.seen[:, 0][rough], first.seen[:, 0][rough], rtol=0.04, atol=0.02)
    torch.testing.assert_close(other.unit[:, 0][rough], 3.0 * first.unit[:, 0][rough], rtol=0.04, atol=0.0)
    assert torch.equal(other.unit[:, 1], first.unit[:, 1])


def test_details_are_drawn_as_strong_as_they_are(trained_on_little):
    """A diffusion of a few steps leaves noise in warmth, whose details are weak: four times their mean square."""
    model, s = trained_on_little
    known = model.known(s.coarse, s.ground)
    with torch.no_grad():
        guess = model.guess(known)
    beside = model.beside(known, guess)
    true = two_steps.detail(model.scaled(s.fields) - guess.mean).square().mean((0, 2, 3))
    plain = model.left[:, None, None] * diffusion.sample(model.rest, beside, 2, two_steps.STEPS, 7)
    drawn = model.drawn(beside, two_steps.STEPS, 7)
    plain, drawn = (two_steps.detail(guess.width * z).square().mean((0, 2, 3)) / true for z in (plain, drawn))
    assert plain[0] > 2.5
    assert ((drawn > 0.6) & (drawn < 1.6)).all()


@pytest.fixture(scope="module")
def trained_on_little():
    """Networks of a few steps, and six days of the ideal truth."""
    torch.set_num_threads(1)
    s = ideal.scene(6, ideal.TRAINING, 1)
    return training.train(s, ideal.FIELDS, 1, 8, 10, 40)[0], s


def test_a_third_of_the_records_is_guessed_by_a_regression_that_has_not_seen_it(monkeypatch):
    """Each regression learns from the two thirds whose guesses are not its own; the diffusion from what all left."""
    torch.set_num_threads(1)
    learned, guessed, batch, guess = [], [], training._batch, two_steps.Downscaling.guess

    def batches(records, *rest):
        learned.append(records.tolist())
        return batch(records, *rest)

    def guesses(model, known, part=None):
        if not torch.is_grad_enabled():
            guessed.append((part, len(known.spread), known.spread[0]))
        return guess(model, known, part)

    monkeypatch.setattr(training, "_batch", batches)
    monkeypatch.setattr(two_steps.Downscaling, "guess", guesses)
    s = ideal.scene(7, ideal.TRAINING, 1)
    model, _ = training.train(s, ideal.FIELDS, 1, 8, 1, 1)
    thirds = [[0, 1, 2], [3, 4], [5, 6]]
    assert learned == [[n for n in range(7) if n not in third] for third in thirds] + [list(range(7))]
    assert [(part, number) for part, number, _ in guessed] == [(0, 3), (1, 2), (2, 2)]
    spread = model.known(s.coarse, s.ground).spread
    assert all(torch.equal(first, spread[third[0]]) for (*_, first), third in zip(guessed, thirds, strict=True))


def test_the_regression_finds_fine_scales_that_are_small_beside_the_field_and_how_wide_the_rest_is():
    """A field ten times as large as what splines lack of it, which follows the relief and is noise where there is land.

    A loss in the field's own size would see a hundredth of it beside a field that is all fine scales.
    """
    torch.set_num_threads(1)
    rng, n = np.random.default_rng(3), 24
    relief = ideal.waves(rng, 1, 8.0, 28.0, -0.5)[0]
    land = ideal.waves(rng, 1, 1.0, 3.0, 0.0)[0] > 0.0
    large, rain = 10.0 * ideal.waves(rng, n, 1.0, 4.0, -1.5), ideal.waves(rng, n, 8.0, 28.0, 0.0)
    noise = np.where(land, 0.5, 0.05) * rng.standard_normal((n, 64, 64))
    fields = np.stack([large + relief + noise, rain], axis=1)
    ground = np.broadcast_to(np.stack([relief, land]), (n, 2, 64, 64))
    s = scenes.Scene(fields, ground, 4)
    model, _ = training.train(s, ideal.FIELDS[:1] + (scenes.Field("noise"),), 1, 8, 120, 2, parts=1)
    known = model.known(s.coarse, s.ground)
    with torch.no_grad():
        guess = model.guess(known)
    right = model.scaled(s.fields)[:, 0]
    lacking, left = right - known.spread[:, 0], right - guess.mean[:, 0]
    assert float(left.square().mean()) < 0.4 * float(lacking.square().mean())
    over_land, at_sea = (float(guess.width[:, 0][:, torch.tensor(where)].mean()) for where in (land, ~land))
    assert over_land > 1.5 * at_sea


def test_rain_keeps_its_pattern_where_the_coarse_mean_asks_for_more():
    """Twice the mean drawn: each cell twice as wet and dry ones dry; adding the difference would wet all alike."""
    fine, coarse = ideal.grids()
    rng, projection = np.random.default_rng(4), Projection(fine, coarse)
    rain = np.where(rng.random((1, 64, 64)) < 0.3, rng.gamma(0.5, 1.0, (1, 64, 64)), 0.0)
    asked = 2.0 * scenes.means(rain, 4)
    asked[0, 0, 0] = 0.0
    made = projection.positive(rain.reshape(1, -1), asked.reshape(1, -1)).reshape(1, 64, 64)
    np.testing.assert_allclose(scenes.means(made, 4), asked, atol=2e-3 * asked.std())
    assert made[0, :4, :4].max() == 0.0
    np.testing.assert_allclose(made[0, 8:, 8:], 2.0 * rain[0, 8:, 8:], rtol=0.05, atol=0.02 * asked.max())


@pytest.mark.parametrize("factor", [3, 5, 6])
def test_a_rectangle_of_any_factor_has_its_means_and_no_rain_below_zero(factor):
    """Over the areas of a map's cells; coarse rain a little below zero, as advection leaves it, is none."""
    crs = "+proj=lcc +lat_1=-5 +lat_2=40 +lat_0=25 +lon_0=130 +R=6371000"
    fine = refined(Grid.projected("coarse", crs, 9, 7, 100e3, center=(119.0, 25.0)), factor)
    rng, projection = np.random.default_rng(factor), Projection(fine, blocks(fine, factor))
    area = fine.area.reshape(7, factor, 9, factor)

    def coarse(a):
        return (a.reshape(2, 7, factor, 9, factor) * area).sum((2, 4)) / area.sum((1, 3))

    x, y = rng.standard_normal((2, fine.size)), rng.standard_normal((2, 63))
    np.testing.assert_allclose(coarse(projection(x, y)), y.reshape(2, 7, 9), atol=1e-12)
    rain = np.where(rng.random((2, fine.size)) < 0.7, 0.0, rng.gamma(0.3, 1.0, (2, fine.size)))
    asked = np.where(rng.random((2, 63)) < 0.4, 0.0, rng.gamma(0.3, 1e-4, (2, 63)))
    asked[0, 3], asked[1, 5] = -1e-9, -1e-4
    made = projection.positive(rain, asked)
    assert made.min() == 0.0
    np.testing.assert_allclose(coarse(made), np.maximum(asked, 0.0).reshape(2, 7, 9), atol=1e-12)


def test_members_have_seeds_and_the_means_they_came_from():
    """Nearly untrained networks: what holds whatever they learned."""
    torch.set_num_threads(1)
    s = ideal.scene(4, ideal.TRAINING, 1)
    model, _ = training.train(s, ideal.FIELDS, 1, 8, 3, 3)
    projection = Projection(*ideal.grids())
    one, _ = two_steps.members(model, s.coarse[:1], s.ground[:1], 2, 5, 3, projection)
    two, _ = two_steps.members(model, s.coarse[:1], s.ground[:1], 1, 6, 3, projection)
    assert np.array_equal(one[1], two[0]) and not np.array_equal(one[0], one[1])
    missed = np.abs(scenes.means(one[:, :, 0], s.factor) - s.coarse[:1, 0]).max()
    assert missed < 0.02 * s.coarse[:, 0].std()


@pytest.mark.parametrize(
    ("rows", "words"), [(30, "multiples of 4, found 30 x 40"), (28, "at least 32 x 32 fine cells to learn from")]
)
def test_fields_that_cannot_be_learned_from_are_named(rows, words):
    s = scenes.Scene(np.zeros((2, 2, rows, 40)), np.zeros((2, 1, rows, 40)), 4)
    with pytest.raises(CaseError, match=words):
        _ = s.coarse
        training.train(s, ideal.FIELDS, 1)


@pytest.mark.parametrize("steps", [1, 2, 10])
def test_a_training_of_few_steps_ends(steps):
    """Of two records, too, which are fewer than the regressions that usually share them."""
    torch.set_num_threads(1)
    model, course = training.train(ideal.scene(2, ideal.TRAINING, 1), ideal.FIELDS, 1, 8, steps, steps)
    assert np.isfinite(course.regression) and np.isfinite(course.diffusion)
    assert all(bool(torch.isfinite(a).all()) for a in model.state_dict().values())
