# SPDX-License-Identifier: BSD-3-Clause
"""Columns in slabs: the whole block's bits, and gradients as without slabs."""

from typing import NamedTuple

import torch

from components.science.slabs import in_slabs


class Out(NamedTuple):
    up: torch.Tensor
    parts: dict[str, torch.Tensor]
    nothing: None = None


def scheme(seen, a, parts, factor, number):
    seen.append(a.shape[-2])
    return Out(torch.exp(a * factor) + parts["q"], {"ground": a[0] + number})


def test_a_block_in_slabs_has_its_bits():
    seen, a, q = [], torch.rand(6, 50, 33), torch.rand(6, 50, 33)
    seen_whole = []
    with torch.no_grad():
        whole = scheme(seen_whole, a, {"q": q}, 1.5, torch.tensor(2.0))
        found = in_slabs(lambda *x: scheme(seen, *x), values=6 * 33 * 7)(a, {"q": q}, 1.5, torch.tensor(2.0))
    assert seen == [7] * 7 + [1] and seen_whole == [50]
    assert torch.equal(found.up, whole.up) and torch.equal(found.parts["ground"], whole.parts["ground"])
    assert found.nothing is None


def test_gradients_and_small_blocks_need_no_slabs():
    seen = []
    small = in_slabs(lambda *x: scheme(seen, *x))
    a = torch.rand(6, 50, 33, requires_grad=True)
    in_slabs(lambda *x: scheme(seen, *x), values=10)(a, {"q": a}, 1.5, 2.0).up.sum().backward()
    with torch.no_grad():
        small(a.detach(), {"q": a.detach()}, 1.5, 2.0)
    assert seen == [50, 50] and a.grad is not None
