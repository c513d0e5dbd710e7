# SPDX-License-Identifier: BSD-3-Clause
"""Groundwater against closed forms: Dupuit between two rivers, a mound that dies away, transmissivity, TOPMODEL."""

import numpy as np
import pytest
import torch

from components.land.column.groundwater import (
    Aquifer,
    lateral_inflow,
    longest_step,
    saturated_share,
    step_heads,
    transmissivity,
)

DOUBLE = torch.float64


def strip(cells, spacing, conductivity, specific_yield, bottom=0.0):
    one = torch.ones((1, cells), dtype=DOUBLE)
    return Aquifer(bottom * one, conductivity * one, specific_yield * one, one, (spacing, spacing))


def test_dupuit_between_two_rivers():
    k, recharge, length, left, right, d = 1e-4, 1e-8, 2000.0, 10.0, 5.0, 50.0
    aquifer = strip(41, d, k, 0.1)
    x = torch.linspace(0.0, length, 41, dtype=DOUBLE)
    exact = torch.sqrt(left**2 - (left**2 - right**2) * x / length + recharge / k * x * (length - x))
    assert exact[[10, 20, 30]].tolist() == pytest.approx([12.5, 12.74755, 10.89725], abs=1e-5)
    held = torch.zeros((1, 41), dtype=torch.bool)
    held[0, [0, -1]] = True
    head = torch.linspace(left, right, 41, dtype=DOUBLE)[None]
    for _ in range(20000):
        head = step_heads(head, aquifer, torch.full_like(head, recharge), longest_step(head, aquifer), held)
    assert float((head[0] / exact - 1.0).abs().max()) < 0.005
    middle = (head[0, 1:] + head[0, :-1]) / 2
    flow = k * middle * (head[0, :-1] - head[0, 1:]) / d
    at = (x[1:] + x[:-1]) / 2
    line = np.polyfit(at.numpy(), flow.numpy(), 1)
    assert line[1] == pytest.approx(-8.125e-6, rel=0.005)
    assert line[1] + line[0] * length == pytest.approx(1.1875e-5, rel=0.005)
    assert -line[1] / line[0] == pytest.approx(812.5, rel=0.005)


def test_a_mound_dies_away_in_its_time():
    length, transmission, storage, n = 2000.0, 0.002, 0.1, 81
    thickness = 1000.0  # so thick that the mound does not change it
    aquifer = strip(n, length / (n - 1), transmission / thickness, storage, -thickness)
    x = torch.linspace(0.0, length, n, dtype=DOUBLE)
    head = (0.1 * torch.sin(torch.pi * x / length))[None]
    held = torch.zeros((1, n), dtype=torch.bool)
    held[0, [0, -1]] = True
    time, begin = 0.0, float(head[0, n // 2])
    none = torch.zeros_like(head)
    while float(head[0, n // 2]) > begin / np.e:
        before, step = float(head[0, n // 2]), longest_step(head, aquifer)
        head = step_heads(head, aquifer, none, step, held)
        time += step
    over = np.log(begin / np.e / float(head[0, n // 2])) / np.log(before / float(head[0, n // 2]))
    assert (time - over * step) / 86400.0 == pytest.approx(234.54, rel=0.01)


def test_transmissivity_falls_off_with_depth_and_ends_at_bedrock():
    depth = torch.tensor([0.0, 1.5, 5.0, 20.0], dtype=DOUBLE)
    k, fold = torch.tensor(1e-4, dtype=DOUBLE), torch.tensor(10.0, dtype=DOUBLE)
    assert transmissivity(depth, k, fold).tolist() == pytest.approx([1.15e-3, 1e-3, 7.0469e-4, 1.57237e-4], rel=1e-5)
    assert float(transmissivity(depth[2], k, fold, torch.tensor(30.0))) == pytest.approx(6.46844e-4, rel=1e-5)
    assert float(transmissivity(torch.tensor(40.0), k, fold, torch.tensor(30.0))) == 0.0


def test_topmodels_saturated_share():
    depth = torch.tensor([0.0, 1.0, 2.0], dtype=DOUBLE)
    share = saturated_share(depth, torch.tensor(0.38, dtype=DOUBLE), torch.tensor(2.0, dtype=DOUBLE))
    assert share.tolist() == pytest.approx([0.38, 0.139794, 0.051427], abs=1e-6)


def test_what_one_cell_gives_another_gets():
    generator = torch.Generator().manual_seed(0)
    u = torch.rand((4, 30, 40), dtype=DOUBLE, generator=generator)
    aquifer = Aquifer(-20 * u[0], 1e-4 * u[1] + 1e-6, 0.1 + 0.1 * u[1], (u[2] > 0.2).double(), (500.0, 400.0))
    gained = lateral_inflow(10.0 * u[3] * aquifer.active, aquifer)
    assert abs(float(gained.sum())) < 1e-12 * float(gained.abs().sum())
    assert float(gained[aquifer.active == 0].abs().max()) == 0.0


def test_derivative_of_the_heads():
    aquifer = strip(6, 50.0, 1e-4, 0.1)
    head = torch.linspace(8.0, 5.0, 6, dtype=DOUBLE)[None].requires_grad_()
    assert torch.autograd.gradcheck(lambda h: step_heads(h, aquifer, torch.full_like(h, 1e-8), 86400.0), (head,))
