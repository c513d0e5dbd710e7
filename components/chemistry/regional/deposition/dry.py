# SPDX-License-Identifier: BSD-3-Clause
"""Dry deposition of gases and particles: one turbulence above each surface of a cell, and its mean over them.

v_d = 1 / (r_a + r_b + r_c) of gases, v_d = v_fall + 1 / (r_a + r_s) of particles: r_a of the turbulence between the
ground and a height within the surface layer (from its bulk coefficients; where the air is stable by similarity, with a
stability that is bounded), r_b = 2 / (k u*) (Sc / Pr)^(2/3) of the air on it (Hicks
et al. 1987, Water Air Soil Pollut. 36, 311), r_c of `gas_surfaces` and r_s of `particle_surfaces`.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from components.chemistry.regional.deposition import particle_surfaces
from components.chemistry.regional.deposition.gas_surfaces import GASES, LAND_USES, SPECIES, surface_resistance
from components.chemistry.regional.deposition.land_cover import Cover, Surface
from components.science.constants import VON_KARMAN, ZERO_CELSIUS
from components.science.surface_layer import bulk_richardson, referred_to_ground, transfer_coefficients

RAINING = 1.0e-5  # kg m-2 s-1, above which leaves are wet
AIR_VISCOSITY, PRANDTL = 1.33e-5, 0.72  # kinematic, m2 s-1 at 0 degC; of heat
LEAST = 1.0  # s m-1, of r_c
SURFACE_LAYER = 100.0  # m, a tenth of a boundary layer of 1 km (Stull 1988, ch. 1)
STABLE = 5.0  # of the log-linear profile (Dyer 1974, Boundary-Layer Meteorol. 7, 363), which holds to z/L = 1


class Ground(NamedTuple):
    """The surface and the lowest air, (ny, nx).

    Attributes
    ----------
    wind : speed in the lowest layer, m s-1, above 0
    height : of that above the ground, m
    air, pressure, density : temperature, K, pressure, Pa, and density of dry air, kg m-3, there
    temperature : of the surface, K
    sunlight : W m-2
    rain : kg m-2 s-1
    season : number
    cover : what lies there
    """

    wind: Tensor
    height: Tensor
    air: Tensor
    pressure: Tensor
    density: Tensor
    temperature: Tensor
    sunlight: Tensor
    rain: Tensor
    season: Tensor
    cover: Cover

    def turbulence(self, surface: Surface) -> tuple[Tensor, Tensor]:
        """Resistance r_a of the surface layer, s m-1, and friction velocity u*, m s-1.

        A lowest layer that reaches beyond the surface layer is brought down into it: its wind by the logarithm of the
        height; its temperature by the height where the air is stratified, not at all where it is mixed.

        Parameters
        ----------
        surface : with its roughness
        """
        height, z_0, wind, richardson = self._surface_layer(surface)
        c_m, c_h = transfer_coefficients(richardson, height, z_0)
        u_star = torch.sqrt(c_m) * wind
        profile = torch.log(height / z_0) + STABLE * torch.clamp(_over_length(richardson, c_m, c_h), max=1.0)
        return torch.where(richardson > 0.0, profile / (VON_KARMAN * u_star), 1.0 / (c_h * wind)), u_star

    def stability(self, surface: Surface) -> Tensor:
        """z/L at the height that `turbulence` is of, below 0 where the air is mixed.

        Parameters
        ----------
        surface : with its roughness
        """
        height, z_0, _, richardson = self._surface_layer(surface)
        return _over_length(richardson, *transfer_coefficients(richardson, height, z_0))

    def _surface_layer(self, surface: Surface) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Height (m) within the surface layer, roughness (m), the wind at that height (m s-1), and bulk Richardson."""
        z_0 = torch.full_like(self.wind, surface.roughness)
        middle = torch.maximum(self.height, 2.0 * z_0)
        height = torch.clamp(middle, max=SURFACE_LAYER)
        wind = self.wind * (torch.log(height / z_0) / torch.log(middle / z_0))
        theta = referred_to_ground(self.air, middle)
        warmer = torch.clamp(theta - self.temperature, min=0.0)
        theta = theta - warmer * (1.0 - height / middle)
        return height, z_0, wind, bulk_richardson(theta, self.temperature, wind, height)


def _over_length(richardson: Tensor, c_m: Tensor, c_h: Tensor) -> Tensor:
    """z/L of the fluxes that these coefficients give."""
    return VON_KARMAN * richardson * c_h / (c_m * torch.sqrt(c_m))


def gas_velocities(names: tuple[str, ...], ground: Ground) -> dict[str, Tensor]:
    """Deposition velocities (ny, nx) in m s-1 of those of the species that are deposited.

    Parameters
    ----------
    names : species
    ground : surface and lowest air
    """
    # of water vapour, m2 s-1; small powers by products (Massman 1998: exponent 1.81)
    warmth = torch.exp(1.81 * torch.log(ground.air / ZERO_CELSIUS))
    vapour = 2.178e-5 * warmth
    dry = torch.zeros_like(ground.season, dtype=torch.bool)
    wet = ground.rain > RAINING
    gases = dict.fromkeys(SPECIES[name] for name in names if name in SPECIES)
    by_surface: dict[str, list[Tensor]] = {gas: [] for gas in gases}
    for surface in ground.cover.surfaces:
        r_a, u_star = ground.turbulence(surface)
        use = torch.full_like(ground.season, LAND_USES.index(surface.land_use))
        for gas in gases:
            ratio = AIR_VISCOSITY * warmth * GASES[gas].diffusivity / (PRANDTL * vapour)
            r_b = 2.0 / (VON_KARMAN * u_star) * torch.exp(2.0 / 3.0 * torch.log(ratio))
            r_c = surface_resistance(gas, ground.sunlight, ground.temperature, ground.season, use, dry, wet)
            by_surface[gas].append(1.0 / (r_a + r_b + torch.clamp(r_c, min=LEAST)))
    mean = {gas: ground.cover.mean(values) for gas, values in by_surface.items()}
    return {name: mean[SPECIES[name]] for name in names if name in SPECIES}


def particle_velocities(diameters: list[Tensor], densities: list[Tensor], ground: Ground) -> list[Tensor]:
    """Deposition velocities (ny, nx) in m s-1 with the fall, of particles of each kind.

    Parameters
    ----------
    diameters, densities : (ny, nx) of each kind as it is, m and kg m-3
    ground : surface and lowest air
    """
    by_kind: list[list[Tensor]] = [[] for _ in diameters]
    for surface in ground.cover.surfaces:
        r_a, u_star = ground.turbulence(surface)
        lowest = particle_surfaces.Air(ground.air, ground.pressure, ground.density, u_star, r_a)
        below = particle_surfaces.of(surface.particles, ground.season, ground.wind)
        for values, diameter, density in zip(by_kind, diameters, densities, strict=True):
            values.append(particle_surfaces.velocity(diameter, density, lowest, below))
    return [ground.cover.mean(values) for values in by_kind]


def deposited(q: Tensor, velocity: Tensor, density: Tensor, mass: Tensor, seconds: float) -> tuple[Tensor, Tensor]:
    """What is left in the lowest layer, and what went to the ground (times kg m-2); exact, never below 0.

    Parameters
    ----------
    q : mixing ratio in the lowest layer
    velocity : of deposition, m s-1
    density, mass : of dry air, kg m-3, and in the layer, kg m-2
    seconds : time step, s
    """
    gone = -q * torch.expm1(-velocity * density * seconds / mass)
    return q - gone, gone * mass
