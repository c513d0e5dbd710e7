# SPDX-License-Identifier: BSD-3-Clause
"""Sampled clouds (McICA) beside exact independent columns: every cloudy or clear state, weighted by its probability.

The expected value of a sampled call is, for each g-point, that of the exact sum, as a g-point's column depends on its
own states alone. The probabilities are written here once more, from exponential-random overlap as its papers define it:
pairs of neighbours cover overlap x max + (1 - overlap) x random, and a layer knows its next higher one only.
"""

from itertools import product

import numpy as np
import pytest
import torch

from components.radiation import standard_atmosphere
from components.radiation.full_columns import FullColumns, full_columns
from components.radiation.kernels.subcolumns import sample
from components.radiation.particles import seeds, uniform
from components.radiation.rrtmgp_scheme import Rrtmgp

LAYERS = {3: 0.35, 4: 0.6, 7: 0.2, 8: 0.45, 9: 0.8, 14: 0.3}  # cloudy ones and their fractions
FLUXES = (("sw_down", 0), ("lw_down", 0), ("sw_up", -1), ("lw_up", -1))


def column(mu=0.6, overlap_length=2000.0):
    """A standard column with clouds in parts of its layers; its particles."""
    air = standard_atmosphere.columns(24, torch.full((1, 1), mu, dtype=torch.float64), 1.0)
    whole = full_columns(air)
    c = FullColumns._make(a.numpy().copy() for a in whole)
    for z, f in LAYERS.items():
        c.fraction[z] = f
        (c.liquid if z < 8 else c.ice)[z] = 0.05 if z < 8 else 0.02
    return c, uniform(c, overlap_length=overlap_length)


def repeated(parts, n):
    return type(parts)._make(np.repeat(a, n, axis=-1) for a in parts)


def exact(c, particles):
    """Mean fluxes by name over all states of the cloudy layers."""
    cloudy = sorted(LAYERS, reverse=True)  # from the top down
    states = list(product((0, 1), repeat=len(cloudy)))
    probability = []
    for state in states:
        p, above = 1.0, None
        for z, s in zip(cloudy, state, strict=True):
            f = LAYERS[z]
            if above is not None and above[0] == z + 1:
                higher, there = LAYERS[above[0]], above[1]
                a = particles.overlap[z, 0]
                both = f + higher - (a * max(f, higher) + (1.0 - a) * (f + higher - f * higher))
                chance = both / higher if there else (f - both) / (1.0 - higher)
            else:
                chance = f
            p *= chance if s else 1.0 - chance
            above = z, s
        probability.append(p)
    n = len(states)
    all_of = repeated(c, n)
    for column, state in enumerate(states):
        for z, s in zip(cloudy, state, strict=True):
            all_of.fraction[z, column] = s
    f = Rrtmgp(real=np.float64).of_full(FullColumns(*map(torch.as_tensor, all_of)), 1.0, repeated(particles, n))
    weight = np.array(probability)
    assert abs(weight.sum() - 1.0) < 1e-12
    return {name: (f[name] * weight).sum(-1) for name, _ in FLUXES}


def sampled(c, particles, n, seed=7):
    """Fluxes of ``n`` calls by name, (nlev+1, n)."""
    drawn = repeated(particles, n)._replace(seed=seeds(seed, np.arange(n), 0))
    return Rrtmgp(real=np.float64).of_full(FullColumns(*map(torch.as_tensor, repeated(c, n))), 1.0, drawn)


def compare(c, particles, n):
    expected, got = exact(c, particles), sampled(c, particles, n)
    for name, level in FLUXES:
        mean, error = got[name][level].mean(), got[name][level].std(ddof=1) / np.sqrt(n)
        difference = mean - expected[name][level]
        print(
            f"{name}: {mean:.3f}, exact {expected[name][level]:.3f}: {difference:.3f} W m-2, {difference / error:.2f} s"
        )
        assert error > 0.0
        assert abs(difference) < 3.0 * error, name
        assert abs(difference) < 0.5, name


@pytest.mark.slow
@pytest.mark.parametrize("length", [0.0, 2000.0, 1e9], ids=["random", "exponential", "maximal"])
def test_the_mean_of_ten_thousand_calls_is_that_of_exact_columns(length):
    """Six cloudy layers, three of them neighbours and two: 64 states."""
    compare(*column(overlap_length=length), 10000)


def test_the_mean_of_some_calls_is_that_of_exact_columns():
    compare(*column(), 500)


def test_a_layer_is_cloudy_as_often_as_it_should_and_pairs_overlap_as_they_should():
    """Cover of layers and of pairs in the draw."""

    c, particles = column()
    n, ng = 400, 128
    many = repeated(particles, n)._replace(seed=seeds(3, np.arange(n), 3600))
    columns = Rrtmgp(real=np.float64)._columns(repeated(c, n), many)
    drawn = np.zeros((n, c.p.shape[0], ng))
    for i in range(n):
        sample(columns, i, 0, ng, drawn[i])
    cover = drawn.mean(axis=(0, 2))
    np.testing.assert_allclose(cover, c.fraction[:, 0], atol=4.0 * 0.5 / np.sqrt(n * ng))
    for z in (3, 7, 8):
        f, g, a = LAYERS[z], LAYERS[z + 1], particles.overlap[z, 0]
        both = (drawn[:, z] * drawn[:, z + 1]).mean()
        assert both == pytest.approx(f + g - (a * max(f, g) + (1 - a) * (f + g - f * g)), abs=0.01)
    assert (drawn[:, 4] * drawn[:, 7]).mean() == pytest.approx(0.6 * 0.2, abs=0.01)  # parted by clear layers


def test_clouds_that_fill_their_layers_are_not_sampled():
    c, particles = column()
    c = c._replace(fraction=(c.fraction > 0.0).astype(float))
    f = sampled(c, particles, 3)
    for name, _ in FLUXES:
        np.testing.assert_array_equal(f[name][:, 0], f[name][:, 2])


def test_bits_follow_the_seed_of_a_column_and_not_its_neighbours():
    c, particles = column()
    whole = sampled(c, particles, 12)
    some = repeated(particles, 3)._replace(seed=seeds(7, np.array([9, 2, 11]), 0))
    part = Rrtmgp(real=np.float64).of_full(FullColumns(*map(torch.as_tensor, repeated(c, 3))), 1.0, some)
    other = sampled(c, particles, 12, seed=8)
    for name, _ in FLUXES:
        np.testing.assert_array_equal(whole[name][:, [9, 2, 11]], part[name])
        assert (np.abs(whole[name] - other[name])[0 if "down" in name else -1] > 0.0).all()


def test_seeds_differ_by_column_time_and_namelist():
    every = [seeds(s, np.arange(1000), t) for s in (0, 1) for t in (0, 3600)]
    assert np.unique(np.concatenate(every)).size == 4000
