# SPDX-License-Identifier: BSD-3-Clause
"""Systems that make a tracer's field out of stations: exact cases, missing stations, restarts."""

import math

import pytest
import torch

from components.ml_surrogates.estimation.analysis import Domain, Forcing, Observations, mean_increment
from components.ml_surrogates.estimation.cycled_oi import CycledInterpolation
from components.ml_surrogates.estimation.kriging import Climatology, Interpolation, correlated
from components.ml_surrogates.estimation.tracer_enkf import TracerEnsemble
from components.science.constants import EARTH_RADIUS

SHAPE = (4, 6)
HOUR = 3600.0


@pytest.fixture(scope="module")
def domain():
    lat = torch.tensor([-60.0, -20.0, 20.0, 60.0], dtype=torch.float64)
    lon = torch.arange(6, dtype=torch.float64) * 60.0
    return Domain(SHAPE, lon.repeat(4), lat.repeat_interleave(6), torch.cos(torch.deg2rad(lat)).repeat_interleave(6))


def still(field, source, winds, seconds):
    """A transport without winds."""
    return field + seconds * source


def reports(value, places, error=0.5, mask=None):
    value = torch.as_tensor(value, dtype=torch.float64)
    there = torch.ones_like(value, dtype=torch.bool) if mask is None else torch.tensor(mask).expand(value.shape)
    return Observations(value, torch.full_like(value, error), there, torch.as_tensor(places))


def systems(domain):
    zero, one = torch.zeros(SHAPE, dtype=torch.float64), torch.ones(SHAPE, dtype=torch.float64)
    covariance = correlated(domain, one, 5000e3)
    return {
        "climatology": Climatology(zero, one),
        "kriging": Interpolation(zero, covariance, 0.1),
        "interpolation": CycledInterpolation(still, covariance),
        "ensemble": ensemble(domain),
    }


def ensemble(domain, members=40, radius=2e7):
    root = torch.linalg.cholesky(correlated(domain, torch.ones(SHAPE, dtype=torch.float64), 5000e3))
    return TracerEnsemble(domain, still, root / (10 * 86400.0), 10 * 86400.0, root, radius=radius, members=members)


def test_distances_are_great_circles(domain):
    quarter = domain.distance(torch.tensor([6]), torch.tensor([9]))  # 20 S, half around
    assert float(quarter) == pytest.approx(EARTH_RADIUS * math.radians(140.0), rel=1e-12)
    assert float(domain.distance().diagonal().abs().max()) == 0.0


def test_a_station_is_weighed_against_the_prior_as_in_closed_form(domain):
    system = systems(domain)["interpolation"]
    got = system.analyse(system.start(torch.zeros(SHAPE, dtype=torch.float64)), reports([2.0], [7]))
    assert float(got.mean.reshape(-1)[7]) == pytest.approx(2.0 * 1.0 / 1.25)
    assert float(got.standard_deviation.reshape(-1)[7]) == pytest.approx(math.sqrt(1.0 - 1.0 / 1.25))


@pytest.mark.parametrize("name", ["climatology", "kriging", "interpolation", "ensemble"])
def test_a_station_without_a_report_does_not_count_and_order_does_not_matter(domain, name):
    system = systems(domain)[name]
    start = system.start(torch.zeros(SHAPE, dtype=torch.float64))
    both = system.analyse(start, reports([2.0, 99.0, -1.0], [7, 9, 20], mask=[True, False, True]))
    alone = system.analyse(start, reports([2.0, -1.0], [7, 20]))
    torch.testing.assert_close(both.mean, alone.mean, rtol=1e-9, atol=1e-9)
    if name != "ensemble":  # one by one with a localisation, the order counts a little
        turned = system.analyse(start, reports([-1.0, 2.0], [20, 7]))
        torch.testing.assert_close(turned.mean, alone.mean, rtol=1e-9, atol=1e-9)
    none = system.analyse(start, reports([2.0, 99.0], [7, 9], mask=[False, False]))
    expected = start[0] if start[0].ndim == 2 else start[0].mean(0)
    torch.testing.assert_close(none.mean, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["kriging", "interpolation", "ensemble"])
def test_flows_side_by_side_are_flows_by_themselves(domain, name):
    system = systems(domain)[name]
    value = [[2.0, -1.0], [0.5, 3.0]]
    two = system.analyse(system.start(torch.zeros((2, *SHAPE), dtype=torch.float64)), reports(value, [7, 20]))
    assert two.mean.shape == two.standard_deviation.shape == (2, *SHAPE)
    if name != "ensemble":
        one = system.analyse(system.start(torch.zeros(SHAPE, dtype=torch.float64)), reports(value[1], [7, 20]))
        torch.testing.assert_close(two.mean[1], one.mean)


def test_the_filter_finds_the_flux_that_it_was_not_told(domain):
    flux = torch.zeros(SHAPE, dtype=torch.float64)
    flux[1:3, 2:4] = 2.0 / (10 * 86400.0)
    system = ensemble(domain, members=80)
    state, truth = system.start(torch.zeros(SHAPE, dtype=torch.float64)), torch.zeros(SHAPE, dtype=torch.float64)
    known = Forcing(None, torch.zeros(SHAPE, dtype=torch.float64))
    places = torch.arange(24)
    for _ in range(40):
        truth = truth + 6 * HOUR * flux
        state = system.advance(state, known, 6 * HOUR)
        state = system.analyse(state, reports(truth.reshape(-1), places, error=0.1)).state
    found = state.fluxes.mean(0)
    assert float(((found - flux) ** 2).mean()) < 0.2 * float((flux**2).mean())


def test_a_restart_of_the_filter_has_the_same_bits(domain):
    known = Forcing(None, torch.full(SHAPE, 1e-6, dtype=torch.float64))
    first, second = ensemble(domain), ensemble(domain)
    state = first.start(torch.zeros(SHAPE, dtype=torch.float64))
    for n in range(3):
        if n == 1:
            kept = {name: part.clone() for name, part in state._asdict().items()}
        state = first.advance(state, known, HOUR)
        state, mean, _ = first.analyse(state, reports([2.0, n * 1.0], [7, 20]))
    again = type(state)(**kept)
    for n in range(1, 3):
        again = second.advance(again, known, HOUR)
        again, other, _ = second.analyse(again, reports([2.0, n * 1.0], [7, 20]))
    assert torch.equal(mean, other)
    assert all(torch.equal(a, b) for a, b in zip(state, again, strict=True))


def test_the_mean_of_an_increment_is_what_the_analysis_adds(domain):
    before, after = torch.zeros(SHAPE, dtype=torch.float64), torch.zeros(SHAPE, dtype=torch.float64)
    after[1] = 3.0  # 20 S: a share of cos 20 / 2 (cos 20 + cos 60)
    share = math.cos(math.radians(20.0)) / (2.0 * (math.cos(math.radians(20.0)) + 0.5))
    assert float(mean_increment(domain, before, after)) == pytest.approx(3.0 * share)


def test_followers_of_an_ensemble_add_up_to_its_mean(domain):
    """Gains do not depend on values: each tracer by itself, and their sum is what the filter makes of the sum."""
    system = ensemble(domain, members=20, radius=6e6)
    zero = torch.zeros(SHAPE, dtype=torch.float64)
    state, places = system.start(zero), [1, 7, 9, 20]
    followers, generator = system.followers(state, 3), torch.Generator().manual_seed(5)
    known = torch.randn((3, *SHAPE), generator=generator, dtype=torch.float64) / 86400.0
    weights = torch.tensor([1.0, 0.6, -0.8], dtype=torch.float64)
    alone = state
    for _ in range(3):
        values = torch.randn((3, 4), generator=generator, dtype=torch.float64)
        now = reports((weights[:, None] * values).sum(0), places, mask=[True, True, False, True])
        state, followers = system.analyse_with(state, followers, now, values)
        alone = system.analyse(alone, now).state
        forcing = Forcing(None, (weights[:, None, None] * known).sum(0))
        state, followers = system.advance_with(state, followers, forcing, known, 6 * HOUR)
        alone = system.advance(alone, forcing, 6 * HOUR)
    torch.testing.assert_close(state, alone)  # followers change nothing
    for mean, each in zip((state.members.mean(0), state.fluxes.mean(0)), followers, strict=True):
        torch.testing.assert_close((weights[:, None, None] * each).sum(0), mean, rtol=1e-9, atol=1e-12)


def test_the_models_error_widens_the_ensemble_and_moves_no_mean(domain):
    root = torch.eye(24, dtype=torch.float64)
    system = TracerEnsemble(domain, still, 1e-9 * root, 1e6, root, members=400, model_error=0.5)
    narrow = system.start(torch.zeros(SHAPE, dtype=torch.float64))._replace(
        members=torch.zeros((400, *SHAPE), dtype=torch.float64)
    )
    calm = Forcing(None, torch.zeros(SHAPE, dtype=torch.float64))
    later = system.advance(system.advance(narrow, calm, 12 * HOUR), calm, 12 * HOUR)
    assert float(later.members.std(0).mean()) == pytest.approx(0.5, rel=0.03)
    assert float(later.members.mean(0).abs().max()) < 1e-3
