# SPDX-License-Identifier: BSD-3-Clause
"""What the relaxed rows do to vapour, of which the driver knows, and to clouds, of which it does not."""

import torch

from components.atmosphere.nonhydrostatic.driving.tracer_sides import TracerSides, draw
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.lateral import relaxation_rate
from components.atmosphere.nonhydrostatic.physics.species import CLOUD_WATER, VAPOUR
from components.science.halo import Edges
from components.science.tracers import Species, Tracer


def test_clouds_live_up_to_the_outermost_row_where_vapour_is_drawn_to_the_driver():
    smoke = Tracer("smoke", "kg kg-1", boundary="zero")
    species = Species([VAPOUR, CLOUD_WATER, smoke])
    q = torch.ones((3, 2, 9 + 2 * H, 9 + 2 * H)).double()
    outside = TracerSides(species, q, {}).at(0.0, {"vapour": torch.zeros_like(q[0])})
    rate = relaxation_rate((9, 9), (0, 0), 9, 9, 4, 10.0)
    draw(q, outside, 10.0 * rate[1:-1, 1:-1], Edges("specified", "specified", "specified", "specified"))
    vapour, cloud, smoky = q[:, 0, H + 4, H:-H]
    assert vapour[0] == cloud[0] == smoky[0] == 0.0 == vapour[-1] == cloud[-1]
    assert bool((cloud[1:-1] == 1.0).all())
    assert torch.equal(vapour, smoky)
    expected = torch.tensor([0.0, 0.9, 0.925, 0.95, 0.975, 0.95], dtype=torch.float64)
    torch.testing.assert_close(vapour[:6], expected)
