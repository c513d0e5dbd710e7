# SPDX-License-Identifier: BSD-3-Clause
"""Boundary layer, convection and sun: budgets, known behaviour, and bits that do not depend on the block."""

import math
from types import SimpleNamespace

import pytest
import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import saturation_mixing_ratio
from components.atmosphere.nonhydrostatic.physics import convection_betts_miller as convection
from components.atmosphere.nonhydrostatic.physics import convection_mass_flux
from components.atmosphere.nonhydrostatic.physics.boundary_layer_ysu import (
    SHALLOW,
    Fluxes,
    Layer,
    entrainment_velocity,
    jump_at,
    ysu,
)
from components.atmosphere.nonhydrostatic.physics.column_physics import ColumnPhysics
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.convection_plume import energy, saturate
from components.atmosphere.nonhydrostatic.physics.interfaces import Convecting
from components.atmosphere.nonhydrostatic.physics.species import VAPOUR
from components.atmosphere.nonhydrostatic.physics.tables import Schemes
from components.atmosphere.nonhydrostatic.physics.turbulent_mixing import Ground
from components.science import sun
from components.science.constants import CP_DRY, FREEZING_POINT, GRAVITY, LATENT_VAPORISATION, R_DRY
from components.science.water import ALL_ICE, saturation_pressure, saturation_pressure_mixed


def layers(shape=(24, 4, 5), dtype=torch.float64):
    """A stable atmosphere: 3 K/km, 8 m/s westerly shear, moist near the ground."""
    torch.manual_seed(1)
    nz = shape[0]
    interface = torch.linspace(0.0, 1.0, nz + 1, dtype=torch.float64) ** 1.7 * 12000.0
    dz = (interface[1:] - interface[:-1])[:, None, None].expand(shape).contiguous()
    z = (0.5 * (interface[1:] + interface[:-1]))[:, None, None].expand(shape).contiguous()
    theta = 300.0 + 0.003 * z + 0.01 * torch.rand(shape, dtype=torch.float64)
    rho = 1.16 * torch.exp(-z / 9000.0)
    pi = 1.0 - GRAVITY * z / (CP_DRY * 302.0)
    u = 5.0 + 8.0 * z / 10000.0 + 0.1 * torch.rand(shape, dtype=torch.float64)
    q = 0.012 * torch.exp(-z / 2500.0)
    return [a.to(dtype) for a in (u, 0.3 * u, theta, q, z, rho, rho * dz, pi)]


def fluxes(heat, water, stress, like):
    plane = torch.zeros_like(like[0])
    return Fluxes(plane + heat, plane + water, plane + stress, plane + 0.3 * stress)


def test_ysu_conserves_heat_water_and_momentum():
    u, v, theta, q, z, rho, mass, pi = layers()
    tracer = torch.rand_like(theta)[None] * 1e-4
    f = fluxes(200.0, 5e-5, 0.1, theta)
    dt = 120.0
    out = ysu(u, v, theta, q, tracer, z, rho, mass, pi, f, dt)
    for before, after, flux in (
        (theta, out.theta, f.sensible_heat / (CP_DRY * pi[0])),
        (q, out.q_v, f.water),
        (tracer[0], out.tracers[0], 0.0 * f.water),
    ):
        gained = (mass * (after - before)).sum(0)
        assert float((gained - dt * flux).abs().max()) < 1e-9 * float((mass * before).sum(0).abs().max())
    lost = (mass * (u - out.u)).sum(0)
    assert float(((lost / dt - f.stress_x) / f.stress_x).abs().max()) < 0.05, (
        "the stress, but for its change within the step"
    )


def test_heated_ground_grows_a_mixed_layer_as_deep_as_the_heat_allows():
    """Mixed layer with an entrainment flux of 0.15 (zeroth-order jump).

    H2 = 2 (1 + 2 x 0.15) F t / gamma for F 0.2 K m/s.

    The scheme's h is where thermals with their excess end, which is above the middle of the inversion.
    """
    u, v, theta, q, z, rho, mass, pi = layers(shape=(40, 2, 2))
    q = 0.0 * q
    f = fluxes(0.2 * float(rho[0, 0, 0]) * CP_DRY, 0.0, 0.05, theta)
    f = f._replace(sensible_heat=0.2 * rho[0] * CP_DRY * pi[0])
    none = theta.new_zeros((0, *theta.shape))
    for _ in range(180):
        out = ysu(u, v, theta, q, none, z, rho, mass, pi, f, 120.0)
        u, v, theta, q = out.u, out.v, out.theta, out.q_v
    expected = math.sqrt(2.0 * 1.3 * 0.2 * 21600.0 / 0.003)
    depth = float(out.depth.mean())
    warmed = float(theta[8, 0, 0]) - 300.0
    expected_warming = 0.5 * 0.003 * expected + 0.2 * 21600.0 / expected
    print("depth", depth, "expected", expected, "warming", warmed, "expected", expected_warming)
    assert expected < depth < 1.25 * expected
    assert abs(warmed - expected_warming) < 0.1 * expected_warming
    inside = (z[:, 0, 0] > 0.1 * depth) & (z[:, 0, 0] < 0.7 * depth)
    assert float(theta[inside, 0, 0].max() - theta[inside, 0, 0].min()) < 0.6, "well mixed"


def test_vapour_is_mixed_as_heat_is():
    """A vapour that is a line of theta stays so if the fluxes at the ground do: no scalar has a flux of its own."""
    u, v, theta, q, z, rho, mass, pi = layers()
    q = 1.0e-7 * (theta - 290.0)
    f = fluxes(0.0, 0.0, 0.05, theta)
    f = f._replace(sensible_heat=0.2 * rho[0] * CP_DRY * pi[0], water=0.2e-7 * rho[0])
    none = theta.new_zeros((0, *theta.shape))
    for _ in range(20):
        out = ysu(u, v, theta, q, none, z, rho, mass, pi, f, 120.0)
        u, v, theta, q = out.u, out.v, out.theta, out.q_v
    assert float(out.depth.min()) > 500.0, "there is a mixed layer"
    assert float((q / 1.0e-7 - (theta - 290.0)).abs().max()) < 1e-9


@pytest.mark.parametrize("thickness", [20.0, 100.0])
def test_a_mixed_layer_takes_in_as_much_heat_between_layers_of_any_thickness(thickness):
    """.15 of the flux of buoyancy at the ground, where no wind adds to it (HND eq. A10)."""
    z = (torch.arange(60, dtype=torch.float64)[:, None, None] + 0.5) * thickness
    h, heat, theta = 620.0, 0.01, 298.7
    theta_v = theta + 0.004 * torch.clamp(z - 550.0, min=0.0)
    plane = torch.zeros((1, 1), dtype=torch.float64)
    ground = Ground(plane, plane + 1e-3, plane + heat, plane + heat, plane > -1.0)
    layer = Layer(plane + h, plane, plane, plane + GRAVITY / theta * heat * h)
    w_e = entrainment_velocity(theta_v, z, ground, layer)
    assert float(w_e * jump_at(theta_v, z, layer.h)) == pytest.approx(0.15 * heat, rel=1e-5)


def test_stable_boundary_layer_stays_shallow():
    u, v, theta, q, z, rho, mass, pi = layers()
    out = ysu(
        u, v, theta, q, theta.new_zeros((0, *theta.shape)), z, rho, mass, pi, fluxes(-30.0, 0.0, 0.03, theta), 120.0,
        stable=SHALLOW,
    )  # fmt: skip
    assert float(out.depth.max()) < 600.0


def tropical(shape=(24, 3, 4), lapse=0.0062):
    z = torch.linspace(50.0, 18000.0, shape[0], dtype=torch.float64)[:, None, None].expand(shape)
    t = torch.clamp(301.0 - lapse * z, min=195.0) + 0.2 * torch.arange(shape[2], dtype=torch.float64)
    p = 1.01e5 * torch.exp(-z / 7600.0)
    q = convection.saturation_mixing_ratio(saturation_pressure(t), p) * 0.85
    dz = torch.full(shape, 18000.0 / shape[0], dtype=torch.float64)
    return t.contiguous(), q.contiguous(), p.contiguous(), (p / (R_DRY * t) * dz).contiguous()


def test_betts_miller_rains_out_what_it_heats():
    t, q, p, mass = tropical()
    out = convection.betts_miller(t, q, p, mass, 600.0)
    assert bool(out.active.all())
    water = (mass * (q - out.q_v)).sum(0)
    assert float(((water - out.rain) / out.rain).abs().max()) < 1e-10
    heat = CP_DRY * (mass * (out.t - t)).sum(0)
    assert float(((heat - LATENT_VAPORISATION * out.rain) / heat).abs().max()) < 1e-10
    assert 1.0 < float(out.rain.mean()) / 600.0 * 86400.0 < 500.0, "mm a day"


def test_betts_miller_leaves_a_stable_dry_column_alone():
    t, q, p, mass = tropical()
    t = t + 25.0 * torch.linspace(0.0, 1.0, 24, dtype=torch.float64)[:, None, None]
    out = convection.betts_miller(t, 0.1 * q, p, mass, 600.0)
    assert not bool(out.active.any())
    assert torch.equal(out.t, t)


def shallow():
    """Moist air up to 1.5 km, dry above."""
    t, q, p, mass = tropical(lapse=0.0072)
    return t, torch.where(p > 8.3e4, q, 0.6 * q), p, mass


def test_shallow_convection_moves_water_up_without_rain():
    t, q, p, mass = shallow()
    out = convection.betts_miller(t, q, p, mass, 600.0)
    assert bool(out.active.all())
    assert float(out.rain.max()) == 0.0
    assert float((mass * (q - out.q_v)).sum(0).abs().max()) < 1e-10 * float((mass * q).sum(0).max())
    assert torch.equal(out.t, t)
    assert float((out.q_v - q)[6:12].min()) > 0.0


@pytest.mark.parametrize("column", [tropical, shallow], ids=["deep", "shallow"])
def test_betts_miller_leaves_the_air_below_the_clouds_alone(column):
    """Drawn to the reference too, the mixed layer over a sea of 302 K lost 4 g/kg in three hours."""
    t, q, p, mass = column()
    out = convection.betts_miller(t, q, p, mass, 600.0)
    below = p >= out.base
    assert bool(below.any(0).all()) and bool(out.inside[below].all())
    assert torch.equal(out.q_v[below], q[below]) and torch.equal(out.t[below], t[below])
    assert float((out.q_v - q)[out.inside & ~below].abs().min()) > 0.0


@pytest.mark.parametrize("by", ["humidity", "warmth"])
def test_rain_of_betts_miller_begins_and_ends_gradually(by):
    """A hundredth of the way from dry or stable to pouring air is nowhere more than a twentieth of the rain."""
    t, q, p, mass = (a[:, :1, :1].expand(-1, 1, 401) for a in tropical())
    way = torch.linspace(0.0, 1.0, 401, dtype=torch.float64)
    if by == "humidity":
        q = torch.where(p < 9.0e4, q * (0.6 + 0.4 * way), q)
    else:
        t = t + 12.0 * (1.0 - way) * torch.clamp((9.0e4 - p) / 2.0e4, 0.0, 1.0)
        q = 0.85 * convection.saturation_mixing_ratio(saturation_pressure(t), p)
    rain = convection.betts_miller(t.contiguous(), q.contiguous(), p, mass, 600.0).rain[0]
    print(by, rain[::40])
    assert float(rain[0]) == 0.0 < float(rain[-1])
    assert float((rain[4:] - rain[:-4]).abs().max()) < 0.05 * float(rain.max())


@pytest.mark.parametrize(
    ("lapse", "least", "most"), [(0.0062, 0.1, 0.8), (0.0072, 0.005, 0.35)], ids=["deep", "shallow"]
)
def test_betts_miller_tells_radiation_of_its_clouds(lapse, least, most):
    """Above the base of the cloud, below its top, as much as the mass flux says; their water thins upwards."""
    t, q, p, mass = tropical() if lapse == 0.0062 else shallow()
    dz = mass * R_DRY * t / p
    interface = torch.cat([torch.zeros_like(dz[:1]), dz.cumsum(0)])
    z = 0.5 * (interface[1:] + interface[:-1])
    air = Columns(t, t, p, p, mass / dz, mass, z, dz, interface)
    nothing = torch.zeros_like(t)
    out = convection.step(air, Convecting(nothing, nothing, t, {VAPOUR.name: q}, None), 600.0)
    done = convection.betts_miller(t, q, p, mass, 600.0)
    cloudy = out.cover > 0.0
    assert bool(cloudy.any(0).all()) and not bool((cloudy & ~(done.inside & (p < done.base))).any())
    assert least < float(out.cover.amax(0).min()) and float(out.cover.max()) < most
    inside = (
        out.condensate[:, 0, 0][cloudy[:, 0, 0]]
        / out.cover[:, 0, 0][cloudy[:, 0, 0]]
        * (mass / dz)[cloudy[:, 0, 0], 0, 0]
    )
    assert bool((inside.diff() < 0.0).all()) and 1e-5 < float(inside[0]) < 2.1e-4  # kg m-3
    if lapse == 0.0062:
        middle = int(torch.nonzero(cloudy[:, 0, 0])[3])
        expected = 0.14 * math.log(1.0 + 500.0 * float(out.updraught[middle, 0, 0]))
        assert float(out.cover[middle, 0, 0]) == pytest.approx(expected, rel=1e-12)


def test_moist_parcel_keeps_its_equivalent_potential_temperature():
    """theta_e of Bolton (1980, eq. 43) along the pseudo-adiabat from 1000 to 300 hPa."""
    p = torch.exp(torch.linspace(math.log(1e5), math.log(3e4), 100, dtype=torch.float64))[:, None, None]
    t = torch.full_like(p, 293.15)
    q = convection.saturation_mixing_ratio(saturation_pressure(t), p)
    parcel, _ = convection.moist_parcel(t, q, p)
    r = convection.saturation_mixing_ratio(saturation_pressure(parcel), p)
    theta_e = parcel * (1e5 / p) ** (0.2854 * (1 - 0.28 * r)) * torch.exp((3376.0 / parcel - 2.54) * r * (1 + 0.81 * r))
    print("theta_e", float(theta_e[0]), float(theta_e[-1]))
    assert abs(float(theta_e[-1] - theta_e[0])) < 2.5


def test_sun_stands_overhead_at_the_equator_at_equinox_noon_and_has_set_at_midnight():
    lon, lat = torch.tensor([[0.0, 180.0]], dtype=torch.float64), torch.tensor([[0.0, 0.0]], dtype=torch.float64)
    mu = sun.cosine_zenith(lon, lat, 79.5)
    assert float(mu[0, 0]) > 0.998
    assert float(mu[0, 1]) == 0.0
    assert abs(math.degrees(sun.sun_position(171.5)[0]) - 23.44) < 0.1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_blocks_give_the_same_bits_as_the_whole(dtype):
    u, v, theta, q, z, rho, mass, pi = layers(dtype=dtype)
    f = fluxes(150.0, 3e-5, 0.1, theta)
    tracer = torch.rand_like(theta)[None] * 1e-4
    cut = lambda a: a[..., 1:3, 2:5].contiguous()  # noqa: E731
    whole = ysu(u, v, theta, q, tracer, z, rho, mass, pi, f, 120.0)
    part = ysu(*(cut(a) for a in (u, v, theta, q, tracer, z, rho, mass, pi)), Fluxes(*(cut(a) for a in f)), 120.0)
    assert all(torch.equal(cut(a), b) for a, b in zip(whole, part, strict=True))
    args = [a.to(dtype) for a in tropical((24, 4, 6))]
    whole = convection.betts_miller(*args, 600.0)
    part = convection.betts_miller(*(cut(a) for a in args), 600.0)
    assert all(torch.equal(cut(a), b) for a, b in zip(whole, part, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_mass_flux_closes_water_and_energy_and_gives_a_block_its_bits(dtype):
    """Vapour, cloud and rain; c_p T + L q_v - L_f q_ice; tropical air, some of it dry."""
    t, q, p, mass = tropical((48, 4, 6), lapse=0.009)
    q = q * torch.linspace(0.3, 1.0, 6, dtype=torch.float64)
    rho = p / (R_DRY * t)
    dz = mass / rho
    z_i = torch.cat([torch.zeros_like(dz[:1]), torch.cumsum(dz, 0)])
    pi = (p / 1.0e5) ** (2.0 / 7.0)
    whole = [a.to(dtype) for a in (t, t / pi, p, pi, rho, mass, 0.5 * (z_i[1:] + z_i[:-1]), dz, z_i)]
    q, u = q.to(dtype), (5.0 + 0.001 * whole[6]).to(dtype)
    none = torch.zeros_like(q)
    f = Fluxes(*(torch.full_like(q[0], x) for x in (20.0, 4e-5, 0.1, 0.0)))

    def convect(cut):
        parts = {"vapour": cut(q), "cloud_water": cut(none), "cloud_ice": cut(none)}
        before = Convecting(cut(u), cut(u), cut(whole[0]), parts, Fluxes(*(cut(a) for a in f)))
        return convection_mass_flux.step(Columns(*(cut(a) for a in whole)), before, 240.0)

    out = convect(lambda a: a)
    assert float(out.updraught.max()) > 1e-3 and float(out.updraught.min()) >= 0.0
    assert float(out.rain.max()) > 0.0 and float(out.q["cloud_ice"].max()) > 0.0 and 0.0 < float(out.cover.max()) < 0.81
    mass = whole[5]
    new = out.q["vapour"] + out.q["cloud_water"] + out.q["cloud_ice"]
    held = (mass * q).sum(0)
    bound = 1e-12 if dtype == torch.float64 else 1e-5
    assert float((((mass * new).sum(0) + out.rain + out.snow - held) / held).abs().max()) < bound
    gained = CP_DRY * (out.t - whole[0]) + LATENT_VAPORISATION * (out.q["vapour"] - q) - 3.34e5 * out.q["cloud_ice"]
    left = (mass * gained).sum(0) - 3.34e5 * out.snow
    assert float(left.abs().max()) < bound * CP_DRY * 300.0 * float(mass.sum(0).max())
    assert float(((mass * (out.u - u)).sum(0)).abs().max()) < bound * 1e6
    cut = lambda a: a[..., 1:3, 2:5].contiguous()  # noqa: E731
    part = convect(cut)
    for name in ("t", "rain", "snow", "updraught", "u", "cover", "condensate"):
        assert torch.equal(cut(getattr(out, name)), getattr(part, name)), name
    assert all(torch.equal(cut(out.q[name]), part.q[name]) for name in out.q)


def test_a_plume_has_the_temperature_that_its_energy_and_water_say_where_much_of_it_freezes():
    torch.manual_seed(0)
    t = 200.0 + 105.0 * torch.rand(4000, dtype=torch.float64)
    p = 1.5e4 + 8.5e4 * torch.rand(4000, dtype=torch.float64)
    t = torch.minimum(t, 235.0 + 70.0 * p / 1.0e5)
    q_s = saturation_mixing_ratio(saturation_pressure_mixed(t), p)
    cloud = 0.012 * torch.rand_like(t)
    q_i = cloud * (1.0 - torch.clamp((t - ALL_ICE) / (FREEZING_POINT - ALL_ICE), 0.0, 1.0))
    none = torch.zeros_like(t)
    wet = saturate(energy(t, q_s, q_i, none), q_s + cloud, p, none)
    assert float((wet.t - t).abs().max()) < 2.0e-3
    assert float((wet.q_l + wet.q_i - cloud).abs().max()) < 2.0e-6
    dry = saturate(energy(t, 0.5 * q_s, none, none), 0.5 * q_s, p, none)
    assert float((dry.t - t).abs().max()) < 1.0e-9 and float((dry.q_l + dry.q_i).max()) < 1.0e-15


def test_what_falls_through_the_lowest_layer_is_what_the_schemes_rained():
    """Whoever asks gets the flux at each layer's bottom; that of clouds and of convection add up to rain and snow."""
    t, q, p, mass = (a.contiguous() for a in tropical())
    dz = mass * R_DRY * t / p
    z_i = torch.cat([torch.zeros_like(dz[:1]), dz.cumsum(0)])
    pi = (p / 1.0e5) ** (2.0 / 7.0)
    air = Columns(t, t / pi, p, pi, mass / dz, mass, 0.5 * (z_i[1:] + z_i[:-1]), dz, z_i)
    schemes = Schemes.of_options(
        SimpleNamespace(microphysics="kessler", convection="mass_flux", boundary_layer="none", radiation="none")
    )
    species = schemes.species()
    rainy = {"vapour": q, "cloud_water": torch.full_like(q, 1e-3), "rain": torch.full_like(q, 5e-4)}
    m = ColumnPhysics(schemes, species).step(air, 0.0 * q, 0.0 * q, rainy, None, None, 240.0)
    clouds, convection = m.falling.of_clouds(), m.falling.of_convection()
    assert float(clouds[0].min()) > 0.0 and float(convection[0].min()) > 0.0
    assert float(convection.min()) >= 0.0 and clouds.shape == q.shape
    assert float(((clouds + convection)[0] * 240.0 / (m.rain + m.snow) - 1.0).abs().max()) < 1e-9
