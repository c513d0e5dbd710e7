# SPDX-License-Identifier: BSD-3-Clause
"""Open sides: waves leave through them (Klemp & Wilhelmson 1978, J. Atmos. Sci. 35, eq. 2.30)."""

import torch

from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import Diagnostics, State, Tendencies
from components.science.halo import Edges


def open_sides(f: Tendencies, g: Geometry, s: State, d: Diagnostics, edges: Edges, speed: float) -> Tendencies:
    """Tendency of the flow through open sides: carried outwards with its own speed plus ``speed`` (m s-1)."""
    if "open" not in (edges.west, edges.east, edges.south, edges.north):
        return f
    fu, fv = f.ru.clone(), f.rv.clone()
    ru, rv = s.ru[:, H:-H, H:-H], s.rv[:, H:-H, H:-H]
    u, v = d.u[2:-2, 3:-3, 3:-3], d.v[2:-2, 3:-3, 3:-3]
    dx, dy = g.inverse_dx[H:-H, H:-H], g.inverse_dy[H:-H, H:-H]
    if edges.west == "open":
        fu[..., 0] = -torch.clamp(u[..., 0] - speed, max=0.0) * (ru[..., 1] - ru[..., 0]) * dx[:, 0]
    if edges.east == "open":
        fu[..., -1] = -torch.clamp(u[..., -1] + speed, min=0.0) * (ru[..., -1] - ru[..., -2]) * dx[:, -1]
    if edges.south == "open":
        fv[:, 0] = -torch.clamp(v[:, 0] - speed, max=0.0) * (rv[:, 1] - rv[:, 0]) * dy[0]
    if edges.north == "open":
        fv[:, -1] = -torch.clamp(v[:, -1] + speed, min=0.0) * (rv[:, -1] - rv[:, -2]) * dy[-1]
    return f._replace(ru=fu, rv=fv)
