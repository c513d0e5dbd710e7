# SPDX-License-Identifier: BSD-3-Clause
"""Light that spheres scatter and absorb (Mie 1908; Bohren & Huffman 1983), of one size or of many."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from components.radiation.kernels import mie as kernel

Array = npt.NDArray[Any]


class Efficiencies(NamedTuple):
    """Cross-sections over the sphere's disc, and the mean cosine of the scattering angle.

    Attributes
    ----------
    extinction, scattering, asymmetry : arrays of one shape
    """

    extinction: Array
    scattering: Array
    asymmetry: Array


class Bulk(NamedTuple):
    """What a population of spheres does to light.

    Attributes
    ----------
    extinction : m2 per m3 of particles, that is m-1
    albedo : single-scattering albedo
    asymmetry : mean cosine of the scattering angle
    """

    extinction: Array
    albedo: Array
    asymmetry: Array


def mie(m: complex | Array, x: float | Array) -> Efficiencies:
    """Efficiencies of homogeneous spheres.

    Parameters
    ----------
    m : complex refractive index; absorption is the size of the imaginary part, in either sign's convention
    x : size parameter, 2 pi r / wavelength, greater than 0

    Raises
    ------
    ValueError
        A size or a real part that is not a number greater than 0.
    """
    shape = np.broadcast_shapes(np.shape(m), np.shape(x))
    index = np.broadcast_to(np.asarray(m, np.complex128), shape).reshape(-1)
    size = np.ascontiguousarray(np.broadcast_to(np.asarray(x, np.float64), shape).reshape(-1))
    if not (np.isfinite(size).all() and (size > 0.0).all()):
        raise ValueError("mie: expected size parameters greater than 0")
    if not (np.isfinite(index).all() and (index.real > 0.0).all()):
        raise ValueError("mie: expected refractive indices whose real part is greater than 0")
    index = np.ascontiguousarray(index.real + 1j * np.abs(index.imag))
    out = [np.empty(size.size) for _ in range(3)]
    kernel.efficiencies(index, size, *out)
    return Efficiencies(*(a.reshape(shape) for a in out))


def bulk(m: complex | Array, radius: Array, volume: Array, wavelength: float | Array) -> Bulk:
    """Optical properties of a population of spheres, given the volume in each class of size.

    Extinction per volume of a sphere is 3 Q / (4 r). Where there are no particles, albedo and asymmetry are 0.

    Parameters
    ----------
    m : refractive index, of one shape with ``wavelength``
    radius : (n,) of the classes, m
    volume : (n,) or (..., n) of the particles in each class, in any unit: what extinction is per unit of; shares of 1
        make it an extinction per volume of particles
    wavelength : (...) m
    """
    wl = np.asarray(wavelength, np.float64)[..., None]
    q = mie(np.asarray(m)[..., None], 2.0 * np.pi * np.asarray(radius) / wl)
    per_volume = np.asarray(volume) * 0.75 / np.asarray(radius)
    extinction = (per_volume * q.extinction).sum(-1)
    scattering = (per_volume * q.scattering).sum(-1)
    asymmetry = (per_volume * q.scattering * q.asymmetry).sum(-1)
    albedo, mean = (
        np.divide(a, b, out=np.zeros(np.shape(a)), where=b > 0.0)
        for a, b in ((scattering, extinction), (asymmetry, scattering))
    )
    return Bulk(extinction, albedo, mean)


def lognormal(median: float, sigma: float, radius: Array) -> Array:
    """Shares of the volume in classes of size, equally wide in the logarithm, of a lognormal distribution by number.

    Parameters
    ----------
    median : radius of the number distribution, m
    sigma : geometric standard deviation, greater than 1
    radius : (n,) of the classes, m, growing by one factor; those that hold next to nothing may be left out
    """
    s = np.log(sigma)
    by_volume = np.log(median) + 3.0 * s * s  # median of the volume (Hatch & Choate 1929)
    weight = np.exp(-0.5 * ((np.log(radius) - by_volume) / s) ** 2)
    return np.asarray(weight / weight.sum())


def piecewise(radius: Array, spectrum: Array, parts: int = 12) -> tuple[Array, Array]:
    """Classes of size of a spectrum dV/dlnr that is linear in ln r between the radii at which it is given.

    Parameters
    ----------
    radius : (n,) m, growing
    spectrum : (..., n) dV/dlnr in any unit of volume
    parts : classes in each interval

    Returns
    -------
    radius : ((n - 1) parts,) m
    volume : (..., (n - 1) parts) in the spectrum's unit
    """
    ln = np.log(radius)
    f = (np.arange(parts) + 0.5) / parts
    at = (ln[:-1, None] + f * np.diff(ln)[:, None]).reshape(-1)
    s = np.asarray(spectrum)[..., None]
    volume = (s[..., :-1, :] * (1.0 - f) + s[..., 1:, :] * f) * np.diff(ln)[:, None] / parts
    return np.exp(at), volume.reshape(*volume.shape[:-2], -1)
