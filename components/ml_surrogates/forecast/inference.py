# SPDX-License-Identifier: BSD-3-Clause
"""A step on CPUs without gradients: winds, imbalance and mass by kernels, products by torch; `network` to rounding."""

from functools import cache, lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from components.ml_surrogates.forecast import network, packed
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
        self._change, self._scales = (
            _array(net.change),
            tuple(_array(a) for a in (net.middle, net.spread, net.change, net.rate)),
        )
        self._net, self._hidden = net, packed.hidden(net, *at.rim.shape)
        self._take, self._linear, self._give = (
            a.weight.flatten(1).contiguous() for a in (net.take, net.linear, net.give)
        )
        self._pull = (net.sides.weight.flatten(1) / net.spread).contiguous()
        self._bias = (net.linear.get_parameter("bias") + net.give.get_parameter("bias"))[:, None].contiguous()
        ny, nx = at.rim.shape
        self._along, self._across = smoothing(nx).T.contiguous(), smoothing(ny)

    def __call__(self, x: Tensor, sides: Tensor, mass: Tensor, seconds: float) -> Tensor:
        """States a step later; the arguments are those of `advance`, contiguous."""
        _, changed, settled = kernels()
        for _ in range(self._net.parts):
            x = self._part(x, sides, seconds / self._net.parts, changed)
        x = (self._across @ x @ self._along).contiguous()
        for one, side, m in zip(_array(x), _array(sides), mass.tolist(), strict=True):
            flat = one.reshape(len(one), -1)
            settled(flat, side.reshape(flat.shape), self._drawn, self._area, self._height, self._thick, m)
        return x

    def _part(self, x: Tensor, sides: Tensor, seconds: float, changed: Any) -> Tensor:
        """States after a part."""
        net, (n, fields, ny, nx) = self._net, x.shape
        seen = self.given(x, seconds).flatten(2)
        x, sides, bias = x.flatten(2), sides.flatten(2), net.take.get_parameter("bias")
        a = torch.empty((n, ny * nx, len(bias)))  # channels last, as the convolutions like it
        for k in range(n):  # products of matrices, not of a batch, which torch would copy
            torch.addmm(bias, seen[k].T, self._take.T, out=a[k])
            a[k].addmm_(((sides[k] - x[k]) * self._rim).T, self._pull.T)
        hidden = self._hidden(functional.gelu(a).view(n, ny, nx, len(bias)).permute(0, 3, 1, 2))
        hidden = hidden.permute(0, 2, 3, 1).reshape(n, ny * nx, len(bias))
        y = torch.empty((n, fields, ny * nx))
        for k in range(n):
            torch.addmm(self._bias, self._linear, seen[k, :-FIXED], out=y[k])
            y[k].addmm_(self._give, hidden[k].T)
            changed(x[k].numpy(), self._change, self._specified, sides[k].numpy(), y[k].numpy())
        return y.view(n, fields, ny, nx)

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
