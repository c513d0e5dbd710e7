# SPDX-License-Identifier: BSD-3-Clause
"""What acts on a column from outside: rotation about the geostrophic wind, subsidence, given tendencies."""

import math
from typing import Any

import torch

from components.atmosphere.nonhydrostatic.column.hydrostatic import Column
from components.atmosphere.nonhydrostatic.column.parameters import Case, Profile
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.species import VAPOUR
from components.science.constants import EARTH_ROTATION
from components.science.limited_slopes import limited_slopes


def coriolis(case: Case) -> float:
    """Coriolis parameter, s-1."""
    if case.coriolis_parameter is not None:
        return float(case.coriolis_parameter)
    return 2.0 * EARTH_ROTATION * math.sin(math.radians(case.latitude))


def force(case: Case, a: Column, c: Columns, start: Column, time: float, dt: float) -> Column:
    """The column after ``dt`` seconds of what the case says.

    Parameters
    ----------
    case : its namelist
    a, c : state, and what column physics sees of it
    start : state at the start, to which the wind is drawn where the case says so
    time : s since the start, in the middle of the step
    dt : time step, s

    Notes
    -----
    The rotation is exact over the step. Subsidence is upstream, in advective form, of second order where that makes no
    new extreme.
    """
    f = case.forcing
    z = c.z[:, 0, 0].numpy()

    def at(p: Profile) -> torch.Tensor:
        return torch.as_tensor(p.at(z, time), dtype=torch.float64).reshape(-1, 1, 1)

    u, v, theta, parts = a.u, a.v, a.theta, dict(a.parts)
    if f.geostrophic_eastward_wind is not None or f.geostrophic_northward_wind is not None:
        u_g = 0.0 if f.geostrophic_eastward_wind is None else at(f.geostrophic_eastward_wind)
        v_g = 0.0 if f.geostrophic_northward_wind is None else at(f.geostrophic_northward_wind)
        angle = coriolis(case) * dt
        cos, sin = math.cos(angle), math.sin(angle)
        x, y = u - u_g, v - v_g
        u, v = u_g + cos * x + sin * y, v_g + cos * y - sin * x
    if f.vertical_velocity is not None:
        w = at(f.vertical_velocity)
        u, v, theta = (s + dt * _carried(s, w, c) for s in (u, v, theta))
        parts = {name: q + dt * _carried(q, w, c) for name, q in parts.items()}
    if f.potential_temperature_tendency is not None:
        theta = theta + dt * at(f.potential_temperature_tendency)
    if f.temperature_tendency is not None:
        theta = theta + dt * at(f.temperature_tendency) / c.pi
    if f.specific_humidity_tendency is not None:
        q = parts[VAPOUR.name]
        # of the mixing ratio: dr = dq (1 + r)^2
        parts[VAPOUR.name] = torch.clamp(q + dt * at(f.specific_humidity_tendency) * (1.0 + q) * (1.0 + q), min=0.0)
    if f.wind_relaxation:
        share = -math.expm1(-dt / f.wind_relaxation)
        u, v = u + share * (start.u - u), v + share * (start.v - v)
    return a._replace(u=u, v=v, theta=theta, parts=parts)


def _carried(a: Any, w: torch.Tensor, c: Columns) -> torch.Tensor:
    """-w da/dz, upstream (nz, 1, 1); nothing comes through ground and lid."""
    slope = limited_slopes(a, c.z)
    at_bottom, at_top = (a + slope * (edge - c.z) for edge in (c.z_interface[:-1], c.z_interface[1:]))
    none = torch.zeros_like(a[:1])
    from_above = torch.cat([at_bottom[1:] - at_bottom[:-1], none])
    from_below = torch.cat([none, at_top[1:] - at_top[:-1]])
    return -w * torch.where(w < 0.0, from_above, from_below) / c.dz
