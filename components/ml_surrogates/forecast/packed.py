# SPDX-License-Identifier: BSD-3-Clause
"""Convolutions with their kernels laid out once for oneDNN, which otherwise does so at every call, and GELU at once.

torch gives its own compiler these operations; where they or bfloat16 are missing, the network's layers serve.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from components.ml_surrogates.forecast.network import ForecastNetwork
from components.ml_surrogates.residual import Residual

Map = Callable[[Tensor], Tensor]


def hidden(net: ForecastNetwork, rows: int, columns: int) -> Map:
    """What `ForecastNetwork.hidden` makes of (n, width, ny, nx), without gradients; to rounding, or that of bfloat16.

    Parameters
    ----------
    net : frozen; in bfloat16 where it is ``rough``
    rows, columns : of the map
    """
    try:
        half = net.rough and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
        found = _Hidden(net, rows, columns, torch.bfloat16 if half else torch.float32)
        found(torch.zeros((1, net.width, rows, columns)))
    except (AttributeError, RuntimeError, TypeError):  # another torch, another processor
        return net.hidden
    return found


class _Hidden:
    """All convolutions of a network on one map."""

    def __init__(self, net: ForecastNetwork, rows: int, columns: int, kind: torch.dtype):
        self.kind = kind
        whole, half, quarter = ((-(-rows // k), -(-columns // k)) for k in (1, 2, 4))

        def packed(convolution: nn.Module, size: tuple[int, int]) -> "_Packed":
            assert isinstance(convolution, nn.Conv2d)
            return _Packed(convolution, size, kind)

        def residual(block: nn.Module, size: tuple[int, int]) -> Map:
            assert isinstance(block, Residual)
            one, other = packed(block.inner[0], size), packed(block.inner[2], size)
            return lambda x: functional.gelu(other.added(one(x, "gelu"), x))

        self.first, self.last = residual(net.first, whole), residual(net.last, whole)
        self.half, self.back = residual(net.on_half, half), residual(net.back, half)
        *blocks, narrow = net.on_quarter
        self.quarter, self.narrow = [residual(block, quarter) for block in blocks], packed(narrow, quarter)
        self.down, self.deeper, self.up = packed(net.down, whole), packed(net.deeper, half), packed(net.up, half)

    def __call__(self, x: Tensor) -> Tensor:
        a = self.first(x.to(self.kind))
        b = self.half(self.down(a, "gelu"))
        c = self.deeper(b, "gelu")
        for block in self.quarter:
            c = block(c)
        b = self.back(b + _onto(self.narrow(c), b))
        return self.last(a + _onto(self.up(b), a)).to(x.dtype)


def _onto(coarse: Tensor, fine: Tensor) -> Tensor:
    return functional.interpolate(coarse, size=fine.shape[-2:], mode="bilinear", align_corners=True)


class _Packed:
    """A convolution with its kernel laid out."""

    def __init__(self, convolution: nn.Conv2d, size: tuple[int, int], kind: torch.dtype):
        layout, bias = convolution.weight.detach().to(kind), convolution.bias
        assert bias is not None
        self.bias = bias.detach().to(kind)
        self.about = [list(convolution.padding), list(convolution.stride), [1, 1], 1]
        self.kernel = torch.ops.mkldnn._reorder_convolution_weight(
            layout.contiguous(memory_format=torch.channels_last), *self.about, [1, convolution.in_channels, *size]
        )

    def __call__(self, x: Tensor, then: str = "none") -> Tensor:
        """The convolution, and GELU where asked."""
        how = "none" if then == "gelu" else ""
        found: Tensor = torch.ops.mkldnn._convolution_pointwise(x, self.kernel, self.bias, *self.about, then, [], how)
        return found

    def added(self, x: Tensor, other: Tensor) -> Tensor:
        """The convolution of ``x`` and another map."""
        found: Tensor = torch.ops.mkldnn._convolution_pointwise.binary(
            x, other, self.kernel, self.bias, *self.about, "add", None, None, [], None
        )
        return found
