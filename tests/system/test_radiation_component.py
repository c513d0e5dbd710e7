# SPDX-License-Identifier: BSD-3-Clause
"""Radiation on ranks of its own: what in-line radiation gives, bit for bit, or beside the physics with a lag."""

import numpy as np
import pytest
import yaml

from coupler.files.restart import newest, read_part
from tests.toys.cases import box, differences, edit, tessera, toy_case

GRID = box(100, 124, 20, 40, 2.0)
AIR = {
    "levels": 10, "relief": "", "boundary_layer": "none", "radiation_interval": "PT20M", "precision": "single",
}  # fmt: skip


def case(folder, scheme, *, inline=False, lag="PT0S", ranks=(1, 1), restart="PT40M", duration="PT1H"):
    """An atmosphere with radiation in line, or from a component."""
    radiation = scheme if inline else "imported"
    components = {
        "atmosphere": {
            "model": "nonhydrostatic", "step": "PT400S", "grid": GRID,
            "nonhydrostatic": {**AIR, "radiation": radiation},
        }
    }  # fmt: skip
    rules, layout = [], {"coupler": 1, "atmosphere": ranks[0]}
    if not inline:
        options = {"levels": 10, "precision": "single"}
        components["radiation"] = {"model": scheme, "step": "PT20M", "grid": GRID, scheme: options}
        rule = {"period": "PT20M", "statistic": "instant", "route": "direct"}
        rules = [
            {"from": "atmosphere", "to": "radiation", "lag": "PT20M", **rule},
            {"from": "radiation", "to": "atmosphere", "lag": lag, **rule},
        ]
        layout["radiation"] = ranks[1]
    return toy_case(folder, components=components, coupling=rules, layout=layout, duration=duration, restart=restart)


def air(folder):
    part = read_part(newest(folder / "run" / "restart"), "atmosphere")
    return {name: value for name, value in part.items() if name.startswith("state.")}


@pytest.mark.parametrize("scheme", ["gray", "rrtmg", "rrtmgp"])
def test_the_component_without_a_lag_gives_the_bits_of_the_scheme_in_line(tmp_path, scheme):
    if scheme == "rrtmg":
        pytest.importorskip("climt", reason="climt (RRTMG) is not installed")
    inline = case(tmp_path / "inline", scheme, inline=True)
    own = case(tmp_path / "own", scheme)
    for folder in (inline, own):
        tessera(folder, "--serial")
    left, right = air(inline), air(own)
    assert {"state.heat", "state.heating", "state.sky_longwave_down"} <= set(left) <= set(right)
    for name in sorted(left):
        np.testing.assert_array_equal(left[name], right[name], err_msg=name)
    assert np.abs(left["state.heating"]).max() > 1e-6


@pytest.mark.ranks
def test_with_a_lag_ranks_and_a_restart_in_flight_give_the_same_bits(tmp_path):
    """On 2 and 3 ranks to the restart, then on one process."""
    one = case(tmp_path / "one", "gray", lag="PT20M")
    parts = case(tmp_path / "parts", "gray", lag="PT20M", ranks=(2, 3), duration="PT40M")
    tessera(one, "--serial")
    tessera(parts)
    edit(parts, [("case.yaml", "duration: PT40M", "duration: PT1H")])
    tessera(parts, "--serial", "--continue")
    assert differences(one, parts, history=False) == []


def test_the_lag_matters(tmp_path):
    now, later = case(tmp_path / "now", "gray"), case(tmp_path / "later", "gray", lag="PT20M")
    for folder in (now, later):
        tessera(folder, "--serial")
    assert np.abs(air(now)["state.heating"] - air(later)["state.heating"]).max() > 1e-9


def test_check_names_the_rules_and_refuses_other_levels(tmp_path):
    good = case(tmp_path / "good", "gray")
    said = tessera("check", good).stdout
    assert "tendency_of_air_temperature_due_to_radiative_heating" in said
    bad = case(tmp_path / "bad", "gray")
    content = yaml.safe_load((bad / "case.yaml").read_text())
    content["components"]["radiation"]["gray"]["levels"] = 12
    (bad / "case.yaml").write_text(yaml.safe_dump(content))
    done = tessera("check", bad, check=False)
    assert done.returncode == 2 and "levels" in done.stderr
