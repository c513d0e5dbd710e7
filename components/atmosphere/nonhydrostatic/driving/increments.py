# SPDX-License-Identifier: BSD-3-Clause
"""Increments from outside, spread over time (incremental analysis updates, Bloom et al. 1996, Mon. Wea. Rev. 124).

Temperature, humidity and wind change at the heights of the layers, pressure in the lowest layer. The pressure above
follows hydrostatically, and with it the mass of every layer: heat alone, at the mass that was there, would be carried
off by the waves that restore the balance.
"""

from collections.abc import Mapping
from typing import Any

import torch

from components.atmosphere.nonhydrostatic.dynamics.balance import pressure_rise
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO, Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import VAPOUR_FACTOR
from components.atmosphere.nonhydrostatic.physics.columns import INNER, columns
from components.atmosphere.nonhydrostatic.physics.sequence import Physics
from components.atmosphere.nonhydrostatic.physics.species import VAPOUR
from components.science.constants import GAMMA
from coupler.fields import FieldSpec

TEMPERATURE = "tendency_of_air_temperature_due_to_data_assimilation"
HUMIDITY = "tendency_of_humidity_mixing_ratio_due_to_data_assimilation"
EASTWARD = "tendency_of_eastward_wind_due_to_data_assimilation"
NORTHWARD = "tendency_of_northward_wind_due_to_data_assimilation"
LAYERS = (TEMPERATURE, HUMIDITY, EASTWARD, NORTHWARD)
PRESSURE = "tendency_of_air_pressure_in_lowest_atmosphere_layer_due_to_data_assimilation"
NAMES = (*LAYERS, PRESSURE)


def fields(levels: int) -> tuple[FieldSpec, ...]:
    """What the exchange brings; none of it must be there.

    Parameters
    ----------
    levels : layers of the model
    """
    layers = tuple(FieldSpec(name, levels=levels, required=False) for name in LAYERS)
    return (*layers, FieldSpec(PRESSURE, required=False))


def remarks(options: Any) -> list[str]:
    """What `check` says where an assimilation and nudging pull against each other.

    Parameters
    ----------
    options : of the atmosphere
    """
    if not options.increments or not options.nudging_wavelength:
        return []
    kept = f"{options.nudging_wavelength / 1e3:g} km within {options.nudging_time / 3600.0:g} h"
    return [
        f"increments: true and nudging_wavelength are both on: nudging draws scales above {kept} back to the driver, "
        "what observations add there too; expected nudging_wavelength: 0 in a run that assimilates"
    ]


def add(
    physics: Physics,
    s: State,
    q: torch.Tensor,
    given: Mapping[str, Any],
    turn: tuple[Any, Any],
    dt: float,
) -> tuple[State, torch.Tensor]:
    """State and tracers after ``dt`` seconds of the tendencies ``given``, halos filled.

    A column that gets nothing keeps its bits. Mixing ratios but that of vapour stay, so that what is carried along
    changes with the mass of dry air.

    Parameters
    ----------
    physics, s, q : of the block, with halos
    given : (nz, ny, nx) by name, K s-1, s-1 and m s-2; of pressure (ny, nx), Pa s-1; a name that is not there changes
        nothing
    turn : (cos, sin) (ny, nx) arrays of the angle from east to the grid's x axis
    """
    g, species = physics.geometry, physics.species
    n = species.number(VAPOUR.name)
    c = columns(g, s, q[n])
    tensor = lambda a: torch.as_tensor(a).to(c.t.device, torch.float64)  # noqa: E731
    rates = {name: tensor(given[name]) if given.get(name) is not None else None for name in NAMES}
    more = {name: torch.zeros_like(c.t[:1 if name == PRESSURE else None], dtype=torch.float64) if rate is None
            else dt * rate for name, rate in rates.items()}  # fmt: skip
    t, p, mass, vapour = (a.double() for a in (c.t, c.p, c.mass, q[n, :, INNER, INNER]))
    moister = torch.where(more[HUMIDITY] == 0.0, vapour, torch.clamp(vapour + more[HUMIDITY], min=0.0))
    # of the density of dry air at the pressure that was there
    thinner = t * (1.0 + VAPOUR_FACTOR * vapour) / ((t + more[TEMPERATURE]) * (1.0 + VAPOUR_FACTOR * moister))
    water = 1.0 + species.water(q)[:, INNER, INNER].double()
    weight = mass * thinner * (water + (moister - vapour))
    rise = pressure_rise(weight - mass * water, weight / p, more[PRESSURE].reshape(p.shape[1:])) / p
    rho, heat, q = s.rho.clone(), s.rtheta.clone(), q.clone()
    rho[:, INNER, INNER] += (mass * ((1.0 + rise) * thinner - 1.0)).to(rho)
    old = (g.rtheta_base + s.rtheta)[:, INNER, INNER].double()
    heat[:, INNER, INNER] += (old * torch.expm1(torch.log1p(rise) / GAMMA)).to(heat)
    q[n, :, INNER, INNER] = moister.to(q)
    physics.halo([rho, heat, q], HALO)
    s = _at_the_same_wind(g, s, rho)._replace(rtheta=heat)
    physics.halo([s.rw], HALO)
    cos, sin = (tensor(a) for a in turn)
    east, north = more[EASTWARD], more[NORTHWARD]
    along, across = east * cos + north * sin, north * cos - east * sin
    return physics.push(s, along.to(c.t), across.to(c.t)), q


def _at_the_same_wind(g: Geometry, s: State, rho: torch.Tensor) -> State:
    """The state with another mass (halos filled) and the wind that it had; halos of its momentum not filled."""
    before, after = ((g.rho_base + a)[:, HALO - 1 : 1 - HALO, HALO - 1 : 1 - HALO] for a in (s.rho, rho))
    ru, rv, rw = (a.clone() for a in s[:3])
    pairs = (
        (ru, lambda m: m[:, 1:-1, 1:] + m[:, 1:-1, :-1]),
        (rv, lambda m: m[:, 1:, 1:-1] + m[:, :-1, 1:-1]),
        (rw, lambda m: (m[1:] + m[:-1])[:, 1:-1, 1:-1]),
    )
    for a, faces in pairs:
        a[:, INNER, INNER] *= faces(after) / faces(before)
    return s._replace(ru=ru, rv=rv, rw=rw, rho=rho)
