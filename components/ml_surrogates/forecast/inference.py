# SPDX-License-Identifier: BSD-3-Clause
"""A step on CPUs without gradients: kernels, and products by torch; `network` to rounding."""

from functools import cache, lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from components.ml_surrogates.forecast import network, tiled
from components.ml_surrogates.forecast.network import FIXED, ForecastNetwork, smoothing
from components.ml_surrogates.forecast.state import RELAXED, Place, dry_surface_pressure, edges
from coupler.made_once import compile_once


def advance(net: ForecastNetwork, x: Tensor, sides: Tensor, mass: Tensor, at: Place, seconds: float) -> Tensor:
    """States a step later, as of `network.advance`, by kernels where nobody asks for gradients.

    Parameters
    ----------
    net : trained, or in training
    x : (n, 4 nz + 1, ny, nx)
    sides : the same at the end of the step
    mass : (n,) their `state.dry_surface_pressure`
    at : place
    seconds : of the step
    """
    states = (x, sides)
    asked = torch.is_grad_enabled() and any(a.requires_grad for a in (*states, mass))
    learning = net.take.weight.requires_grad  # frozen whole, or in training
    elsewhere = any(a.device.type != "cpu" or a.dtype != torch.float32 for a in states)
    if asked or learning or elsewhere:
        return network.advance(net, x, sides, mass, at, seconds)
    with torch.no_grad():
        return _step(net, at)(x.contiguous(), sides.expand_as(x).contiguous(), mass.expand(len(x)), seconds)


class Step:
    """A frozen network at a place.

    Parameters
    ----------
    net : trained; its weights are read once
    at : place
    """

    def __init__(self, net: ForecastNetwork, at: Place):
        z = at.height.float()
        self._height, self._thick = _array(z), _array(torch.diff(edges(z)))
        self._size, self._coriolis, self._fixed = (_array(a.float()) for a in (at.size, at.coriolis, at.fixed))
        self._area = _array((at.size[0] * at.size[1]).double().flatten())
        self._specified, self._drawn = (_array(a.flatten()) for a in (at.specified, at.drawn))
        self._rim = (at.rim <= RELAXED).float().flatten()
        self._per_step, self._scales = (
            _array(net.change),
            tuple(_array(a) for a in (net.middle, net.spread, net.change, net.rate)),
        )
        self._net, self._hidden = net, tiled.hidden(net, *at.rim.shape)
        self._take, self._linear, self._give = (
            a.weight.flatten(1).contiguous() for a in (net.take, net.linear, net.give)
        )
        self._pull = (net.sides.weight.flatten(1) / net.spread).contiguous()
        self._bias = (net.linear.get_parameter("bias") + net.give.get_parameter("bias"))[:, None].contiguous()
        ny, nx = at.rim.shape
        self._along, self._across = smoothing(nx).T.contiguous(), smoothing(ny)

    def __call__(self, x: Tensor, sides: Tensor, mass: Tensor, seconds: float) -> Tensor:
        """States a step later; the arguments are those of `advance`, contiguous."""
        out = torch.empty_like(x)
        for one, side, m, new in zip(x, sides, mass.tolist(), out, strict=True):  # what one needs stays in the cache
            self._one(one, side.flatten(1), m, seconds, new)
        return out

    def _one(self, x: Tensor, sides: Tensor, mass: float, seconds: float, out: Tensor) -> None:
        """One state a step later."""
        _, changed, settled = kernels()
        ending, parts = _array(sides), self._net.parts
        for _ in range(parts):
            y = self._change(x, sides, seconds / parts)
            changed(_array(x.flatten(1)), self._per_step, self._specified, ending, _array(y))
            x = y.view(x.shape)
        torch.matmul(self._across @ x, self._along, out=out)
        settled(_array(out.flatten(1)), ending, self._drawn, self._area, self._height, self._thick, mass)

    def _change(self, x: Tensor, sides: Tensor, seconds: float) -> Tensor:
        """What the network makes of a state (4 nz + 1, ny, nx) in a part, in units of its change, (4 nz + 1, cells)."""
        seen = self.given(x[None], seconds)[0].flatten(1)
        sums = torch.mm(seen.T, self._take.T)  # channels last, as the convolutions like it
        sums.addmm_(((sides - x.flatten(1)) * self._rim).T, self._pull.T)
        y = torch.addmm(self._bias, self._linear, seen[:-FIXED])
        return y.addmm_(self._give, self._hidden(sums[None])[0].T)

    def given(self, x: Tensor, seconds: float) -> Tensor:
        """Scaled states, what the winds bring, what changes at once, and the place, (n, 11 nz + 6, ny, nx).

        Parameters
        ----------
        x : (n, 4 nz + 1, ny, nx) states
        seconds : of a part
        """
        seen = torch.empty((len(x), self._take.shape[1], *x.shape[2:]))
        for one, out in zip(_array(x), _array(seen), strict=True):
            kernels()[0](
                one, self._height, self._thick, self._size, self._coriolis, self._fixed, *self._scales,
                np.float32(seconds), out,
            )  # fmt: skip
        return seen


@lru_cache(maxsize=4)
def _step(net: ForecastNetwork, at: Place) -> Step:
    return Step(net, at)


def _array(a: Tensor) -> Any:
    return a.detach().contiguous().numpy()


@cache
def kernels() -> tuple[Any, Any, Any]:
    """For what a network is given, for the change of a state, and for what is left of it; compiled."""
    from components.ml_surrogates.forecast.kernels.cells import changed, given, settled  # numba is slow to load

    compile_once((given, changed, settled), compile_kernels, "the learned forecast's kernels", 10, versions=1)
    return given, changed, settled


def compile_kernels() -> None:
    """Compile the kernels, or load them from the cache."""
    ones = torch.ones((6, 6))
    at = Place(torch.arange(50.0, 3000.0, 1000.0), ones, 0 * ones, 3e5 * torch.ones((2, 6, 6)), 1e-4 * ones, ones)
    net = ForecastNetwork(3, 4, 4, 4).requires_grad_(False)
    x = torch.full((1, 13, 6, 6), 280.0)
    x[:, 3:-1], x[:, -1] = 1e-3, 11.5
    advance(net, x, x, dry_surface_pressure(x, at), at, 600.0)
