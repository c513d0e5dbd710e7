# SPDX-License-Identifier: BSD-3-Clause
"""Schemes that go on with the columns or cells that they have work for: the bits of the whole block, fewer of them."""

import pytest
import torch
from torch.utils._pytree import tree_leaves

from components.atmosphere.nonhydrostatic.dynamics import thermodynamics as thermo
from components.atmosphere.nonhydrostatic.physics import mixed_phase, wsm6
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.science import water
from components.science.constants import R_DRY
from components.science.remaining import Remaining, at, flat, shaped

NZ, NY, NX = 24, 6, 9


def air(dtype):
    """Columns of tropical air, the moister the more northern, with a little noise; and their vapour."""
    z_i = torch.linspace(0.0, 16800.0, NZ + 1, dtype=torch.float64)[:, None, None].expand(NZ + 1, NY, NX)
    z = 0.5 * (z_i[1:] + z_i[:-1])
    t = torch.clamp(301.0 - 7.5e-3 * z, min=200.0) + 0.3 * torch.rand(
        z.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64
    )
    p = 1.0e5 * torch.exp(-z / 7800.0)
    humid = torch.linspace(0.05, 1.02, NY, dtype=torch.float64)[:, None] * torch.exp(-z / 12000.0)
    q = humid * thermo.saturation_mixing_ratio(water.saturation_pressure(t), p)
    rho, pi, dz = p / (R_DRY * t), thermo.exner(p), z_i[1:] - z_i[:-1]
    return Columns(*(a.to(dtype).contiguous() for a in (t, t / pi, p, pi, rho, rho * dz, z, dz, z_i))), q.to(dtype)


def both(monkeypatch, module, name, work):
    """Results of ``work`` with all places and with those that remain, and how many each call of a function had."""
    inner, found, sizes = getattr(module, name), [], []
    monkeypatch.setattr(module, name, lambda *a: (sizes[-1].append(tree_leaves(a)[0].numel()), inner(*a))[1])
    for whole in (True, False):
        sizes.append([])
        with torch.set_grad_enabled(whole):
            found.append([a for a in tree_leaves(work()) if isinstance(a, torch.Tensor)])
    return found, sizes


def test_fields_come_back_to_their_places():
    block = {"a": torch.arange(12.0).reshape(3, 4), "b": torch.zeros(3, 4)}
    row = flat(block, 2)
    with torch.no_grad():
        left, numbers = Remaining().those(row["a"] > 7.0)
        more, again = left.those(at(numbers, row)["a"] > 10.0)
    assert left.places.tolist() == [8, 9, 10, 11] and more.places.tolist() == [11] and again.tolist() == [3]
    made = shaped(more.spread({"a": torch.tensor([-1.0]), "b": torch.tensor([2.0])}, row), torch.Size((3, 4)))
    assert made["a"].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, -1]] and made["b"][2].tolist() == [0, 0, 0, 2]
    with torch.no_grad():
        assert Remaining().those(torch.tensor([True, False]))[0].places.tolist() == [0]
        assert Remaining().those(torch.tensor([True, True, True, True, False]))[1] is None, "nearly all"
        assert Remaining(narrows=False).those(torch.tensor([True, False]))[1] is None
        assert more.those(torch.tensor([False]))[0].none
    assert Remaining().those(torch.tensor([True, False]))[1] is None, "a gradient may be wanted"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("scheme", "coasts", "exact"), [(wsm6, False, True), (wsm6, True, True), (mixed_phase, True, False)],
    ids=["w", "w at coasts", "m"],
)  # fmt: skip
def test_the_clouds_work_on_the_cells_that_have_any(monkeypatch, dtype, scheme, coasts, exact):
    """`mixed_phase` sublimates traces elsewhere, too, where it works on all cells."""
    c, q = air(dtype)
    random = torch.Generator().manual_seed(2)
    there = torch.rand(5, *q.shape, generator=random) < 0.06
    amounts = 10.0 ** (torch.rand(5, *q.shape, generator=random, dtype=torch.float64) * 16.0 - 18.0)  # 1e-18 to .01
    water_ = (there * amounts).to(dtype)
    parts = {"vapour": q} | {s.name: a for s, a in zip(scheme.SPECIES[1:], water_, strict=False)}
    land = torch.rand(q.shape[1:], generator=random, dtype=torch.float64).to(dtype) if coasts else None
    (whole, some), (all_, fewer) = both(
        monkeypatch,
        scheme,
        "processes",
        lambda: scheme.step(c, c.theta, parts, 240.0, land, droplets=3.0e8, droplets_over_sea=1.0e8),
    )
    assert float((some[0] - c.theta).abs().max()) > 0.1, "something happens"
    assert set(all_) == {q.numel()} and max(fewer) < 0.75 * q.numel()
    if exact:
        assert all(torch.equal(a, b) for a, b in zip(whole, some, strict=True))
    for a, b in zip(whole, some, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=2e-12)
