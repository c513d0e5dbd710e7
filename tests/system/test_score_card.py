# SPDX-License-Identifier: BSD-3-Clause
"""The score card of a short run: its numbers are those of averaging the run's output by hand."""

import csv

import netCDF4
import numpy as np
import pytest

from tests.toys.cases import tessera


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("score") / "short"
    tessera("new", folder, "--template", "east_asia")
    text = (folder / "case.yaml").read_text()
    lines = ["duration: P1D" if line.startswith("duration:") else line for line in text.splitlines()]
    (folder / "case.yaml").write_text("\n".join(lines) + "\n")
    tessera(folder, "--serial")
    return folder


def test_numbers_and_page(case, root):
    said = tessera("score", case).stdout.split()
    assert [line.rsplit("/", 1)[1] for line in said] == ["score.html", "score.csv"]
    rows = {(r["field"], r["region"]): r for r in csv.DictReader((case / "run/score/score.csv").open())}
    with netCDF4.Dataset(case / "run/history/ocean.daily.nc") as f:
        sst = np.ma.filled(f["sea_surface_temperature"][0], np.nan)
        lat, lon = np.asarray(f["lat"][:]), np.asarray(f["lon"][:])
    with netCDF4.Dataset(root / "data/east_asia_observed_coads.nc") as f:
        seen = np.ma.filled(f["sea_surface_temperature"][0], np.nan)
        y, x = np.asarray(f["latitude"][:]), np.asarray(f["longitude"][:])
    cell = np.sin(np.deg2rad(lat + 0.25)) - np.sin(np.deg2rad(lat - 0.25))
    errors, weights = [], []
    for j, i in np.argwhere(np.isfinite(seen)):
        if not (105 <= x[i] <= 121 and 3 <= y[j] <= 23):
            continue
        rows_in, columns_in = np.abs(lat - y[j]) < 1, np.abs(lon - x[i]) < 1
        block = sst[np.ix_(rows_in, columns_in)]
        area = np.broadcast_to(cell[rows_in][:, None], block.shape)
        there = np.isfinite(block)
        if area[there].sum() >= 0.5 * area.sum():
            errors.append((block * area)[there].sum() / area[there].sum() - seen[j, i])
            weights.append(area.sum())
    got = rows["sea_surface_temperature", "South China Sea"]
    errors, weights = np.array(errors), np.array(weights) / np.sum(weights)
    assert int(got["cells"]) == len(errors) > 50
    assert float(got["bias"]) == pytest.approx((weights * errors).sum(), abs=2e-5)
    assert float(got["rmse"]) == pytest.approx(np.sqrt((weights * errors**2).sum()), abs=2e-5)
    assert ("surface_downward_heat_flux_in_sea_water", "whole region") in rows
    page = (case / "run/score/score.html").read_text()
    assert page.count("data:image/png;base64,") == 4 and "http" not in page, "opens without a server"
    assert "South China Sea" in page


def test_what_cannot_be_compared_is_said(case, tmp_path, root):
    done = tessera("score", case, "--against", tmp_path / "none.nc", check=False)
    assert done.returncode == 2 and "do not exist" in done.stderr
    bad = tmp_path / "ocean_only.nc"
    with netCDF4.Dataset(bad, "w") as f:
        f.createDimension("lat", 3), f.createDimension("lon", 3)
        for name, units in (("lat", "degrees_north"), ("lon", "degrees_east")):
            v = f.createVariable(name, "f8", (name,))
            v.units, v.standard_name = units, {"lat": "latitude", "lon": "longitude"}[name]
            v[:] = np.arange(3.0)
        v = f.createVariable("salt", "f8", ("lat", "lon"))
        v.standard_name, v.units = "sea_surface_salinity", "1e-3"
    done = tessera("score", case, "--against", bad, check=False)
    assert done.returncode == 2 and "nothing to compare" in done.stderr and "--against" in done.stderr
