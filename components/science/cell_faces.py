# SPDX-License-Identifier: BSD-3-Clause
"""Areas of a grid's cells and lengths of their faces, with a halo: what transport asks of a grid."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from components.science.constants import EARTH_RADIUS
from components.science.transport import HALO

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CellFaces:
    """Areas and lengths of a block with halo.

    Attributes
    ----------
    inverse_area : (Y, X) 1 / area of the cells, m-2
    length_u, length_v : (Y, X+1) and (Y+1, X) length of their west and south faces, m
    """

    inverse_area: torch.Tensor
    length_u: torch.Tensor
    length_v: torch.Tensor

    def block(self, y0: int, y1: int, x0: int, x1: int) -> "CellFaces":
        """The part of a domain's rows y0 to y1 and columns x0 to x1, with its halo.

        Parameters
        ----------
        y0, y1, x0, x1 : rows and columns of the whole domain
        """
        y, x, more = slice(y0, y1 + 2 * HALO), slice(x0, x1 + 2 * HALO), 2 * HALO + 1
        parts = self.inverse_area[y, x], self.length_u[y, x0 : x1 + more], self.length_v[y0 : y1 + more, x]
        return CellFaces(*(a.contiguous() for a in parts))

    def to(self, dtype: torch.dtype, device: str = "cpu") -> "CellFaces":
        """In another precision, on another device.

        Parameters
        ----------
        dtype, device : of torch
        """
        return CellFaces(*(a.to(dtype=dtype, device=device) for a in (self.inverse_area, self.length_u, self.length_v)))


def cell_faces(corner_lon: Array, corner_lat: Array) -> CellFaces:
    """Faces of a whole regional grid; its cells are taken as rectangles, as the atmosphere takes them.

    Parameters
    ----------
    corner_lon, corner_lat : (ny+1, nx+1) of the corners, degrees
    """
    dx, dy = (1.0 / pad_halo(torch.as_tensor(1.0 / a), False, False) for a in cell_lengths(corner_lon, corner_lat))
    return CellFaces(1.0 / (dx * dy), to_faces_x(dy), to_faces_y(dx))


def cell_lengths(corner_lon: Array, corner_lat: Array) -> tuple[Array, Array]:
    """Length of the cells along x and y (ny, nx), m: great circles between the middles of opposite edges.

    Parameters
    ----------
    corner_lon, corner_lat : (ny+1, nx+1) of the corners, degrees
    """
    lon, lat = np.deg2rad(corner_lon), np.deg2rad(corner_lat)
    corner = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])

    def middle(a: Array, b: Array) -> Array:
        m = a + b
        unit: Array = m / np.sqrt((m * m).sum(0))
        return unit

    west_east = middle(corner[:, 1:], corner[:, :-1])
    south_north = middle(corner[:, :, 1:], corner[:, :, :-1])
    x = 2.0 * np.arcsin(0.5 * np.sqrt(((west_east[:, :, 1:] - west_east[:, :, :-1]) ** 2).sum(0)))
    y = 2.0 * np.arcsin(0.5 * np.sqrt(((south_north[:, 1:] - south_north[:, :-1]) ** 2).sum(0)))
    return EARTH_RADIUS * x, EARTH_RADIUS * y


def pad_halo(a: torch.Tensor, periodic_y: bool, periodic_x: bool, width: int = HALO) -> torch.Tensor:
    """``a`` (..., y, x) with a halo of ``width``: cyclic where periodic, the edge value repeated elsewhere.

    Parameters
    ----------
    a : field
    periodic_y, periodic_x : whether the grid closes
    width : cells of the halo
    """
    for dim, periodic in ((a.dim() - 2, periodic_y), (a.dim() - 1, periodic_x)):
        n = a.shape[dim]
        index = torch.arange(-width, n + width, device=a.device)
        index = index % n if periodic else index.clamp(0, n - 1)
        a = a.index_select(dim, index)
    return a.contiguous()


def to_faces_x(a: torch.Tensor) -> torch.Tensor:
    """Cell values (..., x) averaged to west faces (..., x+1); the outermost faces repeat the edge cell."""
    return torch.cat([a[..., :1], 0.5 * (a[..., 1:] + a[..., :-1]), a[..., -1:]], -1)


def to_faces_y(a: torch.Tensor) -> torch.Tensor:
    """Cell values (..., y, x) averaged to south faces (..., y+1, x)."""
    return torch.cat([a[..., :1, :], 0.5 * (a[..., 1:, :] + a[..., :-1, :]), a[..., -1:, :]], -2)
