# SPDX-License-Identifier: BSD-3-Clause
"""How fresh soot and organic matter become soluble: by a coat of what condenses on them, by meeting what is soluble.

A particle counts as aged when its coat is as thick as eight layers of molecules of sulfate; organic matter in it counts
by its hygroscopicity (Liu et al. 2012, GMD 5, 709; 2016, GMD 9, 505). What condenses goes to fresh and soluble
particles alike, by the surface of each and by diffusion to it. A fresh particle that meets a soluble one is aged too
(Riemer et al. 2004, ACP 4, 1885: hours by day in polluted air, a day and more by coagulation at night). Particles are
lognormal about the diameter of their volume; the fresh ones meet others at that diameter, where their mass is.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from components.chemistry.regional.aerosol import particle_uptake
from components.chemistry.regional.aerosol.particle_motion import brownian_diffusivity
from components.science.constants import BOLTZMANN

LAYERS, LAYER = 8.0, 4.76e-10  # molecules in the coat that ages a particle, and the thickness of each, m
SIGMA = 1.8  # geometric standard deviation of the accumulation mode
STAYS, VAPOUR_MASS = 0.65, 0.09808  # of sulfuric acid: share of the molecules that stay where they hit; kg mol-1
SURFACE = math.exp(0.5 * math.log(SIGMA) ** 2)  # of lognormal particles over that of spheres of the volume's diameter
NUMBER = math.exp(4.5 * math.log(SIGMA) ** 2)  # the same of their number
MEDIAN = math.exp(-3.0 * math.log(SIGMA) ** 2)  # diameter of the number over that of the volume (Hatch & Choate 1929)


class Population(NamedTuple):
    """Particles of a kind.

    Attributes
    ----------
    volume : dry, m3 per m3 of air
    dry : diameter without water, the middle of the volume, m
    wet : diameter as they are, m
    density : as they are, kg m-3
    """

    volume: Tensor
    dry: float
    wet: Tensor
    density: Tensor

    def surface(self) -> Tensor:
        """As they are, m2 per m3 of air."""
        return SURFACE * 6.0 * self.volume * self.wet * self.wet / self.dry**3

    def number(self) -> Tensor:
        """Per m3 of air."""
        return NUMBER * 6.0 * self.volume / (math.pi * self.dry**3)


class Motion(NamedTuple):
    """How spheres of a size move (Fuchs; Seinfeld & Pandis 2006, table 13.1).

    Attributes
    ----------
    diameter, diffusivity : m, m2 s-1
    speed, jump : squares of the mean speed of their heat, m2 s-2, and of how far they fly straight on, m2
    """

    diameter: Tensor
    diffusivity: Tensor
    speed: Tensor
    jump: Tensor


def motion(diameter: Tensor, density: Tensor, temperature: Tensor, pressure: Tensor) -> Motion:
    """Of spheres in air.

    Parameters
    ----------
    diameter, density : of the spheres, m, kg m-3
    temperature, pressure : of the air, K, Pa
    """
    d, diffusivity = diameter, brownian_diffusivity(diameter, temperature, pressure)
    speed = 8.0 * BOLTZMANN * temperature / (math.pi * density * (math.pi / 6.0) * d**3)
    path = 8.0 * diffusivity / (math.pi * torch.sqrt(speed))
    apart = d * d + path * path
    jump = 1.0 / (3.0 * d * path) * ((d + path) ** 3 - apart * torch.sqrt(apart)) - d
    return Motion(d, diffusivity, speed, jump * jump)


def coagulation(first: Motion, second: Motion) -> Tensor:
    """Coefficient of Brownian coagulation, m3 s-1.

    Parameters
    ----------
    first, second : spheres
    """
    d, diffusivity = first.diameter + second.diameter, first.diffusivity + second.diffusivity
    beyond = d / (d + 2.0 * torch.sqrt(first.jump + second.jump))
    return 2.0 * math.pi * diffusivity * d / (beyond + 8.0 * diffusivity / (torch.sqrt(first.speed + second.speed) * d))


def rates(
    fresh: list[Population], soluble: list[Population], coat: Tensor, temperature: Tensor, pressure: Tensor
) -> list[Tensor]:
    """Share of each fresh kind that becomes soluble in a second, s-1.

    Parameters
    ----------
    fresh, soluble : all fine particles
    coat : what condenses, m3 per m3 of air and second, in that of sulfate
    temperature, pressure : of the air, K, Pa
    """
    sticky = torch.full_like(temperature, STAYS)
    taken = [particle_uptake.rate(p.surface(), p.wet, temperature, sticky, VAPOUR_MASS) for p in (*fresh, *soluble)]
    everything = torch.stack(taken).sum(0)
    met = [(p.number(), motion(MEDIAN * p.wet, p.density, temperature, pressure)) for p in soluble]
    found = []
    for kind in fresh:
        each = particle_uptake.rate(torch.ones_like(temperature), kind.wet, temperature, sticky, VAPOUR_MASS)
        thickening = torch.where(everything > 0.0, coat * each / everything, 0.0)  # m s-1
        out = thickening / (LAYERS * LAYER)
        own = motion(kind.wet, kind.density, temperature, pressure)
        for number, other in met:
            out = out + number * coagulation(own, other)
        found.append(out)
    return found
