# SPDX-License-Identifier: BSD-3-Clause
"""Land to rivers to ocean in east_asia_coupled: water, heat, C, N and P that are sent arrive or are stored.

The template on cells of 295 km under its climatological air, the land with its cycles on, a start from rest in the
climate: six hours with the primitive ocean, and (slow) ten days with steps of an hour and the slab, which keeps books.
"""

import numpy as np
import pytest

from components.science.runoff_matter import NAMES
from coupler.case.case import make_plan
from tests.toys.cases import edit, tessera
from tests.toys.coupled import coupled_case
from tests.toys.streams import CARRIED
from tests.unit.test_rivers_component import budget, restart

CYCLES = "column:\n  leaves: prognostic\n  nitrogen: fun\n  daily_means: true\n"


def make(folder, duration, period):
    case = coupled_case(
        folder,
        ("case.yaml", "atmosphere: {model: nonhydrostatic}", "atmosphere: {model: data}"),
        ("case.yaml", "rivers: {model: none}", "rivers: {model: rivers}"),
        ("case.yaml", "start: 2001-01-01", "start: 2001-06-15"),
        ("land.yaml", "column:\n", CYCLES),
        ("rivers.yaml", "period: P1D", f"period: {period}"),
        duration=duration, restart=period,
    )  # fmt: skip
    for name in ("atmosphere", "ocean", "land"):
        text = (case / f"{name}.yaml").read_text()
        (case / f"{name}.yaml").write_text(text[: text.index("output:")])
    return case


def by_the_hour(case):
    """With the slab ocean, and steps of an hour."""
    edit(case, [("case.yaml", "ocean: {model: primitive}", "ocean: {model: slab}")])
    for path in case.glob("*.yaml"):
        path.write_text(path.read_text().replace("PT20M", "PT1H"))
    return case


def closes(folder):
    """Hold each of the five to 1e-12; returns what the land sent of them, with its unit kg or J."""
    crossed, rivers, sea = budget(folder), restart(folder, "rivers"), restart(folder, "ocean")
    plan = make_plan(folder)
    area = np.asarray(plan["ocean"].grids["default"].area)
    mouths = np.asarray(plan["rivers"].grids["default"].masks["mouths"])
    found = {}
    for k, name in enumerate(CARRIED):
        sent, came = crossed["rivers", name]
        assert sent == pytest.approx(came, rel=1e-12), name
        volume = 1000.0 * (rivers["volume"] + rivers["lake"] - rivers["owed"]).sum()
        stored = (rivers["amounts"] + rivers["lake_amounts"])[k - 1].sum() if k else volume
        begun, lost = rivers["begun"][k].sum(), rivers["removed_in_all"][k - 1].sum() if k else 0.0
        air = rivers["heat_from_air"].sum() if k == 1 else 0.0
        left = rivers["delivered"][k].sum()
        turned = abs(begun) + abs(sent) + abs(air)
        assert abs(begun + came + air - left - lost - stored) <= 1e-12 * turned, name
        given, arrived = crossed["ocean", name]
        away = sum(v[0] for (to, flux), v in crossed.items() if to.startswith("outside: ") and flux == name)
        last = rivers["carried"][k - 1] if k else 1000.0 * rivers["water"]
        flying = 3600.0 * last[mouths].sum()  # the outflow of the last hour leaves an hour later
        assert given == pytest.approx(arrived, rel=1e-12), name
        assert abs(given + away + flying - left) <= 1e-12 * turned, name
        if k > 1:  # one window of an hour is on its way
            kept = (area * np.nan_to_num(sea[NAMES[k - 2]])).sum()
            assert (0.5 * arrived < kept <= arrived * (1.0 + 1e-12)) or (kept == arrived == 0.0), name
        found[name] = (sent, begun, stored, given, away)
    assert found[CARRIED[0]][0] > 0.0 and found[CARRIED[0]][3] > 0.0
    return found


@pytest.mark.timeout(900)
def test_six_hours_with_the_primitive_ocean(tmp_path):
    case = make(tmp_path / "case", "PT6H", "PT3H")
    said = tessera(case, "--serial", timeout=900).stdout
    assert "soil water at rest in the climate of east_asia_atmosphere.nc" in said
    assert "rivers start with the runoff of east_asia_atmosphere.nc" in said
    closes(case)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_ten_days(tmp_path):
    case = by_the_hour(make(tmp_path / "case", "P10D", "P5D"))
    tessera(case, "--serial", timeout=7200)
    for name, (sent, begun, stored, given, away) in closes(case).items():
        print(f"{name}: land {sent:.4e}, rivers {begun:.4e} to {stored:.4e}, sea {given:.4e}, outside {away:.4e}")
        assert sent > 0.0 or name == CARRIED[2]
