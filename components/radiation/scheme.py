# SPDX-License-Identifier: BSD-3-Clause
"""What every radiation scheme takes and gives."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from components.science.constants import CP_DRY, GRAVITY, STEFAN_BOLTZMANN


class Air(NamedTuple):
    """Columns that radiation sees, lowest layer first; layers (nz, y, x), interfaces (nz+1, y, x), planes (y, x).

    Attributes
    ----------
    t : temperature of the layers, K
    q_v, cloud, ice : vapour, cloud water and cloud ice, kg per kg of dry air
    p, p_interface : pressure of layers and interfaces, Pa
    t_surface, albedo : radiating temperature of the ground (K) and its shortwave albedo
    mu : cosine of the solar zenith angle, 0 at night
    distance : (mean / actual distance of the sun)^2
    snow : snow, and graupel as far as it is seen like snow, kg per kg of dry air; none if not given
    fraction : part of each layer that clouds fill; without, all of it or nothing
    latitude : (y, x) degrees north; with it ozone and what is above the lid are those of the place and season
    day : since 2000 began, fractional
    column : (y, x) whole numbers of the columns in the whole grid, from which and from the day sampling schemes draw
    emissivity : (y, x) of the ground in the longwave; black if not given
    ozone : (nz, y, x) mole fraction; a climatology's if not given
    """

    t: torch.Tensor
    q_v: torch.Tensor
    cloud: torch.Tensor
    ice: torch.Tensor
    p: torch.Tensor
    p_interface: torch.Tensor
    t_surface: torch.Tensor
    albedo: torch.Tensor
    mu: torch.Tensor
    distance: float = 1.0
    latitude: torch.Tensor | None = None
    day: float = 0.0
    snow: torch.Tensor | None = None
    fraction: torch.Tensor | None = None
    column: torch.Tensor | None = None
    emissivity: torch.Tensor | None = None
    ozone: torch.Tensor | None = None

    def emitted(self) -> torch.Tensor:
        """Longwave that the ground emits (y, x), W m-2; what it reflects comes on top."""
        t2 = self.t_surface * self.t_surface
        black = STEFAN_BOLTZMANN * t2 * t2
        return black if self.emissivity is None else self.emissivity * black

    def without_clouds(self) -> "Air":
        """The same columns with neither clouds nor snow."""
        none = torch.zeros_like(self.cloud)
        return self._replace(cloud=none, ice=none, snow=None, fraction=None)

    def each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> "Air":
        """The same columns with ``change`` applied to every array."""
        given = self._asdict().items()
        changed: dict[str, Any] = {name: change(a) for name, a in given if isinstance(a, torch.Tensor)}
        return self._replace(**changed)


class Radiation(NamedTuple):
    """Heating (nz, y, x) K s-1 of temperature; fluxes (y, x) W m-2.

    Attributes
    ----------
    heating : of the air
    shortwave_down, longwave_down : at the ground
    shortwave_up, longwave_up : at the ground
    outgoing_longwave, reflected_shortwave, insolation : at the top
    lid : net downward flux of both through the highest interface of the given columns; if not given, it follows
    passing : (nz+1, y, x) share of a change of the ground's longwave that passes each interface; if not given, the
        gray scheme's
    """

    heating: torch.Tensor
    shortwave_down: torch.Tensor
    longwave_down: torch.Tensor
    shortwave_up: torch.Tensor
    longwave_up: torch.Tensor
    outgoing_longwave: torch.Tensor
    reflected_shortwave: torch.Tensor
    insolation: torch.Tensor
    lid: torch.Tensor | None = None
    passing: torch.Tensor | None = None

    def each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> "Radiation":
        """The same with ``change`` applied to every array."""
        changed: dict[str, Any] = {name: change(a) for name, a in self._asdict().items() if a is not None}
        return self._replace(**changed)


def heating_rate(net_up: torch.Tensor, p_interface: torch.Tensor) -> torch.Tensor:
    """Heating (nz, ...) K s-1 from the net upward flux (nz+1, ...) W m-2: g/c_p dF/dp, so that energy is conserved.

    Parameters
    ----------
    net_up : (nz+1, ...) W m-2
    p_interface : (nz+1, ...) Pa, falling
    """
    return GRAVITY / CP_DRY * (net_up[:-1] - net_up[1:]) / (p_interface[:-1] - p_interface[1:])


def interface_pressure(p: torch.Tensor, rho: torch.Tensor, dz: torch.Tensor) -> torch.Tensor:
    """Pressure (nz+1, ...) at interfaces from that of layer centres, hydrostatically at the ends, Pa.

    Parameters
    ----------
    p : (nz, ...) pressure of the layers, Pa
    rho : (nz, ...) density of the air, kg m-3
    dz : (nz, ...) thickness of the layers, m
    """
    ground = p[:1] + 0.5 * GRAVITY * (rho * dz)[:1]
    top = torch.clamp(p[-1:] - 0.5 * GRAVITY * (rho * dz)[-1:], min=1.0)
    return torch.cat([ground, torch.sqrt(p[1:] * p[:-1]), top])
