# SPDX-License-Identifier: BSD-3-Clause
"""The mass flux's kernel has the numbers of its torch functions, which are what gradients are taken of."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import saturation_mixing_ratio
from components.atmosphere.nonhydrostatic.physics import convection_mass_flux as mass_flux
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.interfaces import Convecting, Fluxes
from components.atmosphere.nonhydrostatic.physics.species import CLOUD_ICE, CLOUD_WATER, VAPOUR
from components.science.constants import CP_DRY, KAPPA, R_DRY, VIRTUAL
from components.science.water import saturation_pressure_mixed

WATER = (VAPOUR.name, CLOUD_WATER.name, CLOUD_ICE.name)
KINDS = {  # surface temperature, K; lapse rate, K m-1, above a mixed layer of so many m; relative humidity below and
    # above a height, m; temperature jump there, K
    "deep": (301.0, 6.3e-3, 500.0, 0.85, 0.7, 1e4, 0.0),
    "trades": (299.5, 5.5e-3, 550.0, 0.85, 0.25, 1800.0, 6.0),
    "shallow over land": (306.0, 7.0e-3, 1500.0, 0.75, 0.3, 3000.0, 5.0),
    "moist aloft": (290.0, 7.0e-3, 0.0, 0.15, 0.97, 1500.0, 0.0),
    "cold": (268.0, 7.0e-3, 800.0, 0.9, 0.7, 2500.0, 0.0),
    "dry": (300.0, 5.0e-3, 300.0, 0.1, 0.02, 2000.0, 0.0),
}


def drawn(kind, n, seed, levels=24, rough=0.3):
    """Columns (levels, 1, n) of a kind, each a little different, over relief, and what convection starts from."""
    t_0, lapse, mixed, below, above, height, jump = kind
    random = torch.Generator().manual_seed(seed)
    draw = lambda *shape: 2.0 * torch.rand(*shape, generator=random, dtype=torch.float64) - 1.0  # noqa: E731
    ground = 800.0 * torch.clamp(draw(1, 1, n), min=0.0)
    sigma = torch.linspace(0.0, 1.0, levels + 1, dtype=torch.float64)[:, None, None] ** 1.6
    z_i = ground + sigma * (20000.0 - ground)
    z, dz = 0.5 * (z_i[1:] + z_i[:-1]), z_i[1:] - z_i[:-1]
    high = z - ground
    rate = lapse + 5.0e-4 * draw(1, 1, n)
    top = mixed * (1.0 + 0.3 * draw(1, 1, n))
    t = t_0 + 2.0 * draw(1, 1, n) - 9.76e-3 * torch.minimum(high, top) - rate * torch.clamp(high - top, min=0.0)
    moist_top = height * (1.0 + 0.2 * draw(1, 1, n))
    t = torch.clamp(t + jump * torch.clamp((high - moist_top) / 400.0, 0.0, 1.0), min=195.0) + rough * draw(*z.shape)
    p = 1.0e5 * torch.exp(-z / 7800.0)
    q_s = saturation_mixing_ratio(saturation_pressure_mixed(t), p)
    humid = torch.where(high < moist_top, below, above) * (1.0 + 0.1 * draw(*z.shape))
    surface = (below * q_s[:1]).expand_as(q_s)
    q = torch.where(high < top, torch.minimum(surface, 0.98 * q_s), humid * q_s)
    pi = (p / 1.0e5) ** KAPPA
    rho = p / (R_DRY * t)
    some = 1e-4 * torch.clamp(draw(2, *z.shape), min=0.0)
    fluxes = Fluxes(80.0 + 100.0 * draw(1, n), 4e-5 + 4e-5 * draw(1, n), *(0.1 + 0.0 * draw(2, 1, n)))
    before = Convecting(5.0 + draw(*z.shape), draw(*z.shape), t, dict(zip(WATER, (q, *some), strict=True)), fluxes)
    return Columns(t, t / pi, p, pi, rho, rho * dz, z, dz, z_i), before


def both(air, before, dt=240.0, turnovers=2.3):
    """Results of the kernel and of torch by their names."""
    with torch.no_grad():
        return [
            {"flux": flux, **wet.q, **{n: getattr(wet, n) for n in ("t", "rain", "snow", "cover", "condensate")}}
            for wet, flux in (f(air, before, dt, turnovers) for f in (mass_flux.by_kernel, mass_flux.by_torch))
        ]


NEAR = {"flux": 1e-6, "t": 1e-4, "rain": 1e-6, "snow": 1e-6, "cover": 1e-5, "condensate": 1e-8}
NEAR |= dict.fromkeys(WATER, 1e-8)


def furthest(ours, theirs):
    """How far the kernel is from torch, in units of `NEAR` (times the largest value above 1), and where most."""
    off = {
        name: float((ours[name] - a).abs().max())
        / (NEAR[name] * max(1.0, float(a.abs().max()) if name != "t" else 1.0))
        for name, a in theirs.items()
    }
    return max((value, name) for name, value in off.items())


@pytest.mark.parametrize("kind", KINDS)
def test_the_kernel_has_the_numbers_of_torch(kind):
    air, before = drawn(KINDS[kind], 800, 3)
    ours, theirs = both(air, before)
    active = float((theirs["flux"].amax(0) > 1e-5).double().mean())
    print(
        f"RESULT {kind}: active {active:.2f}, furthest {furthest(ours, theirs)}, rain {float(theirs['rain'].max()):.3f}"
    )
    assert (active == 0.0) if kind == "dry" else (active > 0.1)
    assert furthest(ours, theirs)[0] < 1.0
    plume, _, flux = mass_flux.choose(air, before.t, before.q[VAPOUR.name], before.fluxes, 2.3, 240.0)
    ground = before.fluxes
    sensible = ground.sensible_heat / (air.rho[0] * CP_DRY * air.pi[0])
    thermals = sensible + VIRTUAL * air.theta[0] * ground.water / air.rho[0] > 0.0
    mid_level = (plume.source[0] == 0.0) & (flux > 0.0) & thermals
    assert bool(mid_level.any()) == (kind == "moist aloft")


@given(
    st.tuples(
        st.floats(230.0, 312.0), st.floats(3e-3, 9.5e-3), st.floats(0.0, 4000.0), st.floats(0.0, 1.3),
        st.floats(0.0, 1.3), st.floats(100.0, 12000.0), st.floats(-4.0, 10.0),
    ),
    st.integers(0, 2**31), st.integers(4, 60), st.floats(0.0, 3.0), st.floats(20.0, 3600.0),
)  # fmt: skip
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_kernel_has_the_numbers_of_torch_in_any_air(kind, seed, levels, rough, dt):
    air, before = drawn(kind, 20, seed, levels, rough)
    ours, theirs = both(air, before, dt)
    assert furthest(ours, theirs)[0] < 1.0, furthest(ours, theirs)


def test_in_single_precision_it_has_the_numbers_of_double_precision():
    """Inside it is double: torch in single precision is off by .01 K where a cloud grows fast."""
    air, before = drawn(KINDS["deep"], 400, 5)
    single = Columns(*(a.float() for a in air))
    fluxes = Fluxes(*(a.float() for a in before.fluxes))
    start = Convecting(*(a.float() for a in before[:3]), {name: a.float() for name, a in before.q.items()}, fluxes)
    double = Columns(*(a.double() for a in single))
    begin = Convecting(*(a.double() for a in start[:3]), {name: a.double() for name, a in start.q.items()}, None)
    begin = begin._replace(fluxes=Fluxes(*(a.double() for a in fluxes)))
    with torch.no_grad():
        wet, flux = mass_flux.by_kernel(single, start, 240.0, 2.3)
        exact, exact_flux = mass_flux.by_kernel(double, begin, 240.0, 2.3)
    assert wet.t.dtype == torch.float32
    pairs = [(wet.t, exact.t), (wet.rain, exact.rain), (wet.cover, exact.cover), (flux, exact_flux)]
    for a, b in [*pairs, (wet.q[VAPOUR.name], exact.q[VAPOUR.name])]:
        assert torch.equal(a, b.float())


def test_a_column_has_its_bits_in_any_block_and_one_without_convection_keeps_them():
    kinds = [drawn(KINDS[name], 7, 11) for name in ("deep", "trades", "moist aloft", "dry")]
    side = lambda *a: torch.cat(a, -1)  # noqa: E731
    air = Columns(*map(side, *(c for c, _ in kinds)))
    q = {name: side(*(b.q[name] for _, b in kinds)) for name in WATER}
    u, v, t = (side(*(b[n] for _, b in kinds)) for n in range(3))
    whole = mass_flux.step(
        air, Convecting(u, v, t, q, Fluxes(*map(side, *(b.fluxes for _, b in kinds)))), 240.0
    )  # fmt: skip
    alone = [mass_flux.step(c, b, 240.0) for c, b in kinds]
    for name in ("t", "rain", "snow", "updraught", "u", "v", "cover", "condensate"):
        assert torch.equal(getattr(whole, name), side(*(getattr(a, name) for a in alone))), name
    assert all(torch.equal(whole.q[name], side(*(a.q[name] for a in alone))) for name in WATER)
    still = whole.updraught.amax(0) == 0.0
    assert bool(still[:, 21:].all()) and not bool(still[:, :7].any())
    assert torch.equal(whole.t[:, still], t[:, still])
    assert all(torch.equal(whole.q[name][:, still], q[name][:, still]) for name in WATER)


@pytest.mark.parametrize("there", [WATER[:1], WATER[:2]], ids=["vapour alone", "without ice"])
def test_clouds_that_no_tracer_holds_evaporate_and_thaw(there):
    air, before = drawn(KINDS["deep"], 100, 5)
    before = before._replace(q={name: before.q[name] for name in there}, fluxes=None)
    ours, theirs = both(air, before)
    assert set(ours) == set(theirs) and float(ours["rain"].max()) > 0.0
    assert furthest(ours, theirs)[0] < 1.0


def test_a_gradient_is_taken_of_torch_and_without_one_the_kernel_works(monkeypatch):
    air, before = drawn(KINDS["deep"], 6, 5)
    called = []
    by_kernel = mass_flux.by_kernel
    monkeypatch.setattr(mass_flux, "by_kernel", lambda *a: called.append(1) or by_kernel(*a))
    without = mass_flux.step(air, before, 240.0)
    assert called == [1]
    t = before.t.clone().requires_grad_()
    out = mass_flux.step(air, before._replace(t=t), 240.0)
    out.rain.sum().backward()
    assert called == [1] and bool(torch.isfinite(t.grad).all()) and float(t.grad.abs().max()) > 0.0
    assert float((out.t.detach() - without.t).abs().max()) < NEAR["t"]
