# SPDX-License-Identifier: BSD-3-Clause
"""Litter and organic matter of the soil: CENTURY's cascade as in CLM (Parton et al. 1988, Lawrence et al. 2019).

Metabolic litter, cellulose and lignin become active, slow and passive organic matter; each passage respires a part.
A pool x of turnover time tau gives up x s / tau, where s holds for warmth and water.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from components.science.constants import ZERO_CELSIUS

DAY, YEAR = 86400.0, 365.0 * 86400.0
POOLS = ("metabolic", "cellulose", "lignin", "active", "slow", "passive")
TURNOVER = (0.066, 0.25, 0.25, 0.17, 6.1, 270.0)  # a, at 25 C in moist soil
LIGNIN, ACTIVE, SLOW, PASSIVE = 2, 3, 4, 5
LITTER_PASSAGES = ((0, ACTIVE, 0.55), (1, ACTIVE, 0.5), (2, SLOW, 0.5))  # from, to, respired
SLOW_TO_ACTIVE = 0.42 / 0.45  # the rest becomes passive
RESPIRED = 0.55  # of slow and passive matter
Q10, WARM = 1.5, ZERO_CELSIUS + 25.0  # K


class Passage(NamedTuple):
    """One way of carbon from pool to pool.

    Attributes
    ----------
    source, target : numbers of :data:`POOLS`
    share : of what the source gives up, before respiration
    respired : part of that share that leaves as CO2
    """

    source: int
    target: int
    share: Tensor | float
    respired: Tensor | float


def dissolved_share(sand: Tensor) -> Tensor:
    """Share of what active matter gives up that becomes dissolved: .03 + .12 sand (Metherell et al. 1993, OMLECH).

    CENTURY lets as much leave with the water of a month that has enough of it; here water moves it layer by layer.

    Parameters
    ----------
    sand : mass fraction
    """
    return 0.03 + 0.12 * sand


def passages(sand: Tensor, dissolved: Tensor | float = 0.0) -> tuple[Passage, ...]:
    """The cascade in soil with a mass fraction of ``sand``; what becomes dissolved would have become slow matter.

    Parameters
    ----------
    sand : mass fraction
    dissolved : share of what active matter gives up
    """
    t = 0.85 - 0.68 * (1.0 - sand)
    to_passive = 0.004 / (1.0 - t)
    to_slow = 1.0 - to_passive - dissolved
    return (
        *(Passage(a, b, 1.0, r) for a, b, r in LITTER_PASSAGES),
        Passage(ACTIVE, SLOW, to_slow, t * (1.0 - to_passive) / to_slow),
        Passage(ACTIVE, PASSIVE, to_passive, t),
        Passage(SLOW, ACTIVE, SLOW_TO_ACTIVE, RESPIRED),
        Passage(SLOW, PASSIVE, 1.0 - SLOW_TO_ACTIVE, RESPIRED),
        Passage(PASSIVE, ACTIVE, 1.0, RESPIRED),
    )


def warmth_factor(temperature: Tensor) -> Tensor:
    """Q10^((T - 25 C)/10) with Q10 1.5; ``temperature`` of the soil in K."""
    return torch.exp(0.1 * 0.4054651081081644 * (temperature - WARM))


def water_factor(suction: Tensor, driest: float = 1000.0, wettest: float = 0.2) -> Tensor:
    """ln(driest/suction) / ln(driest/wettest) between 0 and 1 (Andren and Paustian 1987, as in CLM).

    Parameters
    ----------
    suction : m of water, positive in dry soil
    driest, wettest : m, at which nothing and everything decays
    """
    log = torch.log(torch.clamp(suction, wettest, driest))
    low, high = torch.log(torch.tensor([wettest, driest], dtype=torch.float64)).tolist()
    return (high - log) / (high - low)


def given_up(pools: Tensor, pace: Tensor, seconds: float) -> Tensor:
    """What the pools give up in a step, in their unit, never more than they hold.

    Explicit, so that what is at rest in years is at rest in days.

    Parameters
    ----------
    pools : (6, ...) carbon
    pace : s, product of the factors of warmth and water
    seconds : length of the step
    """
    rows = [
        torch.clamp(pace * (seconds / (YEAR * tau)), max=1.0) * x
        for tau, x in zip(TURNOVER, pools.unbind(0), strict=True)
    ]
    return torch.stack(rows)


class Decay(NamedTuple):
    """A step of the cascade.

    Attributes
    ----------
    carbon : (6, ...) pools at the end
    respired : (...) carbon that left as CO2
    mineralised : (...) of a nutrient, less what was immobilised; negative where microbes take it up
    nutrient : (6, ...) of the pools at the end
    dissolved : (...) carbon that became dissolved; its nutrient is mineralised
    """

    carbon: Tensor
    respired: Tensor
    mineralised: Tensor
    nutrient: Tensor
    dissolved: Tensor


def decay(
    carbon: Tensor, nutrient: Tensor, ratios: Tensor, lost: Tensor, sand: Tensor, dissolved: Tensor | float = 0.0
) -> Decay:
    """Pass on what the pools give up; organic matter takes its nutrient at fixed C:N (or C:P), the rest is mineralised.

    Parameters
    ----------
    carbon, nutrient : (6, ...) pools
    ratios : (6, ...) carbon per nutrient of what becomes part of a pool; litter's is not read
    lost : (6, ...) carbon given up, see `given_up`
    sand : mass fraction
    dissolved : share of what active matter gives up, see `dissolved_share`
    """
    arriving = [torch.zeros_like(lost[0]) for _ in POOLS]
    respired, taken = torch.zeros_like(lost[0]), [torch.zeros_like(lost[0]) for _ in POOLS]
    for p in passages(sand, dissolved):
        flow = p.share * lost[p.source]
        gone = p.respired * flow
        respired = respired + gone
        arriving[p.target] = arriving[p.target] + (flow - gone)
        taken[p.target] = taken[p.target] + (flow - gone) / ratios[p.target]
    gone_with, gained = released(carbon, nutrient, lost), torch.stack(taken)
    mineralised = torch.zeros_like(respired)
    for out, inn in zip(gone_with.unbind(0), gained.unbind(0), strict=True):
        mineralised = mineralised + out - inn
    pools = carbon - lost + torch.stack(arriving)
    return Decay(pools, respired, mineralised, nutrient - gone_with + gained, dissolved * lost[ACTIVE])


def immobilised(
    carbon: Tensor, nutrient: Tensor, ratios: Tensor, lost: Tensor, sand: Tensor, dissolved: Tensor | float = 0.0
) -> Tensor:
    """Nutrient that microbes would take up to pass on what each pool gives up, (6, ...); negative where it is released.

    Lost carbon after respiration over the C:N of the pool that receives it, less what comes with it (Thornton et al.
    2007; Oleson et al. 2013, ch. 15, N limitation of decomposition fluxes), all passages of a pool together.

    Parameters
    ----------
    carbon, nutrient, ratios, lost, sand, dissolved : as in :func:`decay`
    """
    taken = [torch.zeros_like(lost[0]) for _ in POOLS]
    for p in passages(sand, dissolved):
        flow = p.share * lost[p.source]
        taken[p.source] = taken[p.source] + (flow - p.respired * flow) / ratios[p.target]
    return torch.stack(taken) - released(carbon, nutrient, lost)


def released(carbon: Tensor, nutrient: Tensor, lost: Tensor) -> Tensor:
    """Nutrient that goes with the carbon that pools give up, (6, ...)."""
    full = carbon > 0.0
    return torch.where(full, nutrient * (lost / torch.where(full, carbon, torch.ones_like(carbon))), 0.0 * nutrient)


def share_allowed(needs: Sequence[Tensor], supplies: Sequence[Tensor]) -> Tensor:
    """Share of what each pool would give up that its nutrients allow, (6, ...); 1 where it needs none.

    Only pools whose matter takes up a nutrient on its way are slowed, all of them alike, to what there is of it over
    what they need (Thornton et al. 2007; Oleson et al. 2013, ch. 15); with several nutrients by the scarcer one that
    a pool needs. What is mineralised in the same step is there for them, if its own pool needs no other nutrient.

    Parameters
    ----------
    needs : (6, ...) of each nutrient, see :func:`immobilised`
    supplies : (...) of each nutrient in mineral form, that microbes can reach

    Examples
    --------
    >>> x = torch.tensor([4.25, 0.0, 0.0, 0.0, -1.75, 0.0], dtype=torch.float64)[:, None]
    >>> [round(v, 4) for v in share_allowed([x], [torch.ones(1, dtype=torch.float64)])[:, 0].tolist()]
    [0.6471, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    free = torch.ones_like(needs[0])
    for need in needs:
        free = torch.where(need > 0.0, 0.0 * free, free)
    share = torch.ones_like(needs[0])
    for need, there in zip(needs, supplies, strict=True):
        wanted, given = torch.zeros_like(there), there
        for own, open_ in zip(need.unbind(0), free.unbind(0), strict=True):
            wanted = wanted + torch.clamp(own, min=0.0)
            given = given + open_ * torch.clamp(-own, min=0.0)
        part = torch.clamp(given / torch.clamp(wanted, min=1e-30), max=1.0)
        share = torch.where(need > 0.0, torch.minimum(share, part), share)
    return share


def matrix(sand: Tensor, dissolved: Tensor | float = 0.0) -> Tensor:
    """dx/dt = s A x + litter, A in a-1 at 25 C in moist soil, (..., 6, 6).

    Parameters
    ----------
    sand : (...) mass fraction
    dissolved : share of what active matter gives up
    """
    a = torch.zeros(*sand.shape, len(POOLS), len(POOLS), dtype=sand.dtype, device=sand.device)
    for i, tau in enumerate(TURNOVER):
        a[..., i, i] = -1.0 / tau
    for p in passages(sand, dissolved):
        a[..., p.target, p.source] += p.share * (1.0 - p.respired) / TURNOVER[p.source]
    return a


def at_rest(litter: Tensor, pace: Tensor, sand: Tensor) -> Tensor:
    """Pools that no longer change, (6, ...), in the unit of ``litter`` times a year.

    Parameters
    ----------
    litter : (6, ...) input, per year
    pace : (...) mean of s
    sand : (...) mass fraction
    """
    found = torch.linalg.solve(-matrix(sand), litter.movedim(0, -1).unsqueeze(-1)).squeeze(-1).movedim(-1, 0)
    return (found / torch.clamp(pace, min=1e-6)).contiguous()


def after(pools: Tensor, litter: Tensor, pace: Tensor, sand: Tensor, years: float) -> Tensor:
    """Pools after ``years`` of steady litter, by the exponential of the matrix.

    Parameters
    ----------
    pools, litter : (6, ...) at the start, and input per year
    pace, sand : (...) mean of s, mass fraction
    years : a
    """
    rest = at_rest(litter, pace, sand)
    turn = torch.linalg.matrix_exp(matrix(sand) * (torch.clamp(pace, min=1e-6) * years)[..., None, None])
    off = (pools - rest).movedim(0, -1).unsqueeze(-1)
    return rest + (turn @ off).squeeze(-1).movedim(-1, 0)
