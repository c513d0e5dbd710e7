# SPDX-License-Identifier: BSD-3-Clause
"""The state of the learned forecast: t, q, winds along the grid, and ln p of the lowest layer, (4 nz + 1, ny, nx).

Levels have heights of their own, the same in every column. Pressure follows hydrostatically from the lowest layer's,
so that one factor on it fixes the dry mass of the whole domain.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.ml_surrogates.estimation.air import Air
from components.science.constants import EARTH_RADIUS, EARTH_ROTATION, EPSILON_VAPOUR, GRAVITY, R_DRY

SPECIFIED, RELAXED = 1, 5  # rows of cells that the sides set, and that they are drawn to
DRAWN = 0.08  # of the difference to the sides, in the first row that they do not set; it falls to nothing evenly


@dataclass(frozen=True)
class Place:
    """Where a state lies; single precision.

    Attributes
    ----------
    height : (nz,) m
    cos, sin : (ny, nx) of the angle from east to the grid's first axis
    size : (2, ny, nx) of a cell along both axes, m
    coriolis : (ny, nx) s-1
    rim : (ny, nx) rows from the nearest side, from 0
    """

    height: Tensor
    cos: Tensor
    sin: Tensor
    size: Tensor
    coriolis: Tensor
    rim: Tensor

    @cached_property
    def specified(self) -> Tensor:
        """Cells that take the sides' values (ny, nx)."""
        return self.rim < SPECIFIED

    @cached_property
    def inside(self) -> Tensor:
        """The others."""
        return ~self.specified

    @cached_property
    def drawn(self) -> Tensor:
        """Share of the sides' values (ny, nx) that a step of six hours draws a cell to."""
        near = DRAWN * (RELAXED - self.rim) / (RELAXED - SPECIFIED)
        return torch.where(self.specified, 1.0, torch.clamp(near, min=0.0)).float()

    @cached_property
    def fixed(self) -> Tensor:
        """What a network is told of the place (4, ny, nx): Coriolis, cell sizes, nearness of the sides."""
        near = torch.clamp(1.0 - self.rim / RELAXED, min=0.0)
        return torch.stack([self.coriolis * 1e4, self.size[0] / 3e5, self.size[1] / 3e5, near]).float()


def cell_sizes(grid: Any) -> npt.NDArray[np.float64]:
    """Lengths of the cells along both axes of a structured grid, (2, ny, nx), m."""
    lon, lat = np.deg2rad(np.asarray(grid.longitude)), np.deg2rad(np.asarray(grid.latitude))
    lengths = []
    for axis in (1, 0):
        along = np.cos(lat) * np.gradient(np.unwrap(lon, axis=axis), axis=axis)
        lengths.append(EARTH_RADIUS * np.hypot(along, np.gradient(lat, axis=axis)))
    return np.stack(lengths)


def place(grid: Any, height: Tensor) -> Place:
    """The place of a grid's columns.

    Parameters
    ----------
    grid : structured, with an angle
    height : (nz, ny, nx) of the layers, m

    Raises
    ------
    ValueError
        Layers over relief: the height differs between columns.
    """
    spread = float((height.amax((1, 2)) - height.amin((1, 2))).max())
    if spread > 1.0:
        raise ValueError(f'expected layers over flat ground (relief: ""), found heights that differ by {spread:.0f} m')
    ny, nx = grid.shape
    y, x = np.arange(ny)[:, None], np.arange(nx)[None]
    rim = np.minimum(np.minimum(y, ny - 1 - y), np.minimum(x, nx - 1 - x))
    angle = np.asarray(grid.angle)
    coriolis = 2.0 * EARTH_ROTATION * np.sin(np.deg2rad(np.asarray(grid.latitude)))
    arrays = (np.cos(angle), np.sin(angle), cell_sizes(grid), coriolis, rim)
    return Place(
        height.double().mean((1, 2)).float(), *(torch.as_tensor(np.array(a), dtype=torch.float32) for a in arrays)
    )


def levels_of(x: Tensor) -> int:
    """Layers of a state (..., 4 nz + 1, ny, nx)."""
    return (x.shape[-3] - 1) // 4


def of_air(air: Air, at: Place) -> Tensor:
    """The state of columns, in their precision.

    Parameters
    ----------
    air : by name
    at : place
    """
    cos, sin = at.cos.to(air["u"]), at.sin.to(air["u"])
    along, across = air["u"] * cos + air["v"] * sin, air["v"] * cos - air["u"] * sin
    return torch.cat([air["t"], air["q"], along, across, torch.log(air["p"][:1])])


def to_air(x: Tensor, at: Place) -> Air:
    """Columns of a state (4 nz + 1, ny, nx).

    Parameters
    ----------
    x : state
    at : place
    """
    n = levels_of(x)
    t, q, along, across = x[:-1].split(n)
    cos, sin = at.cos.to(x), at.sin.to(x)
    east, north = along * cos - across * sin, along * sin + across * cos
    return {"t": t, "q": q, "u": east, "v": north, "p": torch.exp(log_pressure(x, at))}


def edges(z: Tensor) -> Tensor:
    """Heights between layers (nz + 1,), the ground and the lid.

    Parameters
    ----------
    z : (nz,) of the layers, m
    """
    return torch.cat([z.new_zeros(1), 0.5 * (z[1:] + z[:-1]), z[-1:] + 0.5 * (z[-1:] - z[-2:-1])])


def upward_sum(a: Tensor) -> Tensor:
    """Of each level and those below, as `cumsum`, which takes ten times as long along an axis that is not the last.

    Parameters
    ----------
    a : (..., levels, ny, nx)
    """
    levels = a.shape[-3]
    return (a.new_ones((levels, levels)).tril() @ a.flatten(-2)).reshape(a.shape)


def virtual_temperature(x: Tensor) -> Tensor:
    """Of every layer (..., nz, ny, nx), K.

    Parameters
    ----------
    x : states (..., 4 nz + 1, ny, nx)
    """
    n = levels_of(x)
    t, q = x[..., :n, :, :], x[..., n : 2 * n, :, :]
    return t * (1.0 + q / EPSILON_VAPOUR) / (1.0 + q)


def log_pressure(x: Tensor, at: Place) -> Tensor:
    """Logarithm of the pressure (..., nz, ny, nx) in hydrostatic balance.

    Parameters
    ----------
    x : states (..., 4 nz + 1, ny, nx)
    at : place
    """
    virtual = virtual_temperature(x)
    thick = torch.diff(at.height.to(x))[:, None, None]
    step = -GRAVITY / R_DRY * thick * 2.0 / (virtual[..., 1:, :, :] + virtual[..., :-1, :, :])
    lowest = x[..., -1:, :, :]
    return torch.cat([lowest, lowest + upward_sum(step)], -3)


def dry_surface_pressure(x: Tensor, at: Place) -> Tensor:
    """Mean weight of the dry air on the ground (...), Pa, over a domain: what the sides say, and nothing else changes.

    Parameters
    ----------
    x : states (..., 4 nz + 1, ny, nx)
    at : place
    """
    n = levels_of(x)
    x = x.double()
    t, q = x[..., :n, :, :], x[..., n : 2 * n, :, :]
    z = at.height.to(x)
    thick = torch.diff(edges(z))[:, None, None]
    dry = torch.exp(log_pressure(x, at)) / (R_DRY * t * (1.0 + q / EPSILON_VAPOUR)) * thick
    ground = torch.exp(x[..., -1, :, :]) + GRAVITY * (0.5 * dry * (1.0 + q))[..., 0, :, :]
    weight = ground - GRAVITY * (dry * q).sum(-3)
    area = (at.size[0] * at.size[1]).to(x)
    return (weight * area).sum((-2, -1)) / area.sum()


def without_negative(q: Tensor, at: Place) -> Tensor:
    """Mixing ratios with none below zero; each level's mean over the cells inside stays, where it is above zero.

    Parameters
    ----------
    q : (..., nz, ny, nx)
    at : place
    """
    area = (at.size[0] * at.size[1] * at.inside).to(q)
    positive = torch.clamp(q, min=0.0)
    wanted, found = ((a * area).sum((-2, -1), keepdim=True) for a in (q, positive))
    share = torch.clamp(wanted, min=0.0) / torch.clamp(found, min=torch.finfo(q.dtype).tiny)
    return torch.where(at.specified, positive, positive * share)


def with_mass(x: Tensor, mass: Tensor, at: Place) -> Tensor:
    """States with a given mean dry surface pressure: one factor on every pressure of a state.

    Parameters
    ----------
    x : states (..., 4 nz + 1, ny, nx)
    mass : (...) Pa
    at : place
    """
    more = torch.log(mass / dry_surface_pressure(x, at)).to(x)
    return torch.cat([x[..., :-1, :, :], x[..., -1:, :, :] + more[..., None, None, None]], -3)
