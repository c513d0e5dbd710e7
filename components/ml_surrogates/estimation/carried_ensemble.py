# SPDX-License-Identifier: BSD-3-Clause
"""Ensemble smoother whose members an atmosphere carries: tracers of random fluxes, each a possible departure.

Transport is linear, so what stations have shown in a window of times says how much of each member there is, in the
tracer now and in the flux that feeds it alike (van Leeuwen & Evensen 1996). Members are few: their covariance, with
localisation, is mixed with a climatological one (Hamill & Snyder 2000), which also stands for what the transport makes
wrong. Members are never changed: no analysis goes back into the atmosphere.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from components.ml_surrogates.estimation.analysis import Domain
from components.ml_surrogates.estimation.localisation import gaspari_cohn


class Gain(NamedTuple):
    """What a window of reports adds.

    Attributes
    ----------
    tracer : (T p, n) of the tracer at the last time, for each report, times slowest
    variance : (ny, nx) that is left
    flux : (T p, n) likewise of the flux; no columns where no fluxes are given
    """

    tracer: Tensor
    variance: Tensor
    flux: Tensor


class CarriedEnsemble:
    """The smoother: B = (1 - share) C exp(-lag / memory) + share (members' covariance, localised).

    Parameters
    ----------
    domain : of the cells
    covariance : C (n, n), climatological
    nugget : share of its variance that nearby places do not have in common
    memory : over which its correlation in time falls to 1/e, s
    share : of the members' covariance, 0 to 1
    radius : of Gaspari & Cohn's localisation, m; nothing reaches further than twice as far
    """

    def __init__(
        self, domain: Domain, covariance: Tensor, nugget: float, memory: float, *, share: float, radius: float
    ):  # fmt: skip
        self.domain, self.covariance, self.nugget, self.memory = domain, covariance, nugget, memory
        self.share, self.radius = share, radius

    def gain(self, members: Tensor, places: Tensor, error: float, seconds: float, fluxes: Tensor | None = None) -> Gain:
        """Of reports at all times of a window.

        Parameters
        ----------
        members : (T, N, ny, nx) departures from nothing at the window's times, the newest last
        places : (p,) int64 flat numbers of the stations' cells
        error : standard deviation of a report, in the tracer's unit
        seconds : from one time to the next
        fluxes : (N, ny, nx) what feeds the members at the last time
        """
        times, number = members.shape[:2]
        flat = members.flatten(-2)
        now, shown = flat[-1], flat[..., places].transpose(0, 1).flatten(1)  # (N, n), (N, T p)
        lag = seconds * torch.arange(times - 1, -1, -1).repeat_interleave(len(places))
        kept, between = (torch.exp(-a / self.memory) for a in (lag, (lag[:, None] - lag).abs()))
        near = gaspari_cohn(self.domain.distance(None, places), self.radius).repeat(1, times)  # (n, T p)
        at = places.repeat(times)
        usual, few = 1.0 - self.share, self.share / number
        cross = usual * self.covariance[:, at] * kept + few * near * (now.T @ shown)
        own = usual * self.covariance[at][:, at] * between + few * near[at] * (shown.T @ shown)
        own = own + torch.diag(error**2 + usual * self.nugget * self.covariance.diagonal()[at])
        factor = torch.linalg.cholesky(own)
        tracer = torch.cholesky_solve(cross.T, factor)
        before = usual * self.covariance.diagonal() + few * (now * now).sum(0)
        left = torch.clamp(before - (tracer * cross.T).sum(0), min=0.0)
        flux = tracer[:, :0]
        if fluxes is not None:
            flux = torch.cholesky_solve((few * near * (fluxes.flatten(-2).T @ shown)).T, factor)
        return Gain(tracer, left.reshape(self.domain.shape), flux)
