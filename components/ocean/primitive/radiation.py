# SPDX-License-Identifier: BSD-3-Clause
"""Radiation of tracers and baroclinic flow through open edges, with nudging that depends on the direction.

What arrives at an edge leaves with the phase velocity it has just inside (Orlanski 1976), projected on both directions
(Raymond and Kuo 1984); where the phase goes inwards the edge is drawn to the sea outside quickly, where it goes
outwards slowly (Marchesiello, McWilliams and Shchepetkin 2001, MMS01, section 4).

Orlanski, I. (1976): A simple boundary condition for unbounded hyperbolic flows. J. Comput. Phys. 21, 251-269.
Raymond, W. H. and H. L. Kuo (1984): A radiation boundary condition for multi-dimensional flows. Quart. J. R. Meteorol.
Soc. 110, 535-551.
Marchesiello, P., J. C. McWilliams and A. Shchepetkin (2001): Open boundary conditions for long-term integration of
regional oceanic models. Ocean Modelling 3, 1-20.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from components.ocean.primitive.geometry import Geometry
from components.ocean.primitive.stencil import HALO, inner, over_levels

PLACES = 4  # that the condition reads: the edge and three inside
LEAST_COURANT = 0.01  # below it the edge is advanced upstream rather than centred


def radiate(
    old: Tensor, new: Tensor, outside: Tensor, open_inside: Tensor, open_along: Tensor, dt: float,
    nudging: tuple[float, float],
) -> Tensor:  # fmt: skip
    """Value at the edge after a step.

    The phase velocity is the least-squares solution of the radiation equation over the two places between the first
    three inside, differences in space and time centred on them, so that both vanish at the same crest; the edge is
    advanced by the scheme that is centred likewise. (MMS01 take one place, one-sided differences and upstream steps:
    that reflects 5 to 50 % of the energy of waves with 10 to 25 cells a wavelength, this one 0.1 to 1 %.)

    Parameters
    ----------
    old : Tensor
        Before the step at the edge and the first three places inside it, ``(4, ..., n + 2)``: the last dimension runs
        along the edge and has a neighbour more at either end.
    new : Tensor
        After the step at the first three places inside, ``(3, ..., n)``.
    outside : Tensor
        What is known of the sea outside, ``(..., n)``.
    open_inside : Tensor
        1 where water joins the places, ``(..., n)``.
    open_along : Tensor
        1 where water joins neighbours along the edge, ``(..., n + 1)``.
    dt : float
        Step, s.
    nudging : tuple of float
        Times of relaxation (s) where the phase enters and where it leaves.
    """
    edge, inside = old[0, ..., 1:-1], old[1:, ..., 1:-1]
    change = new - inside
    in_time = 0.5 * (change[:-1] + change[1:])
    normal = 0.5 * ((new[:-1] - new[1:]) + (inside[:-1] - inside[1:])) * open_inside  # outward
    # along the edge from upstream, at the first place inside
    steps = (old[1, ..., 1:] - old[1, ..., :-1]) * open_along
    along = torch.where(in_time[0] * (steps[..., 1:] + steps[..., :-1]) < 0.0, steps[..., :-1], steps[..., 1:])
    square = normal[0] * normal[0] + normal[1] * normal[1] + along * along + 1e-30
    outward = -(in_time[0] * normal[0] + in_time[1] * normal[1]) / square
    inward = outward < 0.0
    c = torch.clamp(outward, 0.0, 1.0)
    c_along = torch.where(inward, torch.zeros_like(c), torch.clamp(-in_time[0] * along / square, -1.0, 1.0))
    at_edge = (old[0, ..., 1:] - old[0, ..., :-1]) * open_along
    carried = torch.where(c_along > 0.0, c_along * at_edge[..., :-1], c_along * at_edge[..., 1:])
    upstream = (edge + c * new[0] - carried) / (1.0 + c)
    centred = inside[0] + ((1.0 - c) * (edge - new[0]) - 2.0 * carried) / (1.0 + c)
    radiated = upstream + c / (c + LEAST_COURANT) * (centred - upstream)
    weight = torch.where(inward, dt / (nudging[0] + dt), dt / (nudging[1] + dt))
    return radiated + weight * (outside - radiated)


@dataclass(frozen=True)
class Side:
    """An open edge of a block: ``axis`` across it (-1 or -2), ``high`` for east and north."""

    axis: int
    high: bool

    def line(self, a: Tensor, inside: int, halo: int) -> Tensor:
        """Places along the edge, ``inside`` cells in from the ring.

        In a field with a halo of two they include a neighbour at either end; among own cells (``halo`` 0) they do not.

        Parameters
        ----------
        a : (..., y, x) field
        inside : cells in from the ring
        halo : of the field, 2 or 0
        """
        size = a.shape[self.axis]
        a = a.select(self.axis, size - 1 - halo - inside if self.high else halo + inside)
        return a[..., halo - 1 : a.shape[-1] - halo + 1] if halo else a

    def put(self, a: Tensor, inside: int, values: Tensor) -> Tensor:
        """Copy of a field of own cells with new values on a line.

        Parameters
        ----------
        a : (..., y, x) field of own cells
        inside : cells in from the ring
        values : new values on the line
        """
        out = a.clone()
        self.line(out, inside, 0).copy_(values)
        return out


class RadiatingEdges:
    """The open edges that a block holds.

    Parameters
    ----------
    g : Geometry
        The block.
    dt : float
        Step, s.
    nudging : tuple of float
        Times of relaxation (s) where the phase enters and where it leaves.

    Raises
    ------
    ValueError
        If the block is too narrow.
    """

    def __init__(self, g: Geometry, dt: float, nudging: tuple[float, float]):
        self.g, self.dt, self.nudging = g, dt, nudging
        found = {
            Side(-1, False): g.open_u[HALO:-HALO, HALO] < 0, Side(-1, True): g.open_u[HALO:-HALO, -HALO - 2] > 0,
            Side(-2, False): g.open_v[HALO, HALO:-HALO] < 0, Side(-2, True): g.open_v[-HALO - 2, HALO:-HALO] > 0,
        }  # fmt: skip
        narrowest = min(g.shape)
        self.sides = {side: is_open for side, is_open in found.items() if bool(is_open.any())}
        if self.sides and narrowest <= PLACES:
            raise ValueError(f"radiating edges need blocks wider than {PLACES} cells, not {narrowest}: use fewer ranks")

    def tracers(self, old: Tensor, new: Tensor, outside: Tensor) -> Tensor:
        """Tracers of the sea outside, with those that radiate on the ring.

        ``old`` before the step and ``outside`` with a halo of two, ``new`` after it, own cells; returns own cells.

        Parameters
        ----------
        old : (n, z, y, x) before the step, halo of two
        new : (n, z, y, x) after it, own cells
        outside : (n, z, y, x) of the sea outside, halo of two
        """
        outside = inner(outside)
        for side, is_open in self.sides.items():
            at_edge = side.line(outside, 0, 0)
            before = [side.line(old, n, HALO) for n in range(PLACES)]
            value = self._between(
                side, before, [side.line(new, n, 0) for n in range(PLACES)], at_edge, self.g.mask_t, 0
            )
            outside = side.put(outside, 0, torch.where(is_open, value, at_edge))
        return outside

    def velocities(
        self, old_u: Tensor, old_v: Tensor, u: Tensor, v: Tensor, outside_u: Tensor, outside_v: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Velocities after a step with the baroclinic part at open faces radiating; transports stay.

        ``old_*`` before the step and ``outside_*`` with a halo of two; ``u v`` after it, own faces.

        Parameters
        ----------
        old_u, old_v : (z, y, x) before the step, halo of two, m s-1
        u, v : (z, y, x) after it, own faces, m s-1
        outside_u, outside_v : (z, y, x) of the sea outside, halo of two, m s-1
        """
        g = self.g
        across = {-1: (old_u, u, outside_u, g.mask_u, g.hu0, g.depth_u),
                  -2: (old_v, v, outside_v, g.mask_v, g.hv0, g.depth_v)}  # fmt: skip
        for side, is_open in self.sides.items():
            old, new, outside, mask, h, depth = across[side.axis]
            first = int(side.high)  # the open face carries the number of the cell to its west or south
            share = h / depth  # of a level in the depth mean

            def sheared(a: Tensor, weight: Tensor) -> Tensor:
                return a - over_levels(a * weight)

            own_share = inner(share)
            transport = over_levels(side.line(new, first, 0) * side.line(own_share, first, 0))
            lines = [sheared(side.line(new, first + n, 0), side.line(own_share, first + n, 0)) for n in range(PLACES)]
            before = [
                sheared(side.line(old, first + n, HALO), side.line(share, first + n, HALO)) for n in range(PLACES)
            ]
            known = sheared(side.line(inner(outside), first, 0), side.line(own_share, first, 0))
            value = self._between(side, before, lines, known, mask, first)
            value = (sheared(value, side.line(own_share, first, 0)) + transport) * side.line(inner(mask), first, 0)
            new = side.put(new, first, torch.where(is_open, value, side.line(new, first, 0)))
            across[side.axis] = (old, new, outside, mask, h, depth)
        return across[-1][1], across[-2][1]

    def _between(self, side: Side, before, after, outside: Tensor, mask: Tensor, first: int) -> Tensor:
        wet = [side.line(mask, first + n, HALO) for n in range(PLACES)]
        inside = (wet[0] * wet[1] * wet[2] * wet[3])[..., 1:-1]
        both = wet[0] * wet[1]
        return radiate(
            torch.stack(before), torch.stack(after[1:]), outside, inside, both[..., 1:] * both[..., :-1], self.dt,
            self.nudging,
        )  # fmt: skip
