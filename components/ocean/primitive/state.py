# SPDX-License-Identifier: BSD-3-Clause
"""What the ocean model carries from one step to the next."""

from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from components.ocean.primitive.geometry import Geometry
from components.ocean.primitive.stencil import HALO
from components.science.halo import Padded

WIDE = ("eta", "U", "V", "u", "v", "tracers")  # halo of two
NARROW = ("w_flux", "tke")  # halo of one


@dataclass(frozen=True)
class State:
    """Prognostic fields, ``(z, y, x)``.

    Sea level ``eta`` (m) and ``tracers`` ``(n, z, y, x)`` (conservative temperature in degC, absolute salinity in g
    kg-1, passive ones) at time n; filtered transports ``U V`` (m2 s-1) at n; velocity ``u v`` (m s-1) and ``w_flux``
    (m3 s-1, up through the bottom of a cell) at n - 1/2. ``past_*``: tendencies of the two steps before ``(2, ...)``
    (Adams-Bashforth). ``tke`` (m2 s-2) at the bottom of each cell. ``freezing`` (W m-2): heat that the freezing
    limiter added in the last step. What has been added so far: ``frozen_heat`` by the limiter, ``water_heat`` by the
    temperature of fresh water (J m-2); ``side_volume`` (m) and ``side_content`` ``(n, y, x)`` (tracer unit times m)
    by the sea outside: through open faces, by the sponge, and tracers by `SurfaceForcing.tracer_flux`. ``steps``
    taken since the start.
    """

    eta: Tensor
    U: Tensor
    V: Tensor
    u: Tensor
    v: Tensor
    tracers: Tensor
    w_flux: Tensor
    tke: Tensor
    past_u: Tensor
    past_v: Tensor
    past_coriolis_u: Tensor
    past_coriolis_v: Tensor
    frozen_heat: Tensor
    water_heat: Tensor
    side_volume: Tensor
    side_content: Tensor
    freezing: Tensor
    steps: int

    def own(self) -> "State":
        """Return the fields of the block's own cells, halos cut off: what a restart keeps."""
        cut: dict[str, Any] = {name: getattr(self, name)[..., HALO:-HALO, HALO:-HALO].contiguous() for name in WIDE}
        cut |= {name: getattr(self, name)[..., 1:-1, 1:-1].contiguous() for name in NARROW}
        return replace(self, **cut)

    def with_halos(self, halo: Padded) -> "State":
        """Inverse of `own`: one exchange fills all halos."""
        filled = halo(*(getattr(self, name) for name in WIDE + NARROW))
        named: dict[str, Any] = dict(zip(WIDE + NARROW, filled, strict=True))
        named |= {name: named[name][..., 1:-1, 1:-1].contiguous() for name in NARROW}
        return replace(self, **named)

    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "steps"}


def state_at_rest(
    tracers: Tensor, g: Geometry, halo: Padded, eta: Tensor | None = None, tke_minimum: float = 1e-6
) -> State:
    """State without motion from tracers ``(n, z, ny, nx)`` and a sea level ``(ny, nx)``, both without halo.

    Parameters
    ----------
    tracers : (n, z, ny, nx) own cells
    g : geometry of the block
    halo : exchange with the neighbours
    eta : (ny, nx) sea level or None, m
    tke_minimum : turbulent kinetic energy at the start, m2 s-2
    """
    ny, nx = g.shape
    zero2 = torch.zeros(ny, nx, dtype=g.h0.dtype, device=g.h0.device)
    zero3 = torch.zeros(g.levels, ny, nx, dtype=g.h0.dtype, device=g.h0.device)
    pair2, pair3 = torch.stack([zero2, zero2]), torch.stack([zero3, zero3])
    return State(
        eta=zero2 if eta is None else eta, U=zero2, V=zero2, u=zero3, v=zero3, tracers=tracers, w_flux=zero3,
        tke=zero3 + tke_minimum, past_u=pair3, past_v=pair3, past_coriolis_u=pair2, past_coriolis_v=pair2,
        frozen_heat=zero2, water_heat=zero2, side_volume=zero2, side_content=torch.zeros_like(tracers[:, 0]),
        freezing=zero2, steps=0,
    ).with_halos(halo)  # fmt: skip
