# SPDX-License-Identifier: BSD-3-Clause
"""Geometry of a block of the C grid: heights, cell areas, face lengths, map factors, Coriolis parameter, base state.

Arrays carry a halo of ``HALO`` cells on every side. Scalars live at cell centres, ``u`` on the west face of the cell of
the same index (one column more), ``v`` on the south face (one row more), ``w`` on layer interfaces (one level more).
The geometry is built once for the whole domain and cut into blocks, so that every rank holds the same bits.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import torch

from components.science.cell_faces import pad_halo as pad_halo
from components.science.cell_faces import to_faces_x as to_faces_x
from components.science.cell_faces import to_faces_y as to_faces_y
from components.science.constants import R_DRY
from components.science.transport import HALO as HALO

BaseState = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


@dataclass(frozen=True)
class Geometry:
    """Static arrays of one block; lengths in m, areas in m2. Shapes: Y = ny + 2 HALO, X = nx + 2 HALO.

    Attributes
    ----------
    nz, ny, nx : interior size
    z_interface : (nz+1, Y, X) height of layer interfaces
    dz : (nz, Y, X) layer thickness
    inverse_dz_interface : (nz+1, Y, X) 1 / distance between layer centres (half layers at the ends)
    p_base, rho_base, rtheta_base : (nz, Y, X) base pressure (Pa), and rho dz (kg m-2) and rho theta dz (K kg m-2)
    inverse_area, inverse_area_u, inverse_area_v : of cells around scalars, u and v
    length_u, length_v : length of the west and south faces
    inverse_dx, inverse_dy : 1 / distance between cell centres across west and south faces
    metric : (4, nz-1, Y, X) what rho dz u of the two layers on the west, east, south and north face of a cell
        add to the
        flux through its inner interfaces, m-1; None over flat ground
    metric_ground : (4, Y, X) the same for w at the ground from u and v of the lowest layer
    rise_x, rise_y : a quarter of the rise of the interfaces between neighbouring cell centres, m
    coriolis : (Y, X) f, s-1, or None
    curvature_x, curvature_y : (Y, X) dh2/dx / (h1 h2) and dh1/dy / (h1 h2), m-1, or None on a plane
    """

    nz: int
    ny: int
    nx: int
    z_interface: torch.Tensor
    dz: torch.Tensor
    inverse_dz_interface: torch.Tensor
    p_base: torch.Tensor
    rho_base: torch.Tensor
    rtheta_base: torch.Tensor
    inverse_area: torch.Tensor
    inverse_area_u: torch.Tensor
    inverse_area_v: torch.Tensor
    length_u: torch.Tensor
    length_v: torch.Tensor
    inverse_dx: torch.Tensor
    inverse_dy: torch.Tensor
    metric: Any = None
    metric_ground: Any = None
    rise_x: Any = None
    rise_y: Any = None
    coriolis: Any = None
    curvature_x: Any = None
    curvature_y: Any = None

    @property
    def z(self) -> torch.Tensor:
        """Height of layer centres (nz, Y, X), m."""
        return 0.5 * (self.z_interface[1:] + self.z_interface[:-1])

    def block(self, y0: int, y1: int, x0: int, x1: int) -> "Geometry":
        """Interior rows y0:y1 and columns x0:x1 of this (whole-domain) geometry, with their halo."""
        h2 = 2 * HALO
        y_extent = self.z_interface.shape[-2]
        x_extent = self.z_interface.shape[-1]

        def cut(a: torch.Tensor | None) -> torch.Tensor | None:
            if a is None:
                return None
            dy, dx = a.shape[-2] - y_extent, a.shape[-1] - x_extent
            return a[..., y0 : y1 + h2 + dy, x0 : x1 + h2 + dx].contiguous()

        arrays: dict[str, Any] = {
            f.name: cut(getattr(self, f.name)) for f in fields(self) if f.name not in ("nz", "ny", "nx")
        }
        return Geometry(nz=self.nz, ny=y1 - y0, nx=x1 - x0, **arrays)

    def to(self, dtype: torch.dtype, device: torch.device | str = "cpu") -> "Geometry":
        """The same geometry in another precision or on another device."""
        arrays = {
            f.name: getattr(self, f.name).to(device, dtype).contiguous()
            for f in fields(self)
            if isinstance(getattr(self, f.name), torch.Tensor)
        }
        return replace(self, **arrays)


def build_geometry(
    z_interface: torch.Tensor,
    dx: float,
    dy: float,
    base_state: BaseState,
    *,
    periodic_y: bool = False,
    periodic_x: bool = False,
    map_factor_x: torch.Tensor | None = None,
    map_factor_y: torch.Tensor | None = None,
    coriolis: torch.Tensor | None = None,
) -> Geometry:
    """Geometry of a whole domain in double precision.

    Parameters
    ----------
    z_interface : (nz+1, ny, nx) heights of the layer interfaces, m (see :mod:`levels`)
    dx, dy : grid spacing on the projection, m
    base_state : one of :mod:`base_state`
    map_factor_x, map_factor_y : (ny, nx) projection distance / true distance at cell centres; 1 when absent
    coriolis : (ny, nx) f at cell centres, s-1; no rotation when absent
    """
    z_interface = pad_halo(z_interface.double(), periodic_y, periodic_x)
    nz, y, x = z_interface.shape[0] - 1, z_interface.shape[1], z_interface.shape[2]
    ones = torch.ones((y, x), dtype=torch.float64)
    h1 = ones * dx if map_factor_x is None else dx / pad_halo(map_factor_x.double(), periodic_y, periodic_x)
    h2 = ones * dy if map_factor_y is None else dy / pad_halo(map_factor_y.double(), periodic_y, periodic_x)
    h1_u, h2_u = to_faces_x(h1), to_faces_x(h2)
    h1_v, h2_v = to_faces_y(h1), to_faces_y(h2)
    dz = z_interface[1:] - z_interface[:-1]
    between = torch.cat([0.5 * dz[:1], 0.5 * (dz[1:] + dz[:-1]), 0.5 * dz[-1:]])
    p_base, rho_base = base_state(0.5 * (z_interface[1:] + z_interface[:-1]))
    t_base = p_base / (rho_base * R_DRY)
    theta_base = t_base * torch.exp(-(2.0 / 7.0) * torch.log(p_base / 1.0e5))
    flat = bool((z_interface == z_interface[:, :1, :1]).all())
    rises = _surface_rise(z_interface, h2_u, h1_v, 1.0 / (h1 * h2))
    two_u, two_v = to_faces_x(dz[1:] + dz[:-1]), to_faces_y(dz[1:] + dz[:-1])
    on_plane = map_factor_x is None and map_factor_y is None
    return Geometry(
        nz=nz,
        ny=y - 2 * HALO,
        nx=x - 2 * HALO,
        z_interface=z_interface,
        dz=dz,
        inverse_dz_interface=1.0 / between,
        p_base=p_base,
        rho_base=rho_base * dz,
        rtheta_base=rho_base * theta_base * dz,
        inverse_area=1.0 / (h1 * h2),
        inverse_area_u=1.0 / (h1_u * h2_u),
        inverse_area_v=1.0 / (h1_v * h2_v),
        length_u=h2_u,
        length_v=h1_v,
        inverse_dx=1.0 / h1_u,
        inverse_dy=1.0 / h2_v,
        metric=None
        if flat
        else torch.stack(
            [
                rises[0][1:-1] / two_u[..., :-1],
                rises[1][1:-1] / two_u[..., 1:],
                rises[2][1:-1] / two_v[:, :-1],
                rises[3][1:-1] / two_v[:, 1:],
            ]
        ),
        metric_ground=None if flat else torch.stack([r[0] for r in rises]),
        rise_x=None if flat else 0.25 * _difference_x(z_interface),
        rise_y=None if flat else 0.25 * _difference_y(z_interface),
        coriolis=None if coriolis is None else pad_halo(coriolis.double(), periodic_y, periodic_x),
        curvature_x=None if on_plane else (h2_u[:, 1:] - h2_u[:, :-1]) / (h1 * h2),
        curvature_y=None if on_plane else (h1_v[1:] - h1_v[:-1]) / (h1 * h2),
    )


def _surface_rise(
    z: torch.Tensor, length_u: torch.Tensor, length_v: torch.Tensor, inverse_area: torch.Tensor
) -> list[torch.Tensor]:
    """How u on the west and east and v on the south and north face move an interface up.

    u dz/dx is written as div(u z) - z div(u).

    The height on the faces is interpolated with sixth order, the centred part of the advection of the other fields:
    with a lower order the flow along the levels and the flow through them would not cancel over short ridges (Klemp,
    Skamarock & Fuhrer 2003, Mon. Wea. Rev. 131, 1229-1239).
    """
    x = _sixth(z, 2)
    y = _sixth(z, 1)
    return [
        (z - x[..., :-1]) * length_u[:, :-1] * inverse_area,
        (x[..., 1:] - z) * length_u[:, 1:] * inverse_area,
        (z - y[:, :-1]) * length_v[:-1] * inverse_area,
        (y[:, 1:] - z) * length_v[1:] * inverse_area,
    ]


def _sixth(z: torch.Tensor, dim: int) -> torch.Tensor:
    """Sixth-order interpolation to faces; second order on the three outermost faces of the halo on each side."""
    faces = to_faces_x(z) if dim == 2 else to_faces_y(z)
    n = z.shape[dim] - 5
    a, b, c, d, e, f = (z.narrow(dim, j, n) for j in range(6))
    faces.narrow(dim, 3, n).copy_(
        0.5 * (c + d) + (7.0 / 60.0) * ((c + d) - (b + e)) - (1.0 / 60.0) * ((b + e) - (a + f))
    )
    return faces


def _difference_x(a: torch.Tensor) -> torch.Tensor:
    d = torch.zeros((*a.shape[:-1], a.shape[-1] + 1), dtype=a.dtype)
    d[..., 1:-1] = a[..., 1:] - a[..., :-1]
    return d


def _difference_y(a: torch.Tensor) -> torch.Tensor:
    d = torch.zeros((*a.shape[:-2], a.shape[-2] + 1, a.shape[-1]), dtype=a.dtype)
    d[..., 1:-1, :] = a[..., 1:, :] - a[..., :-1, :]
    return d
