# SPDX-License-Identifier: BSD-3-Clause
"""Groundwater, city, cycles and rivers in a case: books between them close, and neither ranks nor a restart tell."""

import numpy as np
import pytest

from coupler.case.case import make_plan
from tests.toys.cases import differences, edit, tessera
from tests.toys.streams import CARRIED, water_case
from tests.unit.test_rivers_component import budget, restart


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    folder, network = water_case(
        tmp_path_factory.mktemp("water") / "case", start="2001-06-20", duration="PT36H",
        restart={"period": "PT12H", "keep": 9},
    )  # fmt: skip
    tessera(folder, "--serial")
    return folder, network


def test_what_land_rivers_and_sea_send_arrives_or_is_stored(serial):
    folder, _ = serial
    crossed, rivers, land = budget(folder), restart(folder, "rivers"), restart(folder, "land")
    drawn, met = crossed["rivers", "water_flux_from_rivers_into_land"]
    assert drawn == pytest.approx(met, rel=1e-12) and drawn > 0.0
    for k, name in enumerate(CARRIED):
        sent, came = crossed["rivers", name]
        assert sent == pytest.approx(came, rel=1e-12)
        assert came > 0.0 or name == CARRIED[2]  # nothing exudes dissolved carbon on the first day
        taken = rivers["received"][k].sum()
        assert taken == pytest.approx(came - (drawn if k == 0 else 0.0), rel=1e-12)
        kept = (rivers["amounts"] + rivers["lake_amounts"]).sum((1, 2))
        volume = 1000.0 * (rivers["volume"] + rivers["lake"] - rivers["owed"]).sum()
        stored = volume if k == 0 else kept[k - 1]
        lost = 0.0 if k == 0 else rivers["removed_in_all"][k - 1].sum()
        begun, left = rivers["begun"][k].sum(), rivers["delivered"][k].sum()
        assert abs(begun + taken - left - lost - stored) <= 1e-12 * (abs(begun) + abs(taken)), name
        sent, came = crossed["ocean", name]
        away = sum(v[0] for (to, flux), v in crossed.items() if to.startswith("outside: ") and flux == name)
        assert sent == pytest.approx(came, rel=1e-12) and 0.0 <= sent + away <= left * (1.0 + 1e-12)
    area = np.asarray(make_plan(folder)["land"].grids["default"].area)
    for name in ("water", "carbon", "nitrogen", "phosphorus"):  # the land's own books, with its cities and groundwater
        assert np.isfinite(land[f"booked_{name}"]).all() and np.abs(area * land[f"booked_{name}"]).sum() > 0.0


@pytest.mark.ranks
@pytest.mark.slow
def test_two_ranks_and_four_after_a_restart_at_noon_have_the_bits_of_one(serial, tmp_path):
    def layout(n):
        shared = {"ranks": n, "with": "land"}
        return {"coupler": 1, "land": n, "rivers": shared, "sky": {"ranks": 1, "with": "land"},
                "ocean": {"ranks": 1, "with": "land"}}  # fmt: skip

    folder, _ = water_case(
        tmp_path / "case", start="2001-06-20", duration="PT12H", layout=layout(2),
        restart={"period": "PT12H", "keep": 9},
    )  # fmt: skip
    tessera(folder)
    edit(folder, [("case.yaml", "duration: PT12H", "duration: PT36H"), ("case.yaml", "land: 2", "land: 4"),
                  ("case.yaml", "ranks: 2", "ranks: 4")])  # fmt: skip
    done = tessera(folder, "--continue")
    assert "2001-06-20T120000" in done.stdout
    assert differences(serial[0], folder) == []
    assert (folder / "run" / "budget.csv").read_bytes() == (serial[0] / "run" / "budget.csv").read_bytes()


@pytest.mark.ranks
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_thirty_days_on_one_rank_and_on_two_then_four_after_a_noon(tmp_path):
    def layout(n):
        shared = {"ranks": n, "with": "land"}
        return {"coupler": 1, "land": n, "rivers": shared, "sky": {"ranks": 1, "with": "land"},
                "ocean": {"ranks": 1, "with": "land"}}  # fmt: skip

    kept = {"period": "PT372H", "keep": 9}
    one, _ = water_case(tmp_path / "one", start="2001-06-20", duration="P31D", restart=kept)
    tessera(one, "--serial")
    crossed, rivers, land = budget(one), restart(one, "rivers"), restart(one, "land")
    drawn = crossed["rivers", "water_flux_from_rivers_into_land"][0]
    for k, name in enumerate(CARRIED):
        sent, came = crossed["rivers", name]
        assert sent == pytest.approx(came, rel=1e-12)
        volume = 1000.0 * (rivers["volume"] + rivers["lake"] - rivers["owed"]).sum()
        stored = (rivers["amounts"] + rivers["lake_amounts"])[k - 1].sum() if k else volume
        lost = rivers["removed_in_all"][k - 1].sum() if k else drawn
        begun, left = rivers["begun"][k].sum(), rivers["delivered"][k].sum()
        print(name, begun, came, left, lost, stored)
        assert abs(begun + came - left - lost - stored) <= 1e-11 * (abs(begun) + abs(came)), name  # of 250 sums
        assert crossed["ocean", name][0] == pytest.approx(crossed["ocean", name][1], rel=1e-12)
    assert np.isfinite(land["groundwater"]).all() and land["groundwater"].min() >= 0.0
    two, _ = water_case(tmp_path / "two", start="2001-06-20", duration="PT372H", layout=layout(2), restart=kept)
    tessera(two, timeout=1800)
    edit(two, [("case.yaml", "duration: PT372H", "duration: P31D"), ("case.yaml", "land: 2", "land: 4"),
               ("case.yaml", "ranks: 2", "ranks: 4")])  # fmt: skip
    done = tessera(two, "--continue", timeout=1800)
    assert "2001-07-05T120000" in done.stdout
    assert differences(one, two) == []
