# SPDX-License-Identifier: BSD-3-Clause
"""The ensemble that an atmosphere carries: what it must give where the answer is known."""

import pytest
import torch

from components.ml_surrogates.estimation.analysis import Domain, Observations
from components.ml_surrogates.estimation.carried_ensemble import CarriedEnsemble
from components.ml_surrogates.estimation.kriging import Interpolation, correlated

NY, NX, HOUR = 8, 10, 3600.0
PLACES = torch.tensor([3, 27, 44, 71])


@pytest.fixture
def domain():
    lat, lon = torch.meshgrid(20.0 + torch.arange(NY), 100.0 + torch.arange(NX), indexing="ij")
    return Domain((NY, NX), lon.flatten().float(), lat.flatten().float(), torch.ones(NY * NX))


def smooth(*shape):
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn((*shape, NY, NX), generator=generator)


def system(domain, **words):
    covariance = correlated(domain, torch.tensor(2.0), 300e3)
    return CarriedEnsemble(domain, covariance, 0.1, 24 * HOUR, **words)


def test_a_sum_of_members_is_found_in_the_tracer_and_in_its_flux(domain):
    """Reports of six times hold enough of three members; in what is not seen there is no other trace of them."""
    members, fluxes = smooth(6, 3), smooth(3)
    share = torch.tensor([0.7, -1.2, 0.4])
    truth = torch.einsum("tnyx,n->tyx", members, share)
    gain = system(domain, share=1.0 - 1e-6, radius=1e9).gain(members, PLACES, 1e-2, 6 * HOUR, fluxes)
    shown = truth.flatten(-2)[:, PLACES].flatten()
    torch.testing.assert_close((shown @ gain.tracer).reshape(NY, NX), truth[-1], atol=0.05, rtol=0.0)
    wanted = torch.einsum("nyx,n->yx", fluxes, share)
    torch.testing.assert_close((shown @ gain.flux).reshape(NY, NX), wanted, atol=0.05, rtol=0.0)
    assert float(gain.variance.max()) < 0.01 * float((members[-1] ** 2).mean())


def test_without_members_and_at_one_time_it_is_kriging(domain):
    members, value = smooth(1, 3), torch.tensor([1.0, -2.0, 0.5, 3.0])
    here = system(domain, share=0.0, radius=1e9)
    gain = here.gain(members, PLACES, 0.2, 6 * HOUR)
    reports = Observations(value, torch.full_like(value, 0.2), torch.ones(4, dtype=torch.bool), PLACES)
    kriging = Interpolation(torch.zeros(NY, NX), here.covariance, 0.1)
    mean, deviation = kriging.analyse(kriging.start(torch.zeros(NY, NX)), reports)[1:]
    torch.testing.assert_close((value @ gain.tracer).reshape(NY, NX), mean, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(torch.sqrt(gain.variance), deviation, atol=1e-4, rtol=1e-4)
    assert gain.flux.shape == (4, 0)


def test_older_reports_count_less_and_none_beyond_twice_the_radius(domain):
    old = system(domain, share=0.0, radius=1e9).gain(smooth(3, 2), PLACES[:1], 0.2, 24 * HOUR).tracer
    assert 0.0 < float(old[0, 3]) < float(old[1, 3]) < float(old[2, 3])
    near = system(domain, share=1.0 - 1e-6, radius=200e3).gain(smooth(1, 5), PLACES[:1], 0.2, HOUR).tracer[0]
    away = domain.distance(None, PLACES[:1])[:, 0]
    assert float(near[away > 400e3].abs().max()) < 1e-4 < 0.01 < float(near[(away > 0.0) & (away < 200e3)].abs().max())
