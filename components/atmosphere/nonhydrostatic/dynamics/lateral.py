# SPDX-License-Identifier: BSD-3-Clause
"""Lateral boundaries from a driving model: one specified row, relaxation inside it (Davies 1976; Davies & Turner 1977).

The outermost row of cells takes the driver's values, interpolated in time; those in a strip inside it are relaxed
towards them at the rate 1 / 10 dt in its first row (Skamarock et al. 2021, NCAR/TN-556, eq. 6.1-6.2 without the
smoother), and with the square of the way left to the strip's end further inside. Also spectral nudging of the large
scales of the interior (von Storch, Langenberg & Feser 2000, Mon. Wea. Rev. 128, 3664).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.state import State, Tendencies
from components.science.cuts import Copied, fill, inside
from components.science.halo import Edges

INNER = slice(H, -H)
SHARE_OF_SIDE = 6.5
"""The shorter side of a domain over the width of its strip of relaxation, unless the namelist says a width.

Ten rows of 65, as regional climate models have. With a tenth, outgoing longwave fell by 18 W m-2 from a row to the next
where anvils begin, with this by 8.
"""
LEAST_ROWS = 4.0
"""Of that strip."""
USED_UP = 7200.0
"""Seconds in which deep convection uses up its instability: Betts & Miller (1986), and 2.3 passages of a plume."""


@dataclass
class Driver:
    """States of the driving model at the two times around the present, on the block's grid with halo.

    Attributes
    ----------
    times : (t_0, t_1), s
    states : the driver's state at both
    vapour : (nz, Y, X) its vapour at both, kg per kg of dry air
    """

    times: tuple[float, float]
    states: tuple[State, State]
    vapour: tuple[torch.Tensor, torch.Tensor]

    def weight(self, time: float) -> float:
        """Share of the later state at ``time`` (s).

        Raises
        ------
        ValueError
            If the boundary data do not reach ``time``.
        """
        t_0, t_1 = self.times
        if not t_0 <= time <= t_1:
            raise ValueError(
                f"boundary data reach from {t_0:.0f} to {t_1:.0f} s, not {time:.0f} s after the start of the case"
            )
        return 0.0 if t_1 == t_0 else (time - t_0) / (t_1 - t_0)

    def state(self, time: float) -> State:
        """The driver's state at ``time`` (s)."""
        w = self.weight(time)
        return State(*(a if w == 0.0 else a + w * (b - a) for a, b in zip(*self.states, strict=True)))

    def vapour_at(self, time: float) -> torch.Tensor:
        """The driver's vapour at ``time`` (s)."""
        w = self.weight(time)
        a, b = self.vapour
        return a if w == 0.0 else a + w * (b - a)


def strip(whole: tuple[int, int], spacing: tuple[float, float], width: float = 0.0) -> tuple[float, float]:
    """Rows of cells along y and along x that a strip of relaxation is wide; not whole numbers.

    Parameters
    ----------
    whole : cells of the domain along y and x
    spacing : of these, m
    width : m; 0: 1/6.5 of the shorter side of the domain, and at least `LEAST_ROWS` rows
    """
    shorter = min(n * d for n, d in zip(whole, spacing, strict=True))
    wide = width or max(shorter / SHARE_OF_SIDE, LEAST_ROWS * max(spacing))
    return wide / spacing[0], wide / spacing[1]


def relaxation_rate(
    whole: tuple[int, int], corner: tuple[int, int], ny: int, nx: int, rows: tuple[float, float], dt: float
) -> torch.Tensor:
    """Rate of relaxation (ny+2, nx+2), s-1, of a block and the cells around it.

    Its south-west cell is ``corner`` of a domain of ``whole`` cells; ``rows`` is the width of the `strip`. Zero
    outside, in the outermost (specified) row and inside the strip's end. It falls with the square of the way left to
    that, so that it fades out within the times of convection and waves: where a strong hold ends between two rows, the
    relaxed ones do not rain and the first free one takes what they did not.
    """
    left, from_side = _way_left(whole, corner, ny, nx, rows)
    return torch.where(from_side > 0, left * left / (10.0 * dt), 0.0)


def convection_kept(
    whole: tuple[int, int], corner: tuple[int, int], ny: int, nx: int, rows: tuple[float, float], dt: float
) -> torch.Tensor:
    """Share (ny, nx) of what convection does to a cell that relaxation leaves: 0 in the specified row, 1 inside.

    Relaxation gives back the instability that convection uses up, and would have it rain for ever. What is left of a
    change at a rate r after the time T in which deep convection uses up its instability is exp(-r T).

    Parameters
    ----------
    whole, corner, ny, nx, rows, dt : as `relaxation_rate` has them
    """
    rate = relaxation_rate(whole, corner, ny, nx, rows, dt)
    _, from_side = _way_left(whole, corner, ny, nx, rows)
    return torch.where(from_side > 0, torch.exp(-USED_UP * rate), 0.0)[1:-1, 1:-1]


def _way_left(
    whole: tuple[int, int], corner: tuple[int, int], ny: int, nx: int, rows: tuple[float, float]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Share of the strip that lies further inside, and rows between the cell and the side (ny+2, nx+2)."""
    y = corner[0] + torch.arange(-1, ny + 1, dtype=torch.float64)[:, None]
    x = corner[1] + torch.arange(-1, nx + 1, dtype=torch.float64)[None, :]
    from_y, from_x = torch.minimum(y, whole[0] - 1 - y), torch.minimum(x, whole[1] - 1 - x)
    left = torch.clamp(torch.maximum(1.0 - (from_y - 1.0) / rows[0], 1.0 - (from_x - 1.0) / rows[1]), min=0.0)
    return left, torch.minimum(from_y, from_x)


def relaxation(s: State, target: State, rate: torch.Tensor) -> Tendencies:
    """Rates of change that draw a state towards the driver's; ``rate`` (ny+2, nx+2) of `relaxation_rate`, s-1."""
    rate_x = 0.5 * (rate[1:-1, 1:] + rate[1:-1, :-1])
    rate_y = 0.5 * (rate[1:, 1:-1] + rate[:-1, 1:-1])
    rate = rate[1:-1, 1:-1]
    w = inside(s.rw, H)

    def draw(a: torch.Tensor, b: torch.Tensor, r: torch.Tensor) -> torch.Tensor:
        return r * (inside(b, H) - inside(a, H))

    return Tendencies(
        draw(s.ru, target.ru, rate_x),
        draw(s.rv, target.rv, rate_y),
        torch.zeros_like(w) - rate * w,
        draw(s.rho, target.rho, rate),
        draw(s.rtheta, target.rtheta, rate),
    )


def impose(s: State, target: State, edges: Edges) -> None:
    """Set the specified row (and the faces along it and outside it) of a state to the driver's values, in place."""
    for field, goal in zip(s, target, strict=True):
        impose_field(field, goal, edges)


def impose_field(a: torch.Tensor, b: torch.Tensor, edges: Edges) -> None:
    """Set the outermost interior row of ``a`` (..., Y, X) on specified sides to that of ``b``, in place."""
    fill(a, lambda to, of: _rows(to, of, edges), b)


def from_inside(a: torch.Tensor, edges: Edges) -> torch.Tensor:
    """A field (..., ny, nx) without halo whose outermost row on specified sides has the values of the next one."""
    west, east, south, north = (int(k == "specified") for k in (edges.west, edges.east, edges.south, edges.north))
    ny, nx = a.shape[-2:]
    rows = torch.arange(ny, device=a.device).clamp(south, ny - 1 - north)
    columns = torch.arange(nx, device=a.device).clamp(west, nx - 1 - east)
    return a[..., rows[:, None], columns]


def _rows(a: torch.Tensor, b: torch.Tensor, edges: Edges) -> Iterator[Copied]:
    """The outermost interior rows of specified sides."""
    if edges.west == "specified":
        yield Copied(a[..., INNER, H], b[..., INNER, H])
    if edges.east == "specified":
        yield Copied(a[..., INNER, -H - 1], b[..., INNER, -H - 1])
    if edges.south == "specified":
        yield Copied(a[..., H, INNER], b[..., H, INNER])
    if edges.north == "specified":
        yield Copied(a[..., -H - 1, INNER], b[..., -H - 1, INNER])


def low_pass(field: npt.NDArray[np.float64], dy: float, dx: float, wavelength: float) -> npt.NDArray[np.float64]:
    """Part of ``field`` (..., y, x) of a whole domain with wavelengths above ``wavelength`` (m).

    A cosine transform over the domain with its mean and linear trend left in; the cut is the ellipse of equal
    wavelength.
    """
    ny, nx = field.shape[-2:]
    cy, cx = _cosines(ny), _cosines(nx)
    spectrum = cy @ field @ cx.T
    ky = np.arange(ny)[:, None] / (2.0 * ny * dy)
    kx = np.arange(nx)[None, :] / (2.0 * nx * dx)
    return np.asarray(cy.T @ (spectrum * (np.hypot(ky, kx) <= 1.0 / wavelength)) @ cx)


def _cosines(n: int) -> npt.NDArray[np.float64]:
    """Orthonormal cosine transform (n, n)."""
    k, j = np.arange(n)[:, None], np.arange(n)[None, :]
    c = np.cos(math.pi * k * (j + 0.5) / n) * math.sqrt(2.0 / n)
    c[0] *= math.sqrt(0.5)
    return np.asarray(c)
