# SPDX-License-Identifier: BSD-3-Clause
"""Roots of many falling functions at once: bracketed, each column done for itself."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

LEAST = 1e-7  # distance of the first bracket from the ends of (0, 1)
FEWER = 0.75  # share of columns still open below which the others are left out
MANY = 500  # columns from which leaving some out costs less than it saves
Function = Callable[[Tensor], Tensor]


@torch.no_grad()
def falling_root(
    f: Function,
    guess: Tensor,
    iterations: int,
    tolerance: float | None = None,
    narrow: Callable[[Tensor], Function] | None = None,
) -> Tensor:
    """Root in (0, 1) of a function that falls through zero; the end it points to where it never does.

    The second point has the odds of ``guess`` times (1 + f) / (1 - f). Where f = (1 - q)/(1 + q) and q, as of marginal
    penalty to gain, goes with a power of the odds no less than one, the root lies between the two; where it does not,
    the end of the interval closes the bracket. From there the method of Chandrupatla (1997): inverse quadratic
    where that is safe, bisection elsewhere. A column keeps the point at which it was done: its bits do not depend on
    its neighbours.

    Parameters
    ----------
    f
        The functions, one value a column.
    guess
        First point, between 0 and 1; the middle where it is not a number.
    iterations
        Most evaluations of ``f`` after the first.
    tolerance
        Of abs(f), at which a column is done; by default rounding.
    narrow
        Given the numbers of some columns, ``f`` for these alone; without it all go on until the last is done.
    """
    eps = torch.finfo(guess.dtype).eps
    tolerance = 32.0 * eps if tolerance is None else tolerance
    a = torch.clamp(torch.nan_to_num(guess, nan=0.5), 1e-3, 1.0 - 1e-3)
    fa = f(a)
    low, high = torch.full_like(a, LEAST), torch.full_like(a, 1.0 - LEAST)
    b = torch.where(fa > 0.0, high, low)
    fb = torch.where(fa > 0.0, -1.0 + 0.0 * fa, 1.0 + 0.0 * fa)  # what it should be there
    root, best, place = a, a, torch.arange(a.numel(), device=a.device)
    done = torch.abs(fa) <= tolerance
    held = torch.clamp(fa, -0.98, 0.98)
    odds = a / (1.0 - a) * (1.0 + held) / (1.0 - held)
    x = torch.clamp(odds / (1.0 + odds), LEAST, 1.0 - LEAST)
    bracketed = done
    for turn in range(iterations):
        fx = f(x)
        same = (fx > 0.0) == (fa > 0.0)
        c, fc = torch.where(same, a, b), torch.where(same, fa, fb)
        b, fb = torch.where(same, b, a), torch.where(same, fb, fa)
        a, fa = x, fx
        now = (torch.abs(fa) <= tolerance) | (torch.abs(b - a) <= 4.0 * eps * torch.abs(a))
        at = a
        if turn == 0:
            bracketed = ~same
            t = torch.where(bracketed, fa / (fa - fb), torch.ones_like(fa))
        else:
            if turn == 1:  # not even at the end did the sign change
                never = same & ~bracketed
                now, at = now | never, torch.where(never, torch.round(a), a)
            t = _next(a, b, c, fa, fb, fc)
        best = torch.where(now & ~done, at, best)
        done = done | now
        x = a + t * (b - a)
        if turn == 0:
            continue
        left = int(torch.count_nonzero(~done))
        if left == 0:
            break
        if narrow is not None and MANY < done.numel() and left < FEWER * done.numel():
            root = root.index_copy(0, place, best)
            keep = torch.nonzero(~done)[:, 0]
            place, done = place[keep], done[keep]
            f = narrow(place)
            a, b, fa, fb, x, best = (v[keep] for v in (a, b, fa, fb, x, best))
    best = torch.where(done, best, torch.where(torch.abs(fa) < torch.abs(fb), a, b))
    return best if best.shape == root.shape else root.index_copy(0, place, best)


def _next(a: Tensor, b: Tensor, c: Tensor, fa: Tensor, fb: Tensor, fc: Tensor) -> Tensor:
    """Place of the next point between ``a`` (0) and ``b`` (1)."""
    ba, cb, ca = fb - fa, fc - fb, fc - fa
    xi, phi = (a - b) / (c - b), -ba / cb
    good = (phi * phi < xi) & ((1.0 - phi) * (1.0 - phi) < 1.0 - xi)  # false where a difference is zero
    t = (c - a) / (b - a) * (fa / ca) * (fb / cb) - fa / ba * (fc / cb)
    return torch.clamp(torch.where(good, t, torch.full_like(t, 0.5)), LEAST, 1.0 - LEAST)
