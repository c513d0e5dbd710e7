"""Sums that do not depend on the order of their terms, nor on how ranks share them.

A double is an integer times a power of two; adding such integers is exact, and exact
additions commute. The sum is kept in 64-bit bins of 32 bits each (a small
superaccumulator, Neal 2015, arXiv:1505.05571) and rounded once, at the end.

>>> bins = exact_bins(np.array([1e16, 1.0, -1e16]))
>>> rounded(bins)
1.0
"""

from fractions import Fraction

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bins = npt.NDArray[np.int64]

N_BINS = 68
"""Bins of 32 bits that cover every exponent of a double, with room for carries."""
_LOWEST = -1075
_BETWEEN_CARRIES = 1 << 28


@numba.njit(cache=True, nogil=True)
def _carry(bins: Bins) -> None:
    for k in range(bins.size - 1):
        high = bins[k] >> 32
        bins[k] -= high << 32
        bins[k + 1] += high


@numba.njit(cache=True, nogil=True)
def _add(bins: Bins, bits: Bins) -> int:
    """Add doubles, given as their 64 bits; returns how many were not finite."""
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
        position = exponent  # value = mantissa 2^(exponent - 1075)
        k, shift = position >> 5, position & 31
        # mantissa << shift has up to 84 bits: three parts of 32
        low = (mantissa & 0xFFFFFFFF) << shift
        high = (mantissa >> 32) << shift
        if b < 0:
            bins[k] -= low & 0xFFFFFFFF
            bins[k + 1] -= (low >> 32) + (high & 0xFFFFFFFF)
            bins[k + 2] -= high >> 32
        else:
            bins[k] += low & 0xFFFFFFFF
            bins[k + 1] += (low >> 32) + (high & 0xFFFFFFFF)
            bins[k + 2] += high >> 32
        if n % _BETWEEN_CARRIES == _BETWEEN_CARRIES - 1:
            _carry(bins)
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
    bad = _add(bins, flat.view(np.int64))
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
