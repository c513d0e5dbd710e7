# SPDX-License-Identifier: BSD-3-Clause
"""What the wind drives through the East Asian seas, and what crosses their sides and straits because of it."""

import importlib
import subprocess
import sys

import numpy as np
import pytest

from components.ocean.primitive.inputs import read_inputs
from components.ocean.primitive.regional import build_region
from components.science.constants import EARTH_RADIUS

pytest.importorskip("gsw")
SVERDRUP = 1.0e6


@pytest.fixture
def edges(root, monkeypatch):
    """What makes the open edges; the scripts lie side by side."""
    monkeypatch.syspath_prepend(root / "data")
    return importlib.import_module("ocean_open_edges")


@pytest.fixture(scope="module")
def sea(root):
    return read_inputs(root / "data" / "east_asia_primitive_ocean.nc")


def northward(sea, latitude):
    """Transport (m3 s-1) that enters from the south and leaves through the eastern side north of a latitude."""
    step = np.radians(sea.latitude[1] - sea.latitude[0])
    return float(sea.east_transport[sea.latitude > latitude].sum() * step * EARTH_RADIUS)


def test_the_wind_implies_between_twenty_and_twenty_eight_sverdrup_at_taiwan(edges, shared):
    """Sverdrup's balance of the COADS stress with the drag of the model's fluxes, from America to 123E at 24N."""
    psi = float(edges.sverdrup_transport(shared / "data", np.array([24.0]), west=122.0)[0]) / SVERDRUP
    print(f"Sverdrup transport at 24N, 123E: {psi:.1f} Sv")
    assert 20.0 < psi < 28.0


def test_the_side_carries_what_the_models_own_wind_drives(edges, sea, shared):
    """At 24N, where Sverdrup's balance holds: 1 %. The drag is that of the air-sea fluxes, not another."""
    from components.atmosphere.air_sea.kernels.ncar import fitted_drag

    speeds = np.array([3.0, 7.0, 12.0, 20.0])
    assert edges.neutral_drag(speeds) == pytest.approx([fitted_drag(s) for s in speeds], rel=0.01)
    psi = float(edges.sverdrup_transport(shared / "data", np.array([24.0]))[0])
    assert northward(sea, 24.0) == pytest.approx(psi, rel=0.01)


def test_most_leaves_where_the_kuroshio_extension_is(sea):
    """North of the gyre's centre nine tenths leave south of 40N, half of it within 33 to 37N."""
    total = northward(sea, 30.0)
    assert northward(sea, 40.0) < 0.12 * total
    assert northward(sea, 33.0) - northward(sea, 37.0) > 0.45 * total


def test_the_side_moves_no_water_below_the_level_of_no_motion(sea):
    """At rest below 1500 m, and above it the velocities add up to the transport: to 0.01 Sv over all rows."""
    top = np.cumsum(sea.thickness) - sea.thickness
    wet = np.clip(sea.depth[:, -1] - top[:, None], 0.0, sea.thickness[:, None])
    assert np.all(sea.east_velocity[top >= 1500.0] == 0.0)
    rest = (sea.east_velocity * wet).sum(0) - sea.east_transport
    step = np.radians(sea.latitude[1] - sea.latitude[0])
    assert np.abs(rest).sum() * step * EARTH_RADIUS < 0.01 * SVERDRUP


@pytest.mark.parametrize(
    ("longitude", "south", "north", "width"), [(140.5, 40.9, 41.9, 19.0e3), (142.0, 45.5, 46.4, 42.0e3)],
    ids=["Tsugaru", "Soya"],
)  # fmt: skip
def test_a_strait_is_as_wide_as_it_is(sea, longitude, south, north, width):
    """Open length of the faces across the strait: 1e-6, though the cells are 55 km wide."""
    g = build_region(sea, ("east", "south"), no_slip=False).geometry
    face = np.abs(sea.longitude + 0.25 - longitude).argmin()
    rows = np.nonzero((sea.latitude > south) & (sea.latitude < north))[0]
    open_length = (g.wide_u * g.wet_u)[2 + rows, 2 + face].sum()
    assert float(open_length) == pytest.approx(width, rel=1e-6)


def test_shelves_are_as_shallow_as_the_bohai(sea):
    """The Bohai is 18 m deep in the mean: at most 24 m here."""
    y, x = np.meshgrid(sea.latitude, sea.longitude, indexing="ij")
    bohai = sea.depth[(y > 37.2) & (y < 41.0) & (x > 117.5) & (x < 121.0) & (sea.depth > 0)]
    assert 19.0 < bohai.mean() < 24.0


def test_the_script_makes_the_file(root, shared, sea, tmp_path):
    """Sides, depths and shares, to the rounding of the file."""
    made = tmp_path / "sea.nc"
    command = [sys.executable, root / "data" / "make_ocean_inputs.py", "--datasets", shared / "data", "--output", made]
    subprocess.run(command, check=True, capture_output=True, cwd=root)
    again = read_inputs(made)
    for name in ("depth", "temperature", "salinity", "east_transport", "east_level", "south_transport"):
        np.testing.assert_allclose(getattr(again, name), getattr(sea, name), rtol=1e-5, atol=1e-4, err_msg=name)
    np.testing.assert_allclose(again.open_share, sea.open_share)
