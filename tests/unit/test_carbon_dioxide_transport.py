# SPDX-License-Identifier: BSD-3-Clause
"""Transport in one layer over a region: a constant, a hill carried along, the loss, inflow, and stations in cells."""

import math

import numpy as np
import pytest
import torch

from components.chemistry.carbon_dioxide_fields.plane_transport import PlaneTransport, PlaneWinds, along_axes
from components.chemistry.carbon_dioxide_fields.stations_on_grid import place, reported
from components.chemistry.stations.series import series_of
from coupler.clock import Clock

NEVER = 1e30


def plane(n, size=2e6):
    d = torch.full((n, n), size / n, dtype=torch.float64)
    return PlaneTransport(d, d, NEVER), (torch.arange(n, dtype=torch.float64) + 0.5) * size / n


def test_a_constant_stays_in_winds_that_diverge():
    move, _ = plane(12)
    g = torch.Generator().manual_seed(1)
    u, v = 20.0 * torch.randn((2, 12, 12), generator=g, dtype=torch.float64)
    field = torch.full((1, 12, 12), 3.0, dtype=torch.float64)
    out = move(field, torch.zeros(()), PlaneWinds(u, v, field[0]), 6 * 3600.0)
    assert float((out - 3.0).abs().max()) < 1e-12


def hill(move, x, seconds=20000.0, u=15.0, v=-10.0):
    def at(east, north):
        return torch.exp(-((x - 8e5 - east) ** 2 + (x[:, None] - 1.2e6 - north) ** 2) / 2.5e5**2)

    winds = PlaneWinds(*(torch.full((len(x), len(x)), a, dtype=torch.float64) for a in (u, v, 0.0)))
    out = move(at(0.0, 0.0)[None], torch.zeros(()), winds, seconds)[0]
    return float((out - at(u * seconds, v * seconds)).abs().mean())


def test_a_hill_is_carried_with_second_order():
    coarse, fine = (hill(*plane(n)) for n in (20, 40))
    assert fine < coarse / 3.0


def test_the_loss_and_the_source_are_in_balance_where_nothing_moves():
    move, _ = plane(6)
    move.loss_time = 86400.0
    still = torch.zeros((6, 6), dtype=torch.float64)
    out = move(still[None] + 2.0, torch.zeros(()), PlaneWinds(still, still, still), 86400.0)
    np.testing.assert_allclose(out.numpy(), 2.0 * math.exp(-1.0), rtol=1e-3)
    out = move(
        still[None] + 2.0, torch.tensor(2.0 / 86400.0, dtype=torch.float64), PlaneWinds(still, still, still), 86400.0
    )
    np.testing.assert_allclose(out.numpy(), 2.0, rtol=1e-12)


def test_what_flows_in_is_what_stands_outside():
    move, _ = plane(10)
    still = torch.zeros((10, 10), dtype=torch.float64)
    out = move(still[None], torch.zeros(()), PlaneWinds(still + 20.0, still, still + 5.0), 3 * 86400.0)
    np.testing.assert_allclose(out.numpy(), 5.0, atol=1e-3)


def test_winds_turn_into_the_grids_axes():
    along, across = along_axes(torch.tensor(0.0), torch.tensor(2.0), torch.tensor(math.pi / 2.0))
    assert float(along) == pytest.approx(2.0) and float(across) == pytest.approx(0.0, abs=1e-6)


def test_stations_of_a_cell_are_averaged_over_an_interval():
    lon, lat = np.meshgrid(np.arange(100.5, 110.0), np.arange(20.5, 30.0))
    t = np.datetime64("2001-01-01", "s").astype(int) + 3600.0 * np.arange(1, 13)

    def station(name, east, north, value):
        return series_of(name, (east, north, 0.0), t, t, np.full(12, value), np.full(12, 2e-6), np.ones(12, bool))

    series = [station("a", 103.4, 25.6, 4.0e-4), station("b", 103.7, 25.3, 4.2e-4), station("far", 150.0, 25.0, 4e-4)]
    placed = place(series, lon, lat, Clock("2001-01-01", "standard"))
    assert list(placed.cells) == [53] and placed.names == ("a", "b")
    (text,) = placed.outside
    assert text.startswith("far (25 N, 150 E) lies outside the grid, 40") and text.endswith(" km from its nearest cell")
    value, error, known = reported(placed, 0.0, 6 * 3600.0, 1e-6)
    assert known.all() and value[0] == pytest.approx(4.1e-4)
    assert error[0] == pytest.approx(math.hypot(2e-6 / math.sqrt(12), 1e-6))  # twelve reports, and the cell itself
    assert not reported(placed, 12 * 3600.0, 18 * 3600.0, 1e-6)[2].any()
