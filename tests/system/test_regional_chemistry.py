# SPDX-License-Identifier: BSD-3-Clause
"""The regional chemistry beside the atmosphere: a constant stays, and ranks and restarts leave the bits alone."""

import numpy as np
import pytest

from coupler.files.restart import newest, read_part
from tests.toys.cases import box, differences, tessera, toy_case

GRID = box(100, 124, 20, 40, 2.0)
AIR = {"levels": 8, "relief": "", "boundary_layer": "none", "radiation": "none", "microphysics": "kessler",
       "convection": "betts_miller", "precision": "double", "export_air": True}  # fmt: skip
TRACERS = [
    {"name": "one", "units": "1", "start": 1.0, "surface_flux": 0.0},
    {"name": "dust", "start": 0.0, "boundary": "zero", "settles": 0.02, "surface_flux": 1.0e-9},
]
RULE = {"from": "atmosphere", "to": "chemistry", "period": "PT20M", "route": "direct"}


def case(folder, *, rules=(RULE,), ranks=(1, 1), duration="PT2H", restart="PT20M"):
    """An atmosphere and its chemistry."""
    chemistry = {"levels": 8, "tracers": TRACERS, "carbon_dioxide": {"start": 4.0e-4, "fossil_flux": 1.0e-8}}
    components = {
        "atmosphere": {"model": "nonhydrostatic", "step": "PT400S", "grid": GRID, "nonhydrostatic": AIR},
        "chemistry": {"model": "regional", "step": "PT20M", "grid": GRID, "regional": chemistry},
    }
    layout = {"coupler": 1, "atmosphere": ranks[0], "chemistry": ranks[1]}
    return toy_case(
        folder, components=components, coupling=list(rules), layout=layout, duration=duration, restart=restart
    )


def chemistry_of(folder):
    return read_part(newest(folder / "run" / "restart"), "chemistry")


def test_a_coupled_run_keeps_a_constant_and_the_same_bits_after_a_restart(tmp_path):
    whole, parts = case(tmp_path / "whole"), case(tmp_path / "parts", duration="PT40M")
    tessera(whole, "--serial")
    tessera(parts, "--serial")
    text = (parts / "case.yaml").read_text()
    (parts / "case.yaml").write_text(text.replace("duration: PT40M", "duration: PT2H"))
    tessera(parts, "--continue", "--serial")
    assert differences(whole, parts, history=False) == []
    kept = chemistry_of(whole)
    assert np.abs(kept["state.one"] - 1.0).max() < 1e-12
    assert kept["state.dust"].max() > 0.0 and kept["state.dust_deposition"].max() > 0.0
    fossil, air = kept["state.carbon_dioxide_of_fossil_fuel"], kept["state.air"]
    assert fossil.max() > 1e-9
    inner = (slice(1, -1),) * 2
    content = (fossil * air).sum(0)[inner]
    booked = sum(
        kept[f"state.carbon_dioxide_of_fossil_fuel_{k}"] for k in ("added_with_air", "transport", "surface_flux")
    )
    assert np.allclose(booked[inner], content, rtol=0, atol=1e-10 * content.max())
    given = 1.0e-8 / 0.0120107 * 0.0289644 * 7200.0
    assert np.allclose(kept["state.carbon_dioxide_of_fossil_fuel_surface_flux"], given, rtol=1e-9)


@pytest.mark.ranks
def test_ranks_leave_the_bits_alone(tmp_path):
    one, more = case(tmp_path / "one", duration="PT1H"), case(tmp_path / "more", ranks=(2, 4), duration="PT1H")
    tessera(one, "--serial")
    tessera(more)
    assert differences(one, more, history=False) == []


def test_an_averaged_air_mass_is_refused(tmp_path):
    folder = case(tmp_path / "wrong", rules=({**RULE, "statistic": "mean"},))
    done = tessera("check", folder, check=False)
    assert done.returncode
    said = done.stdout + done.stderr
    assert "atmosphere_mass_content_of_dry_air_in_layer" in said and "statistic: instant, not mean" in said
