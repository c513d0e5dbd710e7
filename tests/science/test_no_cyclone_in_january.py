# SPDX-License-Identifier: BSD-3-Clause
"""A run of the January jet has lows and fronts, and no tropical cyclone; one that is put into its fields is found."""

import numpy as np
import pytest

from coupler.analysis.cyclones.card import ALOFT, PRESSURE, WIND, make_cyclone_card, tracks_of
from coupler.analysis.cyclones.tracker import Maps, vorticity
from coupler.analysis.gathered import Gathered, gather
from tests.toys.cases import edit, tessera
from tests.unit.test_cyclone_tracks import OUTER, distance, vortex

START = (131.0, 14.0)


def run_of(folder, duration, *changes):
    tessera("new", folder, "--template", "east_asia_atmosphere")
    edit(folder, (
        ("case.yaml", "duration: P2D", f"duration: {duration}"),
        ("atmosphere.yaml", "radiation: rrtmgp", "radiation: gray"),
        *changes,
    ))  # fmt: skip
    tessera(folder, "--serial")
    return gather(folder / "run" / "history", (PRESSURE, *WIND, *ALOFT), "cyclones")


def with_a_typhoon(run):
    """The fields of a run with the vortex of Holland (1980) laid on, as it goes north-west."""
    values = {name: x.copy() for name, x in run.values.items()}
    for n, hours in enumerate(run.hours):
        x, y = START[0] - 0.12 * hours, START[1] + 0.06 * hours
        maps = vortex(run.longitude, run.latitude, x, y)
        near = np.exp(-((distance(x, y, run.longitude, run.latitude) / 600e3) ** 2))
        values[PRESSURE][n] += 0.01 * (maps.pressure - OUTER - 20.0 * (run.latitude - 22.0)) * near
        values[WIND[0]][n] += (maps.eastward + 5.0) * near
        values[WIND[1]][n] += maps.northward * near
        for name in ALOFT:
            values[name][n] += maps.aloft - 255.0 + 0.3 * (run.latitude - 22.0)
    return Gathered(run.times, values, run.longitude, run.latitude)


def no_track_but_what_is_put_there(folder, run):
    found = tracks_of(run)
    assert found == [], [(t.name, t.latitude, t.pressure) for t in found]
    where = run.longitude, run.latitude
    maps = [Maps(*(run.values[n][k] for n in (PRESSURE, *WIND, ALOFT[0]))) for k in range(len(run.times))]
    spin = [vorticity(m, *where) for m in maps]
    lowest = run.values[PRESSURE].min()
    print(f"{len(run.times)} times to {run.hours[-1]:g} h: vorticity {np.max(spin):.1e} s-1, pressure {lowest:.1f} hPa")
    page, _ = make_cyclone_card(folder, [])
    assert "0 cyclones" in page.read_text()
    (typhoon,) = tracks_of(with_a_typhoon(run))
    far = distance(START[0] - 0.12 * run.hours, START[1] + 0.06 * run.hours, typhoon.longitude, typhoon.latitude)
    cell = distance(*(a[len(a) // 2, a.shape[1] // 2 + k] for k in (0, 1) for a in (run.longitude, run.latitude)))
    assert (far < cell).all(), far / cell
    return np.max(spin)


def test_a_day_and_a_half_on_wide_cells(tmp_path):
    coarse = [("case.yaml", "PT5M", "PT20M"), ("atmosphere.yaml", "grid: east_asia_100km", "grid: east_asia_300km"),
              ("atmosphere.yaml", "step: PT5M", "step: PT20M"), ("land.yaml", "step: PT5M", "step: PT20M")]  # fmt: skip
    no_track_but_what_is_put_there(tmp_path / "jet", run_of(tmp_path / "jet", "P1DT12H", *coarse))


@pytest.mark.slow
def test_two_days_on_100_km(tmp_path):
    """With a low in the lee of Tibet (983 hPa), a track as long as its warm sector passed for a warm core."""
    spin = no_track_but_what_is_put_there(tmp_path / "jet", run_of(tmp_path / "jet", "P2D"))
    assert spin > 3.5e-5, "the jet has the tracker's vorticity: the other criteria say no"
