# SPDX-License-Identifier: BSD-3-Clause
"""From optical properties at wavelengths (a sun photometer's, or Mie's) to those of RRTMGP's bands."""

from functools import cache
from typing import Any

import netCDF4
import numpy as np
import numpy.typing as npt

from components.radiation.rrtmgp_tables import LONGWAVE, SHORTWAVE
from components.science.constants import BOLTZMANN, LIGHT_SPEED, PLANCK

Array = npt.NDArray[Any]
SUN, EARTH = 5772.0, 260.0  # K, whose light weighs the wavelengths of a band (IAU 2015; a mean emitting layer)


@cache
def limits(spectrum: str) -> Array:
    """Wavenumbers (nb, 2) at which the bands of ``spectrum`` begin and end, m-1.

    Parameters
    ----------
    spectrum : 'longwave' or 'shortwave'
    """
    with netCDF4.Dataset({"longwave": LONGWAVE, "shortwave": SHORTWAVE}[spectrum]) as f:
        f.set_auto_mask(False)
        return 100.0 * np.asarray(f["bnd_limits_wavenumber"][...], dtype=np.float64)


def nodes(spectrum: str, number: int = 7) -> tuple[Array, Array]:
    """Wavelengths (nb, number) within the bands, m, and their weights, which add up to 1 in each band.

    The weight is the light of the sun, or in the longwave of the Earth, by Planck's law.

    Parameters
    ----------
    spectrum : 'longwave' or 'shortwave'
    number : of wavelengths in each band
    """
    begin, end = limits(spectrum).T[..., None]
    nu = begin + (end - begin) * (np.arange(number) + 0.5) / number
    x = PLANCK * LIGHT_SPEED * nu / (BOLTZMANN * (SUN if spectrum == "shortwave" else EARTH))
    light = nu * nu * nu / np.expm1(x)
    return 1.0 / nu, light / light.sum(-1, keepdims=True)


def averaged(extinction: Array, albedo: Array, asymmetry: Array, weight: Array) -> Array:
    """Extinction, its scattered part, and that times the asymmetry (3, ...), meaned over a band's wavelengths.

    Parameters
    ----------
    extinction, albedo, asymmetry : (..., nb, number)
    weight : (nb, number)
    """
    scattered = extinction * albedo
    return np.stack([(weight * a).sum(-1) for a in (extinction, scattered, scattered * asymmetry)])


def of_wavelengths(wavelength: Array, depth: Array, albedo: Array, asymmetry: Array) -> Array:
    """Shortwave optics (3, nb, ...) as `aerosol_optics.BandOptics` has them, of values at some wavelengths.

    The depth goes with a power of the wavelength between two of them, and beyond the first and last with the power of
    the nearest two; albedo and asymmetry are linear in the logarithm of the wavelength, and held beyond the ends.

    Parameters
    ----------
    wavelength : (n,) m, growing
    depth, albedo, asymmetry : (n, ...) optical depth (greater than 0), single-scattering albedo, asymmetry

    Raises
    ------
    ValueError
        Wavelengths that do not grow, or fewer than two.
    """
    ln = np.log(np.asarray(wavelength, np.float64))
    if ln.size < 2 or not (np.diff(ln) > 0.0).all():
        raise ValueError("aerosol optics: expected two or more wavelengths that grow")
    at, weight = nodes("shortwave")
    x = np.log(at)
    low = np.clip(np.searchsorted(ln, x) - 1, 0, ln.size - 2)
    f = (x - ln[low]) / np.diff(ln)[low]
    shape = (...,) + (None,) * (np.ndim(depth) - 1)

    def between(a: Array, part: Array) -> Array:
        a, part = np.asarray(a, np.float64), part[shape]
        return a[low] * (1.0 - part) + a[low + 1] * part  # (nb, number, ...)

    extinction = np.exp(between(np.log(depth), f))
    held = np.clip(f, 0.0, 1.0)
    parts = [np.moveaxis(a, (0, 1), (-2, -1)) for a in (extinction, between(albedo, held), between(asymmetry, held))]
    return np.moveaxis(averaged(parts[0], parts[1], parts[2], weight), -1, 1)
