# SPDX-License-Identifier: BSD-3-Clause
"""Two streams through clear and cloudy parts of layers beside the mean over all columns that are cloudy or clear.

The columns of up to five partly cloudy layers are enumerated: each runs through the same network as wholly cloudy or
clear layers, weighted by the probability that the chain of overlap gives it.
"""

import itertools

import numpy as np
import pytest
import torch

from components.ml_surrogates.radiation_emulator import networks, streams
from components.ml_surrogates.radiation_emulator.inputs import Inputs, inputs
from components.radiation import particles, standard_atmosphere
from components.radiation.full_columns import FullColumns, full_columns

LAYERS = (2, 3, 5, 8, 9)


def cloudy_columns(n=40, seed=3):
    """Standard columns with five layers of random clouds, in double precision."""
    rng = np.random.default_rng(seed)
    air = standard_atmosphere.columns(14, torch.tensor(rng.uniform(0.1, 1.0, (1, n))), 1.0)
    whole = full_columns(air)
    parts = {name: a.numpy().copy() for name, a in whole._asdict().items()}
    for k in LAYERS:
        parts["fraction"][k] = rng.uniform(0.05, 1.0, n) if k != 5 else rng.choice([0.3, 1.0], n)
        parts["liquid"][k], parts["ice"][k] = rng.exponential(0.08, n), rng.exponential(0.03, n)
    parts["albedo"] = rng.uniform(0.05, 0.5, n)
    columns = FullColumns(**{name: torch.tensor(a) for name, a in parts.items()})
    seen = particles.uniform(columns)
    return inputs(columns, (4e-4, 1.8e-6, 3.2e-7), seen, torch.float64)


def states(x: Inputs):
    """Every state of the cloudy layers: its columns and its probability (n,), from the top down."""
    f, a = x.columns.fraction.numpy(), x.overlap.numpy()
    for state in itertools.product((0.0, 1.0), repeat=len(LAYERS)):
        there = np.zeros_like(f)
        there[list(LAYERS)] = np.array(state)[:, None]
        chance = np.ones(f.shape[1])
        for k in range(len(f) - 1, -1, -1):
            above = f[k + 1] if k + 1 < len(f) else np.zeros(f.shape[1])
            cover = a[k] * np.maximum(f[k], above) + (1.0 - a[k]) * (f[k] + above - f[k] * above)
            both = f[k] + above - cover
            before = there[k + 1] if k + 1 < len(f) else np.zeros(f.shape[1])
            with np.errstate(divide="ignore", invalid="ignore"):
                cloudy = np.where(before > 0.0, both / above, (f[k] - both) / (1.0 - above))
            cloudy = np.where(np.isfinite(cloudy), cloudy, 0.0)  # a state that cannot be: its chance is none already
            chance = chance * np.where(there[k] > 0.0, cloudy, 1.0 - cloudy)
        yield x._replace(columns=x.columns._replace(fraction=torch.tensor(there))), torch.tensor(chance)


@pytest.fixture(scope="module")
def found():
    torch.set_num_threads(1)
    torch.manual_seed(2)
    net = networks.load(networks.path_of("recurrent"))[0].double()
    x = cloudy_columns()
    with torch.inference_mode():
        whole = {"long": net.long(x), "short": net.short(x)}
        mean = {name: [torch.zeros_like(a) for a in pair] for name, pair in whole.items()}
        chances = torch.zeros(x.columns.mu.shape, dtype=torch.float64)
        for column, chance in states(x):
            chances += chance
            for name, method in (("long", net.long), ("short", net.short)):
                for total, flux in zip(mean[name], method(column), strict=True):
                    total += chance * flux
    assert float((chances - 1.0).abs().max()) < 1e-12
    return x, whole, mean


def test_longwave_is_the_mean_over_all_states(found):
    _, whole, mean = found
    for got, right in zip(whole["long"], mean["long"], strict=True):
        assert float((got - right).abs().max()) < 1e-8


def test_shortwave_is_near_the_mean_over_all_states(found):
    """Columns below stay apart in groups by their reflection: of five thick layers 1 W m-2, by their mean 7, 8."""
    x, whole, mean = found
    wrong = [1361.0 * x.columns.mu * (got - right) for got, right in zip(whole["short"], mean["short"], strict=True)]
    reflected, ground = wrong[0][-1], wrong[1][0]
    rms = [float((a * a).mean().sqrt()) for a in (reflected, ground)]
    bias = [float(a.mean()) for a in (reflected, ground)]
    print(f"W m-2 (bias): reflected {rms[0]:.2f} ({bias[0]:+.2f}), at the ground {rms[1]:.2f} ({bias[1]:+.2f})")
    spread = float(wrong[1][0].std() + (1361.0 * x.columns.mu * whole["short"][1][0]).std())
    assert max(rms) < 1.5 < 0.015 * spread


def test_the_kernels_have_the_numbers_of_the_network(found):
    """In single precision: streams by kernels, as a run on CPUs takes them, beside those by torch."""
    x = Inputs(FullColumns(*(a.float() for a in found[0].columns)), *(a.float() for a in found[0][1:]))
    net = networks.load(networks.path_of("recurrent"))[0]
    with torch.inference_mode():
        for name, size in (("long", 500.0), ("short", 1.0)):
            for got, right in zip(getattr(streams, name)(net, x), getattr(net, name)(x), strict=True):
                assert float((got - right).abs().max()) < 3e-5 * size, name


def test_a_little_more_than_all_of_a_layer_is_all_of_it(found):
    """What interpolation or a file with few digits makes of a share of 1 must not grow on its way."""
    columns = found[0].columns
    more = columns._replace(fraction=torch.where(columns.fraction == 1.0, 1.0001, columns.fraction))
    seen = particles.uniform(columns)
    assert float(inputs(more, (4e-4, 1.8e-6, 3.2e-7), seen).columns.fraction.max()) == 1.0
