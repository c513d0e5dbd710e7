# SPDX-License-Identifier: BSD-3-Clause
"""Stations whose reports keep exceeding what the inversion expects of them: sources that nobody has told of.

Reports less expectations (innovations) are measured in what they usually are: by the spread of the ensemble, by what a
wrong wind carries in where the field is steep, by the noise. An inversion that is off at one analysis is off at the
next: of each innovation what the last one lets expect is taken away (a first-order autoregression). What is left is new
each time, and its sum, forgetting as it goes (an exponentially weighted one, Roberts 1959), stands still but for chance
until a source feeds the air of the station. Only excesses count: a source adds. Sums are kept, not windows.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from components.ml_surrogates.estimation.analysis import Domain
from components.science.constants import EARTH_RADIUS

HOUR = 3600.0  # s
WIND_ERROR = 2.0  # m s-1
FORGET = 36.0 * HOUR  # of the sums, s
MOST = 5.0  # standard deviations: no report alone raises an alarm, however wrong it is
REACH = 1500e3  # m about a station within which its alarm silences the network
USUAL = 0.97  # share of the analyses of flows without an event in which no station is in alarm
SETTLED = 24.0 * HOUR  # sums that begin with nothing are small, s
ROUNDS = 30  # of the reweighted least squares


class Size(NamedTuple):
    """What innovations (..., p) are measured by.

    Attributes
    ----------
    ensemble : (..., p) variance of the members' expectations, ppm2
    carried : (..., p) what a wrong wind carries in between two analyses, ppm; see `carried_in`
    spread : (p,) of the past, ppm
    error : (..., p) standard deviation of the reports, ppm
    """

    ensemble: Tensor
    carried: Tensor
    spread: Tensor
    error: Tensor


class Surprise(NamedTuple):
    """Reports less expectations (..., p), ppm; whether there is a report; and what they are measured by."""

    innovation: Tensor
    mask: Tensor
    size: Size


class Usual(NamedTuple):
    """How large innovations are, how far one lets expect the next, and how far their sums go by chance.

    Attributes
    ----------
    ensemble, wind, spread : weights of the first parts of `Size`, squared where they are no variances; that of the
        reports' own error is one
    memory : correlation of an innovation with the one before
    largest : excess of the sums of all stations at a time
    cells, mean, deviation : flat numbers of the stations' cells, and mean and standard deviation of the sum of each:
        a station may lie high for good, or in air that is steeper than a cell can say
    """

    ensemble: float
    wind: float
    spread: float
    memory: float
    largest: float
    cells: Sequence[int] = ()
    mean: Sequence[float] = ()
    deviation: Sequence[float] = ()

    def standardised(self, surprise: Surprise) -> Tensor:
        """Innovations (..., p) in standard deviations, 0 where there is no report.

        Parameters
        ----------
        surprise : of an analysis, or of several
        """
        size = surprise.size
        variance = (
            self.ensemble * size.ensemble + self.wind * size.carried**2 + self.spread * size.spread**2 + size.error**2
        )
        return torch.where(surprise.mask, surprise.innovation / torch.sqrt(variance), 0.0)

    def excess(self, sums: Tensor, cells: Tensor) -> Tensor:
        """Sums (..., p) about their mean, in their standard deviations.

        Of a station that the training did not have the mean is zero, and the standard deviation the largest of all.

        Parameters
        ----------
        sums : of `Watch`
        cells : (p,) flat numbers of the stations' cells
        """
        known = {c: k for k, c in enumerate(self.cells)}
        mean, deviation = (*self.mean, 0.0), (*self.deviation, max(self.deviation, default=1.0))
        at = [known.get(c, -1) for c in cells.tolist()]
        return (sums - sums.new_tensor([mean[k] for k in at])) / sums.new_tensor([deviation[k] for k in at])

    def alarm(self, sums: Tensor, cells: Tensor) -> Tensor:
        """Stations (..., p) in alarm, bool.

        Parameters
        ----------
        sums, cells : as of `excess`
        """
        return self.excess(sums, cells) > self.largest


class Watch(NamedTuple):
    """What is kept of the last analysis (..., p): innovations in standard deviations, and sums."""

    innovation: Tensor
    sums: Tensor


def carried_in(domain: Domain, field: Tensor, seconds: float) -> Tensor:
    """What air from `WIND_ERROR` times a period away differs by (..., ny, nx), in the field's unit.

    Parameters
    ----------
    domain : around the Earth
    field : (..., ny, nx)
    seconds : the period
    """
    ny, nx = domain.shape
    latitude = torch.deg2rad(domain.latitude.reshape(domain.shape))
    east = 0.5 * (torch.roll(field, -1, -1) - torch.roll(field, 1, -1))
    east = east * nx / (2.0 * math.pi * EARTH_RADIUS * torch.cos(latitude))
    north = torch.zeros_like(field)
    north[..., 1:-1, :] = 0.5 * (field[..., 2:, :] - field[..., :-2, :]) * ny / (math.pi * EARTH_RADIUS)
    return WIND_ERROR * seconds * torch.sqrt(east * east + north * north)


def joined(parts: Sequence[Surprise]) -> Surprise:
    """Of several lots of flows of the same stations.

    Parameters
    ----------
    parts : (flows, n, p) each
    """
    sizes = [p.size for p in parts]
    ensemble, carried, error = (
        torch.cat(a) for a in zip(*((s.ensemble, s.carried, s.error) for s in sizes), strict=True)
    )
    innovation, mask = (torch.cat(a) for a in zip(*(p[:2] for p in parts), strict=True))
    return Surprise(innovation, mask, Size(ensemble, carried, sizes[0].spread, error))


def new(usual: Usual, innovation: Tensor, before: Tensor) -> Tensor:
    """What the last innovation does not let expect of this one, in standard deviations.

    Parameters
    ----------
    usual : of innovations
    innovation, before : of this analysis and of the one before, in standard deviations
    """
    return (innovation - usual.memory * before) / math.sqrt(1.0 - usual.memory * usual.memory)


def watched(usual: Usual, watch: Watch, innovation: Tensor, mask: Tensor, seconds: float) -> Watch:
    """Sums with a further analysis, in standard deviations of their own.

    Parameters
    ----------
    usual : of innovations
    watch : before
    innovation : (..., p) of `Usual.standardised`
    mask : (..., p) stations that report; the sums of the others fade
    seconds : since the analysis before
    """
    keep = math.exp(-seconds / FORGET)
    step = torch.where(mask, new(usual, innovation, watch.innovation).clamp(-MOST, MOST), 0.0)
    return Watch(innovation, keep * watch.sums + math.sqrt(1.0 - keep * keep) * step)


def course(usual: Usual, innovation: Tensor, mask: Tensor, seconds: float) -> Tensor:
    """Sums (..., n, p) at n analyses, one after the other.

    Parameters
    ----------
    usual : of innovations
    innovation : (..., n, p) of `Usual.standardised`
    mask : (..., n, p) stations that report
    seconds : between two of them
    """
    zero = torch.zeros_like(innovation[..., 0, :])
    watch, out = Watch(zero, zero), []
    for n in range(innovation.shape[-2]):
        watch = watched(usual, watch, innovation[..., n, :], mask[..., n, :], seconds)
        out.append(watch.sums)
    return torch.stack(out, -2)


def learned(surprise: Surprise, cells: Tensor, seconds: float) -> Usual:
    """What is usual in flows without an event, all stations of which report.

    Weights are those of reweighted least squares of squared innovations, none below zero; in `USUAL` of all analyses no
    station is in alarm.

    Parameters
    ----------
    surprise : (flows, n, p) of their analyses
    cells : (p,) flat numbers of the stations' cells
    seconds : between two of them
    """
    innovation, size = surprise.innovation, surprise.size
    parts = torch.broadcast_tensors(size.ensemble, size.carried**2, size.spread**2, size.error**2)
    *known, own = (a.reshape(-1).double() for a in parts)
    columns, square = torch.stack(known, -1), (innovation * innovation).reshape(-1).double()
    weight, scale = torch.ones_like(square), torch.zeros(3, dtype=torch.float64)
    for _ in range(ROUNDS):
        left = (square - own) * weight
        scale = torch.linalg.lstsq(columns * weight[:, None], left[:, None]).solution[:, 0].clamp(min=0.0)
        weight = 1.0 / (columns @ scale + own)
    ensemble, wind, spread = scale.tolist()
    usual = Usual(ensemble, wind, spread, memory=0.0, largest=math.inf)
    z = usual.standardised(surprise)
    usual = usual._replace(memory=float((z[:, 1:] * z[:, :-1]).sum() / (z[:, :-1] ** 2).sum()))
    sums = course(usual, z, surprise.mask, seconds)[:, round(SETTLED / seconds) :]
    mean, deviation = (a.tolist() for a in (sums.mean((0, 1)), sums.std((0, 1))))
    usual = usual._replace(cells=cells.tolist(), mean=mean, deviation=deviation)
    largest = usual.excess(sums, cells).amax(-1).flatten()
    return usual._replace(largest=float(torch.quantile(largest, USUAL, interpolation="higher")))


def silenced(domain: Domain, cells: Tensor, alarm: Tensor) -> Tensor:
    """Cells (..., ny, nx) in the reach of stations in alarm, bool.

    Parameters
    ----------
    domain : of the cells
    cells : (p,) flat numbers of the stations' cells
    alarm : (..., p) bool
    """
    near = (domain.distance(cells) < REACH).to(torch.float32)
    return (alarm.to(torch.float32) @ near > 0.0).reshape(*alarm.shape[:-1], *domain.shape)
