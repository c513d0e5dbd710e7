# SPDX-License-Identifier: BSD-3-Clause
"""Monthly GPP and NEE at the towers of China and Japan with leaves out of plants' pools, spun up on their own weather.

Eleven sites, 2004 to 2006, nitrogen by FUN; the second year, from wood and organic matter at rest under the growth that
the carbon dioxide of the past allowed (CN-Qia as old as it is). Nothing is fitted to these towers. Zero flux has an NEE
error of 1.45 in all 169 site months; at rest under the growth of the last year it was 1.22.
"""

from itertools import pairwise

import numpy as np
import pytest
import torch

from benchmarks.land_monthly import MEASURED_LIGHT, SITES, load, scores, with_measured_light
from benchmarks.land_monthly_leaves import CARBON_DIOXIDE, past_growth, simulate


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_uptake_and_exchange_by_month(shared):
    if not (shared / "data" / "land" / "cardamom_fluxval").is_dir():
        pytest.skip("no fluxes of towers")
    torch.set_num_threads(1)
    ours, theirs, area = simulate(shared, 2004, 2006, 1, "prognostic", "fun", "simple", "medlyn")
    found = {k: scores(ours[k], theirs[k]) for k in ("GPP", "NEE")}
    print({k: [round(float(x), 3) for x in v] for k, v in found.items()}, "leaf area", np.round(area.mean((0, 1)), 1))
    assert found["GPP"][3] > 100
    assert found["GPP"][0] <= 2.0
    assert abs(found["GPP"][1]) <= 1.0
    assert found["NEE"][0] <= 1.2


def test_growth_of_the_past_is_that_of_four_forests_under_more_carbon_dioxide():
    """Norby et al. (2005): 23 % more growth at 550 than at 376 ppm; and no leap from one span to the next."""
    past = past_growth()
    air = list(CARBON_DIOXIDE.values())
    per_log = (past[-1].growth - past[0].growth) / np.log(air[-1] / air[0])
    assert per_log * np.log(550.0 / 376.0) == pytest.approx(0.23, abs=0.005)
    assert all(0.0 < b.growth - a.growth < 0.03 for a, b in pairwise(past))
    assert 0.98 < past[-1].growth < 1.0


def test_light_is_scaled_to_what_was_measured_and_nothing_else_changes(shared):
    """4791 and 4349 MJ m-2 a year were measured at CN-Din and CN-Qia, where the drivers have 22 % more."""
    if not (shared / "data" / "land" / "cardamom_fluxval").is_dir():
        pytest.skip("no fluxes of towers")
    _, _, drivers, _ = load(shared)
    changed = with_measured_light(drivers)
    first = np.arange(len(drivers)) % 12 < 6
    for name, year in (("CN-Din", 4791.48), ("CN-Qia", 4349.0)):
        j = list(SITES).index(name)
        found = 181.0 * changed[first, j, 3].mean() + 184.0 * changed[~first, j, 3].mean()
        assert found == pytest.approx(year, rel=5e-3)
        assert 1.15 < drivers[:, j, 3].mean() * 365.0 / year < 1.3
        changed[:, j, 3] = drivers[:, j, 3]
    din = with_measured_light(drivers)[:, list(SITES).index("CN-Din"), 3]
    assert (din[first].mean(), din[~first].mean()) == pytest.approx(MEASURED_LIGHT["CN-Din"])
    assert np.array_equal(changed, drivers)
