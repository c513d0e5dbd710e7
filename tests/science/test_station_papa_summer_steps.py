# SPDX-License-Identifier: BSD-3-Clause
"""Summer at ocean weather station P under climatological heat and wind and a diurnal sun: the step does not matter."""

import numpy as np
import pytest

from components.ocean.primitive.column.parameters import CASES, read_case
from components.ocean.primitive.column.run import run
from coupler.paths import NAMELISTS


def surface_temperature(step, days):
    case = read_case(NAMELISTS / CASES / "ows_papa_summer.yaml", [f"step={step}", f"duration=P{days}D"])
    return run(case).fields["sea_water_conservative_temperature"][:, 0]


def largest_difference(days):
    fine, coarse = surface_temperature("PT20M", days), surface_temperature("PT1H", days)
    print(f"after {days} days {fine[-1]:.2f} C; largest difference {np.abs(fine - coarse).max():.3f} K")
    return np.abs(fine - coarse).max()


def test_two_days_with_steps_of_20_and_60_minutes():
    """Within .02 K in the first two days of May."""
    assert largest_difference(2) < 0.02


@pytest.mark.slow
def test_ten_days_with_steps_of_20_and_60_minutes():
    """Within 0.1 K in the first ten days of May."""
    assert largest_difference(10) < 0.1


@pytest.mark.slow
def test_a_summer_with_steps_of_20_and_60_minutes():
    """120 days from 1 May within 0.3 K."""
    assert largest_difference(120) < 0.3
