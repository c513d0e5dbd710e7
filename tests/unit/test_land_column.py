# SPDX-License-Identifier: BSD-3-Clause
"""The whole column under random extremes: always finite, budgets closed, a column independent of its neighbours."""

from functools import cache

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.land.column.column import Forcing, Options, State, initial_state, step
from components.land.column.gas_exchange import Stomata
from components.land.column.interception import Held
from components.land.column.parameters import leaf_area, parameters, table
from components.land.column.radiation import partition
from components.land.column.richards import Bottom
from components.land.column.snow import Snow
from components.land.column.structure import cut, named

D = torch.float64
PLANTS, SOILS = list(table("plant_types")), list(table("soil_textures"))
COLUMNS = 24


@cache
def world(retention="campbell", n=COLUMNS):
    return parameters([PLANTS[i % 12] for i in range(n)], [SOILS[(i * 5) % 12] for i in range(n)], retention)


def weather(gen, n=COLUMNS, extreme=True, month=6.5):
    u = torch.rand(11, n, dtype=D, generator=gen)
    # Half of the draws sit at an end of their range: the corners are where models break.
    u = torch.where(torch.rand(11, n, dtype=D, generator=gen) < 0.5, u.round(), u) if extreme else u
    t = 213.15 + 120.0 * u[0] if extreme else 268.0 + 30.0 * u[0]
    mu = torch.where(u[2] < 0.3, 0 * u[2], u[2])
    direct, diffuse = partition(1100.0 * mu * u[3], mu)
    water = (0.02 if extreme else 2e-4) * u[4] * u[5]
    lai, sai = (torch.tensor(v, dtype=D) for v in leaf_area([PLANTS[i % 12] for i in range(n)], month))
    if extreme:
        lai = 8.0 * u[6]
    pressure = 5e4 + 5.5e4 * u[7]
    humidity = (0.001 + 0.02 * u[8]).clamp(max=0.04)
    return Forcing(
        t, humidity, pressure, 60.0 * u[9] if extreme else 1 + 8 * u[9], torch.full_like(t, 10.0), direct, diffuse,
        80.0 + 420.0 * u[10], torch.where(t > 273.15, water, 0 * t), torch.where(t <= 273.15, water, 0 * t),
        torch.full_like(t, 400.0), mu, lai, sai,
    )  # fmt: skip


def extremes(gen, options, wetness, seconds, n=COLUMNS, steps=12):
    """Steps in weather from the ends of its range: everything finite, budgets closed, states within their bounds."""
    p = world(n=n)
    first = weather(gen, n)
    snow = 300 * torch.rand(n, dtype=D, generator=gen)
    s = initial_state(p, first.temperature.clamp(223.0, 320.0), wetness, snow)
    with torch.no_grad():
        for _ in range(steps):
            s, out = step(s, weather(gen, n), p, seconds, options)
            for name, value in named(out):
                assert torch.isfinite(value).all(), name
            assert out.energy_residual.abs().max() < 1e-6
            assert out.ground_residual.abs().max() < 1e-6
            assert out.water_residual.abs().max() < 1e-9
            assert (out.surface_temperature > 150).all()
            # black ground in calm air under this sun and sky (1100 and 500 W m-2) has (1600 / sigma)^(1/4) = 410 K
            assert (out.surface_temperature < 410).all()
            assert (out.albedo >= -1e-9).all()
            assert (out.albedo <= 1 + 1e-9).all()
            assert (s.liquid >= -1e-9).all()
            assert (s.liquid + s.ice <= p.texture.theta_s + 1e-6).all()


MODELS = ["medlyn", "ball_berry", "leuning", "gentine", "wang", "sperry", "dewar"]
BOTTOMS = ["free_drainage", "zero_flux", "water_table"]
WETNESS = [-0.2, 0.0, 0.5, 1.0]


@pytest.mark.parametrize("seed", [0, 100])
@pytest.mark.parametrize("n", range(len(MODELS)), ids=MODELS)
def test_hours_of_extremes_in_many_columns(n, seed):
    """Each stomatal model in 96 columns, dry to flooded, whose soils end and take up water in turn as they may."""
    gen = torch.Generator().manual_seed(seed + n)
    infiltration = ["noah", "topmodel"][n % 2]
    options = Options(stomata=Stomata(MODELS[n]), infiltration=infiltration, bottom=Bottom(BOTTOMS[n % 3]))
    wetness = torch.tensor(WETNESS, dtype=D).repeat(24)
    extremes(gen, options, wetness, [600.0, 1800.0, 3600.0][(n // 2) % 3], n=96, steps=6)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    wetness=st.sampled_from(WETNESS),
    model=st.sampled_from(MODELS),
    infiltration=st.sampled_from(["noah", "topmodel"]),
    bottom=st.sampled_from(BOTTOMS),
    seconds=st.sampled_from([600.0, 1800.0, 3600.0]),
)
def test_a_day_of_extremes(seed, wetness, model, infiltration, bottom, seconds):
    gen = torch.Generator().manual_seed(seed)
    options = Options(stomata=Stomata(model), infiltration=infiltration, bottom=Bottom(bottom))
    extremes(gen, options, wetness, seconds)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_extremes_with_cycles_stores_and_irrigation(seed):
    """Drought, floods and frost for stems and roots: finite, closed, and no draught from a soil that has no water."""
    names = [PLANTS[i % len(PLANTS)] for i in range(COLUMNS)]
    p = parameters(names, [SOILS[(i * 5) % 12] for i in range(COLUMNS)], cycles=True, continuum=True)
    gen = torch.Generator().manual_seed(seed)
    s = initial_state(p, 250.0 + 60.0 * torch.rand(COLUMNS, dtype=D, generator=gen), (-0.2, 0.3, 1.0)[seed - 1])
    growing = s.cycles.crop._replace(phase=torch.full((COLUMNS,), 2.0, dtype=D))
    s = s._replace(cycles=s.cycles._replace(crop=growing))
    options = Options(nitrogen="fun", prognostic_leaves=True, irrigated=True)
    with torch.no_grad():
        for _ in range(10):
            s, out = step(s, weather(gen), p, 10800.0, options)
            for name, value in (*named(out), *named(s)):
                assert torch.isfinite(value).all(), name
            assert out.water_residual.abs().max() < 1e-9
            assert out.ground_residual.abs().max() < 1e-6
            assert out.subsurface_runoff.abs().max() * 10800.0 < 3000.0


def test_single_precision_agrees_with_double():
    p, gen = world(), torch.Generator().manual_seed(8)
    f = weather(gen, extreme=False)
    s = initial_state(p, f.temperature, 0.5)

    def single(value):
        if isinstance(value, torch.Tensor):
            return value.to(torch.float32)
        if isinstance(value, tuple):
            return type(value)(*(single(v) for v in value))
        if hasattr(value, "__dataclass_fields__"):
            return type(value)(*(single(getattr(value, k)) for k in value.__dataclass_fields__))
        return value

    s32, f32, p32 = single(s), single(f), single(p)
    with torch.no_grad():
        for _ in range(6):
            s, out = step(s, f, p, 1800.0, Options())
            s32, out32 = step(s32, f32, p32, 1800.0, Options())
    assert out32.upward_latent.dtype == torch.float32
    assert out32.unsolved.sum() == 0
    assert (out32.surface_temperature - out.surface_temperature).abs().max() < 0.1
    assert (out32.upward_latent - out.upward_latent).abs().max() < 3.0


def test_ordinary_weather_settles():
    """In weather that holds, the conductances settle in nearly every column within a day of half-hours."""
    p, gen = world(), torch.Generator().manual_seed(4)
    f = weather(gen, extreme=False)
    s = initial_state(p, f.temperature)
    with torch.no_grad():
        for _ in range(48):
            s, out = step(s, f, p, 1800.0, Options())
    assert out.unsettled.mean() <= 0.1


@pytest.mark.parametrize("model", ["medlyn", "wang"])
def test_a_block_has_the_bits_of_the_whole(model):
    p, gen = world(), torch.Generator().manual_seed(2)
    f = weather(gen, extreme=False)
    s = initial_state(p, f.temperature, 0.5, torch.where(f.temperature < 273, 50.0, 0.0).to(D))
    keep = slice(5, 18)

    options = Options(stomata=Stomata(model))
    part, fp, pp = cut(s, keep), cut(f, keep), cut(p, keep)
    with torch.no_grad():
        for _ in range(3):
            s, whole = step(s, f, p, 1800.0, options)
            part, block = step(part, fp, pp, 1800.0, options)
    assert all(torch.equal(cut(a, keep), b) for (_, a), (_, b) in zip(named(whole), named(block), strict=True))
    assert isinstance(s, State)
    assert isinstance(s.snow, Snow)
    assert isinstance(s.held, Held)


def test_a_block_without_c4_plants_has_the_bits_of_the_whole():
    """Also in the net carbon flux: a C3 leaf must not know whether there is C4 beside it."""
    p, gen = world(), torch.Generator().manual_seed(5)
    f = weather(gen, extreme=False)
    s = initial_state(p, f.temperature, 0.6)
    c4 = (p.traits.c4 > 0.5).tolist()
    first = next(i for i in range(COLUMNS - 3) if not any(c4[i : i + 3]))
    keep = slice(first, first + 3)
    assert any(c4)
    with torch.no_grad():
        _, whole = step(s, f, p, 1800.0, Options())
        _, block = step(cut(s, keep), cut(f, keep), cut(p, keep), 1800.0, Options())
    assert whole.gross_uptake[keep].max() > 0.1
    assert all(torch.equal(cut(a, keep), b) for (_, a), (_, b) in zip(named(whole), named(block), strict=True))


def test_gradients_reach_the_parameters():
    p, gen = world(), torch.Generator().manual_seed(3)
    f = weather(gen, extreme=False)
    v = p.traits.vcmax25.clone().requires_grad_()
    p = p._replace(traits=p.traits._replace(vcmax25=v))
    _, out = step(initial_state(p, f.temperature), f, p, 1800.0, Options())
    (slope,) = torch.autograd.grad(out.gross_uptake.sum(), v)
    assert torch.isfinite(slope).all()
    assert (slope[(f.lai > 1) & (f.cos_zenith > 0.5) & (f.temperature > 285)] > 0).all()


@pytest.mark.parametrize("resistance", ["sellers", "sakaguchi_zeng"])
def test_leaves_at_night_spend_some_water(resistance):
    """In the dark stomata open as far as night.py says; leaves in light keep their bits; energy closes."""
    p, gen = world(), torch.Generator().manual_seed(6)
    f = weather(gen, extreme=False)
    dark = f._replace(direct=0.0 * f.direct, diffuse=0.0 * f.diffuse, cos_zenith=0.0 * f.cos_zenith)
    s = initial_state(p, f.temperature, 0.6)
    shut, spending = (Options(stomata=Stomata("wang", memory=m), soil_resistance=resistance) for m in (None, 0.15))
    with torch.no_grad():
        _, closed = step(s, dark, p, 1800.0, shut)
        _, night = step(s, dark, p, 1800.0, spending)
        _, day = step(s, f, p, 1800.0, shut)
        _, same = step(s, f, p, 1800.0, spending)
    leafy = (f.lai > 1.0) & (f.temperature > 283.0) & (closed.transpiration > 0.0)
    assert leafy.sum() > 3
    assert (night.transpiration[leafy] > closed.transpiration[leafy]).all()
    assert night.energy_residual.abs().max() < 1e-6
    lit = (f.direct[0] + f.diffuse[0] > 50.0) & (f.cos_zenith > 0.1)
    assert lit.sum() > 3
    assert torch.equal(day.transpiration[lit], same.transpiration[lit])


def test_matter_in_frozen_soil_all_but_stops_to_decay():
    """Water beside ice is held by 125 m a kelvin: nothing decays from 8 K below freezing on, a little above that."""
    p = parameters(["tundra"] * 3, ["loam"] * 3, cycles=True)
    ground = torch.tensor([260.0, 271.0, 275.0], dtype=D)
    state = initial_state(p, ground, 0.7)
    cold = weather(torch.Generator().manual_seed(0), 3, extreme=False)._replace(
        temperature=ground, cos_zenith=0 * ground
    )
    dark = cold._replace(direct=0.0 * cold.direct, diffuse=0.0 * cold.diffuse)
    with torch.no_grad():
        state, _ = step(state, dark, p, 900.0, Options(nitrogen="fun"))
    pace = state.cycles.day.pace / 900.0
    assert (pace[:, 0] == 0.0).all()
    assert ((pace[:, 1] > 0.0) & (pace[:, 1] < 0.1)).all() and (pace[:, 2] > 0.25).all()
