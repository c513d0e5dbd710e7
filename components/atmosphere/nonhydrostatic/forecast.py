# SPDX-License-Identifier: BSD-3-Clause
"""The atmosphere as a forecast operator for an assimilation: from columns to a state, onward, and back to columns.

An assimilation finds it by the model's name. It is the dynamics with vapour, and a microphysics by choice, between the
same sides as the coupled atmosphere; gradients pass through every step.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from components.atmosphere.nonhydrostatic.component import NonhydrostaticAtmosphere
from components.atmosphere.nonhydrostatic.driving import increments
from components.atmosphere.nonhydrostatic.dynamics.stability import BlowUp
from components.atmosphere.nonhydrostatic.model import Forcing, Now
from components.atmosphere.nonhydrostatic.physics.columns import INNER, columns
from components.atmosphere.nonhydrostatic.physics.sequence import centre_wind
from components.atmosphere.nonhydrostatic.physics.species import VAPOUR
from coupler.component import Context, Setting
from coupler.grids.decomposition import Decomposition

NO_PHYSICS = {"boundary_layer": "none", "convection": "none", "radiation": "none"}


class Forecast:
    """Forecasts of a whole domain by one process.

    Parameters
    ----------
    context : grid, dates, folder and step of the forecast; its decomposition is not used
    options : of the atmosphere, such as ``levels``, ``driver`` and ``precision``; physics is left out unless said
    """

    failures = (BlowUp,)
    """What a forecast that breaks down raises."""

    def __init__(self, context: Context, options: Mapping[str, Any]):
        whole = replace(context, decompositions={"default": Decomposition(context.grid.shape)})
        self.air = _atmosphere(options)
        self.air.initialize(whole)
        self.seconds = float(context.step)

    @staticmethod
    def problems(setting: Setting, options: Mapping[str, Any]) -> list[str]:
        """What is wrong before anything runs, such as a driver that ends before the forecasts do.

        Parameters
        ----------
        setting : grid, dates and folder; the step of the forecast, and the duration to the last forecast's end
        options : of the atmosphere
        """
        return _atmosphere(options).check(setting)

    @property
    def initial(self) -> Now:
        """The driver's state at the start of the case."""
        return self.air.now

    @property
    def height(self) -> torch.Tensor:
        """Layer centres (nz, ny, nx), m."""
        return self.air.geometry.z[:, INNER, INNER]

    def sides(self, time: float) -> dict[str, torch.Tensor]:
        """The driver's air at a time (s since the start of the case), on the whole grid, as `columns` gives it."""
        driver = self.air.sides.around(time)
        q = torch.zeros_like(self.air.q)
        q[self.air.species.number(VAPOUR.name)] = driver.vapour_at(time)
        return self.columns(self.air.now._replace(s=driver.state(time), q=q))

    def start(self, air: Mapping[str, torch.Tensor]) -> Now:
        """A hydrostatic state of columns.

        Parameters
        ----------
        air : (nz, ny, nx) by name, lowest first: ``t`` (K), ``q`` (mixing ratio), ``u`` and ``v`` (eastward and
            northward, m s-1), ``p`` (Pa; the lowest layer's holds)
        """
        given = {name: torch.as_tensor(a).detach().double().cpu().numpy() for name, a in air.items()}
        given["q"] = given["q"] / (1.0 + given["q"])
        s, vapour = self.air.state_of(given)
        q = torch.zeros_like(self.air.q)
        q[self.air.species.number(VAPOUR.name)] = vapour
        return self.air.now._replace(s=s, q=q)

    def advance(self, now: Now, time: float, added: Mapping[str, torch.Tensor] | None = None) -> Now:
        """The state a step later.

        Parameters
        ----------
        now : state at ``time``
        time : s since the start of the case
        added : what to add to ``t``, ``q``, ``u`` and ``v`` (nz, ny, nx) in this step, and to ``p`` (1, ny, nx) of
            the lowest layer; the pressure above follows
        """
        names = dict(zip(("t", "q", "u", "v", "p"), increments.NAMES, strict=True))
        rates = None if added is None else {names[k]: a / self.seconds for k, a in added.items()}
        forcing = Forcing(time, self.air.sides.around(time), increments=rates)
        return self.air.model.onward(now, forcing, self.seconds)[0]

    def columns(self, now: Now) -> dict[str, torch.Tensor]:
        """The air of a state by name, as `start` takes it; differentiable.

        Parameters
        ----------
        now : state
        """
        air = self.air
        vapour = now.q[air.species.number(VAPOUR.name)]
        c = columns(air.geometry, now.s, vapour)
        along, across = centre_wind(air.geometry, now.s)
        cos, sin = air.cos.to(along), air.sin.to(along)
        east, north = along * cos - across * sin, along * sin + across * cos
        return {"t": c.t, "q": vapour[:, INNER, INNER], "u": east, "v": north, "p": c.p}


def _atmosphere(options: Mapping[str, Any]) -> NonhydrostaticAtmosphere:
    given = {"microphysics": "none", "limiter": "none", **NO_PHYSICS, **options}
    return NonhydrostaticAtmosphere(NonhydrostaticAtmosphere.Options(**given))
