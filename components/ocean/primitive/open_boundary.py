# SPDX-License-Identifier: BSD-3-Clause
"""Open edges: what the model knows of the sea outside, and how it lets waves out and water in.

The outermost ring of cells at an open edge holds the outside. Its tracers flow in where the current enters; the
transport through the faces between ring and model follows Flather (1976); the shear of the flow there is that of the
outside; within a sponge the tracers relax towards the outside.

Flather, R. A. (1976): A tidal model of the north-west European continental shelf. Mem. Soc. R. Sci. Liege 10, 141-164.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from components.ocean.primitive.stencil import over_levels
from components.science.constants import GRAVITY


@dataclass(frozen=True)
class Outside:
    """The sea outside, with a halo of two; values matter at the ring, at open faces, and where ``rate`` is positive.

    ``eta`` (m); ``U V`` depth-integrated transports (m2 s-1) and ``u v`` baroclinic velocities (m s-1, any depth
    mean) at open faces; ``tracers`` ``(n, z, y, x)``; ``rate`` of relaxation in the sponge (s-1); ``radiation``:
    share of Flather's term, 1 for waves and tides, small where the transports are known better than the sea level.
    """

    eta: Tensor
    U: Tensor
    V: Tensor
    u: Tensor
    v: Tensor
    tracers: Tensor
    rate: Tensor
    radiation: float = 1.0

    def block(self, rows: slice, columns: slice, halo: int = 2) -> "Outside":
        """The part of a block, halo included.

        Parameters
        ----------
        rows, columns : own cells of the block
        halo : cells around it
        """
        window = (..., slice(rows.start, rows.stop + 2 * halo), slice(columns.start, columns.stop + 2 * halo))
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        cut: dict[str, Any] = {k: v[window].contiguous() for k, v in values.items() if isinstance(v, Tensor)}
        return replace(self, **cut)


def flather(transport: Tensor, excess: Tensor, depth: Tensor, radiation: float) -> Tensor:
    """Transport through an open face, ``U_out + sqrt(g D) (eta - eta_out)`` (m2 s-1), Flather (1976) for the transport.

    Parameters
    ----------
    transport : Tensor
        Transport outside, m2 s-1.
    excess : Tensor
        Sea level inside less outside (m), times the sign of the outward direction.
    depth : Tensor
        Depth at the face, m.
    radiation : float
        Share of the second term.
    """
    return transport + radiation * speed(depth) * excess


def speed(depth: Tensor) -> Tensor:
    """Speed of long waves, m s-1.

    Parameters
    ----------
    depth : m
    """
    return torch.sqrt(torch.clamp(GRAVITY * depth, min=1e-12))  # at closed faces no gradient may be infinite


def relax(
    tracers: Tensor, outside: Tensor, rate: Tensor, ring: Tensor, h: Tensor, mask: Tensor, dt: float
) -> tuple[Tensor, Tensor]:
    """Relax tracers towards the outside with ``rate`` (s-1, implicit) and set them to it on the ring.

    Parameters
    ----------
    tracers, outside : Tensor
        ``(n, z, y, x)``.
    rate, ring : Tensor
        ``(y, x)``; the ring is where ``ring`` is positive.
    h, mask : Tensor
        Layer thickness (m) and wet cells, ``(z, y, x)``.
    dt : float
        Step, s.

    Returns
    -------
    tuple of Tensor
        Tracers, and what the sponge added to each column off the ring (tracer unit times m).
    """
    increment = (dt * rate / (1.0 + dt * rate)) * (outside - tracers)
    added = over_levels((increment * (h * mask)).movedim(1, 0)) * (ring <= 0)
    return torch.where(ring > 0, outside, tracers + increment), added


def sponge_rate(distance: Tensor, width: float, time_scale: float) -> Tensor:
    """Rate of relaxation (s-1) that falls from ``1 / time_scale`` at the edge to zero at ``width`` cells.

    It falls like a cosine.

    Parameters
    ----------
    distance : from the edge, cells
    width : of the sponge, cells
    time_scale : at the edge, s
    """
    inside = torch.clamp(distance / width, max=1.0)
    return 0.5 * (1.0 + torch.cos(torch.pi * inside)) / time_scale
