# SPDX-License-Identifier: BSD-3-Clause
"""Adaptive replacement (Shen & Zhang 2023): the columns with the largest predicted error go to a better scheme."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch

from components.ml_surrogates.fixed_batch import in_batches
from coupler.namelist import Namelist, Range

from .error_predictor import ErrorPredictor
from .inputs import Inputs

Share = Annotated[float, Range(least=0.0, most=1.0)]
Tolerance = Annotated[float, Range(above=0.0, most=100.0, unit="K/day")]
Gather = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64] | None]
Scatter = Callable[[npt.NDArray[np.float64] | None], npt.NDArray[np.float64]]
EMULATED, RECURRENT, PHYSICAL = 0, 1, 2
"""Who computes a column."""


class Adaptive(Namelist):
    """``{share: .2}`` or ``{tolerance: .3}``, or both: which columns a better scheme computes."""

    share: Share = 1.0
    """Part of all columns that the physical scheme computes, at most: those with the largest predicted error."""
    tolerance: Tolerance | None = None
    """Root mean square error of a column's heating, K/day, that is left to the network; none: ``share`` decides."""
    recurrent: Share = 0.0
    """Part of all columns, the next in that order, that the recurrent network computes for the ``mlp``."""
    scheme: Literal["rrtmgp", "rrtmg"] = "rrtmgp"
    """The physical scheme."""
    predictor: str = ""
    """Path of another trained predictor without its ending; else the one beside the network, NETWORK_error."""


class Refinement(Protocol):
    """Says which columns of a call another scheme computes."""

    def __call__(self, x: Inputs, fluxes: Sequence[torch.Tensor], taken: torch.Tensor) -> torch.Tensor:
        """Numbers (n,) of who computes a column; 0 for the columns ``taken`` by the fallback."""
        ...


class Order(NamedTuple):
    """How many columns each scheme gets at most, and from which error on.

    Attributes
    ----------
    physical, recurrent : parts of all columns
    tolerance : K/day
    """

    physical: float
    recurrent: float = 0.0
    tolerance: float = 0.0


def tiers(error: torch.Tensor, order: Order) -> torch.Tensor:
    """Who computes each of all columns (n,): the worst by the physical scheme, the next by the recurrent network.

    Equal errors are ranked by the column's number, so the choice depends on the errors alone.

    Parameters
    ----------
    error : (n,) predicted, K/day; -inf for a column that is not to be ranked, what is not a number comes first
    order : numbers and tolerance
    """
    n = len(error)
    known = torch.where(torch.isnan(error), torch.inf, error.double())
    worst_first = torch.argsort(-known, stable=True)
    most = int(order.physical * n)
    place = torch.empty(n, dtype=torch.long)
    place[worst_first] = torch.arange(n)
    chosen = torch.full((n,), EMULATED)
    chosen[place < most + int(order.recurrent * n)] = RECURRENT
    chosen[place < most] = PHYSICAL
    return torch.where((known > order.tolerance) & (known > -torch.inf), chosen, EMULATED)


class Choice:
    """Chooses columns over all ranks by their predicted error.

    Parameters
    ----------
    predictor : trained for the network
    order : how many, and from which error on
    batch : columns of a call of the predictor
    gather : plane of this rank's columns to that of all, on the first rank; None elsewhere
    scatter : the way back
    shape : of this rank's plane
    """

    def __init__(
        self, predictor: ErrorPredictor, order: Order, batch: int, gather: Gather, scatter: Scatter,
        shape: tuple[int, ...],
    ):  # fmt: skip
        self.predictor, self.order, self.batch = predictor, order, batch
        self.gather, self.scatter, self.shape = gather, scatter, shape
        self.error = torch.zeros(shape, dtype=torch.float64)
        self.chosen = torch.zeros(shape, dtype=torch.long)
        self.counts = {EMULATED: 0, RECURRENT: 0, PHYSICAL: 0}

    def __call__(self, x: Inputs, fluxes: Sequence[torch.Tensor], taken: torch.Tensor) -> torch.Tensor:
        """See `Refinement`."""
        self.error = self.predicted(x, fluxes).double().reshape(self.shape)
        ranked = torch.where(taken.reshape(self.shape).cpu(), -torch.inf, self.error)
        whole = self.gather(ranked.numpy())
        if whole is not None:
            everywhere = torch.as_tensor(whole)
            whole = tiers(everywhere.reshape(-1), self.order).reshape(everywhere.shape).double().numpy()
        self.chosen = torch.as_tensor(self.scatter(whole)).long()
        for who in self.counts:
            self.counts[who] += int((self.chosen == who).sum())
        return self.chosen.reshape(-1)

    def predicted(self, x: Inputs, fluxes: Sequence[torch.Tensor]) -> torch.Tensor:
        """Predicted error (n,), K/day.

        Parameters
        ----------
        x : columns and gases
        fluxes : longwave up and down (W m-2), shortwave up and down (parts of the incoming), (nlev+1, n)
        """

        def call(arrays: list[torch.Tensor]) -> list[torch.Tensor]:
            with torch.inference_mode():
                return [self.predictor(Inputs.of_arrays(arrays[:n]), arrays[n:])]

        given = [a.cpu() for a in (*x.arrays(), *fluxes)]
        n = len(given) - len(fluxes)
        return in_batches(call, given, self.batch)[0]
