# SPDX-License-Identifier: BSD-3-Clause
"""Columns drawn from history files: each place and day in one split, values those of the file, kept and read back."""

import netCDF4
import numpy as np
import pytest

from components.ml_surrogates import drawn_columns

LON, LAT, HOURS = np.arange(76.0, 156.0, 4.0), np.arange(6.0, 56.0, 4.0), np.arange(6.0, 145.0, 6.0)
NUMBERS = (200, 40, 30)


@pytest.fixture(scope="module")
def histories(tmp_path_factory):
    """Two runs of six days; each value tells its run, time, level and place."""
    folder, paths = tmp_path_factory.mktemp("runs"), []
    for run in range(2):
        paths.append(folder / f"{run}.nc")
        with netCDF4.Dataset(paths[-1], "w") as f:
            sizes = {"time": HOURS.size, "lev": 3, "half": 4, "lat": LAT.size, "lon": LON.size}
            for name, size in sizes.items():
                f.createDimension(name, size)
            for name, values in (("time", 3600.0 * HOURS), ("lat", LAT), ("lon", LON)):
                f.createVariable(name, "f8", (name,))[:] = values
            f["time"].units, f["time"].calendar = f"seconds since 2001-0{4 + run}-01 00:00:00", "noleap"
            for name, part in drawn_columns.PARTS.items():
                level = {"p_interface": ("half",), "t_surface": (), "albedo": ()}.get(part, ("lev",))
                dimensions = ("time", *level, "lat", "lon")
                index = np.indices([sizes[d] for d in dimensions])
                digits = sum(index[dimensions.index(d)] * 100.0**n for n, d in enumerate(("lon", "lat", "time")))
                more = index[1] * 1e-1 if level else 0.0
                f.createVariable(name, "f8", dimensions)[:] = digits + more + run * 1e7
    return paths


def test_the_values_are_those_of_place_time_and_run_and_the_splits_share_none(histories):
    columns = drawn_columns.draw(histories, NUMBERS, seed=1)
    assert columns["t"].shape == (3, sum(NUMBERS)) and columns["p_interface"].shape == (4, sum(NUMBERS))
    for n in range(sum(NUMBERS)):
        x = np.flatnonzero(LON == columns["longitude"][n])[0]
        y = np.flatnonzero(LAT == columns["latitude"][n])[0]
        time = np.flatnonzero(HOURS / 24.0 == columns["day"][n])[0]
        tag = x + 100.0 * y + 1e4 * time + 1e7 * columns["run"][n]
        np.testing.assert_allclose(columns["t"][:, n], tag + 0.1 * np.arange(3), atol=1e-6)
        assert columns["albedo"][n] == tag
    for number, name in zip(NUMBERS, drawn_columns.SPLITS, strict=True):
        assert drawn_columns.of_split(columns, name)["t"].shape == (3, number)
    blocks = {
        name: {(int(x // 8), int(y // 8)) for x, y in zip(part["longitude"], part["latitude"], strict=True)}
        for name, part in ((s, drawn_columns.of_split(columns, s)) for s in drawn_columns.SPLITS)
    }
    assert not blocks["train"] & blocks["test"] and not blocks["train"] & blocks["validation"]
    assert np.array_equal(columns["day_of_year"], np.where(columns["run"] == 0.0, 93.0, 123.0))  # the runs' middle
    test, train = (drawn_columns.of_split(columns, s)["day"] for s in ("test", "train"))
    assert train.max() <= drawn_columns.LAST_TRAINING_DAY < test.min()


def test_the_same_seed_draws_the_same_and_the_file_keeps_it(histories, tmp_path):
    one, two, other = (drawn_columns.draw(histories, NUMBERS, seed) for seed in (1, 1, 2))
    assert np.array_equal(one["t"], two["t"]) and not np.array_equal(one["t"], other["t"])
    drawn_columns.write(tmp_path / "columns.nc", one)
    for part, kept in drawn_columns.read(tmp_path / "columns.nc").items():
        np.testing.assert_allclose(kept, one[part], rtol=2e-4)
    assert not list(tmp_path.glob("*.part"))
