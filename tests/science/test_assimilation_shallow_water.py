# SPDX-License-Identifier: BSD-3-Clause
"""Assimilation into shallow water after Li et al. (2024, GRL; FuXi-En4DVar): a jet, a balanced ensemble, 6-h windows.

Cuts are of the background's RMSE, in per cent; bounds lie below what a prototype of the same experiment reached.
"""

import pytest
import torch

from components.ml_surrogates.estimation.controls import Hybrid, Weights, perturbations
from components.ml_surrogates.estimation.cost import Cost, Observations
from components.ml_surrogates.estimation.minimise import Limits, minimise
from components.ml_surrogates.estimation.perlin import perlin
from tests.toys import products
from tests.toys import shallow_water as sw


@pytest.fixture(scope="module")
def small():
    """Twelve members and observations at 0 and 3 h."""
    return sw.twin(1, members=12, hours=(0, 3))


def taylor(cost, v, sizes=(1e-1, 1e-2, 1e-3, 1e-4, 1e-5)):
    _, gradient = cost(v)
    direction = gradient / gradient.norm()
    slope = float((gradient * direction).sum())
    with torch.no_grad():
        ends = [[sum(map(float, cost.terms(v + s * e * direction))) for s in (1, -1)] for e in sizes]
    return min(abs((a - b) / (2.0 * e * slope) - 1.0) for (a, b), e in zip(ends, sizes, strict=True))


def test_taylor_ratio_of_the_cost(small):
    cost = Cost(small.background, sw.localised(small), sw.step, sw.window(small))
    v = 0.1 * torch.randn(cost.control.zero().shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    best = taylor(cost, v)
    print("Taylor", best)
    assert best <= 1e-6


def dot_product(step, x, forgotten=False):
    """|<M d, e> - <d, M^T e>| over its size, M the tangent of three steps; the adjoint may forget a term."""
    g = torch.Generator().manual_seed(6)
    d, e = (torch.randn(x.shape, generator=g, dtype=torch.float64) for _ in range(2))

    def run(y, coriolis):
        for _ in range(3):
            k = sw.tendency(y, coriolis)
            y = step(y, k)
        return y

    _, forward = torch.func.jvp(lambda y: run(y, sw.F), (x,), (d,))
    _, back = torch.func.vjp(lambda y: run(y, 0.99 * sw.F if forgotten else sw.F), x)
    left, right = float((forward * e).sum()), float((d * back(e)[0]).sum())
    return abs(left - right) / float(forward.norm() * e.norm()) * forward.numel() ** 0.5


def test_the_adjoint_is_the_tangents_and_a_dropped_term_shows(small):
    step = lambda y, k: y + 60.0 * k  # noqa: E731
    right = dot_product(step, small.background)
    wrong = dot_product(step, small.background, forgotten=True)
    print("dot product", right, "with a hundredth of Coriolis dropped", wrong)
    assert right <= 1e-10 < wrong


def test_a_small_ensemble_lowers_the_error(small):
    """A twin of the slow rows: one seed, 12 members, no 6-h observations."""
    analysis, found = sw.envar(small, sw.localised(small), iterations=10)
    cuts = sw.cuts(small, analysis)
    filtered, acted = sw.local_filter(small)
    print("En4DVar", cuts, found.stop, "LETKF", sw.cuts(small, filtered.mean(0)))
    assert cuts[0] >= 50.0 and cuts[1] >= 25.0 and bool(acted.all())
    assert sw.cuts(small, filtered.mean(0))[0] >= 40.0


def geostrophic_misfit(dx, at, localised):
    """Correlation and relative RMS difference within 1000 km of an increment's wind and that of its own height."""
    near = (sw.distances(at)[:, 0] <= 1e6).reshape(sw.N, sw.N)
    wind, own = dx[1:, near], sw.balanced(dx[0])[1:, near]
    wind, own = wind.reshape(-1), own.reshape(-1)
    correlation = float(torch.corrcoef(torch.stack([wind, own]))[0, 1])
    return correlation, float((wind - own).norm() / wind.norm())


def test_one_height_gives_an_anticyclone_in_balance():
    """EXP_1: +10 m at each of 12 points, one by one."""
    t = sw.twin(2)
    where = [(8 + 16 * j) * sw.N + 10 + 21 * i for j in range(4) for i in range(3)]
    results = {}
    for radius in (None, 2e6, 1.2e6):
        control = Weights(perturbations(t.ensemble)) if radius is None else sw.localised(t, radius)
        rows = []
        for p in where:
            at = torch.tensor([p])
            see = lambda x, p=p: x[0].reshape(-1)[p : p + 1]  # noqa: E731
            value = see(t.background) + 10.0
            window = [Observations(0, value, torch.ones_like(value), see)]
            cost = Cost(t.background, control, sw.step, window)
            dx = control.increment(minimise(cost, control.zero(), Limits(gradient=1e-6)).v)
            rows.append((*geostrophic_misfit(dx, at, radius), float(sw.relative_vorticity(dx).reshape(-1)[p])))
        results[radius] = torch.tensor(rows)
        print(radius, results[radius].mean(0).tolist(), results[radius].max(0).values.tolist())
    for radius, rows in results.items():
        assert float(rows[:, 0].mean()) >= 0.85 and bool((rows[:, 2] < 0.0).all())
        assert float(rows[:, 1].mean()) <= (0.5 if radius is None else 0.9)
    assert results[1.2e6][:, 1].mean() > results[2e6][:, 1].mean() > results[None][:, 1].mean()


def back_trajectory(flow, y, x, hours=6):
    """Where air that arrives at a cell centre (cells) came from, by the wind of each step."""
    states = [flow]
    for _ in range(hours * sw.HOUR):
        states.append(sw.step(states[-1]))
    a, b = y, x
    for state in reversed(states):
        u, v = 0.5 * (state[1] + sw.east(state[1])), 0.5 * (state[2] + sw.north(state[2]))
        i, j = round(a) % sw.N, round(b) % sw.N
        a, b = a - float(v[i, j]) * sw.DT / sw.DX, b - float(u[i, j]) * sw.DT / sw.DX
    return a - y, b - x


@pytest.mark.slow
def test_one_tracer_later_moves_the_tracer_upstream():
    """EXP_2: a tracer observed at +6 h; the increment at 0 h lies where the air came from."""
    g = torch.Generator().manual_seed(5)
    flow = sw.balanced(2.5 * sw.jet() + 25.0 * perlin((sw.N, sw.N), g)[0])
    members = 200
    tracer = perlin((sw.N, sw.N), g, members=members, cells=(16,))
    background = torch.cat([flow, torch.zeros((1, sw.N, sw.N), dtype=torch.float64)])
    x = torch.zeros((members, 4, sw.N, sw.N), dtype=torch.float64)
    x[:, 3] = tracer
    points = [(11 + 21 * j, 11 + 21 * i) for j in range(3) for i in range(3)]
    index = torch.tensor([y * sw.N + x for y, x in points])
    see = lambda s: s[3].reshape(-1)[index]  # noqa: E731
    window = [Observations(6 * sw.HOUR, torch.ones(9).double(), torch.full((9,), 0.1).double(), see)]
    control = sw.Alpha(perturbations(x), sw.PeriodicRoot((sw.N, sw.N), sw.DX, 5e5, x))
    cost = Cost(background, control, sw.step, window)
    dx = control.increment(minimise(cost, control.zero(), Limits(gradient=1e-3, iterations=15)).v)[3]
    along, miss = [], []
    for y, x in points:
        patch = torch.roll(dx, (sw.N // 2 - y, sw.N // 2 - x), (0, 1))[22:43, 22:43]
        weight = torch.clamp(patch - 0.5 * patch.max(), min=0.0)
        offset = torch.arange(21).double() - 10.0
        cy, cx = float((weight.sum(1) @ offset) / weight.sum()), float((weight.sum(0) @ offset) / weight.sum())
        by, bx = back_trajectory(flow, y, x)
        length = (by * by + bx * bx) ** 0.5
        along.append((cy * by + cx * bx) / length**2)
        miss.append(((cy - by) ** 2 + (cx - bx) ** 2) ** 0.5 / length)
        print((y, x), "back", by, bx, "increment", cy, cx)
    print(along, miss)
    assert min(along) >= 0.6 and sum(miss) / 9 <= 0.6


def row(seed):
    """All methods for one seed: cuts of h, u, and h at 24 h, per cent."""
    t = sw.twin(seed)
    first = [o for o in sw.window(t) if o.step == 0]
    found = {
        "en4dvar": sw.envar(t, sw.localised(t))[0],
        "letkf": sw.local_filter(t)[0].mean(0),
        "unlocalised": sw.envar(t, Weights(perturbations(t.ensemble)))[0],
        "3denvar": sw.envar(t, sw.localised(t), first)[0],
        "3dvar": sw.envar(t, sw.static(t), first)[0],
        "4dvar": sw.envar(t, sw.static(t))[0],
        "hybrid": sw.envar(t, Hybrid([sw.localised(t), sw.static(t)], [0.5, 0.5]))[0],
    }
    wild = sw.twin(seed, make=sw.unbalanced)
    cuts = {name: sw.cuts(t, a) for name, a in found.items()}
    cuts["unbalanced"] = sw.cuts(wild, sw.envar(wild, sw.localised(wild))[0])
    for name, values in cuts.items():
        print(seed, name, [round(v, 1) for v in values], flush=True)
    return cuts


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_five_seeds():
    rows = [row(seed) for seed in range(1, 6)]
    mean = {name: torch.tensor([r[name] for r in rows]).mean(0).tolist() for name in rows[0]}
    print(mean)
    assert mean["en4dvar"][0] >= 62.0 and mean["en4dvar"][1] >= 36.0 and mean["en4dvar"][2] >= 60.0
    assert mean["letkf"][0] >= 55.0 and mean["letkf"][1] >= 22.0
    assert mean["unlocalised"][0] <= 45.0 and mean["unlocalised"][1] <= 15.0
    assert mean["unbalanced"][0] < mean["en4dvar"][0]
    left = [(100.0 - a) / (100.0 - b) for a, b in zip(mean["en4dvar"], mean["3denvar"], strict=True)]
    print("residual beside 3DEnVar", left)
    assert left[0] <= 0.92 and left[1] <= 0.92 and left[2] <= 0.72
    assert mean["hybrid"][0] >= max(mean["en4dvar"][0], mean["4dvar"][0]) - 2.0


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_cycling_keeps_error_and_spread():
    """From window 8 on; the issue found 2.58 and .75 for the LETKF, 25.5 and 4.8 for the free run."""
    rows, _ = sw.cycle(24, 1)
    late = rows[8:].mean(0)
    for n, name in enumerate(sw.ROWS):
        print(name, "h, u", late[2 * n : 2 * n + 2].tolist())
    ratio = rows[8:, -1] / rows[8:, 0]
    print("spread over error", ratio.tolist())
    assert late[0] <= 3.0 and late[1] <= 0.9
    assert bool((ratio > 0.6).all()) and bool((ratio < 1.4).all())
    assert late[2] <= late[0]
    assert late[6] > 4.0 * late[0]


@torch.no_grad()
def flows(number, seed, hours=36, side=32):
    """Flows as the truth's on a smaller plane, three states a step apart every 3 h, (n, 3, 3, side, side)."""
    g = torch.Generator().manual_seed(seed)
    y = 2.0 * torch.pi * (torch.arange(side, dtype=torch.float64) + 0.5) / side
    size = 40.0 * torch.randn((number, 1, 1), generator=g, dtype=torch.float64)
    eddies = perlin((side, side), g, members=number, cells=(2, 4, 8))
    x, found = sw.balanced(size * torch.cos(y)[:, None] + 25.0 * eddies), []
    for _ in range(hours // 3):
        three = [x, sw.step(x), sw.step(sw.step(x))]
        found.append(torch.stack(three, 1))
        x = sw.run(three[-1], 3)
    return torch.cat(found).float()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_learned_emulator_as_the_forecast_loses_little_of_the_cut():
    """Trained on flows of a smaller plane; at most a fifth of En4DVar's cut is lost by it."""
    net = products.trained(flows(12, 7), steps=2000, width=24, reach=5, ahead=2)
    kept = products.over_persistence(net, flows(3, 8))
    t = sw.twin(1)
    emulated = lambda x: net(x[None].float())[0].double()  # noqa: E731
    x = t.truth[0]
    with torch.no_grad():
        for _ in range(6 * sw.HOUR):
            x = emulated(x)
    print("a step over persistence", kept, "6 h later, m and m/s", sw.errors(x, t.truth[6]))
    found = {
        name: sw.cuts(t, sw.envar(t, sw.localised(t), step=step, iterations=20)[0])
        for name, step in (("own", sw.step), ("learned", emulated))
    }
    print(found)
    assert all(a >= 0.8 * b for a, b in zip(found["learned"], found["own"], strict=True))
