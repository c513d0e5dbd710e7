# SPDX-License-Identifier: BSD-3-Clause
"""The fast clock: respiration, what water moves, what is given off, and the sums that the daily clock reads."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column.cycles import decomposition, phosphorus, respiration, solutes
from components.land.column.cycles.crop_development import MATURE
from components.land.column.cycles.pools import DAY, UPPER, Cycles, Day, Due, Traits
from components.science.constants import CARBON_MOLAR_MASS
from components.science.sums import in_order

LOWEST = 1.2  # m, to which the lower store of organic matter reaches
SORBED, HALF = 0.13, 5e-4  # kg P m-3 of soil: Smax and K of Langmuir (ours; Smax is 100 mg P kg-1 of soil)


class Moment(NamedTuple):
    """What a step of energy and water gives to the cycles; (layer, ...) where it says so, else one value a column."""

    gross: Tensor  # uptake of leaves, umol m-2 s-1
    leaf_respiration: Tensor  # umol m-2 s-1
    canopy: Tensor  # K
    soil: Tensor  # K, (layer, ...)
    suction: Tensor  # m, (layer, ...)
    filled: Tensor  # share of the pores with water, (layer, ...)
    available: Tensor  # share of the available water where roots are
    water: Tensor  # liquid at the end, kg m-2, (layer, ...)
    stored: Tensor  # liquid gained in the step, kg m-2, (layer, ...)
    drawn: Tensor  # by roots and evaporation, kg m-2, (layer, ...)
    drainage: Tensor  # kg m-2
    runoff: Tensor  # kg m-2
    lit: Tensor  # share of the day that has sun; or 1 in a step with sun and 0 in another
    deposition: Tensor  # of nitrogen, kg N m-2 s-1
    air: Tensor | None = None  # K; None: as warm as the canopy
    phosphorus: Tensor | None = None  # that falls, kg P m-2 s-1; None: none


class Exchanged(NamedTuple):
    """What the cycles gave and took in a step, kg m-2 s-1."""

    uptake: Tensor  # of carbon, net of all respiration: downward
    nitrous: Tensor  # N2O, as N
    dinitrogen: Tensor
    ammonia: Tensor  # as N
    leached_carbon: Tensor
    leached_nitrogen: Tensor
    leached_phosphorus: Tensor
    deposited: Tensor  # nitrogen
    deposited_phosphorus: Tensor
    fixed: Tensor  # nitrogen, all of a day in its last step
    harvested_carbon: Tensor  # the same, of what people carry away
    harvested_nitrogen: Tensor
    harvested_phosphorus: Tensor
    fertilised_nitrogen: Tensor  # the same, of what people bring
    fertilised_phosphorus: Tensor

    def gained(self) -> tuple[Tensor, Tensor, Tensor]:
        """What carbon, nitrogen and phosphorus in store gained."""
        gases = self.nitrous + self.dinitrogen + self.ammonia
        return (
            self.uptake - self.leached_carbon - self.harvested_carbon,
            self.deposited + self.fixed + self.fertilised_nitrogen - gases - self.leached_nitrogen
            - self.harvested_nitrogen,
            self.deposited_phosphorus + self.fertilised_phosphorus - self.leached_phosphorus
            - self.harvested_phosphorus,
        )  # fmt: skip


def depth_weights(thickness: Tensor) -> tuple[list[float], list[float]]:
    """Shares of the soil's layers in the upper and in the lower store of organic matter.

    Parameters
    ----------
    thickness : (layer, 1) m
    """
    edge, upper, lower = 0.0, [], []
    for d in thickness.flatten().tolist():
        middle, edge = edge + 0.5 * d, edge + d
        upper.append(d if middle < UPPER else 0.0)
        lower.append(d if UPPER <= middle < LOWEST else 0.0)
    if not sum(lower):
        lower = upper
    return [u / sum(upper) for u in upper], [v / sum(lower) for v in lower]


def over_depths(values: Tensor, thickness: Tensor) -> Tensor:
    """Means over the two depths, (2, ...), of values by layer.

    Parameters
    ----------
    values : (layer, ...)
    thickness : (layer, 1) m
    """
    rows = []
    for weights in depth_weights(thickness):
        rows.append(in_order(torch.stack([w * values[i] for i, w in enumerate(weights) if w > 0.0]), 0))
    return torch.stack(rows)


def step(c: Cycles, t: Traits, m: Moment, thickness: Tensor, seconds: float) -> tuple[Cycles, Exchanged]:
    """Advance what changes within a day.

    Parameters
    ----------
    c : at the start
    t : Traits of the columns
    m : of the step
    thickness : (layer, 1) m
    seconds : length of the step
    """
    share = seconds / torch.clamp(DAY - c.day.seconds, min=seconds)
    exhaled = Due(*(share * v for v in c.due))
    due = Due(*(a - b for a, b in zip(c.due, exhaled, strict=True)))
    mean_soil = over_depths(m.soil, thickness)
    plant = c.carbon.plant
    kept = respiration.maintenance(plant.root / t.ratios.root, mean_soil[0])
    wood_and_grain = plant.live_wood / t.ratios.live_wood + plant.harvest / t.ratios.harvest
    kept = kept + respiration.maintenance(wood_and_grain, m.canopy)
    kept = torch.where(c.crop.phase >= MATURE, 0.0 * kept, kept)  # a dead crop that waits for its harvest
    gain = (m.gross - m.leaf_respiration) * (1e-6 * CARBON_MOLAR_MASS) - kept
    pace = decomposition.warmth_factor(m.soil) * decomposition.water_factor(m.suction)
    day = Day(
        c.day.seconds + seconds, c.day.gain + seconds * gain, c.day.soil + seconds * mean_soil,
        c.day.pace + seconds * over_depths(pace, thickness), c.day.filled + seconds * over_depths(m.filled, thickness),
        c.day.water + seconds * m.available, c.day.light + seconds * m.lit,
        c.day.air + seconds * (m.canopy if m.air is None else m.air),
    )  # fmt: skip
    soil, half = c.soil, 0.5 * seconds * m.deposition
    ammonium = torch.cat([(soil.ammonium[0] + half)[None], soil.ammonium[1:]])
    nitrate = torch.cat([(soil.nitrate[0] + half)[None], soil.nitrate[1:]])
    fallen = torch.zeros_like(gain) if m.phosphorus is None else m.phosphorus
    labile = torch.cat([(soil.phosphorus[0] + seconds * fallen)[None], soil.phosphorus[1:]])
    solution = phosphorus.in_solution(labile, SORBED * thickness, HALF * thickness)
    mobile = solution / torch.clamp(labile, min=1e-30)
    stores, whole = torch.stack([nitrate, labile, soil.carbon], 1), torch.ones_like(mobile)
    free = torch.stack([whole, torch.clamp(mobile, max=1.0), whole], 1)
    moved = solutes.move(stores, free, m.water, m.stored, m.drawn, m.drainage, m.runoff, thickness)
    left = (moved.leached + moved.washed) / seconds
    new = c._replace(soil=type(soil)(ammonium, *moved.amount.unbind(1)), day=day, due=due)
    return new, Exchanged(
        gain - exhaled.carbon / seconds, exhaled.nitrous / seconds, exhaled.dinitrogen / seconds,
        exhaled.ammonia / seconds, left[2], left[0], left[1], m.deposition, fallen, *[torch.zeros_like(gain)] * 6,
    )  # fmt: skip
