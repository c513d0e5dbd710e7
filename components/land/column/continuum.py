# SPDX-License-Identifier: BSD-3-Clause
"""Roots in parallel from several soil layers, then stem, then leaf, each with a vulnerability of its own.

With the integral of every curve tabulated (`potential`), flow through a segment is linear in it: the far end of a
segment follows from one inverse, and the root collar from Newton's method, which rises to the root without overshoot
because uptake bends down as the collar pulls harder.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from components.land.column.hydraulics import CRITICAL_FRACTION, Curve, Supply
from components.land.column.potential import Potential

TURNS = 12  # of Newton's method at the collar
CRITICAL_TURNS = 24  # of Newton's method within a bracket, for the critical flow


@dataclass(frozen=True)
class Segment:
    """A stretch of xylem: maximum conductance (mol m-2 leaf s-1 MPa-1) and vulnerability."""

    kmax: Tensor
    curve: Curve


class Continuum:
    """Supply of a plant with many roots.

    Parameters
    ----------
    roots
        One segment a layer.
    stem, leaf
        Segments in series above the root collar.
    p_soil
        Tension in each layer, MPa, shape (layer, ...). Layers drier than the collar take water up from it
        (hydraulic redistribution).
    """

    def __init__(self, roots: list[Segment], stem: Segment, leaf: Segment, p_soil: Tensor) -> None:
        self.roots, self.stem, self.leaf = roots, stem, leaf
        zero = torch.zeros_like(p_soil[0])
        tables: dict[int, Potential] = {}
        for segment in (*roots, stem, leaf):
            if id(segment.curve) not in tables:
                tables[id(segment.curve)] = Potential(segment.curve, zero)
        self._roots = [tables[id(r.curve)] for r in roots]
        self._stem, self._leaf = tables[id(stem.curve)], tables[id(leaf.curve)]
        self._soil = [at.of(p) for at, p in zip(self._roots, p_soil, strict=True)]
        self.p_crit = zero + torch.as_tensor(leaf.curve.tension(CRITICAL_FRACTION), dtype=p_soil.dtype)
        self.p_rest = self._collar(zero, p_soil.amin(0))
        limit = torch.stack([at.limit for at in self._roots]).amax(0)
        self._collar_crit = self._critical(torch.maximum(torch.maximum(self.p_crit, limit), self.p_rest))
        self.e_crit = self.uptake(self._collar_crit)[1]
        self.k_soil = self.along(zero + 1e-6).k

    def uptake(self, collar: Tensor) -> tuple[Tensor, Tensor]:
        """Uptake from every layer and in all at a root collar tension, mol m-2 s-1."""
        flows = [r.kmax * (at.of(collar) - phi) for r, at, phi in zip(self.roots, self._roots, self._soil, strict=True)]
        total = torch.zeros_like(collar)
        for flow in flows:
            total = total + flow
        return torch.stack(flows), total

    def _gain(self, collar: Tensor) -> Tensor:
        """Derivative of the whole uptake by the collar's tension."""
        gain = torch.zeros_like(collar)
        for root, at in zip(self.roots, self._roots, strict=True):
            gain = gain + root.kmax * torch.maximum(at.slope(collar), at.slopes[-1])
        return gain

    def _collar(self, e: Tensor, start: Tensor) -> Tensor:
        """Tension of the collar at which the roots take up ``e``, from one at which they take up less."""
        collar = start
        for _ in range(TURNS):
            collar = collar + (e - self.uptake(collar)[1]) / self._gain(collar)
        return collar

    def _top(self, collar: Tensor, e: Tensor) -> tuple[Tensor, Tensor]:
        """Tension at the top of the stem and in the leaf."""
        stem = self._stem.tension(self._stem.of(collar) + e / self.stem.kmax)
        return stem, self._leaf.tension(self._leaf.of(stem) + e / self.leaf.kmax)

    def _critical(self, most: Tensor) -> Tensor:
        """Tension of the collar at which the leaf comes to P_crit."""
        low, high = self.p_rest, most
        end, collar = self._leaf.of(self.p_crit * (1.0 - 1e-9)), 0.5 * (low + high)
        for _ in range(CRITICAL_TURNS):
            e = self.uptake(collar)[1]
            stem, _ = self._top(collar, e)
            left = end - self._leaf.of(stem) - e / self.leaf.kmax
            gain = self._gain(collar)
            rise = (self._stem.slope(collar) + gain / self.stem.kmax) / torch.maximum(
                self._stem.slope(stem), self._stem.slopes[-1]
            )
            fall = self._leaf.slope(stem) * rise + gain / self.leaf.kmax
            low, high = torch.where(left > 0.0, collar, low), torch.where(left > 0.0, high, collar)
            newton = collar + left / fall
            inside = (newton > low) & (newton < high)
            collar = torch.where(inside, newton, 0.5 * (low + high))
        return collar

    def along(self, s: Tensor) -> Supply:
        """Supply curve from no flow (``s`` 0) to the critical flow (``s`` 1).

        dP/dE is the sum of the segments' differential resistances: for a segment from P1 to P2 that
        carries E,
        k f(P2) dP2 = dE + k f(P1) dP1.
        """
        p, k = self._state(s)
        step = 1e-4 * torch.minimum(s, 1.0 - s).clamp(min=1e-6)
        e0, e1 = self._flow(s - step), self._flow(s + step)
        dk_de = (self._state(s + step)[1] - self._state(s - step)[1]) / (e1 - e0)
        return Supply(self._flow(s), p, k, dk_de)

    def _flow(self, s: Tensor) -> Tensor:
        return self.uptake(self.p_rest + s * (self._collar_crit - self.p_rest))[1]

    def _state(self, s: Tensor) -> tuple[Tensor, Tensor]:
        """Tension of the leaf, and dE/dP of the whole."""
        collar = self.p_rest + s * (self._collar_crit - self.p_rest)
        e = self.uptake(collar)[1]
        stem, leaf = self._top(collar, e)
        resistance, p = 1.0 / self._gain(collar), collar
        for segment, at, top in ((self.stem, self._stem, stem), (self.leaf, self._leaf, leaf)):
            entry = segment.kmax * at.slope(p)
            resistance = (1.0 + entry * resistance) / (segment.kmax * at.slope(top))
            p = top
        return p, 1.0 / resistance
