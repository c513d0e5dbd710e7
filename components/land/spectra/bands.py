# SPDX-License-Identifier: BSD-3-Clause
"""Bands of satellites as means over wavelengths, and the indices made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from components.science.sums import in_order

SAMPLES = 5  # wavelengths a band: the mean of smooth spectra over 100 nm to 1e-3


class Band(NamedTuple):
    """A band that sees all of its wavelengths alike.

    Attributes
    ----------
    low, high : float
        Edges, nm.
    """

    low: float
    high: float


def _around(centre: float, width: float) -> Band:
    return Band(centre - 0.5 * width, centre + 0.5 * width)


MODIS = {  # MODIS level 1B product user's guide, table of bands; 11 and 12 serve the photochemical index
    "modis_1": Band(620, 670),
    "modis_2": Band(841, 876),
    "modis_3": Band(459, 479),
    "modis_4": Band(545, 565),
    "modis_5": Band(1230, 1250),
    "modis_6": Band(1628, 1652),
    "modis_7": Band(2105, 2155),
    "modis_11": Band(526, 536),
    "modis_12": Band(546, 556),
}
SENTINEL_2 = {  # Sentinel-2A: centre and width (ESA, Sentinel-2 MSI user guide, spatial resolution)
    "sentinel2_2": _around(492.4, 66),
    "sentinel2_3": _around(559.8, 36),
    "sentinel2_4": _around(664.6, 31),
    "sentinel2_5": _around(704.1, 15),
    "sentinel2_6": _around(740.5, 15),
    "sentinel2_7": _around(782.8, 20),
    "sentinel2_8": _around(832.8, 106),
    "sentinel2_8a": _around(864.7, 21),
    "sentinel2_11": _around(1613.7, 91),
    "sentinel2_12": _around(2202.4, 175),
}
REFLECTANCE = MODIS | SENTINEL_2
PHOTOCHEMICAL = {"pri_531": Band(526, 536), "pri_570": Band(565, 575)}  # Gamon et al. (1992)
FLUORESCENCE = {
    "tropomi_sif_740": 740.0,
    "oco2_sif_757": 757.0,
    "oco2_sif_771": 771.0,
    "sif_685": 685.0,
    "sif_760": 760.0,
}
INDICES = {
    "modis_ndvi": ("modis_1", "modis_2"),
    "modis_evi": ("modis_1", "modis_2", "modis_3"),
    "modis_nirv": ("modis_1", "modis_2"),
    "sentinel2_ndvi": ("sentinel2_4", "sentinel2_8"),
    "sentinel2_evi": ("sentinel2_4", "sentinel2_8", "sentinel2_2"),
    "sentinel2_nirv": ("sentinel2_4", "sentinel2_8"),
    "pri": ("pri_531", "pri_570"),
}
"""Red, near infrared and blue of each; 531 and 570 nm of the photochemical index."""
UNITS = {name: "1" for name in (*REFLECTANCE, *INDICES)} | {name: "W m-2 um-1 sr-1" for name in FLUORESCENCE}
"""Unit of everything that can be asked for; W m-2 um-1 sr-1 is mW m-2 sr-1 nm-1."""


def ndvi(red: Tensor, near_infrared: Tensor) -> Tensor:
    """Normalised difference vegetation index (Tucker 1979).

    Parameters
    ----------
    red, near_infrared : Tensor
        Reflectance, of one shape.

    Returns
    -------
    Tensor
        Same shape.
    """
    return (near_infrared - red) / (near_infrared + red).clamp(min=1e-9)


def evi(red: Tensor, near_infrared: Tensor, blue: Tensor) -> Tensor:
    """Enhanced vegetation index (Huete et al. 2002, eq. 1).

    Parameters
    ----------
    red, near_infrared, blue : Tensor
        Reflectance, of one shape.

    Returns
    -------
    Tensor
        Same shape.
    """
    return 2.5 * (near_infrared - red) / (near_infrared + 6.0 * red - 7.5 * blue + 1.0)


def nirv(red: Tensor, near_infrared: Tensor) -> Tensor:
    """Near-infrared reflectance of vegetation (Badgley et al. 2017).

    Parameters
    ----------
    red, near_infrared : Tensor
        Reflectance, of one shape.

    Returns
    -------
    Tensor
        Same shape.
    """
    return (ndvi(red, near_infrared) - 0.08) * near_infrared


def pri(at_531: Tensor, at_570: Tensor) -> Tensor:
    """Photochemical reflectance index (Gamon et al. 1992).

    Parameters
    ----------
    at_531, at_570 : Tensor
        Reflectance, of one shape.

    Returns
    -------
    Tensor
        Same shape.
    """
    return (at_531 - at_570) / (at_531 + at_570).clamp(min=1e-9)


def unknown_bands(names: Iterable[str]) -> list[str]:
    """Names that are no band, no index and no fluorescence."""
    return [name for name in names if name not in UNITS]


class Sampling(NamedTuple):
    """Wavelengths at which reflectance is computed, and the bands they make.

    Attributes
    ----------
    wavelength : numpy.ndarray
        nm, shape (sample,), each once.
    weights : dict of str to Tensor
        By band, shape (sample,), summing to 1.
    """

    wavelength: np.ndarray
    weights: dict[str, Tensor]

    def mean(self, spectrum: Tensor, band: str) -> Tensor:
        """Mean of a spectrum of shape (..., sample) over one band."""
        weight = self.weights[band].to(spectrum)
        used = torch.nonzero(weight)[:, 0]
        return in_order(spectrum[..., used] * weight[used], -1)


def sampling(names: Iterable[str], samples: int = SAMPLES) -> Sampling:
    """Wavelengths that the bands and indices of a list need.

    Parameters
    ----------
    names : iterable of str
        Of `UNITS`; fluorescence needs none of these.
    samples : int
        Wavelengths a band, at the middles of equal parts.

    Returns
    -------
    Sampling
        Empty where only fluorescence is asked for.
    """
    wanted = {band for name in names for band in INDICES.get(name, (name,)) if name not in FLUORESCENCE}
    every = REFLECTANCE | PHOTOCHEMICAL
    middles = (np.arange(samples) + 0.5) / samples
    points = {band: every[band].low + middles * (every[band].high - every[band].low) for band in sorted(wanted)}
    wavelength = np.unique(np.concatenate([*points.values(), np.empty(0)]))
    weights = {
        band: torch.tensor([float((at == nm).sum()) / samples for nm in wavelength], dtype=torch.float64)
        for band, at in points.items()
    }
    return Sampling(wavelength, weights)


def values(names: Iterable[str], spectrum: Tensor, points: Sampling) -> dict[str, Tensor]:
    """Bands and indices out of a reflectance spectrum.

    Parameters
    ----------
    names : iterable of str
        Of `UNITS`; fluorescence is left out.
    spectrum : Tensor
        Shape (..., sample).
    points : Sampling
        From `sampling` of the same names.

    Returns
    -------
    dict of str to Tensor
        Each of shape (...).
    """
    found: dict[str, Tensor] = {}
    for name in names:
        if name in FLUORESCENCE:
            continue
        bands = [points.mean(spectrum, band) for band in INDICES.get(name, (name,))]
        kind = name.rpartition("_")[2] if name in INDICES else ""
        formulas: dict[str, Callable[..., Tensor]] = {"ndvi": ndvi, "evi": evi, "nirv": nirv, "pri": pri}
        found[name] = formulas[kind](*bands) if kind else bands[0]
    return found
