# SPDX-License-Identifier: BSD-3-Clause
"""Columns whose air is a driving model's, as a whole in the specified row or in part where it is relaxed.

What clouds and convection did to air that is set back to the driver's would never be used up: the same instability
would rain at every step (33 mm/d in the outermost row of a tropical side). In the specified row they do nothing, as in
WRF (Skamarock et al. 2021, NCAR/TN-556, section 6.4), and what convection does to relaxed air counts for as much as
relaxation leaves of it. A part of a change of water and heat conserves both as the whole does. The driver says nothing
of clouds: radiation sees those of the next row in the specified one.
"""

from typing import NamedTuple

import torch

from components.atmosphere.nonhydrostatic.dynamics.lateral import from_inside
from components.atmosphere.nonhydrostatic.physics.interfaces import Clouds, Convecting, Convection, Parts
from components.atmosphere.nonhydrostatic.physics.radiated_clouds import Seen
from components.science.halo import Edges


class Held(NamedTuple):
    """Which columns of a block are held.

    Attributes
    ----------
    kept : (y, x) share of what convection does that stays: 0 where the driver's values are set, 1 in free air
    edges : kinds of the block's sides
    """

    kept: torch.Tensor
    edges: Edges

    def convection(self, wet: Convection, before: Convecting) -> Convection:
        """The part of convection that stays; its clouds are there as a whole."""
        part = lambda old, new: None if new is None else torch.lerp(old, new, self.kept.to(new))  # noqa: E731
        t = torch.lerp(before.t, wet.t, self.kept.to(wet.t))
        q: Parts = {name: torch.lerp(before.q[name], a, self.kept.to(a)) for name, a in wet.q.items()}
        share = self.kept.to(wet.rain)
        return wet._replace(
            t=t, q=q, rain=share * wet.rain, snow=share * wet.snow, u=part(before.u, wet.u), v=part(before.v, wet.v),
            updraught=None if wet.updraught is None else share * wet.updraught,
        )  # fmt: skip

    def clouds(self, w: Clouds, theta: torch.Tensor, q: Parts) -> Clouds:
        """Clouds and precipitation where the air is not the driver's as a whole."""
        free = self.kept > 0.0
        same: Parts = {name: torch.where(free, a, q[name]) for name, a in w.q.items()}
        rain, snow = (torch.where(free, a, 0.0) for a in (w.rain, w.snow))
        return Clouds(torch.where(free, w.theta, theta), same, rain, snow)

    def seen(self, seen: Seen) -> Seen:
        """What radiation sees, with the next row's clouds in the specified one."""
        inside = {name: from_inside(a, self.edges) for name, a in seen._asdict().items() if a is not None}
        return seen._replace(**inside)
