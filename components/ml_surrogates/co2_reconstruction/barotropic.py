# SPDX-License-Identifier: BSD-3-Clause
"""Winds of a made-up world: the barotropic vorticity equation on the sphere, several flows at once.

    d zeta / dt = -u . grad(zeta + f) - (zeta - zeta_jets) / tau + stirring - hyperdiffusion

by sums of spherical harmonics with real coefficients (triangular truncation), Adams-Bashforth of third order. Jets
differ from flow to flow; the stirring is noise with a memory (after Vallis et al. 2004, J. Atmos. Sci. 61).
"""

import math

import numpy as np
import torch
from torch import Tensor

from components.science.constants import EARTH_RADIUS, EARTH_ROTATION
from components.science.sphere_transport import SphereGrid
from components.science.spherical_harmonics import SphericalHarmonics

DAY = 86400.0
RELAXATION = 8.0 * DAY  # of the vorticity to the jets, s
STIRRED = (4, 10)  # degrees
STIRRING_TIME = 2.0 * DAY  # memory of the stirring, s
STIRRING = 9.5e-11  # its standard deviation, s-2; makes winds of some 12 and 8.8 m/s
DAMPING_TIME = 0.25 * DAY  # of the smallest scale by hyperdiffusion, s
STEP = 1800.0  # s
JETS = ((45.0, 12.0, 12.0), (-47.0, 12.0, 12.0), (0.0, -6.0, 15.0))  # latitude, m/s, half width in degrees
JET_SPREAD = 2.0  # of the jets' speed from flow to flow, m/s


def functions(harmonics: SphericalHarmonics) -> list[np.ndarray]:
    """The coefficients (m, n) of all real harmonics but the constant, each alone."""
    t = harmonics.t
    units = []
    for n in range(1, t + 1):
        for m in range(n + 1):
            for part in (1.0, 1.0j)[: 2 if m else 1]:
                c = np.zeros((t + 1, t + 1), dtype=np.complex128)
                c[m, n] = part
                units.append(c)
    return units


class Barotropic:
    """The equation's matrices.

    Parameters
    ----------
    truncation : largest degree
    """

    def __init__(self, truncation: int = 21):
        rows = 3 * (truncation + 1) // 2
        rows += rows % 2
        nodes, weights = np.polynomial.legendre.leggauss(rows)
        harmonics = SphericalHarmonics(np.rad2deg(np.arcsin(nodes)), 2 * rows, truncation)
        units = functions(harmonics)
        self.truncation, self.units = truncation, units
        self.order, self.degree = torch.tensor([[int(k[0]) for k in np.nonzero(c)] for c in units]).T
        shape = np.stack([harmonics.synthesise(c) for c in units]).reshape(len(units), -1)
        slopes = [harmonics.gradient(c) for c in units]
        area = np.repeat(weights, 2 * rows) / (4.0 * rows)
        self.square = torch.as_tensor((shape * shape * area).sum(1), dtype=torch.float32)
        self.project = torch.as_tensor((shape * area / self.square.numpy()[:, None]).T, dtype=torch.float32)
        self.by_x, self.by_y = (
            torch.as_tensor(np.stack([s[k] for s in slopes]).reshape(len(units), -1), dtype=torch.float32)
            for k in (0, 1)
        )
        self.laplacian = -(self.degree * (self.degree + 1.0)) / EARTH_RADIUS**2
        sine = np.repeat(nodes, 2 * rows)
        self.latitude = torch.as_tensor(np.rad2deg(np.arcsin(sine)), dtype=torch.float32)
        self.beta = torch.as_tensor(2.0 * EARTH_ROTATION * np.sqrt(1.0 - sine**2) / EARTH_RADIUS, dtype=torch.float32)

    def corners(self, grid: SphereGrid) -> Tensor:
        """Matrix (k, (ny+1) nx) that gives a field at a grid's corners.

        Parameters
        ----------
        grid : whose corners
        """
        finer = -(-2 * (self.truncation + 1) // grid.shape[1])  # points enough for the shortest wave
        there = SphericalHarmonics(grid.corner_latitude, finer * grid.shape[1], self.truncation)
        rows = np.stack([there.synthesise(c)[:, ::finer] for c in self.units])
        return torch.as_tensor(rows.reshape(len(self.units), -1), dtype=torch.float32)

    def noise(self, flows: int, degrees: tuple[int, int], generator: torch.Generator) -> Tensor:
        """Coefficients (flows, k) of random waves of standard deviation one, alike in all degrees.

        Parameters
        ----------
        flows : fields
        degrees : first and last
        generator : of the numbers
        """
        low, high = degrees
        inside = ((self.degree >= low) & (self.degree <= high) & (self.order > 0)).float()
        scale = inside / torch.sqrt(self.square * 2.0 * self.degree * (high - low + 1.0))
        field: Tensor = torch.randn((flows, len(self.degree)), generator=generator) * scale
        return field

    def jets(self, flows: int, generator: torch.Generator) -> Tensor:
        """Vorticity (flows, k) of the jets to which each flow is relaxed, s-1.

        Parameters
        ----------
        flows : number
        generator : of their speeds
        """
        speed = torch.zeros((flows, len(self.latitude)))
        for latitude, mean, width in JETS:
            spread = JET_SPREAD if latitude else 0.0
            strength = mean + spread * torch.randn((flows, 1), generator=generator)
            speed = speed + strength * torch.exp(-(((self.latitude - latitude) / width) ** 2))
        return self.curl(speed)

    def curl(self, u: Tensor) -> Tensor:
        """Vorticity (flows, k) of an eastward wind (flows, points) by parts: <Y, curl u> = <dY/dy, u>.

        Parameters
        ----------
        u : on the equation's own points, m s-1
        """
        rows = round(math.sqrt(u.shape[1] / 2))
        weights = torch.as_tensor(np.polynomial.legendre.leggauss(rows)[1], dtype=torch.float32)
        area = weights.repeat_interleave(2 * rows) / (4.0 * rows)
        vorticity: Tensor = (u * area) @ self.by_y.T / self.square
        return vorticity

    def tendency(self, zeta: Tensor) -> Tensor:
        """Coefficients of -u . grad(zeta + f), s-2.

        Parameters
        ----------
        zeta : (flows, k) vorticity, s-1
        """
        psi = zeta / self.laplacian
        u, v = -(psi @ self.by_y), psi @ self.by_x
        rate: Tensor = -(u * (zeta @ self.by_x) + v * (zeta @ self.by_y + self.beta)) @ self.project
        return rate

    def simulate(self, flows: int, days: float, every: float, generator: torch.Generator) -> Tensor:
        """Streamfunctions (times, flows, k) at the start and every ``every`` seconds, m2 s-1.

        Parameters
        ----------
        flows : number
        days : length
        every : seconds between what is kept, a multiple of the step
        generator : of jets and stirring
        """
        target = self.jets(flows, generator)
        zeta = target + 1.5e-5 * self.noise(flows, STIRRED, generator)
        memory = math.exp(-STEP / STIRRING_TIME)
        stirring = STIRRING * self.noise(flows, STIRRED, generator)
        smallest = self.laplacian.abs().max()
        damping = torch.exp(-(STEP / DAMPING_TIME) * (self.laplacian / smallest) ** 2)
        older: list[Tensor] = []
        kept = [zeta / self.laplacian]
        for n in range(round(days * DAY / STEP)):
            fresh = math.sqrt(1.0 - memory * memory) * STIRRING
            stirring = memory * stirring + fresh * self.noise(flows, STIRRED, generator)
            now = self.tendency(zeta) + (target - zeta) / RELAXATION + stirring
            older = [now, *older[:2]]
            weights = {1: (1.0,), 2: (1.5, -0.5), 3: (23.0 / 12.0, -16.0 / 12.0, 5.0 / 12.0)}[len(older)]
            step = sum((w * f for w, f in zip(weights, older, strict=True)), torch.zeros_like(zeta))
            zeta = damping * (zeta + STEP * step)
            if (n + 1) * STEP % every == 0.0:
                kept.append(zeta / self.laplacian)
        return torch.stack(kept)
