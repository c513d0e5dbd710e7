# SPDX-License-Identifier: BSD-3-Clause
"""Carbon, nitrogen and phosphorus that runoff brings to a sea that has no tracers for them: booked by name."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from components.science.surface_fields import ELEMENTS, RUNOFF_MATTER

Array = npt.NDArray[np.float64]
NAMES = tuple(f"{element}_from_rivers" for element in ELEMENTS)
MATTER_UNITS = dict.fromkeys(NAMES, "kg m-2")
"""Units of what is booked, by name."""


class BroughtMatter:
    """What has come since the start, by cell.

    Parameters
    ----------
    shape : tuple of int
        Of the block.
    """

    def __init__(self, shape: tuple[int, ...]):
        self._came = {name: np.zeros(shape) for name in NAMES}

    def take(self, imports: Mapping[str, Any], seconds: float) -> None:
        """Take in a step's fluxes.

        Parameters
        ----------
        imports : mapping of str to array
            By CF name, kg m-2 s-1; what nobody sends is not there.
        seconds : float
            Length of the step.
        """
        for name, flux in zip(NAMES, RUNOFF_MATTER, strict=True):
            if flux in imports:
                self._came[name] = self._came[name] + seconds * np.asarray(imports[flux])

    def fields(self) -> dict[str, Array]:
        """Amounts by name, kg m-2."""
        return dict(self._came)

    def stores(self) -> dict[str, Array]:
        """Amounts by element, kg m-2, as a budget has them."""
        return dict(zip(ELEMENTS, self._came.values(), strict=True))

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `fields` gave; a state from before these books began has none.

        Parameters
        ----------
        state : mapping of str to array
            Of a restart.
        """
        self._came = {name: np.array(state.get(name, zero), dtype=float) for name, zero in self._came.items()}
