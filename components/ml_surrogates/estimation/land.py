# SPDX-License-Identifier: BSD-3-Clause
"""Land columns that are pulled to satellites: soil water by layer and snow, by the LETKF column by column.

What may be observed has a name and an operator: snow cover, brightness temperature, water storage over blocks of
columns. Soil water stays within its pores; what an analysis adds or takes is given back, to be booked.

A cover is retrieved between 0 and 1 whatever its error: over a whole cover the retrievals' mean lies below it. Members
are therefore compared by the mean that retrievals of their cover would have; compared by the cover itself, deep snow
would be taken away day by day.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from components.ml_surrogates.estimation.columns import column_letkf
from components.ml_surrogates.estimation.microwave import Cover, Soil, brightness_temperature
from components.science.constants import WATER_DENSITY
from components.science.land_increments import DRIEST, LEAST_SNOW, LEFT, MOST_CHANGE

FREQUENCIES = (6.925e9, 10.65e9)
"""Of AMSR2's lowest two frequencies, Hz, H and V each."""
ANGLE = 55.0  # degrees from the vertical


class Members(NamedTuple):
    """What is known of the members' columns, (N, ..., n).

    Attributes
    ----------
    liquid, ice : (N, layers, n) volume fractions
    snow : (N, n) ice and liquid water of the pack, kg m-2
    cover : (N, n) part of the ground that snow covers, by the column's own function
    temperature : (N, n) of the uppermost soil, K
    storage : (N, n) mean of soil water and snow over the time that storage is observed for, kg m-2
    """

    liquid: Tensor
    ice: Tensor
    snow: Tensor
    cover: Tensor
    temperature: Tensor
    storage: Tensor


class Ground(NamedTuple):
    """What members have in common.

    Attributes
    ----------
    thickness : (layers, n) or (layers, 1), m
    pores : (layers, n) or (layers, 1), volume fraction
    soil, plants : of brightness temperature
    block : (n,) number of the block whose storage is observed; not below 0
    """

    thickness: Tensor
    pores: Tensor
    soil: Soil
    plants: Cover
    block: Tensor


Operator = Callable[[Members, Ground], Tensor]
"""From members to what they give for an observation of every column, (N, k, n)."""


def snow_cover(m: Members, g: Ground) -> Tensor:
    """Part of the ground that snow covers, (N, 1, n).

    Parameters
    ----------
    m, g : columns
    """
    return m.cover[:, None]


def brightness(m: Members, g: Ground) -> Tensor:
    """Brightness temperature, K, (N, 4, n): H and V at each of `FREQUENCIES`, of thawed soil without snow.

    Parameters
    ----------
    m, g : columns
    """
    seen = [brightness_temperature(f, m.liquid[:, 0], m.temperature, g.soil, g.plants, ANGLE) for f in FREQUENCIES]
    return torch.stack([polarised for pair in seen for polarised in pair], 1)


def storage(m: Members, g: Ground) -> Tensor:
    """Mean storage of the block that a column lies in, kg m-2, (N, 1, n).

    Parameters
    ----------
    m, g : columns
    """
    return block_mean(m.storage, g.block)[:, None]


OPERATORS: dict[str, Operator] = {
    "surface_snow_area_fraction": snow_cover,
    "toa_brightness_temperature": brightness,
    "land_water_storage": storage,
}


BOUNDS = {"surface_snow_area_fraction": (0.0, 1.0)}
"""Between which an observation lies, whatever its error."""


def censored_mean(middle: Tensor, deviation: float | Tensor, low: float, high: float) -> Tensor:
    """Mean of a normal variable that is cut off at two bounds (Maddala 1983, Limited-dependent variables, sec. 6.7).

    Parameters
    ----------
    middle : mean of the variable before it is cut off
    deviation : its standard deviation
    low, high : bounds
    """
    a, b = (low - middle) / deviation, (high - middle) / deviation
    below, within = torch.special.ndtr(a), torch.special.ndtr(b) - torch.special.ndtr(a)
    density = (torch.exp(-0.5 * a * a) - torch.exp(-0.5 * b * b)) / math.sqrt(2.0 * math.pi)
    mean: Tensor = low * below + high * (1.0 - below - within) + middle * within + deviation * density
    return mean


def equivalents_of(name: str, m: Members, g: Ground, error: float | Tensor) -> Tensor:
    """The mean of what is observed of the members, (N, k, n).

    Parameters
    ----------
    name : of `OPERATORS`
    m, g : columns
    error : standard deviation of the observation, or of each (k, n)
    """
    seen = OPERATORS[name](m, g)
    return censored_mean(seen, error, *BOUNDS[name]) if name in BOUNDS else seen


def block_mean(values: Tensor, block: Tensor) -> Tensor:
    """Means over blocks of columns, on every column of each, (..., n).

    Parameters
    ----------
    values : (..., n)
    block : (n,) number of each column's block
    """
    number = int(block.max()) + 1
    total = values.new_zeros((*values.shape[:-1], number)).index_add(-1, block, values)
    count = values.new_zeros(number).index_add(0, block, torch.ones_like(values[(0,) * (values.ndim - 1)]))
    return (total / torch.clamp(count, min=1.0))[..., block]


class Analysed(NamedTuple):
    """Members after an analysis.

    Attributes
    ----------
    liquid : (N, layers, n) volume fraction
    share : (N, n) of the pack that is left or made, by which its ice, liquid and thickness are multiplied
    added : (N, n) water added to each column, to be booked; below zero: taken, kg m-2
    acted : (n,) where something was observed
    """

    liquid: Tensor
    share: Tensor
    added: Tensor
    acted: Tensor


def analyse(
    m: Members,
    g: Ground,
    observed: Mapping[str, Tensor],
    error: Mapping[str, float | Tensor],
    relaxation: float = 0.0,
) -> Analysed:
    """The analysis of some columns.

    Parameters
    ----------
    m, g : columns
    observed : by name of `OPERATORS`, (k, n); not a number where nothing was seen
    error : standard deviation by the same names, in the observation's unit; of each, (k, n), or of all
    relaxation : of the members' spread to that before, where observations acted

    Raises
    ------
    ValueError
        A name without an operator, or an error that is not above zero.
    """
    unknown = sorted(set(observed) - set(OPERATORS))
    if unknown:
        raise ValueError(f"expected observations of {', '.join(OPERATORS)}, found {', '.join(unknown)}")
    wrong = [name for name in observed if not bool((torch.as_tensor(error.get(name, 0.0)) > 0.0).all())]
    if wrong:
        raise ValueError(f"expected errors above zero, found none of {', '.join(wrong)}")
    names = [name for name in observed if bool(torch.isfinite(observed[name]).any())]
    nothing = torch.zeros_like(m.snow)
    if not names:
        none_acted = torch.zeros(m.snow.shape[-1], dtype=torch.bool, device=m.snow.device)
        return Analysed(m.liquid, nothing + 1.0, nothing, none_acted)
    value = torch.cat([observed[name] for name in names])
    sd = torch.cat([torch.as_tensor(error[name]).to(value).expand(observed[name].shape) for name in names])
    equivalents = torch.cat([equivalents_of(name, m, g, error[name]) for name in names], 1)
    x = torch.cat([m.liquid, m.snow[:, None]], 1)
    # what lies outside already is not moved by the bounds alone
    low = torch.cat([torch.full_like(m.liquid, DRIEST), nothing[:, None]], 1)
    high = torch.cat([(g.pores - LEFT - m.ice), torch.full_like(nothing, torch.inf)[:, None]], 1)
    new, acted = column_letkf(x, equivalents, value, sd, torch.minimum(low, x), torch.maximum(high, x), relaxation)
    liquid, pack = new[:, :-1], new[:, -1]
    ratio = torch.clamp(pack / torch.clamp(m.snow, min=LEAST_SNOW), 1.0 / MOST_CHANGE, MOST_CHANGE)
    share = torch.where((m.snow > LEAST_SNOW) & acted, ratio, torch.ones_like(ratio))
    added = WATER_DENSITY * ((liquid - m.liquid) * g.thickness).sum(1) + (share - 1.0) * m.snow
    return Analysed(liquid, share, added, acted)
