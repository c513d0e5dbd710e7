# SPDX-License-Identifier: BSD-3-Clause
"""What the surface, and whoever looks at the lowest air, gets from the atmosphere."""

import torch

from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.atmosphere.nonhydrostatic.physics.columns import INNER, columns
from components.atmosphere.nonhydrostatic.physics.sequence import centre_wind
from components.radiation.scheme import Radiation, interface_pressure
from components.science.constants import GRAVITY, R_DRY, VIRTUAL

LAPSE = 0.0065  # K m-1, of the reduction to sea level


def surface(
    g: Geometry,
    s: State,
    vapour: torch.Tensor,
    turn: tuple[torch.Tensor, torch.Tensor],
    sky: Radiation | None,
    wet: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
) -> dict[str, torch.Tensor]:
    """Lowest air, pressures, radiation and rain of a block as exports (ny, nx), in double precision.

    Parameters
    ----------
    g, s, vapour : geometry, state and vapour (nz, Y, X; kg per kg of dry air) of the block, with halos
    turn : (cos, sin) (ny, nx) of the angle from east to the grid's x axis, in double precision
    sky : radiation that holds; without, no sunshine and 300 W m-2
    wet : precipitation, rain and snow (ny, nx), kg m-2 s-1
    """
    c = columns(g, s, vapour, lowest=2)
    u, v = centre_wind(g, s)
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
        "precipitation_flux": wet[0],
        "rainfall_flux": wet[1],
        "snowfall_flux": wet[2],
    }
    return {name: a.double() for name, a in out.items()}
