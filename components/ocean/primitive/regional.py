# SPDX-License-Identifier: BSD-3-Clause
"""A regional ocean from its inputs: geometry with open edges, initial state, and the sea outside."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from components.ocean.primitive.geometry import Geometry, build_geometry, partial_cells
from components.ocean.primitive.horizontal_grid import HorizontalGrid, longitude_latitude
from components.ocean.primitive.inputs import Inputs
from components.ocean.primitive.open_boundary import Outside, sponge_rate
from components.ocean.primitive.stencil import HALO
from components.ocean.primitive.surface import bands_of
from components.science.constants import GRAVITY


@dataclass(frozen=True)
class Region:
    """Whole-domain description every rank builds alike and cuts its block from."""

    grid: HorizontalGrid
    geometry: Geometry
    inputs: Inputs
    open_edges: tuple[str, ...]


def build_region(inputs: Inputs, open_edges: tuple[str, ...], no_slip: bool) -> Region:
    """Region on the inputs' own grid of parallels and meridians.

    Parameters
    ----------
    inputs : sea floor, hydrography and edges
    open_edges : names of the open edges
    no_slip : whether side walls hold the water
    """
    lon, lat = (_edges(a) for a in (inputs.longitude, inputs.latitude))
    grid = longitude_latitude(lon, lat)
    rest = partial_cells(inputs.depth, inputs.thickness)
    geometry = build_geometry(
        grid, rest, inputs.thickness, no_slip=no_slip, open_edges=open_edges, open_share=inputs.open_share
    )
    return Region(grid, geometry, inputs, open_edges)


def _edges(centres: np.ndarray) -> np.ndarray:
    step = np.diff(centres)
    return np.concatenate(
        [[centres[0] - 0.5 * step[0]], 0.5 * (centres[1:] + centres[:-1]), [centres[-1] + 0.5 * step[-1]]]
    )


def substeps_for(geometry: Geometry, dt: float, courant: float = 0.8) -> int:
    """Barotropic substeps: ``sqrt(g H) dt sqrt(1/dx^2 + 1/dy^2)`` stays below ``courant`` (1 is the limit).

    Parameters
    ----------
    geometry : of the whole domain
    dt : baroclinic step, s
    courant : share of the limit
    """
    g = geometry
    speed = torch.sqrt(GRAVITY * g.depth_t * (1.0 / (g.dxt * g.dxt) + 1.0 / (g.dyt * g.dyt))) * g.wet_t
    return max(2, int(np.ceil(dt * float(speed.max()) / courant)))


def outside_sea(region: Region, width: int, time_scale: float, radiation: float) -> Outside:
    """The sea outside from the annual hydrography, over the whole domain; its tracers are replaced as the year goes on.

    Parameters
    ----------
    region : Region
        The domain.
    width : int
        Cells of the sponge.
    time_scale : float
        Shortest time of relaxation, at the edge (s).
    radiation : float
        Share of Flather's term, see `Outside`.
    """
    g, a = region.geometry, region.inputs
    ny, nx = g.shape
    zero2, zero3 = torch.zeros_like(g.depth_t), torch.zeros_like(g.h0)
    eta, U, V, u, v = zero2.clone(), zero2.clone(), zero2.clone(), zero3.clone(), zero3.clone()
    rows, columns = slice(HALO, HALO + ny), slice(HALO, HALO + nx)
    far = float(max(ny, nx))
    distance = torch.full_like(zero2, far)
    if "east" in region.open_edges:
        eta[rows, HALO + nx - 1] = torch.tensor(a.east_level)
        U[rows, HALO + nx - 2] = torch.tensor(a.east_transport)  # the face between the ring and the model
        u[:, rows, HALO + nx - 2] = torch.tensor(a.east_velocity)
        distance = torch.minimum(
            distance, (HALO + nx - 1 - torch.arange(nx + 2 * HALO)).clamp(min=0)[None].to(zero2) + zero2
        )
    if "south" in region.open_edges:
        eta[HALO, columns] = torch.tensor(a.south_level)
        V[HALO, columns] = torch.tensor(a.south_transport)
        v[:, HALO, columns] = torch.tensor(a.south_velocity)
        distance = torch.minimum(distance, (torch.arange(ny + 2 * HALO) - HALO).clamp(min=0)[:, None].to(zero2) + zero2)
    rate = sponge_rate(distance, float(width), time_scale) * (distance < width)
    return Outside(eta, U * g.wet_u, V * g.wet_v, u, v, climatology(region, 0.0), rate * g.wet_t, radiation)


def climatology(region: Region, day_of_year: float) -> Tensor:
    """Temperature and salinity at a day of the year over the whole domain, ``(2, z, y, x)``, zero in the halo.

    Parameters
    ----------
    region : the domain
    day_of_year : 0 to 366, fractional
    """
    a = region.inputs
    both = torch.tensor(np.stack([a.temperature_on(day_of_year), a.salinity]))
    return torch.nn.functional.pad(both, (HALO, HALO, HALO, HALO))


def light(region: Region) -> Tensor | None:
    """Bands of the light over the whole domain, ``(3, y, x)`` with halo; None where the file has no water types."""
    types = region.inputs.water_type
    return None if types is None else bands_of(np.pad(types, HALO))


def tide_constants(region: Region) -> tuple[Tensor, Tensor]:
    """Amplitudes (m) and phases (degrees) of the tide on the ring of the open edges, ``(8, y, x)`` with halo."""
    tides, g = region.inputs.tides, region.geometry
    if tides is None:
        raise ValueError(
            "the input file has no tides: make it with them (data/make_ocean_inputs.py), or say tides: false"
        )
    ny, nx = g.shape
    rows, columns = slice(HALO, HALO + ny), slice(HALO, HALO + nx)
    out = []
    for part in ("amplitude", "phase"):
        field = torch.zeros(tides["east_amplitude"].shape[0], *g.depth_t.shape, dtype=g.depth_t.dtype)
        if "south" in region.open_edges:
            field[:, HALO, columns] = torch.tensor(tides[f"south_{part}"])
        if "east" in region.open_edges:
            field[:, rows, HALO + nx - 1] = torch.tensor(tides[f"east_{part}"])
        out.append(field)
    return out[0], out[1]
