# SPDX-License-Identifier: BSD-3-Clause
"""Ozone through stomata costs photosynthesis, as Sitch et al. (2007) have it, and nothing where none is given."""

import pytest
import torch

from components.land.column import ozone
from components.land.column.column import Options, initial_state, step
from components.land.column.parameters import parameters, table
from components.land.column.structure import named
from tests.toys.land_air import noon

D = torch.float64
NAMES = list(table("plant_types"))


def test_what_is_left_solves_flux_and_damage_together():
    gen = torch.Generator().manual_seed(3)
    u = torch.rand(4, 500, dtype=D, generator=gen)
    o3, g, r = 150.0 * u[0], 0.001 + 0.8 * u[1], 20.0 * u[2] * u[2]
    tree = (u[3] < 0.5).double()
    s = ozone.Sensitivity(5.0 - 3.4 * tree, 1.4 - 1.25 * tree)
    f = ozone.left(o3, g, r, s)
    harm = torch.clamp(ozone.flux(o3, f * g, r) - s.threshold, min=0.0)
    assert torch.allclose(f, 1.0 - s.slope * harm, rtol=0.0, atol=1e-12)
    assert ((f > 0.0) & (f <= 1.0)).all()
    assert 100 < int((f < 1.0).sum()) < 450
    without_air = ozone.left(o3, g, 0.0 * r, s)  # the limit of no resistance but the stomata's
    expected = (1.0 + s.slope * s.threshold) / (1.0 + s.slope * o3 * g / ozone.RATIO)
    assert torch.allclose(without_air, torch.clamp(expected, max=1.0), rtol=1e-12)


def test_a_flux_below_the_threshold_does_no_harm():
    one = torch.ones(1, dtype=D)
    s = ozone.Sensitivity(5.0 * one, 1.4 * one)
    at = 5.0 * (2.0 + ozone.RATIO / 0.3)  # ozone whose flux is the threshold
    assert ozone.left(0.999 * at * one, 0.3 * one, 2.0 * one, s) == 1.0
    assert ozone.left(1.001 * at * one, 0.3 * one, 2.0 * one, s) < 1.0


def a_noon(level, o3, cycles=False, **changed):
    names = NAMES if cycles else NAMES[:12]
    p = parameters(names, ["loam"] * len(names), ozone=level, cycles=cycles)
    state = initial_state(p, torch.full((len(names),), 298.0, dtype=D), 0.7)
    for _ in range(3):
        state, out = step(state, noon(len(names), ozone=o3), p, 1800.0, Options(**changed))
    return state, out


def test_without_ozone_every_bit_is_the_same():
    plain = a_noon("none", None)
    for level, o3 in (("high", None), ("none", 80.0), ("high", 0.0)):
        for a, b in zip(named(plain[1]), named(a_noon(level, o3)[1]), strict=True):
            assert a[0] == b[0] and torch.equal(a[1], b[1]), (level, o3, a[0])


def test_ozone_lowers_uptake_and_transpiration_by_type_and_the_books_stay_closed():
    without, low, high = (a_noon(level, 80.0)[1] for level in ("none", "low", "high"))
    leafy = torch.tensor([k != "bare" for k in NAMES[:12]])
    gpp = [out.gross_uptake[leafy] for out in (without, low, high)]
    assert (gpp[1] <= gpp[0]).all() and (gpp[2] <= gpp[1]).all()
    lost = dict(zip([k for k in NAMES[:12] if k != "bare"], (1.0 - gpp[2] / gpp[0]).tolist(), strict=True))
    # leaves that open wide and are sensitive lose most, needles least (Sitch et al. 2007, fig. 1)
    assert lost["deciduous_broadleaf_forest"] > lost["evergreen_needleleaf_forest"] > 0.05
    assert 0.3 < lost["cropland"] < 0.9
    assert (high.transpiration[leafy] < without.transpiration[leafy]).all()
    assert (high.upward_sensible > without.upward_sensible)[leafy].all()
    for out in (low, high):
        assert out.energy_residual.abs().max() < 1e-6 and out.water_residual.abs().max() < 1e-9
        assert not out.unsolved.any()


def test_crops_with_cycles_lose_carbon():
    kept = [a_noon("high", o3, cycles=True, nitrogen="fun")[0].cycles.day.gain for o3 in (0.0, 80.0)]
    crops = torch.tensor([k in ("maize", "rice", "soybean", "wheat") for k in NAMES])
    assert (kept[1][crops] < kept[0][crops]).all()


@pytest.mark.parametrize("level", ["low", "high"])
def test_gradients_reach_ozone(level):
    p = parameters(["cropland"], ["loam"], ozone=level)
    state = initial_state(p, torch.full((1,), 298.0, dtype=D), 0.7)
    o3 = torch.tensor([90.0], dtype=D, requires_grad=True)
    step(state, noon(1, ozone=1.0)._replace(ozone=o3), p, 1800.0, Options())[1].gross_uptake.sum().backward()
    assert torch.isfinite(o3.grad).all() and o3.grad < 0.0
