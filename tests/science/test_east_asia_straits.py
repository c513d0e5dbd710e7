# SPDX-License-Identifier: BSD-3-Clause
"""The wet mask of the East Asia ocean: the straits are open, the land bridges closed, there is one sea and no pool."""

import os
import subprocess
import sys

import numpy as np
import pytest
import scipy.ndimage

from components.ocean.primitive.inputs import read_inputs


def make_quarter_degree(path, root, shared):
    """Write the inputs at 0.25 degree, from the climatologies."""
    pytest.importorskip("gsw")
    command = [sys.executable, str(root / "data" / "make_ocean_inputs.py"), "--datasets", str(shared / "data")]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([*command, "--step", "0.25", "--output", str(path)], check=True, cwd=root, env=environment)


@pytest.fixture(scope="module", params=[0.5, 0.25], ids=["half", "quarter"])
def sea(request, root, tmp_path_factory):
    """Inputs at 0.5 degree as they are in data/, at 0.25 degree made on the spot."""
    path = root / "data" / "east_asia_primitive_ocean.nc"
    if request.param == 0.25:
        path = tmp_path_factory.mktemp("quarter") / "sea.nc"
        make_quarter_degree(path, root, request.getfixturevalue("shared"))
    return read_inputs(path)


# name, box (longitudes, latitudes), a point on either side, least depth of the sill (m)
STRAITS = [
    ("Taiwan", (117.0, 121.5), (21.5, 27.0), (118.5, 22.0), (121.2, 26.7), 40),
    ("Tsushima", (126.0, 132.5), (32.5, 37.0), (127.2, 33.0), (131.5, 36.5), 60),
    ("Luzon", (119.0, 124.0), (18.7, 21.8), (119.3, 20.2), (123.7, 20.2), 1500),
    ("Tokara", (127.5, 132.5), (28.0, 30.7), (128.0, 30.2), (132.2, 29.2), 400),
    ("Tsugaru", (138.5, 143.0), (40.6, 42.0), (138.8, 41.2), (142.7, 41.2), 100),
]


def reached(sea, box_x, box_y, start, end, sill):
    """Whether water deeper than the sill joins the two points within the box, through cell faces."""
    x, y = np.meshgrid(sea.longitude, sea.latitude)
    inside = (x >= box_x[0]) & (x <= box_x[1]) & (y >= box_y[0]) & (y <= box_y[1])
    label, _ = scipy.ndimage.label(inside & (sea.depth >= sill))

    def of(point):
        distance = np.where(label > 0, (x - point[0]) ** 2 + (y - point[1]) ** 2, np.inf)
        assert distance.min() < 1.0, f"no water deeper than {sill} m near {point}"
        return label.flat[distance.argmin()]

    return of(start) == of(end)


@pytest.mark.parametrize(("name", "box_x", "box_y", "start", "end", "sill"), STRAITS, ids=[s[0] for s in STRAITS])
def test_strait_is_open(sea, name, box_x, box_y, start, end, sill):
    assert reached(sea, box_x, box_y, start, end, sill)


def test_one_sea_without_pools_or_dead_ends(sea):
    """All wet cells hang together, and inside the domain each has two wet neighbours at least."""
    wet = sea.depth > 0
    _, count = scipy.ndimage.label(wet)
    assert count == 1
    neighbours = scipy.ndimage.convolve(wet.astype(int), [[0, 1, 0], [1, 0, 1], [0, 1, 0]], mode="nearest")
    assert (neighbours[1:-1, 1:-1][wet[1:-1, 1:-1]] >= 2).all()
    step = sea.longitude[1] - sea.longitude[0]
    assert 6000 < wet.sum() * (step / 0.5) ** 2 < 8000


def test_indian_ocean_and_malacca_are_closed(sea):
    """Nothing west of Sumatra and the Malay Peninsula, whose open edge would be undefined."""
    x, y = np.meshgrid(sea.longitude, sea.latitude)
    assert not (sea.depth[(x < 100.0) & (y < 8.0)] > 0).any()
    assert not (sea.depth[:, 0] > 0).any()


def test_edges_balance(sea):
    """What comes in along New Guinea leaves across 150E and as the Indonesian throughflow of 15 Sv, to 1e-3 Sv."""
    radius, step = 6371.0e3, np.radians(sea.longitude[1] - sea.longitude[0])
    out_east = np.sum(sea.east_transport) * radius * step
    north = sea.south_transport * radius * step * np.cos(np.radians(sea.latitude[0]))
    assert abs(north.sum() - out_east) < 1e3
    assert north[sea.longitude < 140].sum() == pytest.approx(-15e6, abs=1e4)


def test_hydrography_is_that_of_the_region(sea):
    """Warm pool above 28 degC all year, Yellow Sea bottom cold in winter, deep Pacific 1 to 2 degC.

    Salinity 34 to 35.5 in the Kuroshio.
    """

    def at(field, lon, lat):
        return field[..., np.abs(sea.latitude - lat).argmin(), np.abs(sea.longitude - lon).argmin()]

    assert at(sea.temperature_on(15)[0], 140, 5) > 28.0
    assert at(sea.temperature_on(45)[0], 123, 36) < 9.0 < 18.0 < at(sea.temperature_on(228)[0], 123, 36)
    assert 1.0 < at(sea.temperature, 145, 20)[-2] < 2.0
    assert 34.0 < at(sea.salinity, 125, 26)[0] < 35.5
