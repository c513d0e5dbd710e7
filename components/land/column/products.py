# SPDX-License-Identifier: BSD-3-Clause
"""Products of felled plants: pools of three lifetimes that burn and rot; their carbon goes back to the air.

Lifetimes of 1, 10 and 100 years are those of Houghton et al. (1983).
"""

from __future__ import annotations

import torch
from torch import Tensor

from components.land.column.cycles.turnover import YEAR
from components.science.sums import in_order
from components.science.surface_fields import ELEMENTS

LIFETIMES = (1.0, 10.0, 100.0)  # a
CARBON_FLUX = "surface_net_downward_mass_flux_of_carbon_dioxide_expressed_as_carbon"


class Products:
    """What people keep of the plants of each cell.

    Parameters
    ----------
    cells : int
        How many.
    """

    def __init__(self, cells: int):
        self.stored = torch.zeros(len(LIFETIMES), len(ELEMENTS), cells, dtype=torch.float64)

    def take(self, felled: Tensor | None) -> None:
        """Put in what was felled, (lifetime, element, cell), kg m-2."""
        if felled is not None:
            self.stored = self.stored + felled.double().cpu()

    def step(self, given: dict[str, Tensor], seconds: float) -> dict[str, Tensor]:
        """Exports with what products lose: carbon to the air, nitrogen and phosphorus out of the land's books.

        Parameters
        ----------
        given : dict of str to Tensor
            By cell.
        seconds : float
            Length of the step.
        """
        lives = YEAR * torch.tensor(LIFETIMES, dtype=torch.float64)[:, None, None]
        lost = self.stored * -torch.expm1(-seconds / lives)
        self.stored = self.stored - lost
        gone = in_order(lost, 0) / seconds
        booked = {f"booked_{name}": given[f"booked_{name}"].cpu() - gone[k] for k, name in enumerate(ELEMENTS)}
        return {**given, **booked, CARBON_FLUX: given[CARBON_FLUX].cpu() - gone[0]}

    def with_stores(self, found: dict[str, Tensor]) -> dict[str, Tensor]:
        """Stores of the cells, kg m-2, with those of the products.

        Parameters
        ----------
        found : dict of str to Tensor
            By element and otherwise.
        """
        own = in_order(self.stored, 0)
        return {**found, **{name: found[name].cpu() + own[k] for k, name in enumerate(ELEMENTS)}}
