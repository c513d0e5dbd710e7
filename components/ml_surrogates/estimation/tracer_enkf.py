# SPDX-License-Identifier: BSD-3-Clause
"""Ensemble Kalman filter with a tracer and the flux that feeds it in one state (Peters et al. 2005; Kang et al. 2011).

A member's flux is the known one and a random part with a memory; stations correct the tracer and, through the
ensemble's correlations, the flux. `enkf.ensrf_with_riders` takes the observations one by one; localised by distance,
inflated by relaxation to the spread before and by what winds and losses do that the transport does not know.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from components.ml_surrogates.estimation.analysis import Analysed, Domain, Dynamics, Forcing, Observations
from components.ml_surrogates.estimation.enkf import Riders, ensrf_with_riders
from components.ml_surrogates.estimation.inflation import relax_to_prior_spread
from components.ml_surrogates.estimation.localisation import gaspari_cohn

KILOMETRE = 1e3  # m
DAY = 86400.0  # s


class TracerEnsembleState(NamedTuple):
    """Members (..., N, ny, nx) of the tracer and of the flux's random part, and how many periods have gone by."""

    members: Tensor
    fluxes: Tensor
    cycle: Tensor


class Followers(NamedTuple):
    """Further means (..., K, ny, nx) of the tracer and of the flux's random part that follow an ensemble's gains."""

    tracer: Tensor
    flux: Tensor


class TracerEnsemble:
    """The filter.

    Parameters
    ----------
    domain : of the cells
    dynamics : transport, with the loss to the background
    flux_root : (n, r) makes random fluxes of white noise, unit of the state a second
    flux_time : memory of the random flux, s
    tracer_root : (n, r) makes random departures of the first tracer
    radius : of Gaspari & Cohn's localisation, m; nothing reaches further than twice as far
    members : N
    relaxation : of the spread to that before the analysis, 0 to 1
    model_error : what the transport makes wrong in a day, in units of the first tracer's departures
    seed : of all random numbers
    """

    def __init__(
        self, domain: Domain, dynamics: Dynamics, flux_root: Tensor, flux_time: float, tracer_root: Tensor, *,
        radius: float = 2500.0 * KILOMETRE, members: int = 80, relaxation: float = 0.3, model_error: float = 0.0,
        seed: int = 1,
    ):  # fmt: skip
        self.domain, self.dynamics, self.flux_root, self.flux_time = domain, dynamics, flux_root, flux_time
        self.tracer_root, self.radius, self.number = tracer_root, radius, members
        self.relaxation, self.model_error, self.seed = relaxation, model_error, seed
        self._near: tuple[Tensor, Tensor, Tensor] | None = None

    def _drawn(self, root: Tensor, like: Tensor, *number: int) -> Tensor:
        """Random fields (..., N, ny, nx) of mean zero over the members."""
        seed = self.seed
        for n in number:
            seed = (seed * 1_000_003 + n) % 2**63
        generator = torch.Generator().manual_seed(seed)
        shape = (*like.shape[:-2], self.number, root.shape[1])
        white = torch.randn(shape, generator=generator, dtype=torch.float32).to(root)
        white = white - white.mean(-2, keepdim=True)
        return (white @ root.T).reshape(*shape[:-1], *self.domain.shape)

    def start(self, field: Tensor) -> TracerEnsembleState:
        """See `Analysis`."""
        members = field.unsqueeze(-3) + self._drawn(self.tracer_root, field, -1)
        return TracerEnsembleState(members, self._drawn(self.flux_root, field, -2), torch.zeros((), dtype=torch.int64))

    def followers(self, state: TracerEnsembleState, number: int) -> Followers:
        """Means that begin at zero.

        Parameters
        ----------
        state : which they follow
        number : K
        """
        zero = torch.zeros_like(state.members[..., :1, :, :]).repeat_interleave(number, -3)
        return Followers(zero, zero)

    def advance(self, state: TracerEnsembleState, forcing: Forcing, seconds: float) -> TracerEnsembleState:
        """See `Analysis`."""
        none = self.followers(state, 0)
        return self.advance_with(state, none, forcing, none.flux, seconds)[0]

    def advance_with(
        self, state: TracerEnsembleState, followers: Followers, forcing: Forcing, known: Tensor, seconds: float
    ) -> tuple[TracerEnsembleState, Followers]:
        """Ensemble and followers ``seconds`` later.

        Parameters
        ----------
        state, followers : before
        forcing : winds and the ensemble's known flux of the period
        known : (..., K, ny, nx) the followers' known fluxes
        seconds : its length
        """
        field = torch.cat([state.members, followers.tracer], -3)
        source = torch.cat([forcing.flux.unsqueeze(-3) + state.fluxes, known + followers.flux], -3)
        field = self.dynamics(field, source, forcing.winds, seconds)
        members, tracer = field[..., : self.number, :, :], field[..., self.number :, :, :]
        keep, cycle, like = math.exp(-seconds / self.flux_time), int(state.cycle), members[..., 0, :, :]
        if self.model_error:
            size = self.model_error * math.sqrt(seconds / DAY)
            members = members + size * self._drawn(self.tracer_root, like, cycle, 1)
        fluxes = keep * state.fluxes + math.sqrt(1.0 - keep * keep) * self._drawn(self.flux_root, like, cycle)
        return TracerEnsembleState(members, fluxes, state.cycle + 1), Followers(tracer, keep * followers.flux)

    def analyse(self, state: TracerEnsembleState, observations: Observations) -> Analysed[TracerEnsembleState]:
        """See `Analysis`."""
        value = observations.value.unsqueeze(-2)[..., :0, :]
        state, _ = self.analyse_with(state, self.followers(state, 0), observations, value)
        return Analysed(state, state.members.mean(-3), state.members.std(-3))

    def analyse_with(
        self, state: TracerEnsembleState, followers: Followers, observations: Observations, values: Tensor
    ) -> tuple[TracerEnsembleState, Followers]:
        """Ensemble and followers with what stations say: to the ensemble, and to each follower.

        Parameters
        ----------
        state, followers : before
        observations : of this time
        values : (..., K, p) what the same stations say to the followers
        """
        members, fluxes = state.members, state.fluxes
        ny, nx = self.domain.shape
        n, p, k = ny * nx, len(observations.places), followers.tracer.shape[-3]
        lead = members.shape[:-3]
        flows = math.prod(lead)
        scale = fluxes.std().clamp(min=1e-30) / members.std().clamp(min=1e-30)  # both parts alike in size
        joint = torch.stack([members, fluxes / scale], -3).reshape(flows, self.number, 2 * n)
        means = torch.stack([followers.tracer, followers.flux / scale], -3).reshape(flows, k, 2 * n)
        value, error, mask = (a.expand(*lead, p).reshape(flows, p) for a in observations[:3])
        others = values.expand(*lead, k, p).reshape(flows, k, p)
        new = [
            self._one(a, b, y, e, m, z, observations.places)
            for a, b, y, e, m, z in zip(joint, means, value, error, mask, others, strict=True)
        ]
        joint = torch.stack([a for a, _ in new]).reshape(*lead, self.number, 2, ny, nx)
        means = torch.stack([b for _, b in new]).reshape(*lead, k, 2, ny, nx)
        return (
            TracerEnsembleState(joint[..., 0, :, :], joint[..., 1, :, :] * scale, state.cycle),
            Followers(means[..., 0, :, :], means[..., 1, :, :] * scale),
        )

    def _one(
        self, joint: Tensor, means: Tensor, value: Tensor, error: Tensor, mask: Tensor, values: Tensor, places: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The analysis of one ensemble (N, 2 n) and its followers (K, 2 n)."""
        if not bool(mask.any()):
            return joint, means
        at = places[mask]
        near, between = self._localisation(at)
        riders = Riders(means, means[:, at], values[:, mask])
        new, means = ensrf_with_riders(joint, joint[:, at], value[mask], error[mask], riders, near, between)
        return relax_to_prior_spread(joint, new, self.relaxation, acted=(near > 0.0).any(0)), means

    def _localisation(self, at: Tensor) -> tuple[Tensor, Tensor]:
        """Of stations in cells ``at``: (p, 2 n) with the unknowns, (p, p) among them; the last one is kept."""
        if self._near is None or not torch.equal(self._near[0], at):
            near = gaspari_cohn(self.domain.distance(at), self.radius)
            between = gaspari_cohn(self.domain.distance(at, at), self.radius)
            self._near = at, torch.cat([near, near], 1), between
        return self._near[1], self._near[2]
