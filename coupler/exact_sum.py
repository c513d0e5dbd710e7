# SPDX-License-Identifier: BSD-3-Clause
"""Sums that do not depend on the order of their terms, nor on how ranks share them.

A double is an integer times a power of two; adding such integers is exact, and exact additions commute. The sum is
kept in 64-bit bins of 32 bits each (a small superaccumulator, Neal 2015, arXiv:1505.05571) and rounded once, at the
end.

Where the exponents of a block of values lie within 97 binary digits, as those of a field do, every value is cut into
three integers of 50 bits in units common to the block (as in the pre-rounded sums of Demmel and Nguyen 2015,
doi:10.1109/TC.2014.2345391, but all of the value); their sums fit 64 bits, and the loop has no branches. Other blocks
go value by value into the bins.

>>> bins = exact_bins(np.array([1e16, 1.0, -1e16]))
>>> rounded(bins)
1.0
"""

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coupler.compiled import compiler

compiled = compiler(Path(__file__))
Floats = npt.NDArray[np.float64]
Bins = npt.NDArray[np.int64]

N_BINS = 68
"""Bins of 32 bits that cover every exponent of a double, with room for carries."""
_LOWEST = -1075
_BLOCK = 4096
"""Values at a time: sums of as many integers of 50 bits stay below 2^63."""
_SPAN = 97
"""Exponents that three integers of 50 bits span beside the 53 digits of a value."""
_WHOLE = 1.5 * 2.0**52
"""Added to a number below 2^51 it leaves its nearest integer in the last digits."""
_WHOLE_BITS = int(np.float64(_WHOLE).view(np.int64))


@compiled
def _carry(bins: Bins) -> None:
    for k in range(bins.size - 1):
        high = bins[k] >> 32
        bins[k] -= high << 32
        bins[k + 1] += high


@compiled
def _put(bins: Bins, negative: bool, size: int, position: int) -> None:
    """Add an integer below 2^63 times 2^(position - 1075)."""
    k, shift = position >> 5, position & 31
    low = (size & 0xFFFFFFFF) << shift  # size << shift has up to 94 bits: three parts of 32
    high = (size >> 32) << shift
    if negative:
        bins[k] -= low & 0xFFFFFFFF
        bins[k + 1] -= (low >> 32) + (high & 0xFFFFFFFF)
        bins[k + 2] -= high >> 32
    else:
        bins[k] += low & 0xFFFFFFFF
        bins[k + 1] += (low >> 32) + (high & 0xFFFFFFFF)
        bins[k + 2] += high >> 32


@compiled
def _add_each(bins: Bins, bits: Bins) -> int:
    """Add doubles, given as their 64 bits, one by one; returns how many were not finite."""
    bad = 0
    for n in range(bits.size):
        b = bits[n]
        exponent = (b >> 52) & 0x7FF
        mantissa = b & 0xFFFFFFFFFFFFF
        if exponent == 0x7FF:
            bad += 1
            continue
        if exponent == 0:
            exponent = 1
        else:
            mantissa |= 0x10000000000000
        _put(bins, b < 0, mantissa, exponent)  # value = mantissa 2^(exponent - 1075)
    _carry(bins)
    return bad


@compiled
def _exponents(bits: Bins) -> tuple[int, int]:
    """Largest exponent of some doubles and smallest of those that are not zero, as they stand in the bits."""
    top, low = 0, 0x7FFFFFFFFFFFFFFF
    for n in range(bits.size):
        b = bits[n] & 0x7FFFFFFFFFFFFFFF
        top = max(top, b)
        low = min(low, b if b != 0 else 0x7FFFFFFFFFFFFFFF)
    return top >> 52, low >> 52


@compiled
def _three_sums(values: Floats, scale: float) -> tuple[np.int64, np.int64, np.int64]:
    """Sums of the integers of 50 bits of each value x scale, which is below 2^50: in units 1, 2^-50 and 2^-100."""
    first = second = third = np.int64(0)
    for n in range(values.size):
        x = values[n] * scale
        whole = x + _WHOLE
        first += np.float64(whole).view(np.int64)
        x = (x - (whole - _WHOLE)) * 2.0**50
        whole = x + _WHOLE
        second += np.float64(whole).view(np.int64)
        x = (x - (whole - _WHOLE)) * 2.0**50
        third += np.float64(x + _WHOLE).view(np.int64)
    offset = values.size * _WHOLE_BITS  # wraps round as the sums do
    return first - offset, second - offset, third - offset


@compiled
def _add(bins: Bins, values: Floats, bits: Bins) -> int:
    """Add doubles, given with their 64 bits; returns how many were not finite."""
    bad = 0
    for start in range(0, values.size, _BLOCK):
        block, block_bits = values[start : start + _BLOCK], bits[start : start + _BLOCK]
        top, low = _exponents(block_bits)
        if low == 0x7FF and top == 0:  # nothing but zeros
            continue
        if top > 1900 or top < _SPAN or top - low > _SPAN:
            bad += _add_each(bins, block_bits)
            continue
        exponent = top - 1023  # all values are below 2^(exponent + 1)
        sums = _three_sums(block, math.ldexp(1.0, 49 - exponent))
        position = exponent - 49 + 1075
        for part in sums:
            _put(bins, bool(part < 0), int(abs(part)), position)
            position -= 50
    _carry(bins)
    return bad


def exact_bins(values: npt.ArrayLike) -> Bins:
    """Exact sum of an array as integer bins; bins of parts may be added in any order.

    Parameters
    ----------
    values : array_like
        Doubles of any shape.

    Returns
    -------
    ndarray of int64, shape (68,)
        The sum; `rounded` turns it into a number.

    Raises
    ------
    ValueError
        A value is not finite.
    """
    flat = np.ascontiguousarray(values, dtype=np.float64).reshape(-1)
    bins = np.zeros(N_BINS, dtype=np.int64)
    bad = _add(bins, flat, flat.view(np.int64))
    if bad:
        raise ValueError(f"{bad} of {flat.size} values are not finite")
    return bins


def rounded(bins: Bins) -> float:
    """The exact sum rounded once to a double."""
    total = 0
    for k in range(bins.size - 1, -1, -1):
        total = (total << 32) + int(bins[k])
    return float(Fraction(total) * Fraction(2) ** _LOWEST)


def exact_sum(values: npt.ArrayLike) -> float:
    """Correctly rounded sum of an array, whatever its order.

    >>> exact_sum([0.1] * 10)
    1.0
    """
    return rounded(exact_bins(values))
