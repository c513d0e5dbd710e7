# SPDX-License-Identifier: BSD-3-Clause
"""The wet domain: layer thicknesses at rest, masks and metric terms, as the tensors every science function reads."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from components.ocean.primitive.horizontal_grid import HorizontalGrid
from components.ocean.primitive.stencil import HALO


@dataclass(frozen=True)
class Geometry:
    """Static fields of a block, halo included: ``(z, y, x)`` or ``(y, x)``.

    ``h0``: layer thickness at rest (m; 1 where dry, so that a division is safe), ``mask_t`` 1 in water; ``hu0 hv0``
    thickness at the faces (the thinner neighbour), zero at a wall; ``hq0`` at corners; ``depth_t/u/v``: column
    depths (m; 1 where dry); ``centre`` depth of the cell centres (m, positive down), ``interface`` depth of the
    layer bottoms; ``slip`` factor of the vorticity at a corner (1 in the interior, 0 or 2 at a coast); ``fq_h``:
    Coriolis parameter over column depth at the corner. ``active_t``: 1 in wet cells that the model predicts (all but
    the outermost ring at open edges, which holds the outside); ``open_u open_v``: at faces between that ring and the
    model, +1 where the outside lies to the east (north), -1 where to the west (south), 0 elsewhere.
    ``wide_u wide_v``: lengths of the faces that water passes (m), less than ``dyu dxv`` in straits narrower than cells.
    """

    h0: Tensor
    mask_t: Tensor
    mask_u: Tensor
    mask_v: Tensor
    hu0: Tensor
    hv0: Tensor
    hq0: Tensor
    depth_t: Tensor
    depth_u: Tensor
    depth_v: Tensor
    wet_t: Tensor
    active_t: Tensor
    open_u: Tensor
    open_v: Tensor
    wide_u: Tensor
    wide_v: Tensor
    wet_u: Tensor
    wet_v: Tensor
    centre: Tensor
    interface: Tensor
    slip: Tensor
    below: Tensor
    bottom_t: Tensor
    bottom_u: Tensor
    bottom_v: Tensor
    f_q: Tensor
    fq_h: Tensor
    dxt: Tensor
    dyt: Tensor
    dxu: Tensor
    dyu: Tensor
    dxv: Tensor
    dyv: Tensor
    dxq: Tensor
    dyq: Tensor
    area_t: Tensor
    area_u: Tensor
    area_v: Tensor
    area_q: Tensor
    x: Tensor
    y: Tensor

    @property
    def levels(self) -> int:
        """Number of levels."""
        return self.h0.shape[0]

    @property
    def shape(self) -> tuple[int, int]:
        """Number of cells in y and x, halo not counted."""
        return self.h0.shape[1] - 2 * HALO, self.h0.shape[2] - 2 * HALO

    @property
    def inside(self) -> tuple[Tensor, Tensor]:
        """1 at east and north faces, 0 at those between the model and the ring of an open edge, ``(y, x)``."""
        return 1.0 - torch.abs(self.open_u), 1.0 - torch.abs(self.open_v)

    def block(self, rows: slice, columns: slice) -> "Geometry":
        """Geometry of a block: ``rows`` and ``columns`` count the domain's own cells; the result carries its halo.

        Parameters
        ----------
        rows, columns : own cells of the block
        """
        window = (
            ...,
            slice(rows.start, rows.stop + 2 * HALO),
            slice(columns.start, columns.stop + 2 * HALO),
        )
        return Geometry(**{f.name: getattr(self, f.name)[window].contiguous() for f in fields(self)})

    def to(self, dtype: torch.dtype, device: torch.device | str = "cpu") -> "Geometry":
        """Copy in another floating-point type or on another device; index fields keep their type.

        Parameters
        ----------
        dtype : floating-point type
        device : cpu or cuda
        """
        return Geometry(
            **{
                f.name: value.to(device) if value.dtype == torch.int64 else value.to(device, dtype)
                for f in fields(self)
                for value in (getattr(self, f.name),)
            }
        )


def partial_cells(depth: np.ndarray, thickness: np.ndarray, smallest_fraction: float = 0.3) -> np.ndarray:
    """Layer thicknesses at rest with a partial bottom cell (Adcroft, Hill and Marshall 1997), ``(z, y, x)`` in m.

    They are 0 below the bottom.

    Parameters
    ----------
    depth : ndarray
        Depth of the sea floor (m, positive down), ``(y, x)``; zero or less is land.
    thickness : ndarray
        Full thickness of the levels from the surface down, m.
    smallest_fraction : float
        A bottom cell thinner than this fraction of its level is closed when thinner than half of that, and thickened
        otherwise. The first level is never partial: a wet column has at least the first level.
    """
    top = np.concatenate([[0.0], np.cumsum(thickness)[:-1]])
    full = np.asarray(thickness, float)[:, None, None]
    h = np.clip(depth[None] - top[:, None, None], 0.0, full)
    least = smallest_fraction * full
    h = np.where(h < 0.5 * least, 0.0, np.where(h < least, least, h))
    h[0] = np.where(depth > 0.0, np.maximum(h[0], thickness[0]), 0.0)
    return h


def build_geometry(
    grid: HorizontalGrid,
    thickness_at_rest: np.ndarray,
    level_thickness: np.ndarray,
    periodic_x: bool = False,
    periodic_y: bool = False,
    no_slip: bool = False,
    open_edges: Collection[str] = (),
    open_share: tuple[np.ndarray, np.ndarray] | None = None,
) -> Geometry:
    """Geometry of the whole domain in double precision.

    Parameters
    ----------
    grid : HorizontalGrid
        Metric terms.
    thickness_at_rest : ndarray
        ``(z, ny, nx)`` from `partial_cells`, zero where dry.
    level_thickness : ndarray
        Full thickness of the levels, m.
    periodic_x, periodic_y : bool
        Whether the domain closes on itself.
    no_slip : bool
        No-slip side walls; free slip otherwise.
    open_edges : collection of str
        Edges (`west`, `east`, `south`, `north`) whose outermost wet cells hold the state of the sea outside.
    open_share : pair of ndarray, or None
        Share of the length of each east and north face that water passes, ``(ny, nx)``, above 0 and up to 1; None: 1.
        A strait narrower than a cell keeps its cross-section so (Adcroft 2013, Ocean Modelling 67, 13-18).

    Raises
    ------
    ValueError
        If the shapes do not fit, no cell is wet, or a share is not above 0 and up to 1.
    """
    if thickness_at_rest.shape[1:] != grid.shape:
        raise ValueError(f"the bathymetry has {thickness_at_rest.shape[1:]} cells and the grid {grid.shape} (y, x)")
    if not (thickness_at_rest > 0).any():
        raise ValueError("the bathymetry has no wet cell: is its sign 'depth, positive down'?")
    h = np.pad(thickness_at_rest, ((0, 0), (HALO, HALO), (0, 0)), mode="wrap" if periodic_y else "constant")
    h = np.pad(h, ((0, 0), (0, 0), (HALO, HALO)), mode="wrap" if periodic_x else "constant")
    wet = h > 0
    ring = _ring(wet[0], open_edges)
    east, north = _next(h, -1), _next(h, -2)
    # nothing flows along the ring
    hu = np.minimum(h, east) * ~(ring & _next(ring, -1))
    hv = np.minimum(h, north) * ~(ring & _next(ring, -2))
    beside_ring = ring | _next(ring, -1) | _next(ring, -2) | _next(_next(ring, -1), -2)
    around = [h, east, north, _next(east, -2)]
    count = sum((a > 0).astype(float) for a in around)
    hq = np.where(count > 0, sum(around) / np.maximum(count, 1.0), 1.0)
    depth, depth_u, depth_v = h.sum(0), hu.sum(0), hv.sum(0)
    depth_q = sum(a.sum(0) for a in around) / np.maximum(sum((a[0] > 0).astype(float) for a in around), 1.0)
    top = np.concatenate([[0.0], np.cumsum(level_thickness)[:-1]])[:, None, None]
    slip = np.where(count == 4, 1.0, np.where(count > 0, 2.0 if no_slip else 0.0, 0.0)) * ~beside_ring
    outward_u = _next(ring, -1).astype(float) - ring
    outward_v = _next(ring, -2).astype(float) - ring
    level = np.arange(h.shape[0])[:, None, None]
    as_tensor = {
        "h0": np.where(wet, h, 1.0), "mask_t": wet, "mask_u": hu > 0, "mask_v": hv > 0, "hu0": hu, "hv0": hv, "hq0": hq,
        "depth_t": np.where(wet[0], depth, 1.0), "depth_u": np.where(depth_u > 0, depth_u, 1.0),
        "depth_v": np.where(depth_v > 0, depth_v, 1.0), "wet_t": wet[0],
        "active_t": wet[0] & ~ring, "open_u": np.where(depth_u > 0, outward_u, 0.0),
        "open_v": np.where(depth_v > 0, outward_v, 0.0), "wet_u": depth_u > 0, "wet_v": depth_v > 0,
        "centre": top + 0.5 * np.where(wet, h, np.asarray(level_thickness)[:, None, None]),
        "interface": top + np.where(wet, h, np.asarray(level_thickness)[:, None, None]), "slip": slip,
        "below": np.concatenate([wet[1:], np.zeros_like(wet[:1])]) & wet,
        "bottom_t": (level + 1 == wet.sum(0)) & wet, "bottom_u": (level + 1 == (hu > 0).sum(0)) & (hu > 0),
        "bottom_v": (level + 1 == (hv > 0).sum(0)) & (hv > 0),
        "fq_h": np.where(depth_q > 0, grid.f_q / np.where(depth_q > 0, depth_q, 1.0), 0.0),
    }  # fmt: skip
    for f in fields(HorizontalGrid):
        as_tensor[f.name] = getattr(grid, f.name)
    for name, length, share in zip(("wide_u", "wide_v"), (grid.dyu, grid.dxv), open_share or (None, None), strict=True):
        as_tensor[name] = length if share is None else length * _with_halo(share, grid.shape, periodic_x, periodic_y)
    return Geometry(**{name: torch.from_numpy(np.array(a, dtype=np.float64)) for name, a in as_tensor.items()})


def _with_halo(share: np.ndarray, shape: tuple[int, int], periodic_x: bool, periodic_y: bool) -> np.ndarray:
    """Open shares of the domain's own faces with a halo, in which faces are open unless the domain is periodic."""
    if share.shape != shape or not ((share > 0.0) & (share <= 1.0)).all():
        raise ValueError(f"open shares of faces are above 0 and up to 1, on {shape} cells (y, x)")
    for axis, periodic in enumerate((periodic_y, periodic_x)):
        width = [(HALO, HALO) if a == axis else (0, 0) for a in range(2)]
        share = np.pad(share, width, mode="wrap") if periodic else np.pad(share, width, constant_values=1.0)
    return share


def _ring(wet: np.ndarray, open_edges: Collection[str]) -> np.ndarray:
    """Outermost wet cells at the open edges."""
    ring = np.zeros_like(wet)
    first, last = HALO, -HALO - 1
    windows: dict[str, Any] = {
        "west": np.s_[:, first],
        "east": np.s_[:, last],
        "south": np.s_[first],
        "north": np.s_[last],
    }
    for edge in open_edges:
        if edge not in windows:
            raise ValueError(f"an open edge is one of {', '.join(windows)}, not {edge!r}")
        ring[windows[edge]] = True
    return ring & wet


def _next(a: np.ndarray, axis: int) -> np.ndarray:
    """Value of the next cell along an axis; zero beyond the end."""
    pad = [(0, 0)] * a.ndim
    pad[axis] = (0, 1)
    return np.take(np.pad(a, pad), np.arange(1, a.shape[axis] + 1), axis=axis)
