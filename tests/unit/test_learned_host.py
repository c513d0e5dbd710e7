# SPDX-License-Identifier: BSD-3-Clause
"""The host of learned components: fixed batches, guards and fallback, acceleration, devices."""

import pytest
import torch

from components.ml_surrogates import acceleration
from components.ml_surrogates.fixed_batch import in_batches
from components.ml_surrogates.latency import Latency
from components.ml_surrogates.radiation_emulator import networks
from components.ml_surrogates.radiation_emulator.emulator import Emulator, Gases
from components.ml_surrogates.radiation_emulator.inputs import clouds_of
from components.radiation import standard_atmosphere
from components.radiation.gray_scheme import gray
from components.radiation.scheme import Air
from components.science.constants import CP_DRY, GRAVITY
from tests.toys.learned import card

GASES = Gases(397.5e-6, 1831.5e-9, 327.0e-9)


def air(n=50, levels=12):
    """Columns that differ, some at night, some cloudy."""
    mu = torch.clamp(torch.linspace(-0.4, 1.0, n, dtype=torch.float64), min=0.0)[None]
    a = standard_atmosphere.columns(levels, mu, 1.0)
    wave = torch.sin(torch.arange(n, dtype=torch.float64))
    cloud = torch.where((a.p > 7e4) & (a.p < 9e4), 2e-4 * torch.clamp(wave, min=0.0), 0.0)
    return a._replace(t=a.t + 3.0 * wave, q_v=a.q_v * (1.0 + 0.3 * wave), cloud=cloud, albedo=0.2 + 0.1 * wave[None])


def some(a, index):
    return Air(*(x[..., index].contiguous() for x in a[:9]), distance=a.distance)


def emulator(batch=16, guard=True, fallback=None, **options):
    torch.manual_seed(0)
    net = networks.build("recurrent", hidden=8, classes=4).eval()
    ranges = {"air_temperature_in_atmosphere_layer": (150.0, 340.0), "humidity_mixing_ratio": (0.0, 0.05)}
    sidecar = card()
    ins = tuple(type(v)(v.name, v.units, *ranges.get(v.name, (v.low, v.high))) for v in sidecar.inputs)
    sidecar = type(sidecar)(**{**sidecar.__dict__, "inputs": ins})
    return Emulator(net, sidecar, GASES, batch, fallback or (lambda air, index: gray(air)), guard=guard, **options)


def same(left, right):
    for name, a, b in zip(left._fields, left, right, strict=True):
        if a is None and b is None:
            continue
        torch.testing.assert_close(a, b, rtol=0.0, atol=0.0, msg=name)


@pytest.mark.parametrize("network", ["recurrent", "mlp"])
def test_a_column_has_the_same_bits_in_any_company(network):
    whole = air(70)
    run = emulator(32)
    if network == "mlp":
        run.net = networks.build("mlp", levels=17, hidden=32).eval()
        run.guard = False
    together = run(whole)
    for ranks in (2, 3):
        parts = torch.arange(70).tensor_split(ranks)
        apart = [run(some(whole, index)) for index in parts]
        for name, a, *b in zip(together._fields, together, *apart, strict=True):
            if a is None:  # what only some schemes give
                continue
            torch.testing.assert_close(a, torch.cat(b, dim=-1), rtol=0.0, atol=0.0, msg=name)
    order = torch.randperm(70, generator=torch.Generator().manual_seed(1))
    mixed = run(some(whole, order))
    for name, a, b in zip(together._fields, together, mixed, strict=True):
        if a is None:
            continue
        torch.testing.assert_close(a[..., order], b, rtol=0.0, atol=0.0, msg=name)


def test_batches_are_filled_up_and_all_of_one_shape():
    shapes = []

    def call(arrays):
        shapes.append([tuple(a.shape) for a in arrays])
        return [arrays[0] + arrays[1]]

    a, b = torch.arange(20.0).reshape(2, 10), torch.ones(10)
    (out,) = in_batches(call, [a, b], 4)
    torch.testing.assert_close(out, a + 1.0)
    assert shapes == 3 * [[(2, 4), (4,)]]


def test_heating_is_the_convergence_of_the_fluxes():
    a = air()
    r = emulator()(a)
    heated = (r.heating * CP_DRY * (a.p_interface[:-1] - a.p_interface[1:]) / GRAVITY).sum(0)
    run = emulator()
    columns, clouds = clouds_of(a)
    x = networks.inputs.inputs(columns, (GASES.carbon_dioxide, GASES.methane, GASES.nitrous_oxide), clouds)
    up, down, bright, dark = (f.double() for f in run.fluxes(x))
    sun = 1361.0 * a.mu.reshape(-1)
    net = down - up + sun * (dark - bright)
    nz = a.t.shape[0]
    torch.testing.assert_close(heated[0], net[nz] - net[0], rtol=1e-6, atol=1e-6)


def test_night_columns_have_no_shortwave_and_cost_none():
    a = air()
    run = emulator()
    calls = []
    run.net.short = lambda x: calls.append(x) or type(run.net).short(run.net, x)
    dark = run(a._replace(mu=torch.zeros_like(a.mu)))
    assert not calls
    assert float(dark.shortwave_down.abs().max()) == float(dark.reflected_shortwave.abs().max()) == 0.0
    run(a)
    assert len(calls) == 3  # 36 columns in the sun in batches of 16


@pytest.mark.parametrize(
    ("poison", "reason"),
    [(float("nan"), "not finite"), (500.0, "outside the training range"), (40.0, "outside the training range")],
)
def test_poison_is_stopped_by_the_guard_and_by_it_alone(poison, reason):
    clean, a = air(), air()
    a.t[3, 0, 7] = poison
    run = emulator()
    got, good = run(a), run(clean)
    assert run.counts == {reason: 1} | {k: 0 for k in run.counts if k != reason}
    rest = torch.arange(50) != 7
    for name, x, y in zip(got._fields, got, good, strict=True):
        if x is None:
            continue
        torch.testing.assert_close(x[..., rest], y[..., rest], rtol=0.0, atol=0.0, msg=name)
        assert bool(torch.isfinite(x[..., rest]).all())
    fallback = gray(some(a, torch.tensor([7])))
    torch.testing.assert_close(got.longwave_down[0, 7:8], fallback.longwave_down[0], equal_nan=True)
    unguarded = emulator(guard=False)(a)
    wrong = unguarded.heating[:, 0, 7]
    assert not bool(torch.isfinite(wrong).all()) or float((wrong - good.heating[:, 0, 7]).abs().max()) * 86400.0 > 3.0


def test_columns_upside_down_are_stopped():
    a = air()
    a.p_interface[1, 0, 9] = a.p_interface[0, 0, 9] + 10.0
    run = emulator()
    assert bool(torch.isfinite(run(a).heating[..., :9]).all())
    assert run.counts["with pressure that does not fall with height"] == 1 == int(run.verdict.bad.sum())


def test_a_network_that_makes_energy_is_stopped():
    run = emulator()
    honest = run.net.long
    run.net.long = lambda x: tuple(1.2 * f for f in honest(x))
    run(air())
    assert run.counts["energy not conserved"] == 50
    assert run.fallback_fraction == 1.0


def test_the_last_good_values_can_be_the_fallback():
    run = emulator(
        fallback=lambda air, index: type(kept)(
            *(None if x is None else x.reshape(*x.shape[:-2], 1, -1)[..., index] for x in kept)
        )
    )
    a = air()
    kept = run(a)
    a.t[0, 0, 3] = float("nan")
    same(run(a), kept)


def test_latency_has_quantiles():
    latency = Latency()
    latency.seconds = [0.001 * n for n in range(1, 101)]
    assert latency.text() == "100 calls: p50 50.5 ms, p95 95.0 ms"


def test_what_differs_from_eager_or_cannot_be_made_is_left_out_with_a_warning(monkeypatch):
    said = []
    x = [torch.arange(4.0)]
    call = lambda arrays: [2.0 * arrays[0]]  # noqa: E731
    monkeypatch.setattr(acceleration, "_compiled", lambda call, example: lambda arrays: [2.01 * arrays[0]])
    assert acceleration.accelerated(call, x, True, False, said.append) is call
    assert "differs from eager by 5.0e-03" in said[-1]
    assert acceleration.accelerated(call, x, False, True, said.append) is call
    assert "graphs: not possible here (graphs need a CUDA device)" in said[-1]
    faster = lambda arrays: [arrays[0] + arrays[0]]  # noqa: E731
    monkeypatch.setattr(acceleration, "_compiled", lambda call, example: faster)
    assert acceleration.accelerated(call, x, True, False, said.append) is faster
    assert len(said) == 2


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.gpu
@pytest.mark.parametrize("graph", [False, True])
def test_the_gpu_gives_what_the_cpu_gives(graph):
    a = air()
    said = []
    here, there = emulator()(a), emulator(device="cuda", graph=graph, warn=said.append)(a)
    assert said == []
    torch.testing.assert_close(here.heating * 86400.0, there.heating * 86400.0, rtol=1e-3, atol=1e-2)
    torch.testing.assert_close(here.outgoing_longwave, there.outgoing_longwave, rtol=1e-4, atol=1e-2)
