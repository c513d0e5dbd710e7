# SPDX-License-Identifier: BSD-3-Clause
"""The learned forecast as a forecast operator: an assimilation finds it by the name `forecast`.

Start and sides are those of the physical operator, which is found by its name and never steps.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from components.ml_surrogates import forecast_operators
from components.ml_surrogates.estimation.air import PARTS, Air
from components.ml_surrogates.forecast import files
from components.ml_surrogates.forecast.inference import advance
from components.ml_surrogates.forecast.sampling import PHYSICAL
from components.ml_surrogates.forecast.state import cell_sizes, dry_surface_pressure, of_air, place, to_air
from components.ml_surrogates.forecast.training import SECONDS
from components.ml_surrogates.model_file import ModelFileError, located
from coupler.component import Context, Setting
from coupler.errors import CaseError

PHYSICAL_STEP = 1800  # s; the physical operator is made and never steps
OWN = ("network", "microphysics")
"""Options that the physical operator is not asked for."""


class LeftTraining(RuntimeError):
    """A forecast with values that no air has."""


def path_of(setting: Setting, options: Mapping[str, Any]) -> Path:
    """The network's files without ending, by the option ``network``; the shipped one where none is named."""
    name = str(options.get("network") or "")
    return located(name, setting) if name else files.SHIPPED


class Forecast:
    """Forecasts of six hours a step.

    Parameters
    ----------
    context : grid, dates, folder; its step is six hours
    options : ``levels``; ``driver``, ``jet``, ``relief`` (none) of the sides; ``network``: path of a trained one,
        by default the shipped one
    """

    failures: tuple[type[Exception], ...] = (LeftTraining,)
    """What a forecast that breaks down raises."""

    def __init__(self, context: Context, options: Mapping[str, Any]):
        found = self.problems(context, options)
        if found:
            raise CaseError("\n".join(found))
        self.trained = files.load(path_of(context, options))
        physical = {k: v for k, v in options.items() if k not in OWN}
        made = forecast_operators.make(PHYSICAL, replace(context, step=PHYSICAL_STEP), physical)
        self.physical = cast(forecast_operators.Driven, made)
        self.place = place(context.grid, self.physical.height)
        self.seconds = SECONDS
        self._sides: dict[float, tuple[Tensor, Tensor]] = {}

    @staticmethod
    def problems(setting: Setting, options: Mapping[str, Any]) -> list[str]:
        """What keeps a case from using it, a sentence each.

        Parameters
        ----------
        setting : grid, step, folder
        options : of the forecast, with ``levels``
        """
        found = []
        if options.get("relief"):
            found.append(f'expected flat ground (relief: ""), that of the training, found {options["relief"]}')
        if options.get("microphysics", "none") != "none":
            found.append(f"expected microphysics: none, that of the training, found {options['microphysics']}")
        try:
            trained = files.load(path_of(setting, options))
            found += trained.problems(int(options["levels"]), float(cell_sizes(setting.grid).mean()), setting.step)
        except ModelFileError as error:
            found.append(f"network: {error}")
        return [f"forecast: {text}" for text in found]

    @property
    def initial(self) -> Tensor:
        """The driver's state at the start of the case."""
        return self.start(self.physical.columns(self.physical.initial))

    @property
    def height(self) -> Tensor:
        """Layer centres (nz, ny, nx), m."""
        return self.physical.height

    def sides(self, time: float) -> Air:
        """What drives the sides at a time, on the whole grid."""
        return self.physical.sides(time)

    def start(self, air: Mapping[str, Tensor]) -> Tensor:
        """A state (4 nz + 1, ny, nx) of columns; of their pressure, the lowest layer's is kept.

        Parameters
        ----------
        air : (nz, ny, nx) by name
        """
        return of_air({k: torch.as_tensor(a) for k, a in air.items()}, self.place).float()

    def advance(self, now: Tensor, time: float, added: Mapping[str, Tensor] | None = None) -> Tensor:
        """The state six hours later.

        Parameters
        ----------
        now : state at ``time``
        time : s since the start of the case
        added : what to add to ``t``, ``q``, ``u`` and ``v`` (nz, ny, nx) before the step, and to ``p`` (1, ny, nx) of
            the lowest layer
        """
        if added is not None:
            air = to_air(now, self.place)
            new = {k: air[k] + added[k].to(now) if k in added else air[k] for k in PARTS}
            lowest = air["p"][:1] + added["p"].to(now) if "p" in added else air["p"][:1]
            now = self.start({**new, "q": torch.clamp(new["q"], min=0.0), "p": torch.cat([lowest, air["p"][1:]])})
        sides, mass = self._at(time + self.seconds)
        new_state = advance(self.trained.net, now[None], sides, mass, self.place, self.seconds)[0]
        self._stop_if_lost(new_state)
        return new_state

    def _at(self, time: float) -> tuple[Tensor, Tensor]:
        """The sides at a time, and their dry mass; of the last two times asked for."""
        if time not in self._sides:
            with torch.no_grad():
                x = of_air(self.physical.sides(time), self.place).float()[None]
                self._sides = dict(list(self._sides.items())[-1:]) | {time: (x, dry_surface_pressure(x, self.place))}
        return self._sides[time]

    def _stop_if_lost(self, x: Tensor) -> None:
        """Values further from the training than its whole range: the forecast has broken down."""
        n = self.trained.net.levels
        for v, a in zip(self.trained.card.inputs, x.detach()[:-1].split(n), strict=False):
            least, most, span = float(a.min()), float(a.max()), v.high - v.low
            if not (least > v.low - span and most < v.high + span):
                raise LeftTraining(
                    f"the learned forecast broke down: {v.name} of {least:.4g} to {most:.4g} {v.units},"
                    f" trained on {v.low:.4g} to {v.high:.4g}"
                )

    def columns(self, now: Tensor) -> Air:
        """The air of a state by name, as `start` takes it; differentiable.

        Parameters
        ----------
        now : state
        """
        return to_air(now, self.place)
