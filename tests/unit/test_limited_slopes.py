# SPDX-License-Identifier: BSD-3-Clause
"""Slopes that make no new extreme, and the subsidence of a single column that is carried with them."""

import torch

from components.atmosphere.nonhydrostatic.column import forcing
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.science.limited_slopes import limited_slopes


def even_columns(n, depth):
    """``n`` layers up to ``depth`` m; nothing but heights."""
    edge = torch.linspace(0.0, depth, n + 1, dtype=torch.float64)[:, None, None]
    z, dz = 0.5 * (edge[1:] + edge[:-1]), edge[1:] - edge[:-1]
    none = torch.zeros_like(z)
    return Columns(none, none, none, none, none, none, z, dz, edge)


def test_slopes_of_a_line_are_its_own_and_none_at_an_extreme():
    z = torch.tensor([10.0, 40.0, 100.0, 150.0, 300.0], dtype=torch.float64)
    torch.testing.assert_close(limited_slopes(3.0 - 0.5 * z, z)[1:-1], torch.full((3,), -0.5, dtype=torch.float64))
    assert (limited_slopes(torch.tensor([0.0, 1.0, 0.0, 1.0, 0.0]), z)[1:-1] == 0.0).all()
    kinked = limited_slopes(torch.clamp(z - 100.0, min=0.0), z)
    assert (kinked[:3] == 0.0).all() and (kinked[3:] == 1.0).all()


def test_subsidence_is_of_second_order_and_exact_for_a_line():
    miss = []
    for n in (40, 80, 160):
        c = even_columns(n, 3000.0)
        x = c.z / 3000.0
        w = torch.full_like(c.z, -0.01)
        middle = slice(n // 8, -n // 8)
        torch.testing.assert_close(forcing._carried(2.0 * x, w, c)[1:-1], torch.full_like(x, 0.02 / 3000.0)[1:-1])
        exact = 0.01 * torch.exp(x) / 3000.0
        miss.append(float((forcing._carried(torch.exp(x), w, c) - exact)[middle].abs().max()))
    assert miss[0] / miss[1] > 3.5 and miss[1] / miss[2] > 3.5
    assert miss[0] < 1e-3 * 0.01 / 3000.0 * 2.72


def test_subsidence_of_a_step_makes_no_new_extreme():
    c = even_columns(60, 3000.0)
    w = torch.full_like(c.z, -0.1)
    x = (c.z > 1500.0).to(c.z)
    for _ in range(40):
        x = x + 100.0 * forcing._carried(x, w, c)
    assert float(x.min()) >= -1e-12 and float(x.max()) <= 1.0 + 1e-12
    assert 0.25 < float((x < 0.5).to(x).mean()) < 0.5, "the step has come down by 400 m"
