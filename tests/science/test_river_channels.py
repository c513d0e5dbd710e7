# SPDX-License-Identifier: BSD-3-Clause
"""Channels as wide and deep as Yamazaki et al. (2011) have them: by the high water of the year, not by its mean."""

import numpy as np
import pytest

from components.land.rivers.channels import bank_of, banks_of, channels_of, width_of
from components.land.rivers.network import NOWHERE, SEA, Network
from components.land.rivers.routing import normal_depth


def straight(cells):
    """A river that runs east along the equator, beside the sea."""
    below = np.append(np.arange(1, cells), NOWHERE)
    return Network(np.stack([below, np.full(cells, SEA)]), 0.25 * np.arange(cells), np.array([0.0, 0.25]))


def test_width_and_banks_of_the_paper():
    """50,000 m3 s-1, a July of the Yangtze at Datong: 1.3 km; small streams have the least of both."""
    assert width_of(np.array([5e4, 1e4, 1.0])).tolist() == pytest.approx([1337.48, 400.0, 10.0], rel=1e-5)
    assert bank_of(np.array([5e4, 1e5, 1.0])).tolist() == pytest.approx([10.6100, 14.0, 2.0], rel=1e-5)


def test_channels_hold_twice_their_mean_discharge():
    """By the mean they were .6 as wide."""
    network = straight(40)
    reaches, cells = channels_of(network, mean_runoff=1e-4)
    mean = network.upstream_area.ravel()[cells] * (1e-4 / 1000.0)
    assert mean.max() > 2e3
    assert np.array_equal(reaches.width, np.maximum(0.40 * np.exp(0.75 * np.log(2.0 * mean)), 10.0))
    full = normal_depth(reaches, 2.0 * mean)
    assert (reaches.bank >= full).all() and (reaches.bank >= bank_of(2.0 * mean)).all()
    assert np.array_equal(reaches.bank, banks_of(reaches, mean))
