# SPDX-License-Identifier: BSD-3-Clause
"""Rules of the namelist's ``coupling:`` list, as a user writes them.

Two kinds: a connection carries fields from one component to another; a flux node computes fluxes
between two components from both sides' states.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from coupler.clock import format_duration, parse_duration
from coupler.fields import FieldSpec
from coupler.namelist import Duration, Namelist


def _lag(value: Any) -> int:
    if value in (0, "PT0S", "P0D") and not isinstance(value, bool):
        return 0
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not an ISO-8601 duration such as PT1H, or 0")
    return parse_duration(value)


class FieldChoice(Namelist):
    """One field of a connection, where it changes its name, scale or offset on the way."""

    source: str = Field(alias="from")
    """Name on the source's side."""
    target: str = Field(alias="to")
    """Name on the target's side."""
    scale: float = 1.0
    """Factor: target = scale * source + offset, in the dictionary's units."""
    offset: float = 0.0
    """Offset, in the dictionary's units."""


class SubgridRule(Namelist):
    """``{field: FLUX, kind: nonsolar, state: sea_surface_temperature, derivative: -40}``: OASIS3 ``SUBGRID``."""

    field: str
    """Flux to correct by the receiving cell's own state, by its name on the target's side."""
    kind: Literal["solar", "nonsolar"]
    """solar: Q (1 - a) / (1 - mean a); nonsolar: Q + dQ/dT (T - mean T)."""
    state: str
    """What the target exports of its own: its albedo a (solar), or its temperature T (nonsolar)."""
    derivative: float | str | None = None
    """Of nonsolar: dQ/dT in W m-2 K-1 (below 0 for a downward flux), or the name of the source's export that is it."""


def _crossing(value: Any) -> None:
    raise ValueError(
        "a rule that crosses the members of an ensemble is not built: every member exchanges within itself; leave "
        "the key out, and take mean and spread from run/ensemble after the run"
    )


Crossing = Annotated[None, BeforeValidator(_crossing)]


class ConnectionRule(Namelist):
    """``{from: ocean, to: atmosphere, period: PT1H, lag: PT1H, fields: [sea_surface_temperature]}``."""

    source: str = Field(alias="from")
    """Component that sends."""
    target: str = Field(alias="to")
    """Component that receives."""
    period: Duration
    """Time between exchanges."""
    lag: Annotated[int, BeforeValidator(_lag)] = 0
    """0: the target waits for the source's interval; a whole number of periods: both run at once."""
    statistic: Literal["instant", "mean", "sum", "min", "max"] | None = None
    """What is sent of a period; by default the mean of fluxes and the last value of states."""
    fields: list[str | FieldChoice] | None = None
    """Fields to send; by default all that both sides agree on."""
    remap: str | list[Any] = "conservative"
    """Remapping method, or methods in the order in which they fill what is left uncovered."""
    normalization: Literal["fracarea", "destarea"] = "fracarea"
    """By the covered part of a cell (values stay in the source's range) or by the whole cell."""
    conserve: Literal["global", "global_positive", "basin", "basin_positive"] | None = None
    """Correction that makes a method conserve which does not by itself."""
    limiter: bool = False
    """Of conservative_second_order: cut gradients back so that no value leaves the range of its neighbours."""
    subgrid: list[SubgridRule] = []
    """Fluxes that are corrected by the receiving cell's own state; the integral over each source cell is kept."""
    route: Literal["coupler", "direct"] = "coupler"
    """direct: between components on the same grid, without the coupler's ranks."""
    ensemble: Crossing = None
    """Not built: rules that take the mean or all of an ensemble's members."""

    def leaves_out(self, offered: FieldSpec, step: int) -> str:
        """What is wrong where the rule takes some steps' values only of a field that has one for each, or empty.

        Parameters
        ----------
        offered : what the source exports
        step : of the source, s
        """
        if not offered.each_step or self.period == step or self.statistic in ("mean", "sum"):
            return ""
        own, found = format_duration(step), format_duration(self.period)
        return (
            f"{offered.name}: each step of {self.source} gives one for that step alone; expected period: {own}, as its "
            f"step, or statistic: mean, found period: {found}, which leaves some out"
        )


class FluxRule(Namelist):
    """``{flux: air_sea, scheme: ncar, between: [atmosphere, ocean], period: PT1H}``."""

    flux: str
    """Kind of flux, such as air_sea; or a flux law, ``package.module:NAME``."""
    scheme: str = ""
    """Flux law of that kind: a name, or ``package.module:NAME``."""
    between: tuple[str, str]
    """The two components, upper side first."""
    period: Duration
    """Time between computations."""
    lag: Annotated[int, BeforeValidator(_lag)] | None = None
    """Age of the states used; one period by default."""
    statistic: Literal["instant", "mean"] = "instant"
    """What is taken of the states of a period."""
    grid: Literal["exchange", "first", "second"] = "exchange"
    """Where the fluxes are computed: on the overlaps of both grids (the default), or on one side's grid."""
    states: Literal["cell", "second_order"] = "cell"
    """The upper side's states in an overlap: those of its cell, or a smooth second-order field."""
    options: dict[str, Any] = {}
    """Options of the flux law; see the law's documentation."""
    ensemble: Crossing = None
    """Not built: rules that take the mean or all of an ensemble's members."""
