# SPDX-License-Identifier: BSD-3-Clause
"""Measured weather of a site: what is missing, of another length or in another unit is refused with its name."""

from datetime import datetime

import numpy as np
import pytest

from components.land.column.site import Weather

N = 4
GIVEN = {
    "temperature": np.full(N, 288.0), "humidity": np.full(N, 0.008), "pressure": np.full(N, 1.0e5),
    "wind": np.full(N, 3.0), "shortwave": np.array([-2.0, 0.0, 300.0, 900.0]), "longwave": np.full(N, 320.0),
    "precipitation": np.array([0.0, 0.0, 2.8e-3, 0.0]),
}  # fmt: skip


def weather(**changes):
    return Weather(datetime(2004, 6, 1), 1800.0, 40.0, -88.3, **GIVEN | changes)


def test_weather_in_its_units_is_taken():
    assert weather(co2=np.full(N, 390.0), height=2.0).temperature.size == N


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temperature": np.full(N, 15.0)}, "temperature: expected 180 to 340 K, not 15 in step 0"),
        ({"temperature": np.array([288.0, np.nan, np.nan, 288.0])}, "temperature has 2 gaps: fill them first"),
        ({"pressure": np.full(N, 1000.0)}, "pressure: expected 30000 to 120000 Pa, not 1000 in step 0"),
        ({"humidity": np.array([0.008, 0.008, 8.0, 0.008])}, "humidity: expected 0 to 0.1 kg kg-1, not 8 in step 2"),
        ({"precipitation": np.full(N, 5.0)}, "precipitation: expected 0 to 0.2 kg m-2 s-1, not 5 in step 0"),
        ({"wind": np.full(3, 2.0)}, "wind has 3 steps, temperature 4"),
        ({"co2": np.full(2, 400.0)}, "co2 has 2 steps, temperature 4"),
        ({name: np.zeros(0) for name in GIVEN}, "the weather has no steps"),
    ],
)  # fmt: skip
def test_weather_that_cannot_be_is_refused(changes, message):
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        weather(**changes)
