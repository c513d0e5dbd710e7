# SPDX-License-Identifier: BSD-3-Clause
"""Perturbations of states by gradient noise of several scales (Perlin 1985, 2002), alone or with balanced winds."""

from collections.abc import Sequence

import torch
from torch import Tensor

from components.science.constants import GRAVITY


def perlin(
    shape: tuple[int, int],
    generator: torch.Generator,
    *,
    members: int = 1,
    cells: Sequence[int] = (4, 8, 16),
    persistence: float = 0.5,
    periodic: bool = True,
) -> Tensor:
    """Noise of mean zero and standard deviation one in each member (members, ny, nx), double.

    Parameters
    ----------
    shape : (ny, nx)
    generator : of the random gradients; its seed decides all bits
    members : fields drawn
    cells : cells along each axis, octave by octave
    persistence : amplitude of an octave over that before it
    periodic : whether opposite edges meet
    """
    ny, nx = shape
    total = torch.zeros((members, ny, nx), dtype=torch.float64)
    for octave, n in enumerate(cells):
        total = total + persistence**octave * _octave(shape, n, members, generator, periodic)
    total = total - total.mean((-2, -1), keepdim=True)
    return total / total.std((-2, -1), correction=0, keepdim=True)


def _octave(shape: tuple[int, int], n: int, members: int, generator: torch.Generator, periodic: bool) -> Tensor:
    """One scale: at each lattice point a gradient, between them the fade 6 t^5 - 15 t^4 + 10 t^3."""
    points = n if periodic else n + 1
    angle = 2.0 * torch.pi * torch.rand((members, points, points), generator=generator, dtype=torch.float64)
    gy, gx = torch.sin(angle), torch.cos(angle)

    def axis(m: int) -> tuple[Tensor, Tensor, Tensor]:
        at = (torch.arange(m, dtype=torch.float64) + 0.5) * n / m
        low = torch.clamp(at.floor(), max=n - 1).long()
        return low, torch.remainder(low + 1, points), at - low

    (y0, y1, ty), (x0, x1, tx) = axis(shape[0]), axis(shape[1])

    def corner(iy: Tensor, ix: Tensor, dy: Tensor, dx: Tensor) -> Tensor:
        return gy[:, iy[:, None], ix] * dy[:, None] + gx[:, iy[:, None], ix] * dx

    fy, fx = (t * t * t * (t * (6.0 * t - 15.0) + 10.0) for t in (ty[:, None], tx))
    south = corner(y0, x0, ty, tx) * (1.0 - fx) + corner(y0, x1, ty, tx - 1.0) * fx
    north = corner(y1, x0, ty - 1.0, tx) * (1.0 - fx) + corner(y1, x1, ty - 1.0, tx - 1.0) * fx
    out: Tensor = south * (1.0 - fy) + north * fy
    return out


def geostrophic_wind(height: Tensor, spacing: float, coriolis: float) -> tuple[Tensor, Tensor]:
    """Wind in balance with a height on a doubly periodic grid (..., ny, nx), m s-1, by centred differences.

    Parameters
    ----------
    height : (..., ny, nx), m
    spacing : of the grid, m
    coriolis : f, s-1
    """
    by_y, by_x = (
        (torch.roll(height, -1, dim) - torch.roll(height, 1, dim)) * (0.5 * GRAVITY / (spacing * coriolis))
        for dim in (-2, -1)
    )
    return -by_y, by_x
