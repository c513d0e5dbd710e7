# SPDX-License-Identifier: BSD-3-Clause
"""What the leaf's matter does to light: refractive index and absorption by constituent, on any set of wavelengths."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

FILE = Path(__file__).parent / "data" / "prospect_coefficients.txt"
COLUMNS = ("chlorophyll", "carotenoids", "anthocyanins", "brown", "water", "dry_matter", "protein", "other_carbon")
SHORTEST, LONGEST = 400.0, 2500.0  # nm, of the coefficients


class OpticalConstants(NamedTuple):
    """Refractive index and specific absorption at some wavelengths.

    Attributes
    ----------
    wavelength : Tensor
        Shape (band,), nm.
    refractive_index : Tensor
        Of the leaf's interior, shape (band,).
    chlorophyll, carotenoids, anthocyanins : Tensor
        Absorption by leaf area, shape (band,), cm2 ug-1.
    brown : Tensor
        Of brown pigments, shape (band,), per unit of their amount.
    water : Tensor
        Shape (band,), cm-1.
    dry_matter, protein, other_carbon : Tensor
        Shape (band,), cm2 g-1.
    """

    wavelength: Tensor
    refractive_index: Tensor
    chlorophyll: Tensor
    carotenoids: Tensor
    anthocyanins: Tensor
    brown: Tensor
    water: Tensor
    dry_matter: Tensor
    protein: Tensor
    other_carbon: Tensor

    def to(self, dtype: torch.dtype) -> OpticalConstants:
        """The same in another precision."""
        return OpticalConstants(*(value.to(dtype) for value in self))

    def part(self, bands: slice | Tensor) -> OpticalConstants:
        """The same at some of its bands."""
        return OpticalConstants(*(value[bands] for value in self))


@cache
def _table() -> np.ndarray:
    return np.loadtxt(FILE, skiprows=1)


def optical_constants(wavelengths: object = None, dtype: torch.dtype = torch.float64) -> OpticalConstants:
    """Read the coefficients and interpolate them between their nanometres (Feret et al. 2017, 2021).

    Parameters
    ----------
    wavelengths : array of float, optional
        nm, 400 to 2500; every nanometre if left out.
    dtype : torch.dtype
        Precision of the result.

    Returns
    -------
    OpticalConstants
        Each of shape (band,).

    Raises
    ------
    ValueError
        A wavelength outside the coefficients.
    """
    table = _table()
    nanometres = table[:, 0]
    wanted = nanometres if wavelengths is None else np.atleast_1d(np.asarray(wavelengths, dtype=float))
    outside = wanted[~((wanted >= SHORTEST) & (wanted <= LONGEST))]
    if outside.size:
        raise ValueError(
            f"expected wavelengths of {SHORTEST:g} to {LONGEST:g} nm (PROSPECT's coefficients), got "
            f"{', '.join(f'{value:g}' for value in outside[:5])}"
        )
    values = [wanted] + [np.interp(wanted, nanometres, column) for column in table[:, 1:].T]
    return OpticalConstants(*(torch.as_tensor(value, dtype=dtype) for value in values))
