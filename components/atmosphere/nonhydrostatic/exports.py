# SPDX-License-Identifier: BSD-3-Clause
"""What the surface, and whoever looks at the lowest air, gets from the atmosphere."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
import torch

from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.atmosphere.nonhydrostatic.physics.columns import INNER, columns
from components.atmosphere.nonhydrostatic.physics.interfaces import Fluxes
from components.atmosphere.nonhydrostatic.physics.sequence import centre_wind
from components.atmosphere.nonhydrostatic.physics.species import VAPOUR
from components.radiation.scheme import Radiation, interface_pressure
from components.science import pressure_levels
from components.science.constants import GRAVITY, R_DRY, VIRTUAL
from components.science.pressure_levels import LAPSE
from components.science.surface_profiles import LowestAir, below
from components.science.tracers import Species

LAYER_WIND = ("eastward_wind_in_atmosphere_layer", "northward_wind_in_atmosphere_layer")
NEAR_GROUND = {
    "air_temperature_at_2m": "K",
    "specific_humidity_at_2m": "kg kg-1",
    "eastward_wind_at_10m": "m s-1",
    "northward_wind_at_10m": "m s-1",
}
"""What stations measure, and its units."""
DIAGNOSTICS = {
    "toa_outgoing_longwave_flux": "W m-2",
    "atmosphere_mass_content_of_water_vapor": "kg m-2",
    "largest_upward_air_velocity": "m s-1",
    "column_water_residual": "kg m-2 s-1",
    "column_energy_residual": "W m-2",
    "column_dry_air_increment": "kg m-2 s-1",
    "column_water_increment": "kg m-2 s-1",
    "column_energy_increment": "W m-2",
    **NEAR_GROUND,
}
"""What output may hold beside the exports, whatever the options, and its units."""
PRESSURE_LEVELS = (850, 700, 500, 300, 200)
"""hPa, unless the namelist says others."""
ON_PRESSURE = {
    "geopotential_height": "m",
    "air_temperature": "K",
    "specific_humidity": "kg kg-1",
    "eastward_wind": "m s-1",
    "northward_wind": "m s-1",
}
"""What is given on pressure levels, and its units."""


def surface(
    g: Geometry,
    s: State,
    vapour: torch.Tensor,
    turn: tuple[torch.Tensor, torch.Tensor],
    sky: Radiation | None,
    wet: tuple[torch.Tensor, torch.Tensor],
) -> dict[str, torch.Tensor]:
    """Lowest air, pressures, radiation and rain of a block as exports (ny, nx), in double precision.

    Parameters
    ----------
    g, s, vapour : geometry, state and vapour (nz, Y, X; kg per kg of dry air) of the block, with halos
    turn : (cos, sin) (ny, nx) of the angle from east to the grid's x axis, in double precision
    sky : radiation that holds; without, no sunshine and 300 W m-2
    wet : rain and snow (ny, nx), kg m-2 s-1
    """
    c = columns(g, s, vapour, lowest=2)
    u, v = centre_wind(g, s, lowest=1)
    q_v = vapour[:2, INNER, INNER]
    pressure = interface_pressure(c.p, c.rho * (1.0 + q_v), c.dz)[0]
    virtual = c.t[0] * (1.0 + VIRTUAL * q_v[0])
    z_0 = c.z_interface[0]
    sea = pressure * torch.exp(GRAVITY * z_0 / (R_DRY * (virtual + 0.5 * LAPSE * z_0)))
    east, north = u[0].double(), v[0].double()
    cos, sin = turn
    none = torch.zeros_like(east)
    out = {
        "air_temperature": c.t[0],
        "specific_humidity": q_v[0] / (1.0 + q_v[0]),
        "eastward_wind": east * cos - north * sin,
        "northward_wind": east * sin + north * cos,
        "height": c.z[0] - z_0,
        "surface_air_pressure": pressure,
        "air_pressure_at_mean_sea_level": sea,
        "surface_downwelling_shortwave_flux_in_air": none if sky is None else sky.shortwave_down,
        "surface_downwelling_longwave_flux_in_air": none + 300.0 if sky is None else sky.longwave_down,
        "precipitation_flux": wet[0].double() + wet[1].double(),  # of single numbers: more digits than these have
        "rainfall_flux": wet[0],
        "snowfall_flux": wet[1],
    }
    return {name: a.double() for name, a in out.items()}


def near_ground(
    g: Geometry,
    s: State,
    vapour: torch.Tensor,
    turn: tuple[torch.Tensor, torch.Tensor],
    fluxes: Fluxes | None,
    ground: torch.Tensor,
) -> dict[str, torch.Tensor]:
    """What stations measure: air at 2 m and wind at 10 m (ny, nx), in double precision; see `surface_profiles`.

    Parameters
    ----------
    g, s, vapour, turn : as of `surface`
    fluxes : through the ground, along the grid's axes; None: none, so that the air is mixed down to the ground
    ground : temperature of the ground (ny, nx), K
    """
    c = columns(g, s, vapour, lowest=2)
    u, v = centre_wind(g, s, lowest=1)
    q_v = vapour[0, INNER, INNER]
    none = torch.zeros_like(q_v)
    heat, water, x, y = (none, none, none, none) if fluxes is None else fluxes
    air = LowestAir(
        u[0], v[0], c.t[0], q_v / (1.0 + q_v), c.rho[0] * (1.0 + q_v), c.z[0] - c.z_interface[0], heat, water, x, y,
        ground,
    )  # fmt: skip
    air = LowestAir(*(a.double() for a in air))
    _, _, t, q = below(air, 2.0)
    x, y, _, _ = below(air, 10.0)
    cos, sin = turn
    return dict(zip(NEAR_GROUND, (t, q, x * cos - y * sin, x * sin + y * cos), strict=True))


def columns_of(
    g: Geometry, s: State, q: torch.Tensor, species: Species, passive: Sequence[str]
) -> dict[str, torch.Tensor]:
    """Column vapour (kg m-2), largest updraught (m s-1), ``passive`` tracers and their columns, by their names.

    Parameters
    ----------
    g, s, q : geometry, state and tracers (n, nz, Y, X) of the block, with halos
    species : the tracers
    passive : names of those that are asked for
    """
    tracers = species.by_name(q[..., INNER, INNER])
    mass = (g.rho_base + s.rho)[:, INNER, INNER]
    w = s.rw[:, INNER, INNER] * 2.0 / (mass[1:] + mass[:-1])
    out = {
        "atmosphere_mass_content_of_water_vapor": (mass * tracers[VAPOUR.name]).cumsum(0)[-1],
        "largest_upward_air_velocity": w.amax(0),
    }
    for name in passive:
        out[name] = tracers[name]
        out[f"atmosphere_mass_content_of_{name}"] = (mass * tracers[name]).cumsum(0)[-1]
    return out


def layer_winds(g: Geometry, s: State, turn: tuple[torch.Tensor, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Eastward and northward wind of the layers (nz, ny, nx), in double precision, m s-1.

    Parameters
    ----------
    g, s : geometry and state of the block, with halos
    turn : (cos, sin) (ny, nx) of the angle from east to the grid's x axis, in double precision
    """
    along, across = (a.double() for a in centre_wind(g, s))
    cos, sin = turn
    return dict(zip(LAYER_WIND, (along * cos - across * sin, along * sin + across * cos), strict=True))


def pressure_units(levels: Sequence[float]) -> dict[str, str]:
    """Names of what is given on pressure levels (hPa), and their units."""
    return {f"{name}_at_{level:g}hPa": units for level in levels for name, units in ON_PRESSURE.items()}


class OnPressure(Mapping[str, np.ndarray]):
    """Height, temperature, humidity and wind on pressure levels (ny, nx), in double precision; see `pressure_levels`.

    Nothing is computed before the first of them is asked for.

    Parameters
    ----------
    g, s, vapour, turn : as of `surface`
    levels : hPa
    """

    def __init__(
        self,
        g: Geometry,
        s: State,
        vapour: torch.Tensor,
        turn: tuple[torch.Tensor, torch.Tensor],
        levels: Sequence[float],
    ):
        self._air, self._levels, self._units = (g, s, vapour, turn), levels, pressure_units(levels)

    @cached_property
    def _fields(self) -> dict[str, np.ndarray]:
        g, s, vapour, turn = self._air
        c = columns(g, s, vapour)
        q_v = vapour[:, INNER, INNER]
        wind = layer_winds(g, s, turn).values()
        air = pressure_levels.Columns(*(a.double() for a in (c.p, c.z, c.t, q_v / (1.0 + q_v), *wind)))
        seen = pressure_levels.on_levels(air, [100.0 * level for level in self._levels])
        by_level = zip(*(a.detach().cpu().numpy() for a in (seen.z, seen.t, seen.q, seen.u, seen.v)), strict=True)
        return dict(zip(self._units, itertools.chain.from_iterable(by_level), strict=True))

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._units:
            raise KeyError(name)
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._units)

    def __len__(self) -> int:
        return len(self._units)
