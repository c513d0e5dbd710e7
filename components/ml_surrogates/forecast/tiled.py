# SPDX-License-Identifier: BSD-3-Clause
"""All convolutions of a network by one kernel, on processors with tiles; elsewhere by `packed`."""

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from components.ml_surrogates.forecast import packed
from components.ml_surrogates.forecast.network import ForecastNetwork
from components.ml_surrogates.forecast.packed import Map
from components.ml_surrogates.residual import Residual
from coupler.made_once import compile_once

DEEP = 32  # channels that a product takes at once


def hidden(net: ForecastNetwork, rows: int, columns: int) -> Map:
    """From sums of the first product without its bias to what `ForecastNetwork.hidden` gives, (n, cells, width).

    Parameters
    ----------
    net : frozen; in bfloat16 where it is ``rough``
    rows, columns : of the map
    """
    even = all(channels % DEEP == 0 for channels in (net.width, net.wider, net.widest))
    kernel = _kernel() if net.rough and even and min(rows, columns) >= 4 else None
    if kernel is not None:
        return _Tiled(net, rows, columns, kernel)
    inner, bias = packed.hidden(net, rows, columns), net.take.get_parameter("bias")

    def by_layers(sums: Tensor) -> Tensor:
        n, cells, width = sums.shape
        a = functional.gelu(sums + bias).view(n, rows, columns, width).permute(0, 3, 1, 2)
        return inner(a).permute(0, 2, 3, 1).reshape(n, cells, width)

    return by_layers


@cache
def _kernel() -> Any:
    """Compiled, or None where the processor, the system or numba have no tiles."""
    from components.ml_surrogates.forecast.kernels import tiles  # numba is slow to load

    if not tiles.there():
        return None
    from components.ml_surrogates.forecast.kernels.convolutions import hidden as kernel

    compile_once((kernel,), compile_kernel, "the learned forecast's convolutions", 10, versions=1)
    return kernel


def compile_kernel() -> None:
    """Compile the kernel, or load it from the cache."""
    net = ForecastNetwork(1, DEEP, DEEP, DEEP).requires_grad_(False)
    net.rough = True
    hidden(net, 4, 4)(torch.zeros((1, 16, DEEP)))


class _Tiled:
    """A network's convolutions on one map."""

    def __init__(self, net: ForecastNetwork, rows: int, columns: int, kernel: Any):
        self._kernel = kernel
        self._bias = net.take.get_parameter("bias").detach().numpy()
        *quarter, narrow = net.on_quarter
        blocks = (net.first, net.on_half, *quarter, net.back, net.last)
        pairs = [_pair(block.inner[0], block.inner[2]) for block in blocks if isinstance(block, Residual)]
        self._layers = (*pairs, _pair(net.down, net.deeper), _pair(narrow, net.up))
        sizes = [(rows, columns)]
        for _ in range(2):
            sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
        self._sizes = tuple(sizes)
        self._places = tuple(_whole(*size) for size in sizes)
        self._steps = tuple(_coarser(*size) for size in sizes[:2])

    def __call__(self, sums: Tensor) -> Tensor:
        out = torch.empty(sums.shape)
        self._kernel(
            sums.contiguous().numpy(), self._bias, self._layers, self._steps, self._places, self._sizes, out.numpy()
        )
        return out


def _pair(one: nn.Module, other: nn.Module) -> tuple[Any, ...]:
    """Kernel and bias of two convolutions, as `kernels.convolutions` takes them."""
    found: list[Any] = []
    for layer in (one, other):
        assert isinstance(layer, nn.Conv2d)
        given, taken = layer.weight.shape[:2]
        by_tap = layer.weight.detach().permute(2, 3, 1, 0).reshape(-1, taken // DEEP, 16, 2, given // 16, 16)
        bits = by_tap.permute(0, 1, 4, 2, 5, 3).reshape(*by_tap.shape[:2], given // 16, 16, DEEP).bfloat16()
        found += [bits.contiguous().view(torch.int16).numpy().view(np.uint16), layer.get_parameter("bias").numpy()]
    return tuple(found)


def _by_three(starts: list[int]) -> Any:
    return np.array(starts + starts[-1:] * (-len(starts) % 3))


def _whole(rows: int, columns: int) -> tuple[Any, int, int]:
    """Starts of tiles through a map, one cell after the other, the edge's among them; cells apart; width."""
    width = columns + 2
    return _by_three(list(range(width + 1, rows * width + columns + 1, 16))), 1, width


def _coarser(rows: int, columns: int) -> tuple[Any, int, int]:
    """The same of every second cell of every second row."""
    width = columns + 2
    starts = [(j + 1) * width + i + 1 for j in range(0, rows, 2) for i in range(0, columns, 32)]
    return _by_three(starts), 2, width
