# SPDX-License-Identifier: BSD-3-Clause
"""The lanes of the suite: what is long is marked so."""

from tests import lanes


def test_a_test_of_more_than_20_seconds_is_slow_and_has_a_small_twin(pytestconfig):
    """Of the tests collected here, by the durations that ``make durations`` has noted."""
    assert pytestconfig.too_long == [], f"over {lanes.SLOW:.0f} s: mark them slow and write a twin that is not"
