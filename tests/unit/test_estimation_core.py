# SPDX-License-Identifier: BSD-3-Clause
"""Variational and ensemble estimation against closed forms of the linear Gaussian case, and what they refuse."""

import weakref

import pytest
import torch

from components.ml_surrogates.estimation.checkpoint import checkpointed
from components.ml_surrogates.estimation.controls import Alpha, Hybrid, Static, Weights, perturbations
from components.ml_surrogates.estimation.cost import Cost, Observations
from components.ml_surrogates.estimation.enkf import ensrf
from components.ml_surrogates.estimation.etkf import etkf, letkf, mean_preserving_rotation
from components.ml_surrogates.estimation.inflation import relax_to_prior_spread
from components.ml_surrogates.estimation.localisation import PeriodicRoot, SeparableRoot, gaspari_cohn, leading_root
from components.ml_surrogates.estimation.minimise import Limits, Stop, minimise
from components.ml_surrogates.estimation.perlin import geostrophic_wind, perlin
from components.science.constants import GRAVITY

N, SIZE = 20, 60


@pytest.fixture(scope="module")
def linear():
    """An ensemble of 20 for 60 unknowns, a linear model of three steps, observations at steps 1 and 3."""
    g = torch.Generator().manual_seed(4)
    draw = lambda *shape: torch.randn(shape, generator=g, dtype=torch.float64)  # noqa: E731
    ensemble = draw(N, SIZE) @ (0.3 * draw(SIZE, SIZE)) + 2.0
    model = torch.linalg.qr(draw(SIZE, SIZE))[0]
    rows = [draw(15, SIZE), draw(10, SIZE)]
    window = [
        Observations(n, 5.0 * draw(h.shape[0]), 0.5 + draw(h.shape[0]).abs(), lambda s, h=h: h @ s)
        for n, h in zip((1, 3), rows, strict=True)
    ]
    whole = torch.cat([rows[0] @ model, rows[1] @ model @ model @ model])
    return ensemble, model, window, whole


def kalman(background, p, h, window):
    value, error = (torch.cat([getattr(o, k) for o in window]) for k in ("value", "error"))
    gain = p @ h.T @ torch.linalg.inv(h @ p @ h.T + torch.diag(error * error))
    return background + gain @ (value - h @ background), p - gain @ h @ p


def test_the_weights_are_the_closed_form_and_the_mean_is_kalmans(linear):
    ensemble, model, window, h = linear
    x = perturbations(ensemble)
    background = ensemble.mean(0)
    cost = Cost(background, Weights(x), lambda s: model @ s, window)
    found = minimise(cost, cost.control.zero(), Limits(iterations=400, evaluations=900, gradient=1e-9))
    value, error = (torch.cat([getattr(o, k) for o in window]) for k in ("value", "error"))
    y = (h @ x.T).T / error
    closed = torch.linalg.solve(torch.eye(N, dtype=torch.float64) + y @ y.T, y @ ((value - h @ background) / error))
    mean, _ = kalman(background, x.T @ x, h, window)
    analysis = cost.analysis(found.v)
    print("w", float((found.v - closed).abs().max()), "mean", float((analysis - mean).abs().max()))
    assert found.stop == Stop.GRADIENT
    assert float((found.v - closed).abs().max()) < 1e-6
    assert float((analysis - mean).abs().max()) < 1e-6


def test_the_filters_are_kalmans_in_mean_and_covariance(linear):
    ensemble, _, window, h = linear
    value, error = (torch.cat([getattr(o, k) for o in window]) for k in ("value", "error"))
    x = perturbations(ensemble)
    mean, covariance = kalman(ensemble.mean(0), x.T @ x, h, window)
    seen = ensemble @ h.T
    everywhere = torch.ones((SIZE, value.numel()), dtype=torch.float64)
    local, acted = letkf(ensemble[:, None], seen, value, error, everywhere, block=7)
    turned = etkf(ensemble, seen, value, error, mean_preserving_rotation(N, torch.Generator().manual_seed(1)))
    for analysed in (etkf(ensemble, seen, value, error), turned, local[:, 0], ensrf(ensemble, seen, value, error)):
        assert float((analysed.mean(0) - mean).abs().max()) < 1e-6
        after = perturbations(analysed)
        assert float((after.T @ after - covariance).abs().max()) < 1e-6
    assert bool(acted.all())
    assert float((local[:, 0] - etkf(ensemble, seen, value, error)).abs().max()) < 1e-9


def test_etkf_centred_on_the_background_is_unlocalised_envar(linear):
    ensemble, model, window, h = linear
    background = ensemble.mean(0) + 1.0
    centred = background + ensemble - ensemble.mean(0)
    value, error = (torch.cat([getattr(o, k) for o in window]) for k in ("value", "error"))
    cost = Cost(background, Weights(perturbations(ensemble)), lambda s: model @ s, window)
    found = cost.analysis(minimise(cost, cost.control.zero(), Limits(400, 900, gradient=1e-9)).v)
    assert float((etkf(centred, centred @ h.T, value, error).mean(0) - found).abs().max()) < 1e-6


def test_weights_constant_in_space_are_the_unlocalised_case(linear):
    x = perturbations(linear[0]).reshape(N, 2, 5, 6)
    w = torch.randn(N, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    alpha = Alpha(x, lambda v: v).increment(w[:, None, None].expand(N, 5, 6))
    assert torch.allclose(alpha, Weights(x).increment(w), atol=1e-12)


def test_localisation_keeps_far_unknowns_and_their_spread():
    g = torch.Generator().manual_seed(3)
    ensemble = torch.randn((N, SIZE), generator=g, dtype=torch.float64)
    at = torch.arange(SIZE, dtype=torch.float64)
    seen, value, error = ensemble[:, :1], torch.tensor([3.0]).double(), torch.tensor([0.5]).double()
    weight = gaspari_cohn(at[:, None], 5.0)
    local, acted = letkf(ensemble[:, None], seen, value, error, weight)
    wide = relax_to_prior_spread(ensemble, local[:, 0], 0.7, 1.03, acted)
    serial = ensrf(ensemble, seen, value, error, weight.T, torch.ones((1, 1), dtype=torch.float64))
    assert int(acted.sum()) == 10
    for analysed in (local[:, 0], wide, serial):
        assert torch.equal(analysed[:, 10:], ensemble[:, 10:]) or torch.allclose(
            analysed[:, 10:], ensemble[:, 10:], atol=1e-14
        )
        assert abs(float(analysed.mean(0)[0]) - 3.0) < abs(float(ensemble.mean(0)[0]) - 3.0)
    spread = 1.03 * (0.7 * ensemble.std(0) + 0.3 * local[:, 0].std(0))
    assert torch.allclose(wide.std(0)[:10], spread[:10])


def test_the_leading_root_holds_its_share_of_the_variance():
    at = torch.arange(40, dtype=torch.float64)
    covariance = torch.exp(-0.5 * ((at[:, None] - at) / 4.0) ** 2)
    root = leading_root(covariance, 0.99)
    assert root.shape[0] == 40 and root.shape[1] < 20
    assert 0.99 <= float((root @ root.T).trace() / covariance.trace()) <= 1.0
    whole = leading_root(covariance, 1.0)
    assert torch.allclose(whole @ whole.T, covariance, atol=1e-6)


def test_gaspari_and_cohns_function():
    """At half the support 5/24; 1 at zero; continuous; zero beyond (their eq. 4.10)."""
    r = torch.tensor([0.0, 0.5, 1.0 - 1e-9, 1.0, 1.5, 2.0, 7.0], dtype=torch.float64)
    values = gaspari_cohn(r * 3.0, 3.0)
    wanted = [1.0, 0.684896, 5 / 24, 5 / 24, 0.016493, 0.0, 0.0]
    assert torch.allclose(values, torch.tensor(wanted, dtype=torch.float64), atol=1e-6)


@pytest.mark.parametrize("of", [PeriodicRoot, SeparableRoot])
def test_roots_of_correlations_are_roots(of):
    like = torch.zeros((), dtype=torch.float64)
    shape, spacing, c = (16, 20), 1e5, 3e5
    root = of(shape, spacing, c, like) if of is PeriodicRoot else of.of(shape, (spacing, spacing), c, like)
    point = torch.zeros(shape, dtype=torch.float64)
    point[8, 10] = 1.0
    correlation = root(root(point))  # symmetric, so that C = root root
    assert abs(float(correlation[8, 10]) - 1.0) < 1e-9
    distance = torch.arange(20, dtype=torch.float64).sub(10).abs() * spacing
    assert torch.allclose(correlation[8], gaspari_cohn(distance, c), atol=2e-3)
    with pytest.raises(ValueError, match="radius of at least a cell"):
        _ = of(shape, spacing, 9e4, like) if of is PeriodicRoot else of.of(shape, (spacing, spacing), 9e4, like)


def test_a_hybrid_of_one_share_is_that_control():
    x = torch.randn((5, 2, 4, 4), generator=torch.Generator().manual_seed(8), dtype=torch.float64)
    alpha, static = Alpha(x, lambda v: v), Static(lambda v: 2.0 * v, (2, 4, 4), x)
    v = torch.randn(5 * 16 + 32, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    hybrid = Hybrid([alpha, static], [0.25, 0.75])
    wanted = 0.5 * alpha.increment(v[:80].reshape(5, 4, 4)) + 0.75**0.5 * static.increment(v[80:].reshape(2, 4, 4))
    assert hybrid.zero().shape == v.shape
    assert torch.allclose(hybrid.increment(v), wanted)


def rosenbrock(x):
    x = x.detach().requires_grad_(True)
    j = (100.0 * (x[1:] - x[:-1] * x[:-1]) ** 2 + (1.0 - x[:-1]) ** 2).sum()
    return float(j.detach()), torch.autograd.grad(j, x)[0]


def test_the_search_names_why_it_stops():
    start = torch.full((10,), -1.2, dtype=torch.float64)
    found = minimise(rosenbrock, start, Limits(iterations=500, evaluations=900, gradient=1e-10))
    assert found.stop == Stop.GRADIENT and torch.allclose(found.v, torch.ones(10).double(), atol=1e-6)
    assert all(b <= a for a, b in zip(found.history, found.history[1:], strict=False))
    assert minimise(rosenbrock, start, Limits(iterations=3)).stop == Stop.ITERATIONS
    few = minimise(rosenbrock, start, Limits(evaluations=7))
    assert few.stop == Stop.EVALUATIONS and few.evaluations == 7 and few.value == min(few.history)
    assert minimise(rosenbrock, start, Limits(decrease=0.9)).stop == Stop.DECREASE
    assert minimise(lambda x: (float("nan"), x), start).stop == Stop.NOT_FINITE
    wrong = minimise(lambda x: (float(x @ x), -2.0 * x), start)  # a gradient of the wrong sign
    assert wrong.stop == Stop.LINE_SEARCH and torch.equal(wrong.v, start)


def test_the_search_goes_on_where_what_j_falls_by_drowns_in_its_rounding():
    weight = torch.linspace(1.0, 50.0, 30, dtype=torch.float64)
    start = torch.randn(30, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    found = minimise(lambda x: (1e8 + float(0.5 * (weight * x * x).sum()), weight * x), start, Limits(gradient=1e-10))
    assert found.stop == Stop.GRADIENT and float(found.v.abs().max()) < 1e-8


def test_the_search_walks_around_where_the_forecast_breaks_down():
    def f(x):
        value = float(x @ x)
        return (float("inf") if float(x.norm()) > 3.5 else value), 2.0 * x * (1.0 if value < 12.25 else float("nan"))

    found = minimise(f, torch.full((4,), 1.5, dtype=torch.float64), Limits(gradient=1e-8))
    assert found.stop == Stop.GRADIENT and float(found.v.norm()) < 1e-6


def test_a_checkpointed_forecast_has_the_gradient_and_builds_no_graph_forward():
    x = torch.randn(30, generator=torch.Generator().manual_seed(1), dtype=torch.float64).requires_grad_(True)
    graphs = []

    def step(state):
        graphs.append(torch.is_grad_enabled())
        return {"a": torch.sin(state["a"]) * state["b"], "b": state["b"], "none": None}

    def end(run):
        state = {"a": x, "b": x * x, "none": None}
        for _ in range(5):
            state = run(state)
        return state["a"].sum()

    (plain,) = torch.autograd.grad(end(step), x)
    graphs.clear()
    value = end(checkpointed(step))
    assert graphs == [False] * 5
    value.backward()
    assert torch.allclose(x.grad, plain, rtol=1e-14)
    assert graphs == [False] * 5 + [True] * 5


def test_a_checkpointed_step_run_again_leaves_nothing_behind():
    x, again, alive = torch.ones(5, requires_grad=True), [], []

    def step(state):
        new = torch.sin(state)
        if torch.is_grad_enabled():
            alive.append(sum(r() is not None for r in again))
            again.append(weakref.ref(new))
        return new

    run, state = checkpointed(step), x
    for _ in range(6):
        state = run(state)
    state.sum().backward()
    assert len(again) == 6 and max(alive) <= 1, alive
    assert state.grad_fn is not None and not any(r() is not None for r in again)


def test_perlin_noise_is_of_its_scales_and_its_seed():
    make = lambda **k: perlin((64, 64), torch.Generator().manual_seed(5), **k)  # noqa: E731
    noise = make(members=3)
    assert torch.equal(noise, make(members=3)) and float((noise[0] - noise[1]).abs().max()) > 0.5
    assert torch.allclose(noise.mean((1, 2)), torch.zeros(3).double(), atol=1e-12)
    power = torch.fft.fft2(make(cells=(4,))[0]).abs().square()
    assert float(
        power[:9, :9].sum() + power[-8:, :9].sum() + power[:9, -8:].sum() + power[-8:, -8:].sum()
    ) > 0.95 * float(power.sum())
    step = (noise[:, :, 0] - noise[:, :, -1]).abs().max()  # opposite edges meet
    assert float(step) < 3.0 * float((noise[:, :, 1:] - noise[:, :, :-1]).abs().max())
    assert make(members=2, periodic=False).shape == (2, 64, 64)


def test_balanced_wind_blows_along_contours_with_its_speed():
    y = torch.arange(64, dtype=torch.float64) * 1e5
    h = 60.0 * torch.cos(2.0 * torch.pi * y / 6.4e6)[:, None].expand(64, 64)
    u, v = geostrophic_wind(h, 1e5, 1e-4)
    assert float(v.abs().max()) == 0.0
    assert abs(float(u.max()) / (GRAVITY / 1e-4 * 60.0 * 2.0 * torch.pi / 6.4e6) - 1.0) < 2e-3


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: perturbations(torch.zeros(1, 4)), "at least 2 members, found 1"),
        (lambda: Observations(0, torch.zeros(2), torch.tensor([1.0, 0.0]), lambda s: s), "errors above zero"),
        (lambda: Observations(0, torch.zeros(2), torch.tensor([1.0, -1.0]), lambda s: s), "errors above zero"),
        (lambda: Observations(0, torch.zeros(2), torch.ones(3), lambda s: s), "an error for each of 2 values"),
        (lambda: Observations(-1, torch.zeros(2), torch.ones(2), lambda s: s), "at or after the window's start"),
    ],
)
def test_what_cannot_be_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
