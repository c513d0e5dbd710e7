# SPDX-License-Identifier: BSD-3-Clause
"""Yields and days of maize, rice, soybean and wheat with the column's own leaves beside WOFOST's potential production.

Reference: PCSE 6.0.13 in a constant and in a yearly cycle of weather (`reference/land/pcse_reference.json`). The days
alone are held in unit/test_land_cycle_processes.py.
"""

import json

import pytest
import torch

from benchmarks.land_crops import RUNS, grow

DAYS = {"maize": (6.0, 39.0, 45.0), "rice": (8.0, 63.0, 45.0), "soybean": (5.0, 21.0, 50.0)}
"""To emergence, then to flowering, then to maturity at 24 C."""


@pytest.fixture(scope="module")
def theirs(shared):
    path = shared / "reference" / "land" / "pcse_reference.json"
    if not path.is_file():
        pytest.skip("no reference of WOFOST")
    return json.loads(path.read_text())["results"]


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("weather", [*RUNS])
def test_yields_are_within_forty_per_cent(theirs, weather):
    torch.set_num_threads(1)
    rows = {r["crop"]: r for r in theirs if r["weather"] == weather}
    events, most, harvest = grow(weather)
    for k, crop in enumerate(RUNS[weather][0]):
        ratio = float(harvest[k]) / rows[crop]["TWSO"]
        print(crop, events[crop], f"leaf area {float(most[k]):.2f} ({rows[crop]['LAIMAX']}), yield {ratio:.3f}")
        assert 0.6 < ratio < 1.4, crop
        if crop in DAYS:
            emerged, flowered, ripe = (day for day, _ in events[crop][1:4])
            assert (emerged, flowered - emerged, ripe - flowered) == DAYS[crop]
