# SPDX-License-Identifier: BSD-3-Clause
"""Forecast operators by the names of models: what an assimilation needs of one, and where it is found."""

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor

from coupler.by_name import load
from coupler.component import Context

KNOWN = {"nonhydrostatic": "components.atmosphere.nonhydrostatic.forecast:Forecast"}
"""Operators that models of the project own; others by ``package.module:Class``."""

Air = dict[str, Tensor]


class Forecast(Protocol):
    """A forecast of the air; the class is made with a context and options."""

    failures: tuple[type[Exception], ...]
    seconds: float

    @property
    def initial(self) -> Any:
        """The state at the start of the case."""
        ...

    def start(self, air: Mapping[str, Tensor]) -> Any:
        """A state of columns: t, q, u, v, p (nz, ny, nx)."""
        ...

    def advance(self, now: Any, time: float, added: Mapping[str, Tensor] | None = None) -> Any:
        """The state a step later, with something added to t, q, u, v in that step."""
        ...

    def columns(self, now: Any) -> Air:
        """The air of a state."""
        ...


def make(model: str, context: Context, options: Mapping[str, Any]) -> Forecast:
    """The operator of a model.

    Parameters
    ----------
    model : word of `KNOWN` or ``package.module:Class``
    context : grid, dates, folder and step
    options : of the model
    """
    made: Forecast = load(KNOWN.get(model, model), context.folder)(context, options)
    return made
