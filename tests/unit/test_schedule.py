# SPDX-License-Identifier: BSD-3-Clause
"""The dry run: waits that never end, periods that do not fit, and the order of the steps."""

import pytest

from coupler.case.case import make_plan
from coupler.errors import NamelistError
from coupler.exchange.schedule import order, rehearse
from tests.unit.conftest import GRIDS

WARM_AIR, SOIL = "tests.toys.models:WarmAir", "tests.toys.models:Soil"


def pair(case, there, back, steps=("PT30M", "PT1H"), **keys):
    """A case of air and soil that exchange temperatures, with the lags given."""
    components = {
        "atmosphere": {"model": WARM_AIR, "step": steps[0], "grid": GRIDS["atmosphere"]},
        "land": {"model": SOIL, "step": steps[1], "grid": GRIDS["atmosphere"]},
    }
    rules = [
        {"from": "atmosphere", "to": "land", "period": "PT1H", "lag": there},
        {"from": "land", "to": "atmosphere", "period": "PT1H", "lag": back},
    ]
    return case(components, rules, **keys)


def test_two_components_without_a_lag_are_refused_naming_both_and_the_remedy(case, command):
    folder = pair(case, 0, 0)
    with pytest.raises(NamelistError) as said:
        make_plan(folder, offline_checks=True)
    text = str(said.value)
    assert "endless wait" in text
    assert "atmosphere waits for land at 2001-01-01T00:00:00 (land -> atmosphere)" in text
    assert "land waits for atmosphere at 2001-01-01T00:00:00 (atmosphere -> land)" in text
    assert "give one of them a lag, for example 'lag: PT1H' on" in text
    done = command("check", folder)
    assert done.returncode == 2
    assert "endless wait" in done.stderr


@pytest.mark.parametrize(("there", "back"), [(0, "PT1H"), ("PT1H", 0), ("PT1H", "PT1H"), (0, "PT3H")])
def test_with_a_lag_on_either_side_it_runs(case, there, back):
    plan = make_plan(pair(case, there, back), offline_checks=True)
    assert rehearse(plan) > 0
    steps = list(order(plan))
    assert len(steps) == 12 * 2 + 12
    assert len(set(steps)) == len(steps)


def test_without_a_lag_the_target_follows_the_source(case):
    plan = make_plan(pair(case, 0, "PT1H"))
    when = {step: n for n, step in enumerate(order(plan))}
    for hour in range(0, plan.duration, 3600):
        assert when[hour, "land"] > when[hour + 1800, "atmosphere"], "the land needs the whole hour of the air"
        if hour:
            assert when[hour, "atmosphere"] > when[hour - 3600, "land"]


def test_a_step_that_does_not_divide_the_period_is_refused_with_the_triple(case, command):
    folder = pair(case, 0, "PT1H", steps=("PT25M", "PT1H"))
    done = command("check", folder)
    assert done.returncode == 2
    assert "period PT1H is not a multiple of the step PT25M of atmosphere; take PT50M or change the step" in done.stderr
    assert "case.yaml:" in done.stderr


def test_a_lag_that_is_no_multiple_of_the_period_is_refused(case):
    with pytest.raises(NamelistError, match="lag PT1H30M is not a multiple of the period PT1H; take 0 or PT1H"):
        make_plan(pair(case, "PT1H30M", 0))


def test_a_duration_at_which_not_all_can_stop_is_refused(case):
    with pytest.raises(NamelistError, match=r"case.yaml:\d+: duration PT90M is not a multiple of PT1H"):
        make_plan(pair(case, 0, "PT1H", duration="PT90M"))
    with pytest.raises(NamelistError, match=r"restart period PT1H30M is not a multiple of PT1H"):
        make_plan(pair(case, 0, "PT1H", restart={"period": "PT90M"}, name="other"))


def test_a_component_that_feeds_itself_without_a_lag_is_told_so(case):
    components = {"land": {"model": "tests.unit.test_schedule:Echo", "step": "PT1H", "grid": GRIDS["atmosphere"]}}
    rule = {"from": "land", "to": "land", "period": "PT1H"}
    with pytest.raises(NamelistError, match="a component cannot feed itself without a lag"):
        make_plan(case(components, [rule]), offline_checks=True)
    assert make_plan(case(components, [{**rule, "lag": "PT1H"}], name="lagged"), offline_checks=True)


def test_a_long_run_is_rehearsed_over_a_cycle_only(case):
    plan = make_plan(pair(case, 0, "PT1H", duration="P3650D"))
    assert rehearse(plan) < 100


from tests.toys.models import Soil  # noqa: E402


class Echo(Soil):
    """Takes what it gives."""

    imports = exports = Soil.exports
