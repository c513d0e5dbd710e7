# SPDX-License-Identifier: BSD-3-Clause
"""Rain of a mass-flux scheme on its way down: the saturated downdraught that it wets, evaporation beneath the cloud."""

import pytest
import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import saturation_mixing_ratio
from components.atmosphere.nonhydrostatic.physics import convection_downdraught
from components.atmosphere.nonhydrostatic.physics import convection_mass_flux as mass_flux
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.interfaces import Convecting
from components.atmosphere.nonhydrostatic.physics.species import CLOUD_ICE, CLOUD_WATER, VAPOUR
from components.science.constants import (
    CP_DRY,
    GRAVITY,
    LATENT_FUSION,
    LATENT_VAPORISATION,
    R_DRY,
)
from components.science.water import saturation_pressure, saturation_pressure_mixed


def tropics(humidity=0.6):
    """Air over a warm sea: a mixed layer of 500 m, above it a moist adiabat's lapse and the humidity given."""
    dz = torch.full((40, 1, 3), 400.0, dtype=torch.float64)
    dz[:5] = 120.0
    interface = torch.cat([torch.zeros_like(dz[:1]), dz.cumsum(0)])
    z = 0.5 * (interface[1:] + interface[:-1])
    t = 300.0 - 0.0098 * torch.clamp(z, max=500.0) - 0.0062 * torch.clamp(z - 500.0, 0.0, 13500.0)
    t = t + torch.tensor([[0.0, 0.1, 0.2]], dtype=torch.float64)
    p = 1.01e5 * torch.exp(-z / 7600.0)
    q = torch.where(z < 500.0, 0.0172, humidity * saturation_mixing_ratio(saturation_pressure_mixed(t), p))
    pi = (p / 1.0e5) ** (2.0 / 7.0)
    mass = p / (R_DRY * t) * dz
    return Columns(t, t / pi, p, pi, mass / dz, mass, z, dz, interface), q


def parts(air, q):
    none = torch.zeros_like(q)
    return {VAPOUR.name: q, CLOUD_WATER.name: none, CLOUD_ICE.name: none}


def test_a_downdraught_is_saturated_heavier_than_its_surroundings_and_leaves_its_air_near_the_ground():
    air, q = tropics()
    _, down, flux = mass_flux.choose(air, air.t, q, None, 1.0, 600.0)
    assert float(flux.min()) > 1e-3
    assert 0.2 < float(down.flux.max()) <= 0.33, "near .3 of what rises through the base"
    left = down.left > 1e-9
    t = (down.left_s / down.left - GRAVITY * air.z)[left] / CP_DRY
    humidity = (down.left_q / down.left)[left] / saturation_mixing_ratio(saturation_pressure_mixed(t), air.p[left])
    assert float((humidity - 1.0).abs().max()) < 5e-3
    assert float((t - air.t[left])[air.p[left] < 9.5e4].max()) < 0.5
    assert float(down.flux[0].abs().max()) == 0.0
    near = air.p[:, 0, 0] > 9.5e4
    assert float(down.left[near].sum(0).min()) > 0.9 * float(down.flux.max())
    gained = down.left.sum(0) - down.taken.sum(0)
    assert float(gained.abs().max()) < 1e-12


def test_what_a_downdraught_takes_and_leaves_closes_in_water_and_energy():
    air, q = tropics()
    _, down, _ = mass_flux.choose(air, air.t, q, None, 1.0, 600.0)
    assert float(down.wetting.sum(0).min()) > 1e-4
    water = (down.left_q - down.taken_q - down.wetting).sum(0)
    assert float(water.abs().max()) < 1e-12
    energy = (down.left_s - down.taken_s + LATENT_VAPORISATION * down.wetting).sum(0)
    assert float(energy.abs().max()) < 1e-6


def test_it_takes_no_more_water_than_has_rained_above(monkeypatch):
    monkeypatch.setattr(convection_downdraught, "SHARE", 3.0)
    air, q = tropics()
    plume, down, _ = mass_flux.choose(air, air.t, q, None, 1.0, 600.0)
    down_to = lambda a: a.flip(0).cumsum(0).flip(0)  # noqa: E731
    left = down_to(plume.rain + plume.snow - down.wetting)
    assert float(left.min()) > -1e-12
    assert float((plume.flux[:-1] - down.flux[1:]).min()) > -1e-12, "nor more air than rises"
    scarce = torch.minimum(left.amin(0), (plume.flux[:-1] - down.flux[1:]).amin(0))
    assert float(down.flux.max()) > 0.4 and float(scarce.max()) < 1e-3, "and it takes all that it may"


@pytest.mark.parametrize("share", [0.3, 3.0], ids=["some of the rain evaporates", "all of it"])
def test_convection_with_downdraughts_conserves_water_and_energy(monkeypatch, share):
    monkeypatch.setattr(convection_downdraught, "SHARE", share)
    air, q = tropics()
    before, dt = parts(air, q), 600.0
    out, flux = mass_flux.by_torch(air, Convecting(*[torch.zeros_like(q)] * 2, air.t, before, None), dt, 2.3)
    gained = {name: air.mass * (a - before[name]) for name, a in out.q.items()}
    fallen = out.rain + out.snow
    assert float(flux.amax(0).min()) > 1e-3 and float(fallen.min()) >= 0.0
    water = sum(a.sum(0) for a in gained.values()) + fallen
    assert float(water.abs().max()) < 1e-10
    energy = (CP_DRY * air.mass * (out.t - air.t) + LATENT_VAPORISATION * gained[VAPOUR.name]).sum(0)
    energy = energy - LATENT_FUSION * (gained[CLOUD_ICE.name].sum(0) + out.snow)
    assert float(energy.abs().max()) / dt < 1e-3, "W m-2"


def test_all_of_the_mixed_layer_feeds_the_clouds_and_what_rises_is_the_lowest_air():
    """If the lowest layers gave all, the rest of the mixed layer would sink with the stable air above it."""
    air, q = tropics()
    plume, _, _ = mass_flux.choose(air, air.t, q, None, 1.0, 600.0)
    low = ~plume.inside[:5, 0, 0]
    assert bool(low.all()) and float(plume.flux[4, 0, 0]) == 1.0
    part = plume.flux[:5, 0, 0] / (air.mass[:5, 0, 0].cumsum(0) / air.mass[:5, 0, 0].sum())
    assert float((part - 1.0).abs().max()) < 1e-12
    assert float(plume.source[0, 0, 0]) > 0.4 and float(plume.source[2:, 0, 0].max()) == 0.0


def test_rain_evaporates_beneath_the_cloud_alone():
    """Within it the downdraught takes what evaporates; while rain did so in the open up to the top of the cloud, air
    in radiative-convective equilibrium came to a relative humidity of .9."""
    t = torch.full((1, 2), 285.0, dtype=torch.float64)
    p, mass = torch.full_like(t, 8.0e4), torch.full_like(t, 500.0)
    q = 0.5 * saturation_mixing_ratio(saturation_pressure(t), p)
    rain, none = torch.full_like(t, 1.0), torch.zeros_like(t)
    beneath = torch.tensor([[True, False]])
    (t_new, q_new), liquid, _ = mass_flux.pass_layer(t, q, rain, none, none, none, beneath, mass, p, p / 0.8, 600.0)
    assert float(q_new[0, 0] - q[0, 0]) > 1e-5 and float(q_new[0, 1]) == float(q[0, 1])
    assert float(liquid[0, 0]) < 1.0 == float(liquid[0, 1])
    _, owing, _ = mass_flux.pass_layer(t, q, rain, none, none, rain, beneath, mass, p, p / 0.8, 600.0)
    assert float(owing.min()) == 1.0, "what a downdraught takes further down is not there to evaporate"
    assert float(t_new[0, 1]) == 285.0
