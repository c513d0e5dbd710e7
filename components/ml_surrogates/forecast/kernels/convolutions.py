# SPDX-License-Identifier: BSD-3-Clause
"""`ForecastNetwork.hidden` in bfloat16 by tiles: convolutions, and between them biases, GELU, maps made finer.

A map is kept with channels last and a row of zeros around, (cells, channels), so that a neighbour lies a fixed number
of cells away and sixteen cells in a row are a tile. Cells of that edge are calculated with the others, and left.
"""

import math

import numpy as np

from components.ml_surrogates.forecast.kernels import tiles
from components.ml_surrogates.forecast.kernels.compiled import compiled

ONE, HALF = np.float32(1.0), np.float32(0.5)
BEYOND = 160  # cells: a tile of every second cell begins in the last row, and reads that below
ROUND, LAST = np.uint32(0x7FFF), np.uint32(1)
SIXTEEN = np.uint32(16)
FAR = 4.0  # beyond, the error function of x / sqrt(2) is 1 to 6e-5, a sixtieth of the rounding to bfloat16


def _coefficients(degree: int) -> tuple[np.float32, ...]:
    """Of erf(x / sqrt 2) / x as a polynomial in x^2 / 8 - 1 up to `FAR`, by interpolation in Chebyshev's points."""
    chebyshev = np.polynomial.chebyshev
    points = chebyshev.chebpts1(degree + 1)
    x = [FAR * math.sqrt(0.5 * (float(s) + 1.0)) for s in points]
    found = chebyshev.chebfit(points, np.array([math.erf(v / math.sqrt(2.0)) / v for v in x]), degree)
    return tuple(np.float32(c) for c in chebyshev.cheb2poly(found))


C = _coefficients(9)
PER_SQUARE, EDGE = np.float32(2.0 / (FAR * FAR)), np.float32(FAR)


@compiled
def gelu(x):
    """A number times the normal distribution's share below it (Hendrycks & Gimpel 2016, arXiv:1606.08415), to 3e-4.

    Parameters
    ----------
    x : number
    """
    y = min(max(x, -EDGE), EDGE)
    s = y * y * PER_SQUARE - ONE
    p = C[9]
    p = p * s + C[8]
    p = p * s + C[7]
    p = p * s + C[6]
    p = p * s + C[5]
    p = p * s + C[4]
    p = p * s + C[3]
    p = p * s + C[2]
    p = p * s + C[1]
    p = p * s + C[0]
    return HALF * x * (ONE + y * p)


@compiled
def rounded(x):
    """The bits of a number in bfloat16, to the nearest.

    Parameters
    ----------
    x : number
    """
    bits = np.float32(x).view(np.uint32)
    half = np.uint32(bits >> SIXTEEN) & LAST
    return np.uint16(np.uint32(bits + ROUND + half) >> SIXTEEN)


@compiled
def whole(bits):
    """The number that bits of bfloat16 stand for.

    Parameters
    ----------
    bits : unsigned, of 16
    """
    return np.uint32(np.uint32(bits) << SIXTEEN).view(np.float32)


@compiled
def convolve(x, kernel, starts, apart, width, total):
    """Sums over a cell and its neighbours, without the bias.

    Parameters
    ----------
    x : (cells, taken) bits of bfloat16
    kernel : (9 or 1, taken / 32, given / 16, 16, 32) the same, pairs of rows side by side
    starts : (tiles,) first cell of each, three tiles at a time
    apart : cells from one row of a tile to the next
    width : cells of a row of the map with its edge
    total : (16 tiles, given) result
    """
    taken, given = x.shape[1], total.shape[1]
    taps, deep, wide = kernel.shape[0], kernel.shape[1], kernel.shape[2]
    x_apart, total_apart = 2 * apart * taken, 4 * given
    for block in range(starts.size // 3):
        one, two, three = starts[3 * block] * taken, starts[3 * block + 1] * taken, starts[3 * block + 2] * taken
        for n in range(wide):
            tiles.clear(0)
            tiles.clear(1)
            tiles.clear(2)
            for tap in range(taps):
                off = ((tap // 3 - 1) * width + tap % 3 - 1) * taken if taps == 9 else 0
                for k in range(deep):
                    tiles.load(3, kernel, ((tap * deep + k) * wide + n) * 512, 64)
                    tiles.load(4, x, one + off + 32 * k, x_apart)
                    tiles.load(5, x, two + off + 32 * k, x_apart)
                    tiles.load(6, x, three + off + 32 * k, x_apart)
                    tiles.add_product(0, 4, 3)
                    tiles.add_product(1, 5, 3)
                    tiles.add_product(2, 6, 3)
            first = 48 * block * given + 16 * n
            tiles.store(0, total, first, total_apart)
            tiles.store(1, total, first + 16 * given, total_apart)
            tiles.store(2, total, first + 32 * given, total_apart)


@compiled
def bent(total, pitch, bias, width, rows, columns, out):
    """GELU of sums and bias, into a map.

    Parameters
    ----------
    total : (rows of tiles, channels) sums
    pitch : of them from one row of the map to the next
    bias : (channels,)
    width : cells of a row of the map with its edge
    rows, columns : of the map without
    out : (cells, channels) bits of bfloat16, result
    """
    for j in range(rows):
        for i in range(columns):
            a, b = total[j * pitch + i], out[(j + 1) * width + i + 1]
            for c in range(bias.size):
                b[c] = rounded(gelu(a[c] + bias[c]))


@compiled
def bent_with(total, pitch, bias, width, rows, columns, out):
    """GELU of sums, bias and what the map has already, into it; see `bent`."""
    for j in range(rows):
        for i in range(columns):
            a, b = total[j * pitch + i], out[(j + 1) * width + i + 1]
            for c in range(bias.size):
                b[c] = rounded(gelu(a[c] + bias[c] + whole(b[c])))


@compiled
def finer(total, pitch, bias, coarse_rows, coarse_columns, width, rows, columns, out):
    """Add sums and bias of a coarse map, bilinear between its cells with corner on corner, to a fine one.

    Parameters
    ----------
    total, pitch, bias : of the coarse map, see `bent`
    coarse_rows, coarse_columns : its size
    width, rows, columns, out : of the fine map, see `bent`
    """
    per_row = np.float32((coarse_rows - 1) / max(rows - 1, 1))
    per_column = np.float32((coarse_columns - 1) / max(columns - 1, 1))
    for j in range(rows):
        y = np.float32(j) * per_row
        n = min(int(y), max(coarse_rows - 2, 0))
        up, above = y - np.float32(n), min(n + 1, coarse_rows - 1)
        for i in range(columns):
            x = np.float32(i) * per_column
            m = min(int(x), max(coarse_columns - 2, 0))
            right, beside = x - np.float32(m), min(m + 1, coarse_columns - 1)
            a, b = total[n * pitch + m], total[n * pitch + beside]
            c, d = total[above * pitch + m], total[above * pitch + beside]
            o = out[(j + 1) * width + i + 1]
            for k in range(bias.size):
                low, high = a[k] + right * (b[k] - a[k]), c[k] + right * (d[k] - c[k])
                o[k] = rounded(low + up * (high - low) + bias[k] + whole(o[k]))


@compiled
def room(size, channels):
    """Zeros for bits of bfloat16, (cells, channels) of a map with its edge and what tiles read past it.

    Their address is such that no row of a tile lies across two lines of the processor's cache.
    """
    cells = (size[0] + 2) * (size[1] + 2) + BEYOND
    found = np.zeros(cells * channels + 32, np.uint16)
    first = (-found.ctypes.data % 64) // 2
    return found[first : first + cells * channels].reshape((cells, channels))


@compiled
def sums(x, kernel, at, total):
    """`convolve` of a map, into as many rows of ``total`` as it has; those.

    Parameters
    ----------
    x, kernel : see `convolve`
    at : starts, cells apart and width, see `convolve`
    total : numbers, enough of them
    """
    starts, apart, width = at
    given = 16 * kernel.shape[2]
    found = total[: 16 * starts.size * given].reshape((16 * starts.size, given))
    convolve(x, kernel, starts, apart, width, found)
    return found


@compiled
def residual(x, y, layers, at, size, total):
    """`Residual` of a map in place.

    Parameters
    ----------
    x : (cells, channels) bits of bfloat16; result
    y : the same, zeros at the edge; lost
    layers : kernel and bias of the one, and of the other convolution
    at, total : see `sums`
    size : rows and columns
    """
    width, (rows, columns) = at[2], size
    kernel, bias, kernel_on, bias_on = layers
    bent(sums(x, kernel, at, total), width, bias, width, rows, columns, y)
    bent_with(sums(y, kernel_on, at, total), width, bias_on, width, rows, columns, x)


@compiled
def hidden(a, bias, layers, steps, places, sizes, out):
    """What the convolutions make of maps.

    Parameters
    ----------
    a : (n, cells, width) sums of the first product
    bias : (width,) that they lack
    layers : nine times two kernels, each with its bias: first, half, three on a quarter, back and last, residual;
        down and deeper; narrow and up
    steps : two of ``at`` of `sums`, from the whole map to half its cells, and from there to a quarter
    places : three of them, on each
    sizes : rows and columns of the whole map, of half and of a quarter
    out : (n, cells, width) result
    """
    first, half, one, two, three, back, last, coarser, narrower = layers
    (rows, columns), (rows_2, columns_2), (rows_4, columns_4) = sizes
    whole_width, half_width, quarter_width = places[0][2], places[1][2], places[2][2]
    x, y = room(sizes[0], bias.size), room(sizes[0], bias.size)
    x_2, y_2 = room(sizes[1], half[1].size), room(sizes[1], half[1].size)
    x_4, y_4 = room(sizes[2], one[1].size), room(sizes[2], one[1].size)
    longest = max(steps[0][0].size, steps[1][0].size, places[0][0].size)
    total = np.empty(16 * longest * max(bias.size, half[1].size, one[1].size), np.float32)
    before = np.empty(64, np.uint8)
    tiles.shapes(before)
    tiles.shape(tiles.SHAPES)
    for n in range(len(a)):
        bent(a[n], columns, bias, whole_width, rows, columns, x)
        residual(x, y, first, places[0], sizes[0], total)
        wide = 16 * (-(-columns_2 // 16))
        bent(sums(x, coarser[0], steps[0], total), wide, coarser[1], half_width, rows_2, columns_2, x_2)
        residual(x_2, y_2, half, places[1], sizes[1], total)
        wide = 16 * (-(-columns_4 // 16))
        bent(sums(x_2, coarser[2], steps[1], total), wide, coarser[3], quarter_width, rows_4, columns_4, x_4)
        residual(x_4, y_4, one, places[2], sizes[2], total)
        residual(x_4, y_4, two, places[2], sizes[2], total)
        residual(x_4, y_4, three, places[2], sizes[2], total)
        narrow = sums(x_4, narrower[0], places[2], total)
        finer(narrow, quarter_width, narrower[1], rows_4, columns_4, half_width, rows_2, columns_2, x_2)
        residual(x_2, y_2, back, places[1], sizes[1], total)
        up = sums(x_2, narrower[2], places[1], total)
        finer(up, half_width, narrower[3], rows_2, columns_2, whole_width, rows, columns, x)
        residual(x, y, last, places[0], sizes[0], total)
        for j in range(rows):
            for i in range(columns):
                found, kept = out[n, j * columns + i], x[(j + 1) * whole_width + i + 1]
                for c in range(bias.size):
                    found[c] = whole(kept[c])
    tiles.shape(before)
