# SPDX-License-Identifier: BSD-3-Clause
"""Rivers out of ETOPO5 with the main courses: basins of their published size, no loops, every cell ends somewhere."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from components.land.rivers.network import NOWHERE, SEA, NetworkError, from_codes
from components.land.rivers.network_file import Course, read_network, write_network
from components.land.rivers.relief import Sink, network_of, read_courses, read_leveed, read_sinks
from coupler.files.land_mask import is_land

KM2 = 1e6
DATA = Path(__file__).resolve().parents[2] / "data"
PUBLISHED = {  # km2, and the share within which it is to be
    "Yangtze": (1.80e6, 0.05),
    "Pearl": (0.454e6, 0.15),
    "Yellow": (0.752e6, 0.20),
    "Amur": (1.855e6, 0.20),
}


def east_asia(shared, cells):
    """Relief and land in cells of so many twelfths of a degree."""
    with xr.open_dataset(Path(shared) / "data/topography/etopo5_eastasia.nc") as file:
        x, y, z = file["ETOPO05_X"].values, file["ETOPO05_Y"].values, file["ROSE"].values.astype(float)
    step, ny, nx = cells / 12.0, y.size // cells, x.size // cells
    longitude, latitude = (c[0] - 1.0 / 24.0 + step * (np.arange(n) + 0.5) for c, n in ((x, nx), (y, ny)))

    def mean(values):
        return values[: ny * cells, : nx * cells].reshape(ny, cells, nx, cells).mean((1, 3))

    dry = is_land(x[None, :], y[:, None])
    return mean(z), mean(dry) >= 0.5, longitude, latitude


def basin(network, point):
    """Largest area that drains through a cell near a mouth, km2."""
    j, i = network.at(*point)
    near = network.upstream_area[max(j - 3, 0) : j + 4, max(i - 3, 0) : i + 4]
    return float(near.max()) / KM2


@pytest.mark.parametrize("cells", [3, 6])
def test_basins_of_east_asia(shared, cells):
    courses = read_courses()
    network = network_of(*east_asia(shared, cells), courses, read_sinks(), read_leveed())
    found = {name: basin(network, points[-1]) for name, points in courses.items()}
    print(
        cells / 12.0, "degree:", {name: round(found[name] / 1e6, 3) for name in (*PUBLISHED, "Mekong")}, "million km2"
    )
    for name, (area, share) in PUBLISHED.items():
        assert abs(found[name] / area - 1.0) < share, name
    assert abs(found["Mekong"] / 0.795e6 - 1.0) < 0.1
    land = network.land
    assert sum(level.size for level in network.levels) == land.sum()  # no loops
    ends = network.ends[land]
    assert (network.downstream.ravel()[ends] == NOWHERE).all()
    total = network.upstream_area.ravel()[np.unique(ends)].sum()
    assert total == pytest.approx(network.area[land].sum(), rel=1e-12)
    sinks = {network.at(s.longitude, s.latitude) for s in read_sinks()}
    inland = 0
    ny, nx = land.shape
    for cell in np.unique(ends):
        j, i = divmod(int(cell), nx)
        edge = j in (0, ny - 1) or i in (0, nx - 1)
        if not edge and land[j - 1 : j + 2, i - 1 : i + 2].all() and (j, i) not in sinks:
            inland += 1
    assert inland == 0


def test_discharge_of_the_yangtze_in_the_climate_of_biome4(shared):
    """Turc's runoff of BIOME4's rain and temperature, down the template's network: 33.1e3 m3 s-1 (P 1145, R 564 mm)."""
    with xr.open_dataset(Path(shared) / "data/land/BIOME4_inputdata.nc", decode_times=False) as data:
        rain, warm = data["prec"].sum("time").values, 0.1 * data["temp"].mean("time").values  # mm a year, tenths of K
        y, x = data["lat"].values + 0.25, data["lon"].values + 0.25
    network = read_network(DATA / "east_asia_rivers.nc").network
    nearest = np.ix_(*(np.abs(a[:, None] - b).argmin(0) for a, b in ((y, network.latitude), (x, network.longitude))))
    p, t = np.nan_to_num(rain[nearest]), np.nan_to_num(warm[nearest])
    most = np.maximum(300.0 + 25.0 * t + 0.05 * t * t * t, 50.0)
    runoff = np.where(p < 0.316 * most, 0.0, p - p / np.sqrt(0.9 + (p / most) ** 2))
    j, i = network.at(*read_courses()["Yangtze"][-1])
    box = slice(j - 4, j + 5), slice(i - 4, i + 5)
    basin = float(network.upstream_area[box].max())
    discharge = float(network.accumulate(runoff * network.area)[box].max()) / 1e3 / (365.25 * 86400.0)
    mean_rain = float(network.accumulate(p * network.area)[box].max()) / basin
    print(f"Yangtze {basin / 1e12:.3f}e6 km2, {discharge:.0f} m3 s-1, P {mean_rain:.0f} mm")
    assert discharge == pytest.approx(33.1e3, rel=0.08)
    assert mean_rain == pytest.approx(1145.0, rel=0.02)


def test_without_the_courses_relief_alone_fails_as_it_is_known_to(shared):
    network = network_of(*east_asia(shared, 3))
    assert basin(network, read_courses()["Yangtze"][-1]) < 0.5e6


def test_a_valley_drains_down_and_a_pit_is_filled():
    x, y = np.arange(9.0), np.arange(7.0)
    height = np.abs(y[:, None] - 3.0) * 100.0 + (9.0 - x) * 10.0
    height[3, 4] = -50.0  # below the sea, and no sea
    land = np.ones((7, 9), bool)
    land[:, 8] = False
    network = network_of(height, land, x, y)
    assert network.upstream_area[3, 7] > 0.5 * network.area[land].sum()
    assert (network.downstream[~land] == SEA).all()


def test_a_river_passes_another_whose_cell_it_shares_and_the_file_keeps_that(tmp_path):
    x, y = np.arange(11.0), np.arange(9.0)
    height = 50.0 + 10.0 * y[:, None] + np.abs(x - 5.0)
    land = np.ones((9, 11), bool)
    land[0] = False
    courses = {"Long": [(5.0, 8.0), (5.0, 4.0), (5.0, 0.0)],
               "Other": [(2.0, 8.0), (2.0, 7.0), (5.0, 5.0), (8.0, 3.0), (8.0, 0.0)],
               "Branch": [(7.0, 6.0), (6.0, 6.0), (5.0, 6.0)]}  # fmt: skip
    network = network_of(height, land, x, y, courses)
    end = network.ends.ravel()[network.ends[7, 2]]
    assert divmod(int(end), 11) == (1, 8)  # it ends in its own mouth
    assert divmod(int(network.ends[6, 7]), 11) == (1, 5)  # a branch ends in the river that it meets
    assert network.leaps and sum(level.size for level in network.levels) == land.sum()
    write_network(tmp_path / "n.nc", Course(network, None, {}), "a test")
    again = read_network(tmp_path / "n.nc").network
    assert np.array_equal(again.downstream, network.downstream)


def test_a_named_sink_keeps_its_water():
    x, y = np.arange(15.0), np.arange(15.0)
    height = 100.0 - 20.0 * np.exp(-((x - 7.0) ** 2 + (y[:, None] - 7.0) ** 2) / 9.0)
    land = np.ones((15, 15), bool)
    spilled, kept = network_of(height, land, x, y), network_of(height, land, x, y, sinks=[Sink("Pan", 7.0, 7.0)])
    assert spilled.downstream[7, 7] != NOWHERE
    assert kept.downstream[7, 7] == NOWHERE
    assert kept.upstream_area[7, 7] > 20 * kept.area[7, 7]
    land[7, 7] = False
    with pytest.raises(NetworkError, match="the sink Pan at 7 N, 7 E is not on land here"):
        network_of(height, land, x, y, sinks=[Sink("Pan", 7.0, 7.0)])


def test_codes_of_hydrosheds_north_up_and_south_up():
    codes = np.array([[1, 4, 247], [1, 64, 0], [64, 16, 255]])  # north up
    network = from_codes(codes, [10.0, 11.0, 12.0], [2.0, 1.0, 0.0])
    same = from_codes(codes[::-1], [10.0, 11.0, 12.0], [0.0, 1.0, 2.0])
    assert np.array_equal(network.downstream, same.downstream)
    assert network.downstream[0, 2] == NOWHERE and network.downstream[2, 2] == SEA
    assert network.downstream[2, 0] == 7 and network.downstream[0, 0] == 3
    with pytest.raises(NetworkError, match=r"2 cells drain in a loop, such as that at .* mend the directions"):
        network.levels  # noqa: B018
    with pytest.raises(NetworkError, match=r"unknown directions \[3\]; known: "):
        from_codes(np.full((3, 3), 3), [0, 1, 2], [0, 1, 2])
