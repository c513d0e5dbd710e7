# SPDX-License-Identifier: BSD-3-Clause
"""Fall, dry and wet deposition of particles: published numbers, limits, and what must close."""

import numpy as np
import pytest
import torch

from components.chemistry.regional.aerosol import particle_motion, species
from components.chemistry.regional.deposition import dry, particle_surfaces, rain
from components.radiation.aerosol_exchange import SIZES, names

T, P, RHO = (torch.tensor(x, dtype=torch.float64) for x in (298.15, 101325.0, 1.184))
tensor = lambda *a: torch.tensor(a, dtype=torch.float64)  # noqa: E731


def test_slip_fall_and_diffusion_are_the_published_ones():
    """Seinfeld & Pandis (2006): slip at 298 K (table 9.3), diffusivity (table 9.5), mean free path 0.0651 um."""
    d = 1e-6 * tensor(0.01, 0.1, 1.0, 10.0)
    np.testing.assert_allclose(particle_motion.slip(d, T, P), [22.2, 2.85, 1.164, 1.016], rtol=0.03)
    np.testing.assert_allclose(particle_motion.brownian_diffusivity(d[1:3], T, P), [6.82e-10, 2.74e-11], rtol=0.04)
    fall = particle_motion.fall_speed(d[3], tensor(1000.0), T, P)
    assert float(fall) == pytest.approx(3.06e-3, rel=0.02)  # 10 um, unit density


def test_salt_doubles_its_size_at_eighty_percent_and_soot_does_not_grow():
    """kappa 1.1 at 80 %: 1 + 1.1 x 4 in volume."""
    wet, density = particle_motion.swollen(tensor(1e-6), tensor(2200.0), tensor(1.1), tensor(0.8))
    assert float(wet) == pytest.approx(1e-6 * 5.4 ** (1 / 3))
    assert float(density) == pytest.approx((2200.0 + 4.4 * 1000.0) / 5.4)
    assert float(particle_motion.swollen(tensor(1e-7), tensor(1800.0), tensor(0.0), tensor(0.99))[0]) == 1e-7


def air(friction=0.4, resistance=50.0):
    return particle_surfaces.Air(T, P, RHO, tensor(friction), tensor(resistance))


@pytest.mark.parametrize("surface", particle_surfaces.SURFACES)
def test_particles_between_a_tenth_and_two_micrometres_deposit_least(surface):
    """The fine are brought down by diffusion, the coarse by impaction and their fall (Zhang et al. 2001, figure 2)."""
    d = torch.logspace(-8.3, -4.7, 60, dtype=torch.float64)
    ground = particle_surfaces.of(surface, torch.zeros_like(d, dtype=torch.int64), d)
    v = particle_surfaces.velocity(d, torch.full_like(d, 1500.0), air(), ground)
    least = float(d[torch.argmin(v)])
    assert 0.05e-6 < least < 2.5e-6
    fall = particle_motion.fall_speed(d, torch.full_like(d, 1500.0), T, P)
    assert bool((v > fall).all())
    assert float(v[-1]) < float(fall[-1]) + 1.0 / 50.0  # R_a is the least that stands in the way
    assert 1e-5 < float(v.min()) < 2e-3


def test_the_velocity_over_grass_is_that_by_hand():
    """1 um, unit density: E_B = Sc^-0.54, E_IM, E_IN and R_1 of eqs. 5 to 9 in plain numbers."""
    mu, nu = 1.84e-5, 1.84e-5 / 1.184
    slip = 1.164
    v_g = 1000.0 * 1e-12 * 9.80665 * slip / (18 * mu)
    diffusivity = 1.380649e-23 * 298.15 * slip / (3 * np.pi * mu * 1e-6)
    st = v_g * 0.4 / (9.80665 * 2e-3)
    e = (nu / diffusivity) ** -0.54 + (st / (1.2 + st)) ** 2 + 0.5 * (1e-6 / 2e-3) ** 2
    by_hand = v_g + 1.0 / (50.0 + 1.0 / (3.0 * 0.4 * e * np.exp(-np.sqrt(st))))
    ground = particle_surfaces.of("grass", torch.zeros(1, dtype=torch.int64), tensor(1.0))
    got = particle_surfaces.velocity(tensor(1e-6), tensor(1000.0), air(), ground)
    assert float(got) == pytest.approx(by_hand, rel=0.01)


def test_what_leaves_the_air_reaches_the_ground():
    q = tensor(1e-8, 2e-8)
    left, gone = dry.deposited(q, tensor(1e-3, 2.0), RHO, tensor(60.0, 60.0), 600.0)
    torch.testing.assert_close(left * 60.0 + gone, q * 60.0, rtol=1e-14, atol=0.0)
    assert bool((left >= 0.0).all())
    assert float(left[0] / q[0]) == pytest.approx(np.exp(-1e-3 * 1.184 * 600.0 / 60.0))
    with pytest.raises(KeyError, match=r"unknown surface 'moon'.*known: evergreen_needleleaf"):
        particle_surfaces.of("moon", torch.zeros(2, dtype=torch.int64), q)


def test_drops_collect_least_of_the_accumulation_mode():
    """Slinn (1983), a drop of 1 mm: near 1e-2 at 10 nm, below 1e-3 at 0.5 um (the gap), near 1 at 10 um."""
    d = 1e-6 * tensor(0.01, 0.5, 10.0)
    e = rain.collection_efficiency(d, torch.full_like(d, 1000.0), tensor(1e-3), T, P, RHO)
    print("collection efficiency of 0.01, 0.5, 10 um:", e.tolist())
    assert 1e-3 < float(e[0]) < 3e-2 and 1e-5 < float(e[1]) < 1e-3 and 0.5 < float(e[2]) <= 1.0


@pytest.mark.parametrize("density", [1000.0, 1800.0, 2650.0])
def test_what_hits_a_drop_is_scaled_by_its_density(density):
    """Dust of 6 um, a drop of 1 mm: Slinn's terms in plain numbers, the last times (rho_w / rho_p)^1/2."""
    d, drop, mu, nu = 6e-6, 1e-3, 1.835e-5, 1.835e-5 / 1.184
    speed = 9.65 - 10.3 * np.exp(-0.6)
    own = density * d * d * 9.80665 * (1.0 + 2.0 * 0.0651e-6 / d * 1.257) / (18.0 * mu)
    re, st = 0.5 * drop * speed / nu, 2.0 * own / 9.80665 * (speed - own) / drop
    critical = (1.2 + np.log(1.0 + re) / 12.0) / (1.0 + np.log(1.0 + re))
    hit = ((st - critical) / (st - critical + 2.0 / 3.0)) ** 1.5 * np.sqrt(1000.0 / density)
    caught = 4.0 * d / drop * (mu / 1e-3 + (1.0 + 2.0 * np.sqrt(re)) * d / drop)
    got = rain.collection_efficiency(tensor(d), tensor(density), tensor(drop), T, P, RHO)
    assert float(got) == pytest.approx(hit + caught, rel=0.02)


def shower(ends_aloft=False):
    """Four layers of 1 km: rain forms in the uppermost two, falls through the third and evaporates in the lowest."""
    flux = 1e-3 * tensor(0.0 if ends_aloft else 0.6, 1.0, 1.0, 0.4, 0.0)[:, None, None].expand(-1, 2, 1)
    mass = tensor(1100.0, 1000.0, 900.0, 800.0)[:, None, None].expand(-1, 2, 1).contiguous()
    return flux, mass, torch.full_like(mass, 1000.0)


def rain_on(q, taken, collected, kind=rain.stratiform, ends_aloft=False):
    flux, mass, depth = shower(ends_aloft)
    after, ground = rain.fallen(q, kind(flux), rain.of_particles(taken, collected), mass, depth, 600.0)
    return after, ground, mass


@pytest.mark.parametrize("kind", [rain.stratiform, rain.convective])
@pytest.mark.parametrize("ends_aloft", [False, True])
def test_what_rain_takes_out_falls_or_is_given_back(kind, ends_aloft):
    rng = torch.Generator().manual_seed(3)
    q = 1e-8 * torch.rand(3, 4, 2, 1, dtype=torch.float64, generator=rng)
    collected = 0.3 * torch.rand(3, 4, 2, 1, dtype=torch.float64, generator=rng)
    after, ground, mass = rain_on(q, tensor(1.0, 0.5, 0.0), collected, kind, ends_aloft)
    torch.testing.assert_close((after * mass).sum(1) + ground, (q * mass).sum(1), rtol=1e-14, atol=0.0)
    assert bool((after >= 0.0).all()) and bool((ground >= 0.0).all())
    if ends_aloft:
        assert float(ground.abs().max()) == 0.0
        assert bool((after[0, 0] > q[0, 0]).all())  # all is given back where the rain ends
    else:
        assert bool((ground > 0.0).all())


def test_the_share_that_forms_rain_is_the_published_one():
    """Jacob et al. (2000): k = k_min + Q/C, f = Q/(k C), lost f (1 - exp(-k t))."""
    q = torch.full((1, 4, 2, 1), 1e-8, dtype=torch.float64)
    after, _, _ = rain_on(q, tensor(1.0), torch.zeros_like(q))
    made = 0.4e-3 / 1000.0  # kg m-3 s-1 in the uppermost layer
    k = 1e-4 + made / 1e-3
    lost = made / (k * 1e-3) * (1.0 - np.exp(-k * 600.0))
    np.testing.assert_allclose(after[0, 3] / 1e-8, 1.0 - lost, rtol=1e-12)
    np.testing.assert_array_equal(after[0, 1], q[0, 1])  # rain only passes


def test_below_clouds_rain_sweeps_up_what_it_hits():
    q = torch.full((1, 4, 2, 1), 1e-8, dtype=torch.float64)
    none, some = torch.zeros_like(q), torch.full_like(q, 0.8)
    after, _, _ = rain_on(q, tensor(0.0), some)
    assert float(after[0, 3, 0, 0]) == 1e-8  # nothing falls through the top
    assert 0.3e-8 < float(after[0, 1, 0, 0]) < 0.95e-8
    dry, ground, _ = rain_on(q, tensor(0.0), none)
    torch.testing.assert_close(dry, q)
    assert float(ground.abs().max()) == 0.0


def test_every_kind_is_declared_once_and_has_optics():
    assert len(set(species.NAMES)) == len(species.KINDS) == 16
    assert {kind.field for kind in species.KINDS} == {name for s in SIZES for name in names(s)}


def test_the_fine_share_of_dust_and_salt_is_that_below_two_and_a_half_micrometres():
    fine = {kind.name: kind.fine for kind in species.KINDS}
    assert (fine["dust_1"], fine["dust_3"], fine["dust_4"], fine["dust_5"]) == (1.0, 0.0, 0.0, 0.0)
    assert 0.2 < fine["dust_2"] < 0.4 and 0.02 < fine["sea_salt_2"] < 0.3 and fine["sea_salt_1"] == 1.0
