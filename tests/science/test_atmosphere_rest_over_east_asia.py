# SPDX-License-Identifier: BSD-3-Clause
"""An atmosphere at rest over the real East Asian relief stays at rest (after Zaengl 2012, Mon. Wea. Rev. 140, 3722).

The stratification has a strong inversion that the base state does not have, the ground reaches 5300 m and
rises by 1600 m
between neighbouring cells, rotation and map factors are on: what moves is the truncation error of the pressure
gradient, and that of the start's hydrostatic columns, some 7 Pa between neighbouring cells. The flow adjusts to
it within half a day (the inertial period is 18 to 24 hours); after that nothing may grow.
"""

import netCDF4
import numpy as np
import pytest
import torch
from pyproj import CRS, Proj, Transformer
from scipy.interpolate import RegularGridInterpolator

from components.atmosphere.nonhydrostatic.dynamics import (
    base_state,
    diffusion,
    geometry,
    levels,
    tendencies,
    timestep,
)
from components.atmosphere.nonhydrostatic.ideal import initial_state
from components.science.constants import GRAVITY, R_DRY
from components.science.halo import Edges


def east_asia(shared, dx: float, nx: int, ny: int) -> geometry.Geometry:
    """Lambert conformal grid of ``dx`` m with 24 levels over ETOPO relief averaged over each cell."""
    crs = CRS.from_proj4("+proj=lcc +lat_1=25 +lat_2=45 +lat_0=33 +lon_0=112 +R=6371229")
    to_lonlat = Transformer.from_crs(crs, CRS.from_proj4("+proj=longlat +R=6371229"), always_xy=True)
    x, y = np.meshgrid((np.arange(nx) + 0.5 - nx / 2) * dx, (np.arange(ny) + 0.5 - ny / 2) * dx)
    with netCDF4.Dataset(shared / "data/topography/etopo20.cdf") as f:
        rose = f["ROSE"]
        lat, lon = (np.asarray(f[name][:]) for name in rose.dimensions)
        relief = RegularGridInterpolator((lat, lon), np.maximum(np.asarray(rose[:]), 0.0))
    height = np.zeros((ny, nx))
    for a in range(5):
        for b in range(5):
            lo, la = to_lonlat.transform(x + dx * ((a + 0.5) / 5 - 0.5), y + dx * ((b + 0.5) / 5 - 0.5))
            height += relief(np.stack([la, lo], -1)) / 25
    lon, lat = to_lonlat.transform(x, y)
    interfaces = levels.hybrid_heights(
        levels.stretched_levels(24, 24e3, 80.0), levels.smooth_121(torch.tensor(height), 2)
    )
    scale = torch.tensor(Proj(crs).get_factors(lon, lat).meridional_scale)
    f = torch.tensor(2 * 7.292e-5 * np.sin(np.deg2rad(lat)))
    return geometry.build_geometry(
        interfaces, dx, dx, base_state.LogPressure(), map_factor_x=scale, map_factor_y=scale, coriolis=f
    )


def inversion(z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Pressure (Pa) and theta (K) at ``z``: 8 K colder below an inversion at 1200 m, -6.5 K/km.

    Isothermal above 11 km.
    """
    fine = torch.arange(25001, dtype=torch.float64)
    t = torch.where(fine < 11e3, 288.0 - 6.5e-3 * fine, 216.5) - 4.0 * (1.0 - torch.tanh((fine - 1200.0) / 400.0))
    weight = GRAVITY / (R_DRY * t)
    log_p = torch.cat([torch.zeros(1, dtype=torch.float64), -torch.cumsum(0.5 * (weight[1:] + weight[:-1]), 0)])
    i = z.clamp(0, 24999).long()
    part = z - i
    log_p, t = (field[i] * (1 - part) + field[i + 1] * part for field in (log_p, t))
    p = 101000.0 * torch.exp(log_p)
    return p, t * (1.0e5 / p) ** (2.0 / 7.0)


def largest_w(g: geometry.Geometry, dt: float, hours: list[float], smagorinsky: float = 0.0) -> list[float]:
    """Largest abs(w) in m/s at each of ``hours``."""
    torch.set_num_threads(1)
    core = timestep.Dynamics(g, timestep.Options(damping_depth=6000.0), Edges("wall", "wall", "wall", "wall"))
    p, theta = inversion(g.z)
    state = initial_state.resting_state(g, theta, p[0])
    core.halo(list(state), geometry.HALO)
    core.rest(state)
    out, n = [], 0
    for hour in hours:
        while (n + 1) * dt <= hour * 3600 + 1e-6:
            d = core.diagnose(state)
            mixing = (
                diffusion.diffuse(g, state, d, diffusion.smagorinsky_2d(g, d, smagorinsky)) if smagorinsky else None
            )
            state, _ = core.step(state, dt, forcing=mixing, diagnosed=d)
            n += 1
        out.append(float(tendencies.diagnose(g, state).w[1:-1, 3:-3, 3:-3].abs().max()))
    print(g.nx, dt, out)
    return out


def test_rest_beside_the_high_ground_at_100_km_12_hours(shared):
    """4200 km by 3000 km around the middle: the plateau's eastern edge, and the greatest steps of the relief."""
    w = largest_w(east_asia(shared, 100e3, 42, 30), 400.0, [2, 4, 6, 9, 12])
    assert max(w) < 0.02
    assert w[-1] < 1.5 * max(w[:3])


@pytest.mark.slow
def test_rest_over_east_asia_100_km_24_hours(shared):
    w = largest_w(east_asia(shared, 100e3, 70, 50), 400.0, [2, 6, 12, 18, 24])
    assert max(w) < 0.02
    assert w[-1] < 1.5 * max(w[:3])


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nothing_grows_in_60_hours_at_100_km(shared):
    """No mixing at all: a gradient that does no work on winds up and down the slopes had 7 m/s of them after 60 h."""
    w = largest_w(east_asia(shared, 100e3, 70, 50), 400.0, [6, 12, 18, 24, 30, 36, 42, 48, 54, 60])
    assert max(w) < 0.025
    assert max(w[-3:]) < 1.2 * max(w[:5])


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_rest_over_east_asia_50_km_48_hours(shared):
    """With the model's horizontal mixing."""
    w = largest_w(east_asia(shared, 50e3, 140, 100), 240.0, [6, 12, 18, 24, 30, 36, 42, 48], smagorinsky=0.25)
    assert max(w) < 0.1
    assert max(w[-3:]) < 1.2 * max(w[:4])


def test_rest_in_the_base_state_stays_exactly_at_rest(shared):
    g = east_asia(shared, 100e3, 70, 50)
    core = timestep.Dynamics(g, timestep.Options(), Edges("wall", "wall", "wall", "wall"))
    zero = torch.zeros_like(g.dz)
    state = initial_state.with_wind(g, zero, zero.clone(), 0.0, 0.0)
    for _ in range(3):
        state, _ = core.step(state, 400.0)
    assert all(float(a.abs().max()) == 0.0 for a in state)
