# SPDX-License-Identifier: BSD-3-Clause
"""Training of an ensemble: almost fair CRPS of its members at every step of a rollout, and KL(Q || P).

Each member draws its latent field anew at each step. A curriculum lengthens the rollout from one step to four.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from components.ml_surrogates.course import data_hash, fit
from components.ml_surrogates.ensemble import toys
from components.ml_surrogates.ensemble.members import Members
from components.ml_surrogates.ensemble.network import EnsembleNetwork, divergence
from components.ml_surrogates.ensemble.toys import Case
from coupler.analysis.ensemble_scores import almost_fair_crps

Loss = Literal["crps", "l1", "deterministic"]


@dataclass(frozen=True)
class Settings:
    """Of a training.

    Attributes
    ----------
    case : alike or flow, see `toys`
    loss : crps and KL; l1 and KL; deterministic: L1 of a network without perturber
    each_step : whether a member draws at every step, or at the first alone
    members : of an ensemble in the loss
    alpha : of the almost fair CRPS
    kl : weight of KL(Q || P), which is summed over the latent fields and points
    curriculum : steps of the rollout in equal parts of the training
    steps : of Adam
    batch : courses a step
    rate : step of Adam at its largest
    latent, width, blocks : of the network
    pool : courses to learn from
    seed : of everything random
    """

    case: Case = "alike"
    loss: Loss = "crps"
    each_step: bool = True
    members: int = 8
    alpha: float = 0.95
    kl: float = 1e-2
    curriculum: Sequence[int] = (1, 2, 3, 4)
    steps: int = 500
    batch: int = 12
    rate: float = 3e-3
    latent: int = 2
    width: int = 32
    blocks: int = 3
    pool: int = 6000
    seed: int = 1


@dataclass
class Report:
    """Losses by tenths of the training, its CPU seconds, and the SHA-256 of what it learned from."""

    losses: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0
    data_hash: str = ""


def network(s: Settings) -> EnsembleNetwork:
    """An untrained network of a training's sizes."""
    return EnsembleNetwork(0 if s.loss == "deterministic" else s.latent, s.width, s.blocks)


def rollout_loss(
    net: EnsembleNetwork, seen: Tensor, target: Tensor, s: Settings, group: Members, generator: torch.Generator
) -> Tensor:
    """Mean over the steps of score and divergence; of all members, whichever ranks hold them.

    Parameters
    ----------
    net : in training
    seen : (n, 2, points) the initial states
    target : (n, steps, points) what came
    s : settings
    group : the members that this rank holds
    generator : of the noise of all members, the same on all ranks
    """
    m = group.mine.stop - group.mine.start
    before, now = (seen[:, i].repeat(m, 1) for i in (0, 1))
    total = seen.new_zeros(())
    z = None
    for n in range(target.shape[1]):
        truth = target[:, n]
        if net.latent:
            noise = group.noise((net.latent, seen.shape[-1]), len(seen), generator)
            if s.each_step or n == 0:
                p = net.prior(torch.stack([before, now], 1))
                q = net.posterior(torch.stack([before, now, truth.repeat(m, 1)], 1))
                z = q.at(noise)
                total = total + s.kl * divergence(q, p).sum() / (len(seen) * group.number)
        before, now = now, net(before, now, z)
        mine = now.reshape(m, *truth.shape)
        if s.loss == "crps":
            total = total + almost_fair_crps(group.together(mine), truth, s.alpha).mean()
        else:
            total = total + (mine - truth).abs().mean((1, 2)).sum() / group.number
    return total / target.shape[1]


def train(
    s: Settings, tell: Callable[[str], None] = print, group: Members | None = None,
    start: EnsembleNetwork | None = None,
) -> tuple[EnsembleNetwork, Report]:  # fmt: skip
    """A network trained on courses of `toys`.

    Parameters
    ----------
    s : settings
    tell : takes a line of text after each tenth
    group : where members are spread over ranks; each trains the same network
    start : a deterministic network whose forecaster is gone on from; it stays as it is
    """
    torch.manual_seed(s.seed)
    g = torch.Generator().manual_seed(s.seed)
    net = network(s)
    if start is not None:
        net.go_on_from(start)
    group = group or Members(1 if s.loss == "deterministic" else s.members)
    pool = toys.draw(s.pool, max(s.curriculum), s.case, g)
    batch = s.batch * s.members if s.loss == "deterministic" else s.batch

    def loss(n: int) -> Tensor:
        ahead = s.curriculum[n * len(s.curriculum) // s.steps]
        pick = torch.randint(s.pool, (batch,), generator=g)
        return rollout_loss(net, pool.seen[pick], pool.truth[pick, 2 : 2 + ahead], s, group, g)

    found = fit(net, loss, s.steps, s.rate, 1.0, tell, lambda: group.sum_gradients(net.parameters()))
    return net, Report(*found, data_hash(pool))


@torch.no_grad()
def forecast(
    net: EnsembleNetwork, seen: Tensor, steps: int, members: int, generator: torch.Generator, *,
    each_step: bool = True, start_noise: float = 0.0, step_noise: float = 0.0,
) -> Tensor:  # fmt: skip
    """Members (members, n, steps, points) by draws of the prior; or of a deterministic network with noise.

    Parameters
    ----------
    net : trained
    seen : (n, 2, points) the initial states
    steps : of the forecast
    members : how many
    generator : of all draws
    each_step : whether a member draws at every step, or at the first alone
    start_noise, step_noise : standard deviations added to the initial states, and to every state
    """
    n, _, points = seen.shape
    before, now = (seen[:, i].repeat(members, 1) for i in (0, 1))
    if start_noise:
        before, now = (a + start_noise * torch.randn(a.shape, generator=generator) for a in (before, now))
    states, z = [], None
    for k in range(steps):
        if net.latent and (each_step or k == 0):
            z = net.prior(torch.stack([before, now], 1)).at(
                torch.randn((members * n, net.latent, points), generator=generator)
            )
        before, now = now, net(before, now, z)
        if step_noise:
            now = now + step_noise * torch.randn(now.shape, generator=generator)
        states.append(now.reshape(members, n, points))
    return torch.stack(states, 2)
