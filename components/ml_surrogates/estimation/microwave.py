# SPDX-License-Identifier: BSD-3-Clause
"""Brightness temperature of moist soil under plants: permittivity, Fresnel's reflectivity and the tau-omega model.

Differentiable in water, temperature, optical depth and roughness.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from components.science.constants import ZERO_CELSIUS

VACUUM = 8.854e-12  # F m-1, permittivity of free space
SOLIDS = 2.66  # g cm-3, density of the grains (Dobson et al. 1985)
HIGH = 4.9  # permittivity of water far above its relaxation (Lane & Saxton 1952)
SHAPE = 0.65  # alpha (Dobson et al. 1985)
LEAST_WATER = 1e-3  # below it, the conductivity's term of the mixing formula has no limit


class Soil(NamedTuple):
    """What a soil is made of.

    Attributes
    ----------
    sand, clay : mass fractions
    bulk_density : of the dry soil, g cm-3, as the formulae have it
    """

    sand: float | Tensor
    clay: float | Tensor
    bulk_density: float | Tensor = 1.3


class Cover(NamedTuple):
    """What lies above and at the surface.

    Attributes
    ----------
    depth : tau, optical depth of the plants at nadir
    albedo : omega, of single scattering
    roughness : h of the surface
    """

    depth: float | Tensor = 0.0
    albedo: float | Tensor = 0.0
    roughness: float | Tensor = 0.0


def water_permittivity(frequency: float, temperature: Tensor) -> tuple[Tensor, Tensor]:
    """Real part and loss of pure water (Debye), static value and relaxation by Klein & Swift (1977) and Stogryn (1971).

    Parameters
    ----------
    frequency : Hz
    temperature : K
    """
    t = temperature - ZERO_CELSIUS
    static = 87.134 + t * (-0.1949 + t * (-0.01276 + t * 2.491e-4))
    turn = frequency * (1.1109e-10 + t * (-3.824e-12 + t * (6.938e-14 - t * 5.096e-16)))
    real = HIGH + (static - HIGH) / (1.0 + turn * turn)
    return real, turn * (static - HIGH) / (1.0 + turn * turn)


def soil_permittivity(frequency: float, water: Tensor, temperature: Tensor, soil: Soil) -> tuple[Tensor, Tensor]:
    """Real part and loss of moist soil (Dobson et al. 1985), conductivity by Peplinski et al. (1995, eq. 8), from 0 on.

    Parameters
    ----------
    frequency : Hz, 1.4 to 18e9
    water : liquid, volume fraction
    temperature : K
    soil : of which it is made
    """
    sand, clay, dense = (torch.as_tensor(a).to(water) for a in soil)
    m = torch.clamp(water, min=LEAST_WATER)
    real, loss = water_permittivity(frequency, temperature)
    conductivity = torch.clamp(-1.645 + 1.939 * dense - 2.25622 * sand + 1.594 * clay, min=0.0)
    loss = loss + conductivity / (2.0 * torch.pi * VACUUM * frequency) * (SOLIDS - dense) / (SOLIDS * m)
    grains = (1.01 + 0.44 * SOLIDS) ** 2 - 0.062
    beta_real = 1.2748 - 0.519 * sand - 0.152 * clay
    beta_loss = 1.33797 - 0.603 * sand - 0.166 * clay
    mixed = 1.0 + dense / SOLIDS * (grains**SHAPE - 1.0) + _power(m, beta_real) * _power(real, SHAPE) - m
    return _power(mixed, 1.0 / SHAPE), _power(_power(m, beta_loss) * _power(loss, SHAPE), 1.0 / SHAPE)


def _power(a: Tensor, b: Tensor | float) -> Tensor:
    """a^b with the same bits on a block as on the whole."""
    return torch.exp(b * torch.log(a))


def fresnel(real: Tensor, loss: Tensor, angle: float) -> tuple[Tensor, Tensor]:
    """Reflectivity of a flat surface, horizontal and vertical polarisation.

    Parameters
    ----------
    real, loss : permittivity of what lies below
    angle : from the vertical, degrees
    """
    theta = torch.deg2rad(torch.tensor(angle, dtype=real.dtype, device=real.device))
    cos, sin = torch.cos(theta), torch.sin(theta)
    # n = a - i b with n^2 = eps - sin^2, in real numbers
    x = real - sin * sin
    size = torch.sqrt(x * x + loss * loss)
    a, b = torch.sqrt(0.5 * (size + x)), torch.sqrt(torch.clamp(0.5 * (size - x), min=0.0) + 1e-30)
    horizontal = ((cos - a) * (cos - a) + b * b) / ((cos + a) * (cos + a) + b * b)
    up, down = real * cos - a, loss * cos - b
    up_2, down_2 = real * cos + a, loss * cos + b
    return horizontal, (up * up + down * down) / (up_2 * up_2 + down_2 * down_2)


def brightness_temperature(
    frequency: float,
    water: Tensor,
    temperature: Tensor,
    soil: Soil,
    cover: Cover | None = None,
    angle: float = 55.0,
) -> tuple[Tensor, Tensor]:
    """T_B of soil under plants of its temperature, horizontal and vertical, K (Mo et al. 1982; Choudhury et al. 1979).

    T_B = T (1 - r) g + T (1 - omega)(1 - g)(1 + r g), g = exp(-tau / cos), r = r_flat exp(-h cos^2)

    Parameters
    ----------
    frequency : Hz
    water : liquid in the uppermost soil, volume fraction
    temperature : of soil and plants, K
    soil : of which it is made
    cover : plants and roughness; default: bare and flat
    angle : from the vertical, degrees
    """
    cover = cover or Cover()
    tau, omega, h = (torch.as_tensor(a).to(water) for a in cover)
    cos = torch.cos(torch.deg2rad(torch.tensor(angle, dtype=water.dtype, device=water.device)))
    gone = torch.exp(-tau / cos)
    rough = torch.exp(-h * cos * cos)
    flat_h, flat_v = fresnel(*soil_permittivity(frequency, water, temperature, soil), angle)

    def seen(flat: Tensor) -> Tensor:
        r = flat * rough
        return temperature * ((1.0 - r) * gone + (1.0 - omega) * (1.0 - gone) * (1.0 + r * gone))

    return seen(flat_h), seen(flat_v)
