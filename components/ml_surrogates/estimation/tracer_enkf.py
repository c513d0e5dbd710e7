# SPDX-License-Identifier: BSD-3-Clause
"""Ensemble Kalman filter with a tracer and the flux that feeds it in one state (Peters et al. 2005; Kang et al. 2011).

A member's flux is the known one and a random part with a memory; stations correct the tracer and, through the
ensemble's correlations, the flux. `enkf.ensrf` takes the observations one by one; localised by distance, inflated by
relaxation to the spread before.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from components.ml_surrogates.estimation.analysis import Analysed, Domain, Dynamics, Forcing, Observations
from components.ml_surrogates.estimation.enkf import ensrf
from components.ml_surrogates.estimation.inflation import relax_to_prior_spread
from components.ml_surrogates.estimation.localisation import gaspari_cohn

KILOMETRE = 1e3  # m


class TracerEnsembleState(NamedTuple):
    """Members (..., N, ny, nx) of the tracer and of the flux's random part, and how many periods have gone by."""

    members: Tensor
    fluxes: Tensor
    cycle: Tensor


class TracerEnsemble:
    """The filter.

    Parameters
    ----------
    domain : of the cells
    dynamics : transport, with the loss to the background
    flux_root : (n, n) makes random fluxes of white noise, unit of the state a second
    flux_time : memory of the random flux, s
    tracer_root : (n, n) makes random departures of the first tracer
    radius : of Gaspari & Cohn's localisation, m; nothing reaches further than twice as far
    members : N
    relaxation : of the spread to that before the analysis, 0 to 1
    seed : of all random numbers
    """

    def __init__(
        self, domain: Domain, dynamics: Dynamics, flux_root: Tensor, flux_time: float, tracer_root: Tensor, *,
        radius: float = 2500.0 * KILOMETRE, members: int = 80, relaxation: float = 0.3, seed: int = 1,
    ):  # fmt: skip
        self.domain, self.dynamics, self.flux_root, self.flux_time = domain, dynamics, flux_root, flux_time
        self.tracer_root, self.radius, self.number = tracer_root, radius, members
        self.relaxation, self.seed = relaxation, seed

    def _drawn(self, root: Tensor, like: Tensor, cycle: int) -> Tensor:
        """Random fields (..., N, ny, nx) of mean zero over the members."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + cycle)
        shape = (*like.shape[:-2], self.number, root.shape[0])
        white = torch.randn(shape, generator=generator, dtype=torch.float32).to(root)
        white = white - white.mean(-2, keepdim=True)
        return (white @ root.T).reshape(*shape[:-1], *self.domain.shape)

    def start(self, field: Tensor) -> TracerEnsembleState:
        """See `Analysis`."""
        members = field.unsqueeze(-3) + self._drawn(self.tracer_root, field, -1)
        return TracerEnsembleState(members, self._drawn(self.flux_root, field, -2), torch.zeros((), dtype=torch.int64))

    def advance(self, state: TracerEnsembleState, forcing: Forcing, seconds: float) -> TracerEnsembleState:
        """See `Analysis`."""
        source = forcing.flux.unsqueeze(-3) + state.fluxes
        members = self.dynamics(state.members, source, forcing.winds, seconds)
        keep = math.exp(-seconds / self.flux_time)
        fresh = self._drawn(self.flux_root, members[..., 0, :, :], int(state.cycle))
        fluxes = keep * state.fluxes + math.sqrt(1.0 - keep * keep) * fresh
        return TracerEnsembleState(members, fluxes, state.cycle + 1)

    def analyse(self, state: TracerEnsembleState, observations: Observations) -> Analysed[TracerEnsembleState]:
        """See `Analysis`."""
        members, fluxes = state.members, state.fluxes
        ny, nx = self.domain.shape
        n, p = ny * nx, len(observations.places)
        lead = members.shape[:-3]
        tracer, flux = (a.reshape(-1, self.number, n) for a in (members, fluxes))
        scale = flux.std().clamp(min=1e-30) / tracer.std().clamp(min=1e-30)  # both parts alike in size
        value, error, mask = (a.expand(*lead, p).reshape(-1, p) for a in observations[:3])
        new = [
            self._one(torch.cat([x, f / scale], 1), observations.places, y, e, m)
            for x, f, y, e, m in zip(tracer, flux, value, error, mask, strict=True)
        ]
        joint = torch.stack(new).reshape(*lead, self.number, 2, ny, nx)
        members, fluxes = joint[..., 0, :, :], joint[..., 1, :, :] * scale
        state = TracerEnsembleState(members, fluxes, state.cycle)
        return Analysed(state, members.mean(-3), members.std(-3))

    def _one(self, joint: Tensor, places: Tensor, value: Tensor, error: Tensor, mask: Tensor) -> Tensor:
        """The analysis of one ensemble (N, 2 n)."""
        if not bool(mask.any()):
            return joint
        at = places[mask]
        near = gaspari_cohn(self.domain.distance(at), self.radius)
        between = gaspari_cohn(self.domain.distance(at, at), self.radius)
        both = torch.cat([near, near], 1)
        new = ensrf(joint, joint[:, at], value[mask], error[mask], both, between)
        return relax_to_prior_spread(joint, new, self.relaxation, acted=(both > 0.0).any(0))
