# SPDX-License-Identifier: BSD-3-Clause
"""Mass of a domain driven at its sides: winds that converge none, and a mean that stays at the driver's.

With the sides held the dry mass must stay, and what holds it must move no air.
"""

import numpy as np
import pytest
import torch

from components.atmosphere.nonhydrostatic.component import NonhydrostaticAtmosphere
from components.atmosphere.nonhydrostatic.driving import column_flow
from components.atmosphere.nonhydrostatic.dynamics import tendencies
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.science.constants import GRAVITY
from tests.mpi.atmosphere_ranks import context

INNER = slice(H, -H)
DRY = {"radiation": "none", "microphysics": "none", "convection": "none", "boundary_layer": "none"}


def convergence(g, s):
    """Convergence of mass in columns (ny, nx), kg m-2 s-1."""
    out_u = s.ru[:, INNER, INNER].double().sum(0) * g.length_u[INNER, INNER]
    out_v = s.rv[:, INNER, INNER].double().sum(0) * g.length_v[INNER, INNER]
    return (out_u[:, :-1] - out_u[:, 1:] + out_v[:-1] - out_v[1:]) * g.inverse_area[INNER, INNER]


@pytest.fixture(scope="module")
def era5(shared):
    """The atmosphere at its start from ERA5, 200 km, double precision, without physics."""
    driver = str(shared / "data/atmosphere/era5_tl31_19590102T00.nc")
    air = NonhydrostaticAtmosphere(NonhydrostaticAtmosphere.Options(driver=[driver], precision="double", **DRY))
    air.initialize(context())
    return air


def test_the_start_converges_no_mass_and_its_winds_are_nearly_the_drivers(era5):
    raw = era5.sides.source.start(era5.sides.place)
    s, _ = era5.state_of(raw)
    hour = 3600.0 * GRAVITY / 100.0  # kg m-2 s-1 to hPa/h
    before, after = (float(convergence(era5.geometry, a).std()) * hour for a in (s, era5.s))
    mass = s.ru * 0.0 + era5.geometry.rho_base.mean(dim=(1, 2), keepdim=True)
    change = ((era5.s.ru - s.ru) / mass)[:, INNER, INNER]
    print(f"convergence {before:.2f} -> {after:.1e} hPa/h by changes of u of {float(change.std()):.2f} m/s")
    assert before > 0.5
    assert after < 1e-9
    assert float(change.std()) < 0.5


def test_columns_gain_what_is_asked_for(era5):
    g, core, c = era5.geometry, era5.core, era5.context
    gain = 1e-3 * torch.sin(torch.arange(g.ny * g.nx, dtype=torch.float64)).reshape(g.ny, g.nx)
    s = column_flow.balance_columns(era5.s, g, core.edges, core.halo, c.gather, c.scatter, gain)
    np.testing.assert_allclose(convergence(g, s), gain, atol=1e-12)


def test_the_shift_changes_the_mass_and_pushes_no_air(era5):
    """1 hPa by the shift beside one tenth of a per cent more mass and heat everywhere, on air without wind."""
    g, core, q = era5.geometry, era5.core, era5.q[0]
    s = era5.s._replace(ru=torch.zeros_like(era5.s.ru), rv=torch.zeros_like(era5.s.rv))

    def forces(a):
        d, m = core.diagnose(a), g.rho_base + a.rho
        west, lower = m[:, INNER, H : 1 - H] + m[:, INNER, H - 1 : -H], (m[1:] + m[:-1])[:, INNER, INNER]
        return 2 * tendencies.u_tendency(g, a, d, q, core.resting[0]) / west, 2 * tendencies.w_tendency(
            g, a, d, q
        ) / lower

    shifted = era5.mass.shifted(s, 100.0 / 350000.0)  # dp = c_p rho theta dPi: about 350000 kg m-3 J kg-1 at the ground
    fuller = s._replace(rho=s.rho + 0.001 * (g.rho_base + s.rho), rtheta=s.rtheta + 0.001 * (g.rtheta_base + s.rtheta))
    rise = float(era5.mass.mean(shifted, era5.q[0]) - era5.mass.mean(s, era5.q[0]))
    (u, w), (u_shift, w_shift), (u_full, _) = forces(s), forces(shifted), forces(fuller)
    ours, theirs = float((u_shift - u).std()), float((u_full - u).std())
    print(f"{rise:.0f} Pa; force {ours:.1e}, by filling layers alike {theirs:.1e}, in all {float(u.std()):.1e} m/s2")
    assert 80.0 < rise < 100.0
    assert ours < 0.05 * theirs
    assert float((w_shift - w).abs().max()) < 1e-4


def test_twelve_hours_with_held_sides_keep_the_dry_mass(era5, shared):
    """The same run without the constraint takes in mass: that is what it must stop, without changing the wind."""
    driver = str(shared / "data/atmosphere/era5_tl31_19590102T00.nc")

    def twelve_hours(held):
        air = NonhydrostaticAtmosphere(NonhydrostaticAtmosphere.Options(driver=[driver], **DRY))
        first = air.initialize(context())["surface_air_pressure"].mean()
        before = float(air.mass.mean(air.s, air.q[0]))
        if not held:
            air.mass.hold = lambda s, water, shift, driver, time, added: (s, shift)
        for n in range(72):
            last = air.step(600 * n, 600, {})["surface_air_pressure"].mean()
        mass = air.geometry.rho_base + air.s.rho
        u = air.s.ru[:, INNER, INNER] * 2.0 / (mass[:, INNER, H : 1 - H] + mass[:, INNER, H - 1 : -H])
        return last - first, float(air.mass.mean(air.s, air.q[0])) - before, u

    held, free = twelve_hours(True), twelve_hours(False)
    apart = float((held[2] - free[2]).double().square().mean().sqrt())
    print(
        f"pressure {held[0]:.1f} Pa held, {free[0]:.1f} free; dry {held[1]:.3f}, {free[1]:.1f}; winds {apart:.3f} m/s"
    )
    assert abs(held[1]) < 0.1
    assert free[1] > 30.0
    assert abs(held[0]) < 50.0
    assert apart < 0.1
