# SPDX-License-Identifier: BSD-3-Clause
"""Height and roots of plants out of their pools."""

import pytest
import torch

from components.land.column import growth
from components.land.column.column import Options, initial_state, step
from components.land.column.cycles import pools, stature
from components.land.column.parameters import parameters, root_shares, table
from tests.toys.land_air import noon

D = torch.float64
NAMES = list(table("plant_types"))


def with_carbon(p, **parts):
    c = pools.at_start(p.cycles, p.thickness)
    one = torch.ones_like(p.height)
    plant = c.carbon.plant._replace(**{k: v * one for k, v in parts.items()})
    return c._replace(carbon=c.carbon._replace(plant=plant))


@pytest.mark.parametrize(("stems", "metres"), [(1.0, 10.0), (8.0, 10.0 * 8.0**0.385), (100.0, 45.0), (0.0, 0.05)])
def test_trees_are_as_tall_as_arora_and_boer_have_it(stems, metres):
    p, wood = parameters(["mixed_forest"], ["loam"], cycles=True), 1.29 * stems  # with coarse roots
    found = stature.height(with_carbon(p, live_wood=0.1 * wood, dead_wood=0.9 * wood), p.cycles, p.stature)
    assert found.item() == pytest.approx(metres, rel=1e-12)


def test_herbs_follow_their_leaves_crops_their_shoot_and_shrubs_the_table():
    p = parameters(["grassland", "maize", "wheat", "shrubland"], ["loam"] * 4, cycles=True)
    c = with_carbon(p, leaf=0.04, live_wood=0.0, dead_wood=0.0)
    young = (0.04 / 0.3) ** 0.385
    assert stature.height(c, p.cycles, p.stature).tolist() == pytest.approx([0.7, 2.0 * young, 0.8 * young, 0.7])
    grown = with_carbon(p, leaf=0.1, live_wood=0.4, dead_wood=0.0)
    assert stature.height(grown, p.cycles, p.stature)[1:].tolist() == [2.0, 0.8, 0.7]
    nothing = with_carbon(p, leaf=0.0, live_wood=0.0, dead_wood=0.0)
    assert stature.height(nothing, p.cycles, p.stature).tolist() == [0.05, 0.05, 0.05, 0.7]


def test_roots_as_many_as_usual_have_jacksons_profile():
    p = parameters(NAMES, ["loam"] * len(NAMES), cycles=True)
    s = p.stature
    c = with_carbon(p, root=s.usual)
    beta = torch.exp(-s.thinning / 100.0)
    shallow = stature.NEARLY_ALL / s.thinning < p.thickness.sum()
    assert shallow.sum() > 10
    assert torch.allclose(
        stature.root_shares(c, s, p.thickness)[:, shallow], root_shares(beta, p.thickness)[:, shallow]
    )


def test_depth_of_roots_goes_with_their_carbon_and_ends_with_the_soil():
    p = parameters(["tundra"] * 4, ["loam"] * 4, cycles=True)
    s, edges = p.stature, torch.cumsum(p.thickness, 0)
    c = with_carbon(p, root=s.usual * torch.tensor([0.0, 1.0, 2.0, 1e4], dtype=D))
    shares = stature.root_shares(c, s, p.thickness)
    assert torch.allclose(shares.sum(0), torch.ones(4, dtype=D)) and (shares >= 0.0).all()
    # 1 - share above the third edge, .12 m: exp(-thinning .12), with thinning as the 99 % depth has it
    depth = torch.tensor([0.1, 1.0, 2.0**0.8, 1.0], dtype=D) * stature.NEARLY_ALL / s.thinning
    depth[0], depth[3] = 0.1, float(edges[-1])
    part = (1.0 - torch.exp(-stature.NEARLY_ALL / depth * edges[2])) / (
        1.0 - torch.exp(-stature.NEARLY_ALL / depth * edges[-1])
    )
    assert torch.allclose(shares[:3].sum(0), part)
    assert (shares[:3].sum(0)[1:] < shares[:3].sum(0)[:-1]).all()


def test_only_prognostic_leaves_change_height_and_roots_and_rougher_woods_slow_the_wind():
    p = parameters(["mixed_forest"] * 2, ["loam"] * 2, cycles=True)
    state = initial_state(p, torch.full((2,), 290.0, dtype=D))
    c = state.cycles
    wood = c.carbon.plant._replace(dead_wood=torch.tensor([0.5, 20.0], dtype=D))
    state = state._replace(cycles=c._replace(carbon=c.carbon._replace(plant=wood)))
    forcing = noon(2)
    same = growth.with_leaves(state, forcing, p, Options())
    assert same == (forcing, p)
    _, out = step(state, forcing, p, 1800.0, Options(prognostic_leaves=True, nitrogen="fun"))
    assert out.roughness[1] > 2.0 * out.roughness[0]
    assert out.friction_velocity[1] > out.friction_velocity[0]


def test_gradients_reach_wood_and_roots():
    p = parameters(["mixed_forest"], ["loam"], cycles=True)
    wood = torch.tensor([3.0], dtype=D, requires_grad=True)
    root = torch.tensor([0.1], dtype=D, requires_grad=True)
    c = with_carbon(p, dead_wood=wood, root=root)
    (stature.height(c, p.cycles, p.stature).sum() + stature.root_shares(c, p.stature, p.thickness)[0].sum()).backward()
    assert wood.grad > 0.0 and root.grad < 0.0
