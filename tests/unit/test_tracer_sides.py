# SPDX-License-Identifier: BSD-3-Clause
"""What the relaxed rows do to vapour, of which the driver knows, and to clouds, of which it does not."""

import torch

from components.atmosphere.nonhydrostatic.driving.tracer_sides import TracerSides, draw
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.lateral import relaxation_rate, strip
from components.atmosphere.nonhydrostatic.physics.species import CLOUD_WATER, VAPOUR
from components.science.halo import Edges
from components.science.tracers import Species, Tracer


def test_clouds_live_up_to_the_outermost_row_where_vapour_is_drawn_to_the_driver():
    smoke = Tracer("smoke", "kg kg-1", boundary="zero")
    species = Species([VAPOUR, CLOUD_WATER, smoke])
    q = torch.ones((3, 2, 9 + 2 * H, 9 + 2 * H)).double()
    outside = TracerSides(species, q, {}).at(0.0, {"vapour": torch.zeros_like(q[0])})
    rate = relaxation_rate((9, 9), (0, 0), 9, 9, (4.0, 4.0), 10.0)
    draw(q, outside, 10.0 * rate[1:-1, 1:-1], Edges("specified", "specified", "specified", "specified"))
    vapour, cloud, smoky = q[:, 0, H + 4, H:-H]
    assert vapour[0] == cloud[0] == smoky[0] == 0.0 == vapour[-1] == cloud[-1]
    assert bool((cloud[1:-1] == 1.0).all())
    assert torch.equal(vapour, smoky)
    expected = torch.tensor([0.0, 0.9, 0.94375, 0.975, 0.99375, 0.975], dtype=torch.float64)
    torch.testing.assert_close(vapour[:6], expected)


def test_vapour_may_be_drawn_more_slowly_than_the_air_that_carries_it():
    """A tenth of the rate inside the strip; in the specified row it is the driver's all the same; others as before."""
    smoke = Tracer("smoke", "kg kg-1", boundary="zero")
    species = Species([VAPOUR, smoke])
    q = torch.ones((2, 2, 9 + 2 * H, 9 + 2 * H)).double()
    sides = TracerSides(species, q, {}, water=0.1)
    rate = 10.0 * relaxation_rate((9, 9), (0, 0), 9, 9, (4.0, 4.0), 10.0)[1:-1, 1:-1]
    every = Edges("specified", "specified", "specified", "specified")
    draw(q, sides.at(0.0, {"vapour": torch.zeros_like(q[0])}), rate, every, sides.shares)
    vapour, smoky = q[:, 0, H + 4, H:-H]
    assert vapour[0] == smoky[0] == 0.0
    torch.testing.assert_close(1.0 - vapour[1:-1], 0.1 * (1.0 - smoky[1:-1]))
    assert smoky[1] == 0.9


def test_the_strip_of_relaxation_is_a_length_and_by_default_a_share_of_the_domain():
    """1/6.5 of the shorter side, four rows where that is less; a width that is given holds whatever the cells."""
    assert strip((65, 66), (100e3, 100e3)) == (10.0, 10.0)
    assert strip((17, 24), (295e3, 295e3)) == (4.0, 4.0)
    assert strip((40, 80), (10e3, 20e3), 160e3) == (16.0, 8.0)
    for cells, size in ((40, 10e3), (80, 5e3)):
        rows = strip((cells, cells), (size, size), 100e3)
        rate = 10.0 * size / 100.0 * relaxation_rate((cells, cells), (0, 0), cells, cells, rows, size / 100.0)
        middle = rate[cells // 2 + 1, 1:-1]
        expected = [(1.0 - k * size / 100e3) ** 2 if k * size < 100e3 else 0.0 for k in range(cells // 2 - 1)]
        torch.testing.assert_close(middle[1 : cells // 2], torch.tensor(expected, dtype=torch.float64))
        assert middle[0] == middle[-1] == 0.0
