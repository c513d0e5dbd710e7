# SPDX-License-Identifier: BSD-3-Clause
"""Fields of levels, fractions that vary, statistics of a window and direct routes through whole runs."""

import numpy as np
import pytest
import yaml

from coupler.files.restart import newest, read_part
from tests.toys.cases import TOYS, box, differences, tessera, toy_case

GRID = box(100, 120, 0, 20, 1.0)


def layers(folder, rule, grid=GRID, **changes):
    components = {
        "layers": {"model": TOYS + "Layers", "step": "PT30M", "grid": GRID},
        "taker": {"model": TOYS + "Taker", "step": "PT30M", "grid": grid},
    }
    rules = [{"from": "layers", "to": "taker", "period": "PT2H", "lag": "PT2H", **rule}]
    layout = changes.pop("layout", {"layers": 2, "taker": 3})
    return toy_case(folder, components=components, coupling=rules, layout=layout, duration="PT6H", restart="PT3H")


def got(case):
    return read_part(newest(case / "run" / "restart"), "taker")


def truth(time, lon, lat):
    """The toy's fields at model time `time`."""
    level = np.arange(3.0)[:, None, None]
    theta = 300.0 + 10 * level + np.sin(np.radians(4 * lon)) + time / 86400.0
    surface = 270.0 + 0.1 * lat + time / 36000.0
    return theta, surface, np.clip(0.1 + 0.01 * lat + time / 200000.0, 0, 1)


def axes():
    lon, lat = np.meshgrid(np.arange(100.5, 120), np.arange(0.5, 20))
    return lon, lat


@pytest.mark.ranks
@pytest.mark.parametrize("route", ["coupler", "direct"])
def test_levels_travel_and_units_change_on_the_way(tmp_path, route):
    case = layers(tmp_path / "toy", {"route": route, "statistic": "instant"})
    assert "air_potential_temperature: converted from K to degC" in tessera("check", case).stdout
    tessera(case)
    theta, _, _ = truth(4 * 3600, *axes())
    np.testing.assert_allclose(got(case)["state.air_potential_temperature"], theta - 273.15, atol=1e-12)
    serial = layers(tmp_path / "serial", {"route": route, "statistic": "instant"})
    tessera(serial, "--serial")
    assert differences(serial, case, history=False) == []


def test_direct_and_coupler_routes_deliver_the_same_bits(tmp_path):
    cases = [layers(tmp_path / r, {"route": r, "statistic": "mean"}) for r in ("coupler", "direct")]
    for case in cases:
        tessera(case, "--serial")
    for name in ("state.air_potential_temperature", "state.surface_temperature"):
        np.testing.assert_array_equal(got(cases[0])[name], got(cases[1])[name])


def test_a_direct_route_between_different_grids_is_refused(tmp_path):
    case = layers(tmp_path / "toy", {"route": "direct"}, grid=box(100, 120, 0, 20, 2.0))
    done = tessera("check", case, check=False)
    assert done.returncode == 2 and "needs both sides on the same grid" in done.stderr


@pytest.mark.ranks
def test_a_fraction_that_varies_weights_the_mean_of_the_window(tmp_path):
    """value = sum(f F) / sum(f) over the window's four samples and the target's cells."""
    case = layers(tmp_path / "toy", {"statistic": "mean"}, grid=box(100, 120, 0, 20, 2.0))
    tessera(case)
    samples = [truth(t, *axes())[1:] for t in (9000, 10800, 12600, 14400)]
    top = np.mean([f * s for s, f in samples], axis=0)
    bottom = np.mean([f for _, f in samples], axis=0)
    area = np.cos(np.radians(axes()[1]))

    def coarse(x):
        return (x * area).reshape(10, 2, 10, 2).sum((1, 3)) / area.reshape(10, 2, 10, 2).sum((1, 3))

    expected = coarse(top) / coarse(bottom)
    np.testing.assert_allclose(got(case)["state.surface_temperature"][0], expected, rtol=1e-7)
    unweighted = coarse(np.mean([s for s, _ in samples], axis=0))
    assert np.abs(unweighted - expected).max() > 1e-3


@pytest.mark.parametrize(("statistic", "of"), [("min", np.min), ("max", np.max), ("sum", np.sum)])
def test_other_statistics_of_a_window(tmp_path, statistic, of):
    rule = {"statistic": statistic, "fields": ["air_potential_temperature"]}
    if statistic == "sum":
        rule["fields"] = [{"from": "air_potential_temperature", "to": "air_potential_temperature", "scale": 0.25}]
    both = {"from": "layers", "to": "taker", "period": "PT2H", "lag": "PT2H"}
    rules = [{**both, **rule}, {**both, "fields": ["surface_temperature"]}]
    case = layers(tmp_path / "toy", {})
    content = yaml.safe_load((case / "case.yaml").read_text())
    content["coupling"] = rules
    (case / "case.yaml").write_text(yaml.safe_dump(content))
    tessera(case, "--serial")
    samples = [truth(t, *axes())[0] for t in (9000, 10800, 12600, 14400)]
    expected = of(samples, axis=0) * (0.25 if statistic == "sum" else 1.0) - 273.15
    np.testing.assert_allclose(got(case)["state.air_potential_temperature"], expected, atol=1e-9)
