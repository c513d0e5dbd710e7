# SPDX-License-Identifier: BSD-3-Clause
"""Half-hourly fluxes at DE-Tha (spruce, June 2014) and FR-Pue (holm oak, May 2012), uncalibrated.

The towers' own energy balance leaves a sixth to a third open (H + LE against Rn - G), so LE is asked for its course
rather than for its size; all numbers by model stand in components/land/column/README.md.
"""

import numpy as np
import pytest

from benchmarks.land_sites import run_half_hourly, scores

pytest.importorskip("rdata")


@pytest.fixture(scope="module")
def folder(shared):
    if not (shared / "data" / "land" / "flux_halfhourly").is_dir():
        pytest.skip("no half-hourly fluxes")
    return shared


def closed(series):
    assert np.abs(series["energy_residual"]).max() < 1e-6
    assert series["unsolved"].sum() == 0


@pytest.mark.parametrize("site", ["DE-Tha", pytest.param("FR-Pue", marks=pytest.mark.slow)])
def test_four_days(folder, site):
    series, observed = run_half_hourly(folder, site, "medlyn", 192)
    closed(series)
    found = scores(series, observed)
    assert found["Rn"][2] > 0.97
    assert found["GPP"][2] > 0.85
    assert found["LE"][2] > 0.7


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("model", ["medlyn", "ball_berry", "leuning", "gentine", "wang"])
@pytest.mark.parametrize("site", ["DE-Tha", "FR-Pue"])
def test_the_month_by_model(folder, site, model):
    series, observed = run_half_hourly(folder, site, model)
    closed(series)
    found = scores(series, observed)
    print(site, model, {k: tuple(round(x, 2) for x in v) for k, v in found.items()})
    assert found["Rn"][0] < 45.0
    assert found["GPP"][2] > 0.9
    assert found["GPP"][0] < 7.0
    assert found["LE"][2] > 0.75
