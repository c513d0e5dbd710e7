# SPDX-License-Identifier: BSD-3-Clause
"""Increments from outside, spread over time (incremental analysis updates, Bloom et al. 1996, Mon. Wea. Rev. 124)."""

from collections.abc import Mapping
from typing import Any

import torch

from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.atmosphere.nonhydrostatic.physics.columns import INNER, columns, put_back
from components.atmosphere.nonhydrostatic.physics.sequence import Physics
from components.atmosphere.nonhydrostatic.physics.species import VAPOUR

TEMPERATURE = "tendency_of_air_temperature_due_to_data_assimilation"
HUMIDITY = "tendency_of_humidity_mixing_ratio_due_to_data_assimilation"
EASTWARD = "tendency_of_eastward_wind_due_to_data_assimilation"
NORTHWARD = "tendency_of_northward_wind_due_to_data_assimilation"
NAMES = (TEMPERATURE, HUMIDITY, EASTWARD, NORTHWARD)


def add(
    physics: Physics,
    s: State,
    q: torch.Tensor,
    given: Mapping[str, Any],
    turn: tuple[Any, Any],
    dt: float,
) -> tuple[State, torch.Tensor]:
    """State and tracers after ``dt`` seconds of the tendencies ``given``, halos filled; mass stays as it is.

    Parameters
    ----------
    physics, s, q : of the block, with halos
    given : (nz, ny, nx) by name, K s-1, s-1 and m s-2; a name that is not there changes nothing
    turn : (cos, sin) (ny, nx) arrays of the angle from east to the grid's x axis
    """
    species = physics.species
    parts = species.by_name(q[..., INNER, INNER])
    q_v = parts[VAPOUR.name]
    c = columns(physics.geometry, s, q[species.number(VAPOUR.name)])
    tensor = lambda a: torch.as_tensor(a).to(c.t)  # noqa: E731
    rates = {name: tensor(given[name]) if given.get(name) is not None else torch.zeros_like(c.t) for name in NAMES}
    parts[VAPOUR.name] = q_v = torch.clamp(q_v + dt * rates[HUMIDITY], min=0.0)
    theta = c.theta + dt * rates[TEMPERATURE] / c.pi
    before, s_before = q, s
    s, q = put_back(physics.geometry, physics.halo, s, c, theta, species.stacked(parts), q_v)
    s, q = _kept(physics, (s_before, before), (s, q), (rates[TEMPERATURE] == 0.0) & (rates[HUMIDITY] == 0.0))
    cos, sin = (tensor(a) for a in turn)
    east, north = dt * rates[EASTWARD], dt * rates[NORTHWARD]
    return physics.push(s, east * cos + north * sin, north * cos - east * sin), q


def _kept(
    physics: Physics, before: tuple[State, torch.Tensor], after: tuple[State, torch.Tensor], still: torch.Tensor
) -> tuple[State, torch.Tensor]:
    """The state with the old bits where nothing is added: (m theta) / m would differ in the last.

    The gradient is that of adding, there too.
    """
    part = (..., INNER, INNER)
    heat, q = after[0].rtheta.clone(), after[1].clone()
    for new, old in ((heat, before[0].rtheta), (q, before[1])):
        new[part] = new[part] + torch.where(still, (old[part] - new[part]).detach(), 0.0)
    physics.halo([heat, q], HALO)
    return after[0]._replace(rtheta=heat), q
