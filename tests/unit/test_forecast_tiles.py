# SPDX-License-Identifier: BSD-3-Clause
"""Convolutions of the learned forecast by tiles of the processor, and its kernels' own functions."""

import math

import numpy as np
import pytest
import torch

from components.ml_surrogates.forecast import packed, tiled
from components.ml_surrogates.forecast.kernels import cells, convolutions, tiles
from components.ml_surrogates.forecast.network import ForecastNetwork
from components.ml_surrogates.forecast.rivals import rms

needs_tiles = pytest.mark.skipif(not tiles.there(), reason="the processor or the system has no tiles")


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def network(*widths):
    torch.manual_seed(1)
    net = ForecastNetwork(2, *widths).requires_grad_(False)
    net.rough = True
    return net


def by_layers(net, sums, rows, columns):
    a = torch.nn.functional.gelu(sums + net.take.bias).view(len(sums), rows, columns, net.width).permute(0, 3, 1, 2)
    return net.hidden(a).permute(0, 2, 3, 1).reshape(sums.shape)


@needs_tiles
@pytest.mark.parametrize(("rows", "columns"), [(22, 22), (14, 15), (4, 37)])
def test_tiles_do_as_the_layers(rows, columns):
    """Three maps of several sizes, even and odd: to a hundredth of what they make, as the rounding of packed ones."""
    net = network(32, 64, 96)
    sums = torch.randn((3, rows * columns, 32))
    wanted = by_layers(net, sums, rows, columns)
    step = tiled.hidden(net, rows, columns)
    assert isinstance(step, tiled._Tiled)
    found = step(sums)
    assert rms(found - wanted) < 0.01 * rms(wanted)
    assert float((found - wanted).abs().max()) < 0.1 * float(wanted.abs().max())
    assert torch.equal(step(sums[1:2]), found[1:2])


@needs_tiles
def test_tiles_are_left_as_they_were_found():
    """torch's own convolutions in bfloat16 use them too: the same bits before and after."""
    net, sums = network(32, 32, 32), torch.randn((1, 400, 32))
    a = torch.randn((1, 32, 20, 20)).to(torch.bfloat16)
    theirs, ours = packed.hidden(net, 20, 20), tiled.hidden(net, 20, 20)
    first, mine = theirs(a), ours(sums)
    assert torch.equal(theirs(a), first) and torch.equal(ours(sums), mine) and torch.equal(theirs(a), first)


@pytest.mark.parametrize("why", ["channels", "processor", "precision"])
def test_layers_serve_where_tiles_cannot(why, monkeypatch):
    net = network(*((8, 12, 16) if why == "channels" else (32, 32, 32)))
    net.rough = why != "precision"
    if why == "processor":
        monkeypatch.setattr(tiles, "there", lambda: False)
        tiled._kernel.cache_clear()
    sums = torch.randn((2, 42, net.width))
    step = tiled.hidden(net, 6, 7)
    tiled._kernel.cache_clear()
    assert not isinstance(step, tiled._Tiled)
    wanted = by_layers(net, sums, 6, 7)
    assert rms(step(sums) - wanted) < (0.01 if net.rough else 1e-6) * rms(wanted)


def test_exponentials_are_those_of_the_library():
    x, found = np.linspace(-300.0, 300.0, 10001), np.empty(10001)
    cells.exponentials(x, found)
    np.testing.assert_allclose(found, np.exp(x), rtol=3e-10)


def test_gelu_and_bfloat16_are_those_of_the_papers_and_of_torch():
    """GELU to 3e-4 up to 8 and to that share beyond; numbers rounded to nearest, ties to even, with torch's bits."""
    for x in (-100.0, -8.0, -3.9, -1.0, -1e-3, 0.0, 0.5, 2.0, 4.1, 100.0):
        wanted = 0.5 * x * (1.0 + math.erf(x / math.sqrt(2.0)))
        assert convolutions.gelu(np.float32(x)) == pytest.approx(wanted, abs=3e-4 * max(1.0, abs(x) / 8.0))
    for x in (0.0, -1.5, 3.14159, 1.00390625, 1.01171875, -65504.0, 1e-20):  # two of them halfway
        bits = convolutions.rounded(np.float32(x))
        wanted = torch.tensor(x, dtype=torch.bfloat16)
        assert int(bits) == int(wanted.view(torch.int16)) & 0xFFFF
        assert convolutions.whole(np.uint16(bits)) == float(wanted)
