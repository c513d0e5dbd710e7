# SPDX-License-Identifier: BSD-3-Clause
"""The land's kernel has the bits of torch's operations; so have cells of which the frozen ones alone are worked out."""

import torch

from benchmarks.land import world
from components.land.column import balance, heat
from components.land.column.column import Options, step
from components.science.constants import FREEZING_POINT

ONE = "by_torch"


def test_a_step_has_the_same_bits(monkeypatch):
    """Summer and winter, snow, leaves and none."""
    p, state, forcing = world(200, torch.float64, "cpu")
    called = []
    by_torch = balance.by_torch
    monkeypatch.setattr(balance, ONE, lambda *a: called.append(1) or by_torch(*a))
    with torch.no_grad():
        ours, out = step(state, forcing, p, 1800.0, Options())
        assert not called
        monkeypatch.setattr(balance, "plain_doubles", lambda *a: False)
        theirs, expected = step(state, forcing, p, 1800.0, Options())
    assert called
    for a, b in ((ours, theirs), (out, expected)):
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True) if isinstance(x, torch.Tensor))
    assert not torch.equal(ours.canopy, state.canopy)


def test_what_is_not_a_number_stays_so():
    """A column whose longwave is lost has no temperatures, and the others have theirs."""
    p, state, forcing = world(3, torch.float64, "cpu")
    lost = forcing._replace(longwave=torch.where(torch.arange(6) == 2, torch.nan, forcing.longwave))
    with torch.no_grad():
        new, _ = step(state, lost, p, 1800.0, Options())
    assert bool(new.canopy[2].isnan()) and bool(new.ground[2].isnan())
    assert not bool(new.ground[[0, 1, 3, 4, 5]].isnan().any())


def test_frost_in_some_columns_alone_has_the_bits_of_each_by_itself():
    drawn = torch.Generator().manual_seed(2)
    given = [torch.rand((4, 9), generator=drawn, dtype=torch.float64) for _ in range(3)]
    warm = torch.arange(9) % 3 == 0
    t = torch.where(warm, FREEZING_POINT + 9.0, FREEZING_POINT - 6.0 * given[0])
    liquid, ice = 20.0 * given[1], torch.where(warm, 0.0, 5.0 * given[2])
    capacity, pores = torch.full_like(t, 3e5), torch.full_like(t, 40.0)
    psi, b = (torch.full((9,), v, dtype=torch.float64) for v in (0.3, 5.0))
    whole = heat.soil_phase_change(t, liquid, ice, capacity, pores, psi, b)
    for i in range(9):
        one = [a[..., i : i + 1] for a in (t, liquid, ice, capacity, pores, psi, b)]
        alone = heat.soil_phase_change(*one)
        assert all(torch.equal(x[:, i : i + 1], y) for x, y in zip(whole, alone, strict=True))
    assert bool((whole.ice[:, warm] == 0.0).all()) and bool((whole.ice[:, ~warm] > 0.0).any())
