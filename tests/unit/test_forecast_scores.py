# SPDX-License-Identifier: BSD-3-Clause
"""Scores of ensembles and pairs beside closed forms and numbers worked by hand."""

import numpy as np
import pytest

from coupler.analysis.ensemble_card import score_members
from coupler.analysis.ensemble_scores import (
    almost_fair_crps,
    fair_crps,
    gaussian_crps,
    rank_histogram,
    spread_over_error,
)
from coupler.analysis.similarity import NothingToScore, diurnal_peak, likeness, percentile, wet_day_share
from coupler.errors import CaseError


def test_crps_of_many_members_is_that_of_the_normal_distribution():
    from scipy.special import ndtri

    members = 2.0 + 3.0 * ndtri((np.arange(4000) + 0.5) / 4000)
    for y in (-4.0, 2.0, 7.5):
        near = float(fair_crps(members, np.array(y)))
        assert abs(near / float(gaussian_crps(np.array(2.0), np.array(3.0), np.array(y))) - 1.0) < 1e-3
    assert abs(float(gaussian_crps(np.array(0.0), np.array(1.0), np.array(0.0))) - 0.233695) < 1e-6


@pytest.mark.parametrize("m", [2, 3, 5, 10, 20, 50])
def test_closed_forms_of_gaussian_ensembles_of_any_size(m):
    """Scrambled Sobol points of the normal distribution, whose means have 4 digits where random numbers have 3.

    Alike: the mean fair CRPS is 1 / sqrt(pi) for any number of members; what is not fair is larger by 1 / (m sqrt(pi)).
    Members half as wide: spread over error sqrt((m + 1) / m) s / sqrt(1 + s^2 / m); of two the ranks at both ends
    have 1/4 + asin(1 / (1 + s^2)) / (2 pi) each.
    """
    from scipy.special import ndtri
    from scipy.stats import qmc

    z = ndtri(qmc.Sobol(m + 1, scramble=True, rng=1).random(2**14)).T
    y, x = z[0], z[1:]
    wanted = 1.0 / np.sqrt(np.pi)
    assert abs(fair_crps(x, y).mean() / wanted - 1.0) < 1e-3
    plain = np.abs(x - y).mean() - 0.5 * np.mean([np.abs(x - x[k]).mean() for k in range(m)])
    assert abs((plain / wanted - 1.0) * m - 1.0) < 1e-2
    s = 0.5
    assert abs(spread_over_error(s * x, y) / (np.sqrt((m + 1) / m) * s / np.sqrt(1 + s * s / m)) - 1.0) < 1e-3
    ranks = rank_histogram(s * x, y) / y.size
    if m == 2:
        end = 0.25 + np.arcsin(1.0 / (1.0 + s * s)) / (2.0 * np.pi)
        np.testing.assert_allclose(ranks, [end, 1.0 - 2.0 * end, end], atol=1e-3)
    assert abs(ranks[0] - ranks[-1]) < 4e-3 and ranks[0] > 1.1 / (m + 1), "too narrow: full at both ends"


@pytest.mark.parametrize("m", [2, 5, 20])
def test_alike_members_have_a_spread_over_error_of_one_and_flat_ranks(m):
    rng = np.random.default_rng(7)
    signal = rng.standard_normal(200_000)
    x, y = signal + rng.standard_normal((m, signal.size)), signal + rng.standard_normal(signal.size)
    assert abs(spread_over_error(x, y) - 1.0) < 0.01
    assert abs(spread_over_error(signal + 0.5 * (x - signal), y) / np.sqrt((m + 1) / (1 + 4 * m)) - 1.0) < 0.01
    counts = rank_histogram(x, y) / signal.size * (m + 1)
    assert counts.shape == (m + 1,) and np.abs(counts - 1.0).max() < 0.03
    assert rank_histogram(x, y + 9.0)[-1] == signal.size


def test_ties_spread_over_their_ranks():
    counts = rank_histogram(np.zeros((3, 40_000)), np.zeros(40_000))
    assert np.abs(counts / 10_000 - 1.0).max() < 0.05


def test_scores_of_other_places_or_of_no_members_are_refused():
    """The almost fair score would spread a row of observations over all rows."""
    for score in (fair_crps, rank_histogram, lambda x, y: almost_fair_crps(x, y, 0.95)):
        with pytest.raises(CaseError, match=r"members of shape \(4, 5\) beside observations of \(5,\)"):
            score(np.zeros((3, 4, 5)), np.zeros(5))
        with pytest.raises(CaseError, match="expected an ensemble of members, found none"):
            score(np.zeros((0, 5)), np.zeros(5))


def test_what_an_ensemble_lacks_is_said():
    with pytest.raises(CaseError, match="at least two members"):
        spread_over_error(np.zeros((1, 3)), np.ones(3))
    with pytest.raises(CaseError, match="no place where all"):
        rank_histogram(np.full((3, 2), np.nan), np.zeros(2))
    with pytest.raises(CaseError, match="shape"):
        fair_crps(np.zeros((3, 2)), np.zeros(3))


def test_weights_that_are_none_are_refused():
    x, y = np.random.default_rng(1).standard_normal((2, 3, 4))[:, :2], np.zeros((2, 4))
    whole = spread_over_error(x, y, np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]]))
    assert whole == pytest.approx(spread_over_error(x[:, :1], y[:1]), rel=1e-12)
    for wrong in (np.ones(4), np.zeros((2, 4)), -np.ones((2, 4)), np.full((2, 4), np.nan)):
        with pytest.raises(CaseError, match="weights"):
            spread_over_error(x, y, wrong)


def test_a_normal_distribution_without_deviation_scores_its_error():
    found = gaussian_crps(np.zeros(3), np.array([0.0, 1e-12, 1.0]), np.array([2.0, 2.0, 0.0]))
    np.testing.assert_allclose(found, [2.0, 2.0, 0.233695], atol=1e-6)
    with pytest.raises(CaseError, match="zero or more"):
        gaussian_crps(np.zeros(2), np.array([1.0, -1.0]), np.zeros(2))


def test_a_pair_worked_by_hand():
    """o = 1 2 3 4 (mean 2.5, variance 1.25), m = 2 2 5 7 (mean 4, variance 4.5), covariance 2.25."""
    pair = likeness(np.array([2.0, 2.0, 5.0, 7.0]), np.array([1.0, 2.0, 3.0, 4.0]))
    r = 2.25 / np.sqrt(1.25 * 4.5)
    assert (pair.n, pair.bias) == (4, 1.5)
    np.testing.assert_allclose([pair.correlation, pair.variance_ratio], [r, 3.6], rtol=1e-12)
    np.testing.assert_allclose(pair.rmse, np.sqrt((1 + 0 + 4 + 9) / 4), rtol=1e-12)
    np.testing.assert_allclose(pair.centred_rmse**2, 1.25 + 4.5 - 2 * 2.25, rtol=1e-12)  # Taylor's triangle
    np.testing.assert_allclose(
        pair.kling_gupta, 1 - np.sqrt((r - 1) ** 2 + (np.sqrt(3.6) - 1) ** 2 + 0.6**2), rtol=1e-12
    )
    s = np.sqrt(3.6)
    np.testing.assert_allclose(pair.skill, 2 * (1 + r) / (s + 1 / s) ** 2, rtol=1e-12)
    weighted = likeness(np.array([2.0, 5.0]), np.array([1.0, 3.0]), np.array([3.0, 1.0]))
    assert (weighted.model, weighted.observed) == (2.75, 1.5)


@pytest.mark.parametrize(
    ("model", "observed", "words"),
    [
        ([1.0, 1.0, 1.0], [1.0, 2.0, 3.0], "the model is constant"),
        ([1.0, 2.0, 3.0], [273.15] * 3, "the observations are constant"),
        ([np.nan] * 3, [1.0, 2.0, 3.0], "the model have no value|the model"),
        ([1.0, np.nan, np.nan], [np.nan, 2.0, 3.0], "no place where both"),
    ],
)
def test_what_cannot_be_scored_is_named(model, observed, words):
    with pytest.raises(NothingToScore, match=words):
        likeness(np.array(model), np.array(observed), what="rain")
    with pytest.raises(NothingToScore, match="zero"):
        _ = likeness(np.array([1.0, 2.0]), np.array([-1.0, 1.0])).kling_gupta


def test_rain_by_days_and_hours():
    rain = np.array([[0.0, 5.0, np.nan], [0.9, 1.0, np.nan], [1.0, 0.0, np.nan], [20.0, np.nan, np.nan]])
    np.testing.assert_allclose(wet_day_share(rain), [0.5, 2 / 3, np.nan])
    np.testing.assert_allclose(percentile(rain, 95.0)[:2], [1.0 + 19.0 * 0.85, 4.6])
    with pytest.raises(NothingToScore, match="no value at all"):
        percentile(np.full((4, 2), np.nan), 95.0)
    utc = np.arange(0.0, 72.0, 3.0) % 24
    peak = diurnal_peak(np.maximum(np.cos(2 * np.pi * (utc - 21) / 24), 0.0), utc, -45.0)
    assert abs(float(peak) - 18.0) < 1e-9


def test_members_of_a_case_are_scored_by_area():
    rng = np.random.default_rng(11)
    x, y = rng.standard_normal((5, 40, 50)), rng.standard_normal((40, 50))
    x[2, :3], y[5:7, :9] = np.nan, np.nan
    times = rng.integers(1, 4, size=y.shape)
    found = score_members(x, y, times.astype(float))
    repeated = np.repeat(x.reshape(5, -1), times.ravel(), axis=1), np.repeat(y.ravel(), times.ravel())
    alike = score_members(*repeated, np.ones(repeated[1].size))
    for name in ("fair_crps", "error_of_mean", "error_of_a_member", "spread_over_error", "outside"):
        assert abs(getattr(found, name) / getattr(alike, name) - 1.0) < 1e-12, name
    assert found.cells == 40 * 50 - 3 * 50 - 2 * 9
    assert abs(found.spread_over_error - 1.0) < 0.05 and abs(found.outside - 2 / 6) < 0.04
    assert abs(found.error_of_a_member - np.sqrt(2.0)) < 0.05
    assert score_members(x, np.full(y.shape, np.nan), times.astype(float)) is None
