# SPDX-License-Identifier: BSD-3-Clause
"""Rain's wave down the Yangtze of the template's network: days to Datong, as many as the kinematic wave takes."""

from pathlib import Path

import numpy as np
import pytest

from components.land.rivers.advance import KINDS, Rivers
from components.land.rivers.channels import channels_of
from components.land.rivers.network import SEA, Network
from components.land.rivers.network_file import read_network

DATA = Path(__file__).resolve().parents[2] / "data"
DATONG, ABOVE = (117.6, 30.77), (104.6, 28.8)  # and Yibin, where the river gets its name
DAY, STEP = 86400.0, 10800.0
RUNOFF, RAIN = 1.8e-5, 2e-5  # kg m-2 s-1: 568 mm a year, and 2 mm in the day of the pulse, which stays in the banks


@pytest.fixture(scope="module")
def basin():
    """Reaches above Datong alone, with the reaches of Datong and of Yibin."""
    course = read_network(DATA / "east_asia_rivers.nc")
    whole = course.network
    at = []
    for x, y in (DATONG, ABOVE):
        j, i = whole.at(x, y)
        box = whole.upstream_area[j - 3 : j + 4, i - 3 : i + 4]
        dj, di = np.unravel_index(np.argmax(box), box.shape)
        at.append((j - 3 + dj) * whole.longitude.size + i - 3 + di)
    flat = whole.downstream.ravel()
    above = np.zeros(flat.size, bool)
    above[at[0]] = True
    for level in reversed(whole.levels):
        to = flat[level]
        above[level[to >= 0]] |= above[to[to >= 0]]
    network = Network(np.where(above, flat, SEA).reshape(whole.land.shape), whole.longitude, whole.latitude)
    network.downstream.ravel()[at[0]] = -1
    reaches, cells = channels_of(network, course.height)
    return network, reaches, cells, [int(np.flatnonzero(cells == cell)[0]) for cell in at]


def below(reaches, start):
    """Reaches from one to the end, the first included."""
    way = [start]
    while reaches.downstream[way[-1]] >= 0:
        way.append(int(reaches.downstream[way[-1]]))
    return np.array(way)


@pytest.mark.parametrize("routing", ["kinematic", "muskingum"])
def test_a_day_of_rain_above_yibin_passes_datong_days_later(basin, routing):
    network, reaches, cells, (datong, yibin) = basin
    area = network.area.ravel()[cells]
    assert 1.55e12 < area.sum() < 1.8e12
    rivers = Rivers(reaches, np.zeros(cells.size, bool), routing, 0.7, 0.1, np.full(len(KINDS), np.inf))
    lateral = area * RUNOFF / 1000.0
    state, none = rivers.steady(lateral), np.zeros((len(KINDS), cells.size))
    way = below(reaches, yibin)
    assert way[-1] == datong and 1.5e6 < reaches.length[way].sum() < 3.5e6
    base = lateral.copy()
    for level in reaches.levels:
        to = reaches.downstream[level]
        np.add.at(base, to[to >= 0], base[level[to >= 0]])
    if routing == "kinematic":  # five thirds of Manning's speed
        depth = reaches.depth(state.volume)
        assert (depth < reaches.bank)[way].all() and 1.0 < depth[datong] < 40.0
        celerity = 5.0 / 3.0 * base / (reaches.width * depth)
    else:
        celerity = np.full(cells.size, 0.7)
    expected = (reaches.length / celerity)[way].sum() / DAY
    rain = np.zeros(cells.size)
    rain[yibin] = RAIN * 2e4 * 1e6 / 1000.0  # on 20,000 km2 that drain to Yibin at once
    passed = []
    for n in range(int((expected + 25.0) * DAY / STEP)):
        wet = n * STEP < DAY
        state, flow = rivers.advance(state, lateral + wet * rain, none, STEP)
        passed.append(flow.water[datong] - base[datong])
    wave, when = np.array(passed), (np.arange(len(passed)) + 0.5) * STEP / DAY
    came = wave.sum() * STEP / (rain.sum() * DAY)
    centre = (wave * when).sum() / wave.sum() - 0.5
    first = when[np.argmax(wave > 0.05 * wave.max())]
    print(
        f"{routing}: {len(way)} reaches, {reaches.length[way].sum() / 1e3:.0f} km; centre {centre:.2f} days, expected"
        f" {expected:.2f}, peak {when[np.argmax(wave)]:.1f}, 5 % after {first:.1f}; {came:.4f} of the rain came"
    )
    assert base[datong] == pytest.approx(area.sum() * RUNOFF / 1000.0, rel=1e-12)
    assert wave.min() > -1e-6 * base[datong]  # steady before, and after
    assert came == pytest.approx(1.0, abs=0.02)
    assert centre == pytest.approx(expected, rel=0.02) and first > 2.0
