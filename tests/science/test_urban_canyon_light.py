# SPDX-License-Identifier: BSD-3-Clause
"""Light in a street: view factors, all reflections, sun across it, emissivity, and the heat of people: closed forms."""

import pytest
import torch

from components.land.column.urban.canyon import (
    Faces,
    diffuse_light,
    effective_emissivity,
    sun_across,
    view_factors,
)
from components.land.column.urban.people import metabolic_heat, traffic_heat

DOUBLE = torch.float64
RATIO = torch.tensor([0.5, 1.0, 2.0], dtype=DOUBLE)


def faces(road, wall):
    return Faces(*(torch.full_like(RATIO, x) for x in (road, wall, wall)))


def test_view_factors():
    v = view_factors(RATIO)
    assert v.road_sky.tolist() == pytest.approx([0.61803, 0.41421, 0.23607], abs=1e-5)
    assert v.wall_sky.tolist() == pytest.approx([0.38197, 0.29289, 0.19098], abs=1e-5)
    assert torch.allclose(v.road_sky + 2 * v.road_wall, torch.ones_like(RATIO))
    assert torch.allclose(v.wall_sky + v.wall_road + v.wall_wall, torch.ones_like(RATIO))


def test_diffuse_light_of_all_reflections():
    light = diffuse_light(torch.ones_like(RATIO), faces(0.15, 0.25), RATIO)
    assert light.escaped.tolist() == pytest.approx([0.10385, 0.08010, 0.05491], abs=1e-5)
    assert light.absorbed.road.tolist() == pytest.approx([0.56154, 0.39559, 0.23887], abs=1e-5)
    assert torch.allclose(sum(light.absorbed) + light.escaped, torch.ones_like(RATIO), rtol=0, atol=1e-14)


def test_the_sun_across_the_street():
    one = torch.ones(1, dtype=DOUBLE)
    grey = Faces(0.15 * one, 0.25 * one, 0.25 * one)
    expected = {30.0: (0.40222, 0.45510, 0.06272, 0.07996), 60.0: (0.06993, 0.76115, 0.08153, 0.08738)}
    for zenith, values in expected.items():
        light = sun_across(one, torch.deg2rad(zenith * one), grey, one)
        got = [float(x) for x in (*light.absorbed, light.escaped)]
        assert got == pytest.approx(values, abs=1e-5)
        assert sum(got) == pytest.approx(1.0, abs=1e-14)


def test_emissivity_of_a_canyon_of_one_temperature():
    found = effective_emissivity(faces(0.95, 0.9), RATIO)
    assert found.tolist() == pytest.approx([0.96501, 0.97276, 0.98128], abs=1e-5)


def test_heat_of_people():
    assert metabolic_heat(1e4) == pytest.approx(1.41667, abs=1e-5)
    assert traffic_heat(1e4, 0.3, 20.0) == pytest.approx(2.76042, abs=1e-5)
