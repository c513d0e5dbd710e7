# SPDX-License-Identifier: BSD-3-Clause
"""Forecast operators by the names of models: what an assimilation needs of one, and where it is found."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from components.ml_surrogates.estimation.air import Air
from coupler.by_name import load
from coupler.component import Context, Setting
from coupler.errors import CaseError

KNOWN = {
    "nonhydrostatic": "components.atmosphere.nonhydrostatic.forecast:Forecast",
    "forecast": "components.ml_surrogates.forecast.operator:Forecast",
}
"""Operators of the project; others by ``package.module:Class``."""


OF_LAND = {"column": "components.land.column.forecast:Forecast"}
"""Operators of land: classes of context, options and members; others by ``package.module:Class``."""


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
        """The state a step later, with something added in that step to t, q, u, v, and to the lowest layer's p."""
        ...

    def columns(self, now: Any) -> Air:
        """The air of a state."""
        ...


class Driven(Forecast, Protocol):
    """A forecast that knows its layers and its sides."""

    @property
    def height(self) -> Tensor:
        """Layer centres (nz, ny, nx), m."""
        ...

    def sides(self, time: float) -> Air:
        """What drives the sides at a time, on the whole grid, as `columns` gives it."""
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


def of_land(model: str, folder: Path | None = None) -> Any:
    """The class of a model's ensemble of land.

    Parameters
    ----------
    model : word of `OF_LAND` or ``package.module:Class``
    folder : of the case

    Raises
    ------
    CaseError
        No such operator.
    """
    if model not in OF_LAND and ":" not in model:
        raise CaseError(
            f"forecast: expected one of {', '.join(OF_LAND)}, or package.module:Class, found model: {model}"
        )
    return load(OF_LAND.get(model, model), folder)


def problems(model: str, setting: Setting, options: Mapping[str, Any]) -> list[str]:
    """What is wrong with an operator before anything runs: its name, and what its class finds by ``problems``.

    Parameters
    ----------
    model : word of `KNOWN` or ``package.module:Class``
    setting : grid, dates, folder, step, and the duration to the end of the last window
    options : of the model
    """
    if model not in KNOWN and ":" not in model:
        return [f"forecast: expected one of {', '.join(KNOWN)}, or package.module:Class, found model: {model}"]
    try:
        found = load(KNOWN.get(model, model), setting.folder)
    except CaseError as error:
        return [f"forecast: model: {error}"]
    own = getattr(found, "problems", None)
    return [] if own is None else list(own(setting, options))
