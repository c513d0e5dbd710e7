# SPDX-License-Identifier: BSD-3-Clause
"""Transport of tracers in one layer around the whole sphere, by winds without divergence; differentiable.

Finite volumes of second order on a grid of latitude and longitude: linear in a cell with the monotonized central slope
(van Leer 1977, J. Comput. Phys. 23), upwind at its faces, two stages in time (Heun; Shu & Osher 1988). The fluxes are
differences of a streamfunction at the corners, so that what enters a cell leaves it and a constant stays constant.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from components.science.advection import difference
from components.science.constants import EARTH_RADIUS


class SphereFluxes(NamedTuple):
    """Wind through the faces times their lengths, m2 s-1.

    Attributes
    ----------
    west : (..., ny, nx) eastward, through the west faces
    south : (..., ny+1, nx) northward, through the south faces; the first and the last are the poles'
    """

    west: Tensor
    south: Tensor


class SphereGrid:
    """Cells of equal angles from pole to pole, from south to north and from Greenwich to the east.

    Parameters
    ----------
    ny, nx : cells along a meridian and along a parallel
    dtype : of all that it holds

    Attributes
    ----------
    latitude, longitude : (ny,) and (nx,) of the middles, degrees
    corner_latitude, corner_longitude : (ny+1,) and (nx,) of the corners, degrees
    area : (ny, 1) of the cells, m2
    """

    def __init__(self, ny: int, nx: int, dtype: torch.dtype = torch.float32):
        self.shape = (ny, nx)
        edges = np.linspace(-90.0, 90.0, ny + 1)
        west = np.arange(nx) * (360.0 / nx)
        turn = 2.0 * np.pi / nx
        self.corner_latitude, self.corner_longitude = edges, west
        self.latitude = torch.as_tensor(0.5 * (edges[1:] + edges[:-1]), dtype=dtype)
        self.longitude = torch.as_tensor(west + 180.0 / nx, dtype=dtype)
        sine = np.sin(np.deg2rad(edges))
        self.area = torch.as_tensor(EARTH_RADIUS**2 * turn * (sine[1:] - sine[:-1])[:, None], dtype=dtype)
        self.length_west = EARTH_RADIUS * np.pi / ny
        self.length_south = torch.as_tensor(EARTH_RADIUS * turn * np.cos(np.deg2rad(edges))[:, None], dtype=dtype)
        self.length_south[0] = self.length_south[-1] = 0.0


def fluxes_of_streamfunction(psi: Tensor) -> SphereFluxes:
    """Fluxes without divergence: u = -d psi / dy, v = d psi / dx.

    Parameters
    ----------
    psi : (..., ny+1, nx) at the south-west corners, m2 s-1; constant along each pole
    """
    return SphereFluxes(-difference(psi, -2), torch.roll(psi, -1, -1) - psi)


def winds_of_fluxes(grid: SphereGrid, fluxes: SphereFluxes) -> tuple[Tensor, Tensor]:
    """Eastward and northward wind (..., ny, nx) in the middles of the cells, m s-1.

    Parameters
    ----------
    grid : of the fluxes
    fluxes : through its faces
    """
    west, south = fluxes
    u = 0.5 * (west + torch.roll(west, -1, -1)) / grid.length_west
    length = grid.length_south[:-1] + grid.length_south[1:]
    return u, (south[..., :-1, :] + south[..., 1:, :]) / length


def fluxes_of_wind(grid: SphereGrid, u: Tensor, v: Tensor) -> SphereFluxes:
    """The fluxes nearest to a wind that have no divergence: less the gradient of a potential.

    Parameters
    ----------
    grid : of the wind
    u, v : (..., ny, nx) wind in the middles of the cells, m s-1
    """
    west = 0.5 * (u + torch.roll(u, 1, -1)) * grid.length_west
    inner = 0.5 * (v[..., 1:, :] + v[..., :-1, :]) * grid.length_south[1:-1]
    edge = torch.zeros_like(v[..., :1, :])
    south = torch.cat([edge, inner, edge], -2)
    divergence = (torch.roll(west, -1, -1) - west + difference(south, -2)).double()
    nx = grid.shape[1]
    # faces' length over the distance of the middles: what a difference of the potential becomes in a flux
    across = (grid.length_west / (0.5 * (grid.length_south[1:] + grid.length_south[:-1]))).double()[:, 0]
    along = (grid.length_south / grid.length_west).double()[:, 0]
    wave = 2.0 - 2.0 * torch.cos(2.0 * torch.pi * torch.arange(nx // 2 + 1, dtype=torch.float64) / nx)
    main = -along[1:] - along[:-1]
    meridional = torch.diag(main) + torch.diag(along[1:-1], 1) + torch.diag(along[1:-1], -1)
    operators = meridional - wave[:, None, None] * torch.diag(across)
    spectrum = torch.fft.rfft(divergence, dim=-1).transpose(-1, -2)[..., None]
    inverse = torch.linalg.pinv(operators).to(spectrum.dtype)
    potential = torch.fft.irfft((inverse @ spectrum)[..., 0].transpose(-1, -2), n=nx, dim=-1)
    west = west - ((potential - torch.roll(potential, 1, -1)) * across[:, None]).to(west)
    inner = south[..., 1:-1, :] - (difference(potential, -2) * along[1:-1, None]).to(south)
    return SphereFluxes(west, torch.cat([edge, inner, edge], -2))


def _slope(before: Tensor, after: Tensor) -> Tensor:
    """Half the monotonized central slope of cells between two differences."""
    low, high = torch.minimum(before, after), torch.maximum(before, after)
    return torch.clamp(0.25 * (before + after), min=high.clamp(max=0.0), max=low.clamp(min=0.0))


def divergence(field: Tensor, winds: SphereFluxes) -> Tensor:
    """What the winds carry out of each cell, field's unit m2 s-1.

    Parameters
    ----------
    field : (..., ny, nx) mole fractions
    winds : with dimensions that go with the field's
    """
    wide = torch.cat([field[..., -2:], field, field[..., :1]], -1)
    step = difference(wide, -1)
    slope = _slope(step[..., :-1], step[..., 1:])
    inner = wide[..., 1:-1]
    west = winds.west.clamp(min=0.0) * (inner + slope)[..., :-1]
    west = torch.addcmul(west, winds.west.clamp(max=0.0), (inner - slope)[..., 1:])
    step = difference(field, -2)
    slope = torch.nn.functional.pad(_slope(step[..., :-1, :], step[..., 1:, :]), (0, 0, 1, 1))
    wind = winds.south[..., 1:-1, :]
    south = wind.clamp(min=0.0) * (field + slope)[..., :-1, :]
    south = torch.addcmul(south, wind.clamp(max=0.0), (field - slope)[..., 1:, :])
    east = torch.cat([west[..., 1:], west[..., :1]], -1)
    return east - west + difference(torch.nn.functional.pad(south, (0, 0, 1, 1)), -2)


class SphereTransport:
    """Winds, a source, and a loss towards the background, which is zero.

    Parameters
    ----------
    grid : on which the tracers stand
    loss_time : of the layer's ventilation, s
    step : the longest time step, s; shorter ones are made where more would leave a cell than it holds
    compiler : what compiles the stage, if it is to be
    """

    def __init__(
        self, grid: SphereGrid, loss_time: float, step: float = 450.0, compiler: Callable[[Any], Any] | None = None
    ):
        self.grid, self.loss_time, self.step = grid, loss_time, step
        self.inverse_area = 1.0 / grid.area
        self._stage = compiler(stage) if compiler else stage

    def steps(self, winds: SphereFluxes, seconds: float) -> int:
        """Number of time steps: cells at the poles are narrow, and what leaves one in a step is part of it.

        Parameters
        ----------
        winds, seconds : as they are called with
        """
        west, south = (a.detach() for a in winds)
        sides = torch.roll(west, -1, -1), -west, south[..., 1:, :], -south[..., :-1, :]
        fastest = float((sum(a.clamp(min=0.0) for a in sides) * self.inverse_area).amax())
        needed = seconds * fastest if math.isfinite(fastest) else 0.0
        return max(1, -int(-seconds // self.step), math.ceil(needed))

    def __call__(self, field: Tensor, source: Tensor, winds: SphereFluxes, seconds: float) -> Tensor:
        """The tracers ``seconds`` later.

        Parameters
        ----------
        field : (..., N, ny, nx) departure from the background
        source : the same shape, or one that goes with it; in the field's unit a second
        winds : through the faces, without the dimension of N
        seconds : length of the period
        """
        steps = self.steps(winds, seconds)
        dt, loss = field.new_tensor(seconds / steps), field.new_tensor(1.0 / self.loss_time)
        fixed = (source, winds.west.unsqueeze(-3), winds.south.unsqueeze(-3), self.inverse_area, loss, dt)
        for _ in range(steps):
            first = self._stage(field, *fixed)
            field = 0.5 * (field + self._stage(first, *fixed))
        return field


class MemberTransport(SphereTransport):
    """The same for many tracers in the same winds, several times as fast: by a kernel, through which no gradient goes.

    Parameters
    ----------
    grid, loss_time, step : as of `SphereTransport`
    """

    def __init__(self, grid: SphereGrid, loss_time: float, step: float = 450.0):
        super().__init__(grid, loss_time, step)

    def __call__(self, field: Tensor, source: Tensor, winds: SphereFluxes, seconds: float) -> Tensor:
        """See `SphereTransport`."""
        from components.science.kernels.sphere_members import carry  # numba is slow to load

        lead, shape = field.shape[:-3], field.shape[-3:]
        steps = self.steps(winds, seconds)
        number = field.detach().numpy().dtype.type
        loss, dt = number(1.0 / self.loss_time), number(seconds / steps)
        area = self.inverse_area[:, 0].to(field.dtype).numpy()
        flows = (
            field.reshape(-1, *shape),
            source.expand_as(field).reshape(-1, *shape),
            winds.west.expand(*lead, -1, -1).reshape(-1, *self.grid.shape),
            winds.south.expand(*lead, -1, -1).reshape(-1, self.grid.shape[0] + 1, self.grid.shape[1]),
        )
        out = []
        for one, given, west, south in zip(*flows, strict=True):
            moved, added = (np.ascontiguousarray(a.detach().numpy().transpose(1, 2, 0)) for a in (one, given))
            moved = moved.copy() if np.shares_memory(moved, one.detach().numpy()) else moved
            through = (a.to(field.dtype).contiguous().numpy() for a in (west, south))
            carry(moved, added, next(through), next(through), area, loss, dt, steps)
            out.append(torch.from_numpy(np.ascontiguousarray(moved.transpose(2, 0, 1))))
        return torch.stack(out).reshape(field.shape)


def stage(
    field: Tensor, source: Tensor, west: Tensor, south: Tensor, inverse_area: Tensor, loss: Tensor,
    dt: Tensor,
) -> Tensor:  # fmt: skip
    """A forward step.

    Parameters
    ----------
    field : (..., N, ny, nx) departures from the background
    source : in the field's unit a second
    west, south : through the faces, as `SphereFluxes` has them, m2 s-1
    inverse_area : (ny, 1) of the cells, m-2
    loss : rate of the loss to the background, s-1
    dt : length, s
    """
    return field + dt * (source - loss * field - divergence(field, SphereFluxes(west, south)) * inverse_area)
