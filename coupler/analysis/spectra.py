# SPDX-License-Identifier: BSD-3-Clause
"""Spectra of fields of a limited area by the cosine transform (Denis et al. 2002, Mon. Wea. Rev. 130, 1812)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coupler.errors import CaseError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Spectrum:
    """Variance by wavelength.

    Attributes
    ----------
    wavelength : (n,) m, middle of each band, falling
    variance : (n,) in the square of the field's unit; the sum is the field's variance
    """

    wavelength: Floats
    variance: Floats

    def below(self, wavelength: float) -> float:
        """Variance of scales shorter than a wavelength, m."""
        return float(self.variance[self.wavelength < wavelength].sum())


def spectrum(field: Floats, spacing: float) -> Spectrum:
    """Spectrum of a field; of several, the mean of theirs.

    Parameters
    ----------
    field : (..., ny, nx), without gaps
    spacing : m, of the cells in both directions

    Raises
    ------
    CaseError
        Gaps, or fewer than four cells in a direction.

    Examples
    --------
    >>> x = np.arange(64) + 0.5
    >>> wave = np.broadcast_to(np.cos(np.pi * 8 * x / 64), (64, 64))
    >>> s = spectrum(wave, 1000.0)
    >>> float(s.wavelength[s.variance.argmax()]), round(float(s.variance.sum()), 12)
    (16000.0, 0.5)
    """
    from scipy.fft import dctn

    ny, nx = field.shape[-2:]
    if min(ny, nx) < 4 or not np.isfinite(field).all():
        raise CaseError(f"a spectrum needs at least 4 x 4 cells without a gap, found {ny} x {nx}"
                        f" with {int((~np.isfinite(field)).sum())} gaps")  # fmt: skip
    power = dctn(field, axes=(-2, -1), norm="ortho") ** 2 / (ny * nx)
    power = power.reshape(-1, ny, nx).mean(axis=0)
    least = min(ny, nx)
    number = np.hypot(np.arange(ny)[:, None] / ny, np.arange(nx)[None] / nx) * least
    band = np.round(number).astype(int)
    band[0, 0] = -1  # the mean
    sums = np.asarray(np.bincount(band[band > 0], power[band > 0])[1:], dtype=np.float64)
    return Spectrum(2.0 * least * spacing / np.arange(1.0, sums.size + 1), sums)


def kinetic_energy(u: Floats, v: Floats, spacing: float) -> Spectrum:
    """Spectrum of kinetic energy per mass, m2 s-2.

    Parameters
    ----------
    u, v : (..., ny, nx) m/s
    spacing : m
    """
    east, north = spectrum(u, spacing), spectrum(v, spacing)
    return Spectrum(east.wavelength, 0.5 * (east.variance + north.variance))
