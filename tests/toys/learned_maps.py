# SPDX-License-Identifier: BSD-3-Clause
"""An untrained network of maps on disk, as an assimilation takes it."""

import torch

from components.ml_surrogates.data_assimilation.learned import maps
from components.ml_surrogates.data_assimilation.learned.maps import Channel

CHANNELS = tuple(Channel(v, p) for v in ("air_temperature", "eastward_wind") for p in (5e4, 8.5e4))


def written(path, levels=8, window=2400, spacing=2.1e5, until=2400):
    """Increments of about a tenth of a unit; any air is within its training range."""
    torch.manual_seed(3)
    net = maps.MapNetwork(levels, len(CHANNELS), 6, 1)
    net.increment.fill_(0.1)
    net.increment[levels : 2 * levels] = 1e-6
    net.spread.fill_(30.0)
    net.middle[:levels] = 250.0
    net.spread[levels : 2 * levels] = 1e-3
    net.value_middle.copy_(torch.tensor([270.0, 285.0, 10.0, 10.0]))
    net.value_spread.fill_(10.0)
    ranges = {"t": (100.0, 400.0), "q": (-1.0, 1.0), "u": (-200.0, 200.0), "v": (-200.0, 200.0)}
    ranges |= {c.text(): (150.0, 350.0) if "temp" in c.variable else (-100.0, 100.0) for c in CHANNELS}
    maps.save(path, net, CHANNELS, ranges, {"window": window, "until": until, "spacing": spacing}, "0" * 64, 3)
    return path
