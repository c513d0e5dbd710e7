# SPDX-License-Identifier: BSD-3-Clause
"""`wsm6` process by process, beside integrals over the particles' sizes that quadrature gives; and a column of it."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.integrate import dblquad, quad

from components.atmosphere.nonhydrostatic.dynamics import thermodynamics as thermo
from components.atmosphere.nonhydrostatic.physics import hydrometeors, wsm6
from components.atmosphere.nonhydrostatic.physics.radiated_clouds import seen
from components.atmosphere.nonhydrostatic.physics.tables import MICROPHYSICS
from components.science import water
from components.science.constants import FREEZING_POINT, LATENT_FUSION, R_DRY, R_VAPOUR

P, DT = 6.0e4, 1.0  # Pa, s
RHO_0 = 1.28  # kg m-3 of the fall speeds


def sky(t, **parts):
    """One cell at temperature ``t`` (K) with some species, saturated over water unless said."""
    t = torch.tensor([[[float(t)]]], dtype=torch.float64)
    parts = {"vapour": float(thermo.saturation_mixing_ratio(water.saturation_pressure(t), torch.tensor(P))), **parts}
    q = tuple(torch.full_like(t, parts.get(s.name, 0.0)) for s in wsm6.SPECIES)
    p = torch.full_like(t, P)
    return wsm6.Sky(t, q), hydrometeors.properties(t, p, p / (R_DRY * t))


def rates(process, s, air, *more):
    """Transfers per second by the names of their classes, where there are any."""
    out = {}
    for x in process(s, *more, air, DT) if more else process(s, air, DT):
        key = wsm6.SPECIES[x.source].name, wsm6.SPECIES[x.target].name
        out[key] = out.get(key, 0.0) + float(x.amount) / DT
    return {key: a for key, a in out.items() if a > 0.0}


def distribution(kind, intercept, rho, q):
    """(slope, number of a diameter) of ``q`` kg/kg."""
    lam = (np.pi * kind.density * intercept / (rho * q)) ** 0.25
    return lam, lambda d: intercept * np.exp(-lam * d)


def fallspeed(kind, rho, lam):
    """Mean with mass by quadrature, m/s."""
    mass = quad(lambda d: d**3 * np.exp(-lam * d), 0, 60 / lam)[0]
    moved = quad(lambda d: d**3 * np.exp(-lam * d) * kind.a * d**kind.b, 0, 60 / lam)[0]
    return moved / mass * np.sqrt(RHO_0 / rho)


def test_graupel_rimes_the_cloud_that_it_sweeps():
    s, air = sky(263.0, cloud_water=1e-3, graupel=2e-3)
    rho, kind = float(air.rho), wsm6.PELLETS
    lam, n = distribution(kind, wsm6.N_0G, rho, 2e-3)
    swept = quad(lambda d: np.pi / 4 * d**2 * kind.a * d**kind.b * n(d), 0, 60 / lam)[0] * np.sqrt(RHO_0 / rho)
    got = rates(wsm6.collection, s, air, wsm6.sizes_of(s, air.rho, air.thin))
    assert got == {("cloud_water", "graupel"): pytest.approx(1e-3 * swept, rel=1e-5)}
    assert 1e-6 < 1e-3 * swept < 1e-5, "some grams per kilogram in a quarter of an hour"


def test_graupel_and_rain_collide_at_the_difference_of_their_speeds():
    s, air = sky(263.0, rain=1e-3, graupel=2e-3)
    rho, drops, pellets = float(air.rho), hydrometeors.RAIN_DROPS, wsm6.PELLETS
    lam_r, n_r = distribution(drops, hydrometeors.N_0R, rho, 1e-3)
    lam_g, n_g = distribution(pellets, wsm6.N_0G, rho, 2e-3)
    apart = abs(fallspeed(drops, rho, lam_r) - fallspeed(pellets, rho, lam_g))
    mass = lambda d: np.pi / 6 * drops.density * d**3  # noqa: E731
    both = lambda r, g: np.pi / 4 * (r + g) ** 2 * mass(r) * n_r(r) * n_g(g)  # noqa: E731
    met = apart / rho * dblquad(both, 0, 40 / lam_g, 0, 40 / lam_r)[0]
    got = rates(wsm6.collection, s, air, wsm6.sizes_of(s, air.rho, air.thin))
    assert got == {("rain", "graupel"): pytest.approx(met, rel=1e-4)}


@pytest.mark.parametrize(("rain", "product"), [(5e-5, "snow"), (1e-3, "graupel")])
def test_ice_freezes_the_rain_that_it_meets_to_snow_or_where_it_is_much_to_graupel(rain, product):
    s, air = sky(263.0, rain=rain, cloud_ice=2e-5)
    rho, drops = float(air.rho), hydrometeors.RAIN_DROPS
    lam, n = distribution(drops, hydrometeors.N_0R, rho, rain)
    number = min(max(5.38e7 * (rho * 2e-5) ** 0.75, 1e3), 1e6)
    mass = lambda d: np.pi / 6 * drops.density * d**3  # noqa: E731
    frozen = quad(lambda d: np.pi / 4 * d**2 * drops.a * d**drops.b * mass(d) * n(d), 0, 60 / lam)[0]
    d_i = min(11.9 * (rho * 2e-5 / number) ** 0.5, 5e-4)
    apart = abs(fallspeed(drops, rho, lam) - 1.49e4 * d_i**1.31)
    taken = np.pi / 4 * 2e-5 * apart * quad(lambda d: (d + d_i) ** 2 * n(d), 0, 60 / lam)[0]
    got = rates(wsm6.collection, s, air, wsm6.sizes_of(s, air.rho, air.thin))
    assert got == {
        ("rain", product): pytest.approx(number * frozen * np.sqrt(RHO_0 / rho) / rho, rel=1e-5),
        ("cloud_ice", product): pytest.approx(taken, rel=1e-5),
    }


def test_graupel_melts_by_the_heat_that_reaches_its_ventilated_surface():
    s, air = sky(276.0, graupel=2e-3)
    rho, kind = float(air.rho), wsm6.PELLETS
    lam, n = distribution(kind, wsm6.N_0G, rho, 2e-3)
    viscosity, conductivity, schmidt = (float(a) for a in (air.viscosity, air.conductivity, air.schmidt))
    reynolds = lambda d: kind.a * d**kind.b * np.sqrt(RHO_0 / rho) * d / viscosity  # noqa: E731
    heat = quad(lambda d: 2 * np.pi * d * (0.78 + 0.31 * schmidt * reynolds(d) ** 0.5) * n(d), 0, 60 / lam)[0]
    melted = conductivity * (276.0 - FREEZING_POINT) * heat / (rho * LATENT_FUSION)
    assert rates(wsm6.melting, s, air) == {("graupel", "rain"): pytest.approx(melted, rel=1e-5)}


def test_rain_freezes_to_graupel_by_its_volume():
    """Bigg (1953): the share of drops of a volume that freezes, 100 m-3 s-1 (exp(.66 K-1 dT) - 1)."""
    s, air = sky(255.0, rain=1e-3)
    rho, drops = float(air.rho), hydrometeors.RAIN_DROPS
    lam, n = distribution(drops, hydrometeors.N_0R, rho, 1e-3)
    volume = lambda d: np.pi / 6 * d**3  # noqa: E731
    share = 100.0 * np.expm1(0.66 * (FREEZING_POINT - 255.0))
    frozen = share * drops.density / rho * quad(lambda d: volume(d) ** 2 * n(d), 0, 80 / lam)[0]
    got = rates(lambda sky, air, dt: wsm6.freezing(sky, air, 3e8, dt), s, air)
    assert got == {("rain", "graupel"): pytest.approx(frozen, rel=1e-5)}


def test_graupel_takes_vapour_over_ice_and_gives_it_off_below_saturation():
    t = torch.tensor(258.0, dtype=torch.float64)
    q_i = float(thermo.saturation_mixing_ratio(water.saturation_pressure_ice(t), torch.tensor(P)))
    for ratio, key in ((1.1, ("vapour", "graupel")), (0.8, ("graupel", "vapour"))):
        s, air = sky(258.0, vapour=ratio * q_i, graupel=1e-3)
        rho, kind = float(air.rho), wsm6.PELLETS
        lam, n = distribution(kind, wsm6.N_0G, rho, 1e-3)
        viscosity, k, d_v, schmidt = (float(a) for a in (air.viscosity, air.conductivity, air.diffusivity, air.schmidt))
        reynolds = lambda d: kind.a * d**kind.b * np.sqrt(RHO_0 / rho) * d / viscosity  # noqa: B023, E731
        size = quad(lambda d: d * (0.78 + 0.31 * schmidt * reynolds(d) ** 0.5) * n(d), 0, 60 / lam)[0]  # noqa: B023
        resist = rho * 2.835e6**2 / (k * R_VAPOUR * 258.0**2) + 1 / (q_i * d_v)
        got = rates(wsm6.growth_of_ice, s, air, wsm6.sizes_of(s, air.rho, air.thin))
        assert got[key] == pytest.approx(abs(ratio - 1.0) * 2 * np.pi * size / resist, rel=1e-3)


def test_fewer_droplets_rain_sooner():
    s, air = sky(285.0, cloud_water=1e-3)
    rain = {
        n: rates(lambda sky, a, dt, n=n: wsm6.coalescence(sky, wsm6.sizes_of(sky, a.rho, a.thin), a, n, dt), s, air)
        for n in (5e7, 1e8, 1e9)
    }
    got = {n: r.get(("cloud_water", "rain"), 0.0) for n, r in rain.items()}
    assert got[5e7] / got[1e8] == pytest.approx(2.0 ** (1.0 / 3.0), rel=1e-6), "Tripoli & Cotton: N^(-1/3)"
    assert got[1e9] == 0.0, "2.1 g/m3 and more before it rains"
    assert MICROPHYSICS.choose({"scheme": "wsm6", "droplets": 1e8}).options["droplets"] == 1e8


def test_snow_and_graupel_fall_together_and_melt_to_rain_on_their_way():
    """A shaft of graupel from -10 degC: it reaches the ground as rain, and the air that it melts in cools."""
    nz = 12
    z = torch.linspace(250.0, 5750.0, nz, dtype=torch.float64)[:, None, None]
    t = 295.0 - 6.5e-3 * z
    p = 1.0e5 * torch.exp(-z / 8000.0)
    pi, rho = thermo.exner(p), p / (R_DRY * t)
    q_v = thermo.saturation_mixing_ratio(water.saturation_pressure(t), p)
    none = torch.zeros_like(t)
    q = [q_v, none, none, none, torch.where(t < 265.0, 1e-3, none), torch.where(t < 265.0, 2e-3, none)]
    theta, mass = t / pi, rho * 500.0
    start = float((mass * sum(q[4:])).sum())
    rain = snow = 0.0
    for _ in range(150):
        out = wsm6.wsm6(theta, tuple(q), p, pi, rho, mass, 20.0)
        theta, q = out.theta, list(out.q.values())
        rain, snow = rain + float(out.rain), snow + float(out.snow)
    assert rain > 0.8 * start and snow < 1e-6
    coldest = (theta * pi - t)[(t > FREEZING_POINT) & (t < 283.0)]
    assert float(coldest.min()) < -0.3
    s, air = sky(255.0, snow=1e-3, graupel=3e-3)
    v = wsm6.sizes_of(s, air.rho, air.thin)
    alone = [
        float(hydrometeors.speed(kind, lam, air.thin))
        for kind, lam in ((hydrometeors.SNOW_FLAKES, v.snow), (wsm6.PELLETS, v.graupel))
    ]
    assert float(v.together) == pytest.approx(0.25 * alone[0] + 0.75 * alone[1], rel=1e-9)


def test_a_gradient_passes_and_radiation_sees_the_graupel():
    s, air = sky(263.0, cloud_water=1e-3, graupel=2e-3, rain=1e-3, snow=1e-3, cloud_ice=1e-5)
    q = tuple(a.clone().requires_grad_() for a in s.q)
    pi = thermo.exner(air.p)
    out = wsm6.wsm6(s.t / pi, q, air.p, pi, air.rho, air.rho * 500.0, 20.0)
    (out.theta.sum() + sum(a.sum() for a in out.q.values())).backward()
    assert all(a.grad is not None and bool(torch.isfinite(a.grad).all()) for a in q)
    parts = {name: a.detach() for name, a in out.q.items()}
    column = SimpleNamespace(t=s.t, p=air.p)
    bare, pelted = (
        seen({**parts, "graupel": a}, column, None, "whole", torch.ones(1, 1))
        for a in (torch.zeros_like(s.t), parts["graupel"])
    )
    assert float(pelted.snow - bare.snow) > 1e-4
