# SPDX-License-Identifier: BSD-3-Clause
"""The cycles within a step of the column: leaves out of the state before it, carbon and nutrients after it."""

from __future__ import annotations

import torch
from torch import Tensor

from components.land.column.column_state import Forcing, Options, State
from components.land.column.column_water import Passed, Thawed
from components.land.column.cycles import daily, fast, leaf_exchange, leaf_nitrogen, phenology, stature
from components.land.column.cycles.pools import DAY, Cycles, leaf_area
from components.land.column.heat import ice_suction
from components.land.column.leaf_contents import capacity_of_leaves
from components.land.column.parameters import Parameters
from components.land.column.surface_exchange import Surface
from components.land.column.water_heat import liquid_mass
from components.science.sums import in_order

LEAST_CAPACITY = 0.05
"""Share of their capacity that dying leaves of crops keep: none at all would have no stomata to solve for."""


def with_leaves(state: State, forcing: Forcing, p: Parameters, options: Options) -> tuple[Forcing, Parameters]:
    """Leaves, height and roots as the pools and the day length have them, where leaves are prognostic.

    Parameters
    ----------
    state : State at the start
    forcing : Forcing of the step
    p : Parameters of the columns
    options : whether leaves are prognostic
    """
    if state.cycles is None or p.cycles is None or not options.prognostic_leaves:
        return forcing, p
    vcmax = capacity_of_leaves(state.cycles, p.cycles, options.nitrogen)
    sown = p.cycles.farming.crop > 0.5
    vcmax = torch.where(sown, vcmax * torch.clamp(state.cycles.crop.capacity, min=LEAST_CAPACITY), vcmax)
    if forcing.day_length is not None and forcing.longest_day is not None:
        waning = leaf_nitrogen.by_day_length(forcing.day_length, forcing.longest_day)
        evergreen = p.cycles.kind == phenology.EVERGREEN
        awake = torch.where(evergreen, phenology.awake(state.cycles.season), torch.ones_like(waning))
        vcmax = vcmax * (waning * awake)
    vcmax = vcmax * phenology.mature(state.cycles.season, p.cycles.kind)
    c, t = state.cycles, p.cycles
    vcmax = vcmax * leaf_exchange.capacity(c.crop.leaves, c.season, t.kind, t.lives.leaf)
    area = leaf_area(state.cycles, p.cycles)
    if p.stature is not None:
        height = stature.height(state.cycles, p.cycles, p.stature)
        p = p._replace(height=height, roots=stature.root_shares(state.cycles, p.stature, p.thickness))
    return forcing._replace(lai=area), p._replace(traits=p.traits._replace(vcmax25=vcmax))


def available_water(p: Parameters, liquid: Tensor) -> Tensor:
    """Share of the water between wilting point and field capacity that is there, where roots are.

    Parameters
    ----------
    p : Parameters of the columns
    liquid : (layer, columns) volume fraction
    """
    soil = p.texture
    share = (liquid - soil.wilting) / torch.clamp(soil.field_capacity - soil.wilting, min=1e-3)
    return in_order(p.roots * torch.clamp(share, 0.0, 1.0), 0)


def advance_cycles(
    cycles: Cycles | None, p: Parameters, forcing: Forcing, surface: Surface, thawed: Thawed, passed: Passed,
    seconds: float, options: Options,
) -> tuple[Cycles | None, fast.Exchanged | None]:  # fmt: skip
    """Carbon, nitrogen and phosphorus at the end of the step; at the end of a day also growth and decay.

    Parameters
    ----------
    cycles : at the start, or None
    p : Parameters of the columns
    forcing : Forcing of the step
    surface, thawed, passed : what the step has done before
    seconds : length of the step, s
    options : nutrition
    """
    if cycles is None or p.cycles is None:
        return None, None
    f, leaves = surface.fluxes, surface.leaves
    breath = leaves.area * surface.exchange.respiration(f.canopy)
    net = leaves.area * f.assimilation
    theta, ice = passed.moisture.theta, thawed.ice
    deposition = forcing.nitrogen_deposition
    none = torch.zeros_like(f.canopy)
    length = forcing.day_length
    lit = (forcing.cos_zenith > 0.0).to(none.dtype) if length is None else length / DAY
    warmth = passed.moved.temperature
    dryness = torch.maximum(torch.clamp(-passed.moisture.psi, min=0.0), ice_suction(warmth))  # for what lives in it
    moment = fast.Moment(
        net[0] + net[1] + breath[0] + breath[1], breath[0] + breath[1], f.canopy, warmth,
        dryness, torch.clamp((theta + ice) / p.texture.theta_s, max=1.0),
        available_water(p, theta), liquid_mass(theta, p.thickness), passed.stored, passed.taken,
        passed.drained * seconds, passed.surface * seconds, lit,
        none if deposition is None else deposition, forcing.temperature,
        forcing.phosphorus_deposition,
    )  # fmt: skip
    new, given = fast.step(cycles, p.cycles, moment, p.thickness, seconds)
    if daily.is_over(new):
        new, events = daily.a_day(
            new, p.cycles, options.nitrogen, p.roots, p.thickness, forcing.date, forcing.photoperiod
        )
        given = given._replace(**{k: v / seconds for k, v in events._asdict().items()})
    return new, given
