# SPDX-License-Identifier: BSD-3-Clause
"""The numbers a run of the ocean model is set up with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from components.science.constants import SEA_WATER_DENSITY, SEA_WATER_HEAT_CAPACITY


@dataclass(frozen=True)
class Parameters:
    """Time steps, schemes and coefficients; SI units, temperatures in degC, salinities in g kg-1.

    ``dt``: baroclinic step (s), divided into ``substeps`` barotropic ones. ``barotropic_filter``: `power_law`
    (Shchepetkin and McWilliams 2005) or `none`. ``momentum_advection``: without it the momentum equations are
    linear. ``harmonic_viscosity`` (m2 s-1); ``biharmonic_viscosity`` (m4 s-1), the same everywhere, and with
    ``biharmonic_velocity`` U (m s-1) U D^3 / 12 more, D the root of the cell's area; ``smagorinsky``: coefficient C of
    the harmonic viscosity, 0 for none. ``isoneutral_diffusivity``, ``thickness_diffusivity`` (m2 s-1) and
    ``steepest_slope``: see `isoneutral`; ``overflow_diffusivity`` (m2 s-1): see `overflow`. ``drag_linear`` (m s-1) and
    ``drag_quadratic`` (1): bottom drag.
    ``freshwater_temperature``: rain and rivers bring water at the temperature of the surface; salinity 0; passive
    tracers ``fresh_concentration``. ``edge_nudging``: times (s) in which tracers and baroclinic flow at open edges are
    drawn to the sea outside where waves enter and where they leave, radiating; none: they are those outside.
    ``mixing``: a scheme of `mixing_schemes`, by its word or with options; ``convective_diffusivity`` (m2 s-1): of
    unstable layers with constant mixing, other schemes convect by themselves.
    """

    dt: float
    substeps: int
    barotropic_filter: Literal["power_law", "none"] = "power_law"
    momentum_advection: bool = True
    rho0: float = SEA_WATER_DENSITY
    heat_capacity: float = SEA_WATER_HEAT_CAPACITY
    equation_of_state: Literal["teos10", "linear"] = "teos10"
    alpha: float = 2.0e-4
    beta: float = 7.6e-4
    reference_temperature: float = 10.0
    reference_salinity: float = 35.0
    harmonic_viscosity: float = 0.0
    biharmonic_viscosity: float = 0.0
    biharmonic_velocity: float = 0.0
    smagorinsky: float = 0.0
    lateral_diffusivity: float = 0.0
    isoneutral_diffusivity: float = 0.0
    thickness_diffusivity: float = 0.0
    steepest_slope: float = 4.0e-3
    overflow_diffusivity: float = 0.0
    mixing: str | Mapping[str, Any] = "constant"
    background_viscosity: float = 1.0e-4
    background_diffusivity: float = 1.0e-5
    convective_diffusivity: float = 0.0
    drag_linear: float = 0.0
    drag_quadratic: float = 0.0
    shortwave_type: str = "I"
    freezing_limiter: bool = False
    fresh_concentration: tuple[float, ...] = ()
    edge_nudging: tuple[float, float] | None = None

    def __post_init__(self):
        if self.dt <= 0 or self.substeps < 2:
            raise ValueError(f"dt must be positive and substeps at least 2, not {self.dt} and {self.substeps}")

    @property
    def stirs(self) -> bool:
        """Whether eddies or overflows move tracers."""
        return max(self.isoneutral_diffusivity, self.thickness_diffusivity, self.overflow_diffusivity) > 0.0
