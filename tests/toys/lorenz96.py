# SPDX-License-Identifier: BSD-3-Clause
"""Lorenz's model of 1996 with 40 variables, and twin experiments of assimilation with it (Sakov & Oke 2008)."""

import torch

from components.ml_surrogates.estimation.controls import Static, Weights, perturbations
from components.ml_surrogates.estimation.cost import Cost, Observations
from components.ml_surrogates.estimation.etkf import combined, etkf, letkf, mean_preserving_rotation, transform
from components.ml_surrogates.estimation.localisation import gaspari_cohn, periodic_distance
from components.ml_surrogates.estimation.lorenz96 import FORCE, SIZE, step, steps
from components.ml_surrogates.estimation.minimise import Limits, minimise


def truth(seed, cycles, interval=1):
    """Truth (cycles + 1, 40) and all of it observed with an error of one, after a spin-up."""
    g = torch.Generator().manual_seed(seed)
    x = steps(FORCE + 0.01 * torch.randn(SIZE, generator=g, dtype=torch.float64), 1000)
    states = [x]
    for _ in range(cycles):
        states.append(steps(states[-1], interval))
    states = torch.stack(states)
    return states, states + torch.randn(states.shape, generator=g, dtype=torch.float64), g


def scored(errors, skip):
    """Mean over cycles of the RMSE over the variables, the first ``skip`` left out."""
    return float(torch.stack(errors)[skip:].square().mean(-1).sqrt().mean())


def climatology():
    """Covariance of a long free run."""
    x = steps(
        FORCE + 0.01 * torch.randn(50, SIZE, generator=torch.Generator().manual_seed(9), dtype=torch.float64), 400
    )
    parts = []
    for _ in range(100):
        x = steps(x, 4)
        parts.append(x)
    return torch.cov(torch.cat(parts).T)


def run_ensemble(seed, cycles, analyse, members, skip):
    states, seen, g = truth(seed, cycles)
    ensemble = states[0] + torch.randn((members, SIZE), generator=g, dtype=torch.float64)
    errors = []
    for k in range(1, cycles + 1):
        ensemble = analyse(step(ensemble), seen[k], g)
        errors.append(ensemble.mean(0) - states[k])
    return scored(errors, skip)


ONE = torch.ones(SIZE, dtype=torch.float64)


def inflated(ensemble, factor):
    mean = ensemble.mean(0)
    return mean + factor * (ensemble - mean)


def run_etkf(seed, cycles, skip=100):
    def analyse(e, y, g):
        return inflated(etkf(e, e, y, ONE, mean_preserving_rotation(20, g)), 1.04)

    return run_ensemble(seed, cycles, analyse, 20, skip)


def run_letkf(seed, cycles, skip=100, radius=7.3, factor=1.04):
    at = torch.arange(SIZE, dtype=torch.float64)
    weight = gaspari_cohn(periodic_distance(at[:, None] - at, float(SIZE)), radius)

    def analyse(e, y, g):
        a, _ = letkf(e[:, None], e, y, ONE, weight)
        return inflated(a[:, 0], factor)

    return run_ensemble(seed, cycles, analyse, 7, skip)


def run_3dvar(seed, cycles, skip=100, share=0.02):
    """Each analysis minimises J with B a share of the climatological covariance."""
    states, seen, _ = truth(seed, cycles)
    root = torch.linalg.cholesky(share * climatology())
    x, errors = states[0] + 1.0, []
    control = Static(lambda v: root @ v, (SIZE,), x)
    for k in range(1, cycles + 1):
        x = step(x)
        cost = Cost(x, control, step, [Observations(0, seen[k], ONE, lambda s: s)], checkpoints=False)
        x = cost.analysis(minimise(cost, control.zero(), Limits(gradient=1e-3)).v)
        errors.append(x - states[k])
    return scored(errors, skip)


def run_4d(seed, cycles, skip=100, members=20, lag=4, interval=4, factor=1.02):
    """Weights w at the start of a window of four intervals, by L-BFGS through the model; the ensemble by its Hessian.

    Single assimilation with a lag (Bocquet & Sakov 2014): each window brings the observations at its end; it then
    moves on by one interval.
    """
    states, seen, g = truth(seed, cycles, interval)
    ensemble = states[0] + torch.randn((members, SIZE), generator=g, dtype=torch.float64)
    errors = []
    for k in range(1, cycles + 1):
        ahead = min(k, lag) * interval
        background, control = ensemble.mean(0), Weights(perturbations(ensemble))
        window = [Observations(ahead, seen[k], ONE, lambda s: s)]
        cost = Cost(background, control, step, window, checkpoints=False)
        w = minimise(cost, control.zero(), Limits(gradient=1e-2, iterations=15)).v
        centred = cost.analysis(w) + 1e-4 * float(members - 1) ** 0.5 * control.x  # a bundle for the tangent
        y = perturbations(steps(centred, ahead)) / 1e-4
        t = transform(y @ y.T, torch.zeros(members, dtype=torch.float64))
        analysed = combined(ensemble, t._replace(mean=w), mean_preserving_rotation(members, g))
        ensemble = inflated(analysed, factor)
        errors.append(steps(ensemble, ahead).mean(0) - states[k])
        if k >= lag:
            ensemble = steps(ensemble, interval)
    return scored(errors, skip)
