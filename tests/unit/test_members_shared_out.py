# SPDX-License-Identifier: BSD-3-Clause
"""Members shared out over ranks: the bits of one rank, and those that break down by their own numbers."""

import pytest
import torch

from components.ml_surrogates.data_assimilation.window import ensemble_of, run_members
from components.ml_surrogates.estimation.air import packed


class Breaks(Exception):
    """A forecast that breaks down."""


class Swelling:
    """Air that grows by a tenth a step; what begins too warm breaks down, what begins too dry is no number."""

    failures, seconds = (Breaks,), 600.0

    def __init__(self, broken=(), lost=()):
        self.broken, self.lost = broken, lost

    def advance(self, now, time, added=None):
        if added is not None:
            now = {k: a + added.get(k, 0.0) for k, a in now.items()}
            mark = round(float(added["t"].max()))
            if mark in self.broken:
                raise Breaks
            if mark in self.lost:
                now["q"] = now["q"] * torch.nan
        return {k: 1.1 * a for k, a in now.items()}

    def columns(self, now):
        return now


def air():
    g = torch.Generator().manual_seed(1)
    return {k: torch.rand((3, 4, 5), generator=g, dtype=torch.float64) for k in ("t", "q", "u", "v", "p")}


def ensemble(ranks, n=7, **given):
    forecast, background = Swelling(**given), air()
    x = packed(air())[None] * torch.arange(n).double()[:, None, None, None]
    x[:, 0] = torch.arange(n).double()[:, None, None]
    parts = [run_members(forecast, background, 0.0, 3, x, [], range(rank, n, ranks)) for rank in range(ranks)]
    return ensemble_of(background, x, parts)


@pytest.mark.parametrize("ranks", [2, 3, 10])
def test_any_number_of_ranks_gives_the_bits_of_one(ranks):
    one, many = ensemble(1, broken=(3,)), ensemble(ranks, broken=(3,))
    assert one.lost == many.lost == (3,)
    for a, b in zip(one[:3], many[:3], strict=True):
        assert torch.equal(a, b)
    assert one.start.shape[0] == 6


def test_members_that_break_down_or_are_no_numbers_are_named():
    assert ensemble(3, broken=(0, 5), lost=(4,)).lost == (0, 4, 5)
    with pytest.raises(RuntimeError, match="6 of 7 members of the ensemble broke down"):
        ensemble(2, broken=(0, 1, 2), lost=(4, 5, 6))
