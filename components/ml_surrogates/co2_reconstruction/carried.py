# SPDX-License-Identifier: BSD-3-Clause
"""Earlier frames carried by the winds to the time of the newest: what was seen there then stands where it is now."""

import torch
from torch import Tensor

from components.science.constants import EARTH_RADIUS

SUBSTEPS = 2  # of the way back from a frame to the one before
NEAREST = 86.0  # latitude beyond which a parallel is no shorter, degrees


def sampled(field: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """Bilinear values (b, c, ny, nx) of a field (b, c, ny, nx) at fractional rows and columns (b, ny, nx).

    Parameters
    ----------
    field : cyclic along the parallels
    row, column : from 0 at the first middle of a cell; beyond the first and the last row that row counts
    """
    ny, nx = field.shape[-2:]
    wide = torch.cat([field[..., -1:], field, field[..., :1]], -1)
    x = 2.0 * (torch.remainder(column, nx) + 1.0) / (nx + 1.0) - 1.0
    y = 2.0 * row.clamp(0.0, ny - 1.0) / (ny - 1.0) - 1.0
    out: Tensor = torch.nn.functional.grid_sample(
        wide, torch.stack([x, y], -1), mode="bilinear", padding_mode="border", align_corners=True
    )
    return out


@torch.no_grad()
def carried(frames: Tensor, u: Tensor, v: Tensor, latitude: Tensor, seconds: float) -> Tensor:
    """Frames (b, T, c, ny, nx), each where the air has been at its time that is in the cell at the last.

    Parameters
    ----------
    frames : (b, T, c, ny, nx), the newest last, on cells of equal angles around the sphere
    u, v : (b, T, ny, nx) wind at the frames, m s-1
    latitude : (ny, nx) of the cells, degrees
    seconds : from one frame to the next
    """
    b, t, _, ny, nx = frames.shape
    south, step = float(latitude[0, 0]), 180.0 / ny
    row, column = torch.meshgrid(torch.arange(ny).to(u), torch.arange(nx).to(u), indexing="ij")
    row, column = row.expand(b, -1, -1), column.expand(b, -1, -1)
    turn, dt = 180.0 / torch.pi / EARTH_RADIUS, seconds / SUBSTEPS
    out = [frames[:, -1]]
    for k in range(t - 1, 0, -1):
        later, earlier = (torch.stack([u[:, n], v[:, n]], 1) for n in (k, k - 1))
        for n in range(SUBSTEPS):
            share = (n + 0.5) / SUBSTEPS
            wind = sampled((1.0 - share) * later + share * earlier, row, column)
            at = torch.deg2rad((south + step * row).clamp(-NEAREST, NEAREST))
            column = column - wind[:, 0] * dt * turn / torch.cos(at) / (360.0 / nx)
            row = (row - wind[:, 1] * dt * turn / step).clamp(0.0, ny - 1.0)
        out.append(sampled(frames[:, k - 1], row, column))
    return torch.stack(out[::-1], 1)


def cells_a_second(u: Tensor, v: Tensor, longitude: Tensor, latitude: Tensor) -> tuple[Tensor, Tensor]:
    """How fast the wind goes up the rows and along the columns of a grid of right angles, cells a second.

    Parameters
    ----------
    u, v : (..., ny, nx) wind to the east and to the north, m s-1
    longitude, latitude : (ny, nx) of the cells, degrees
    """
    lon, lat = torch.deg2rad(longitude), torch.deg2rad(latitude)
    axes = [torch.cos(lat) * torch.cos(lon), torch.cos(lat) * torch.sin(lon), torch.sin(lat)]
    place = EARTH_RADIUS * torch.stack(axes, -1)
    east = torch.stack([-torch.sin(lon), torch.cos(lon), torch.zeros_like(lon)], -1)
    north = torch.stack([-axes[2] * torch.cos(lon), -axes[2] * torch.sin(lon), torch.cos(lat)], -1)
    rows, columns = torch.gradient(place, dim=(0, 1))

    def along(axis: Tensor) -> Tensor:
        size = (axis * axis).sum(-1)
        return u * ((east * axis).sum(-1) / size) + v * ((north * axis).sum(-1) / size)

    return along(rows), along(columns)


@torch.no_grad()
def carried_within(frames: Tensor, u: Tensor, v: Tensor, longitude: Tensor, latitude: Tensor, seconds: float) -> Tensor:
    """As `carried`, on the cells of a limited area; air from outside has been at the next side.

    Parameters
    ----------
    frames : (b, T, c, ny, nx), the newest last, on a grid of right angles
    u, v : (b, T, ny, nx) wind to the east and to the north at the frames, m s-1
    longitude, latitude : (ny, nx) of the cells, degrees
    seconds : from one frame to the next
    """
    b, t, _, ny, nx = frames.shape
    rate = torch.stack(cells_a_second(u, v, longitude, latitude), 2)
    row, column = torch.meshgrid(torch.arange(ny).to(u), torch.arange(nx).to(u), indexing="ij")
    row, column = row.expand(b, -1, -1), column.expand(b, -1, -1)
    dt = seconds / SUBSTEPS
    out = [frames[:, -1]]
    for k in range(t - 1, 0, -1):
        for n in range(SUBSTEPS):
            share = (n + 0.5) / SUBSTEPS
            now = sampled((1.0 - share) * rate[:, k] + share * rate[:, k - 1], row, column)
            row = (row - dt * now[:, 0]).clamp(0.0, ny - 1.0)
            column = (column - dt * now[:, 1]).clamp(0.0, nx - 1.0)
        out.append(sampled(frames[:, k - 1], row, column))
    return torch.stack(out[::-1], 1)
