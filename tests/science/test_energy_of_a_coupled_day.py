# SPDX-License-Identifier: BSD-3-Clause
"""The energy of the whole system over a coupled day: change of the stores = what crosses the borders, line by line.

The template east_asia_coupled on cells of 295 km, analytic start. Lines that hold by construction are held to rounding;
the others are printed in W m-2 of the atmosphere's area and bounded by what was measured.
"""

import numpy as np
import pytest

from coupler.case.case import make_plan
from coupler.case.command import main
from coupler.exchange.flux_operator import FluxOperator
from coupler.exchange.operators import LinearOperator
from tests.toys.coupled import coupled_case
from tests.toys.ledger import Ledger

GRAY = ("case.yaml", "radiation: {model: rrtmgp}", "radiation: {model: gray}")


def areas(plan):
    """Areas (ny, nx), m2, of the land that each column stands for, and of the prescribed sea in each air's cell."""
    grid = plan["atmosphere"].grids["default"]
    cells = np.arange(grid.size)
    land = next(t for t in plan.tasks if t.inputs[0].component == "land" and t.outputs[0].component == "atmosphere")
    sea = next(t for t in plan.tasks if t.tile.kind == "outside")
    slot = [d.component for d in sea.outputs].index("atmosphere")
    land, sea = (
        LinearOperator(plan, land, 0, 1).input_area(0, cells),
        FluxOperator(plan, sea, 0, 1).output_area(slot, cells)[0],
    )
    return land.reshape(grid.shape), sea.reshape(grid.shape)


def run(folder, monkeypatch, duration, *changes):
    """The ledger of a run, in W m-2 of the atmosphere's area."""
    case = coupled_case(folder / "case", *changes, duration=duration, restart=duration)
    plan = make_plan(case)
    ledger = Ledger(*areas(plan), 5)
    ledger.watch(monkeypatch)
    assert main([str(case), "--serial"]) == 0
    seconds = {"PT1H": 3600.0, "PT3H": 10800.0, "P1D": 86400.0}[duration]
    scale = 1.0 / (float(np.asarray(plan["atmosphere"].grids["default"].area).sum()) * seconds)
    lines = {name: value * scale for name, value in ledger.sums.items()}
    lines |= {f"change: {name}": (last - first) * scale for name, (first, last) in ledger.stores.items()}
    for name, value in sorted(lines.items()):
        print(f"{name:45s} {value:12.5f}")
    return lines


def closed(lines):
    """What each part leaves over, W m-2, positive where there is more than came in.

    The whole domain's residual is that of stores and outer borders alone: the model's lid, its sides, the sea that no
    model computes, and the warmth of water, which land counts from 0 degC and the air and the sea do not carry.
    """
    turbulent = lines["air gets sensible"] + lines["air gets vapour"] + lines["air loses snow"]
    land = lines["land gets radiation"] + lines["land gets sensible"]
    land -= lines["land loses vapour"] + lines["land gets snow"]
    warmth, leaves = lines["land: warmth of its water"], lines["land: heat of its leaves"]
    sea = lines["sea gets"] - lines["sea melts snow"]
    prescribed = lines["prescribed sea gets"] - lines["prescribed sea gets snow"]
    sides = lines["sides"] + lines["mass held at the driver's"]
    flying = lines["change: in flight to the ground"] + lines["change: in flight from the land"]
    left = {
        "air: physics": lines["physics"] - lines["heating"] - turbulent,
        "air: dynamics inside the frame": lines["dynamics inside"],
        "air: sum of its parts": lines["change: air"] - lines["physics"] - sides - lines["dynamics inside"],
        "radiation": lines["heating"] + lines["ground radiation"] - lines["lid"],
        "land": lines["change: land"] + leaves - land - warmth,
        "sea": lines["change: sea"] - sea,
        "in flight": flying - (lines["ground radiation"] - turbulent - land - sea - prescribed),
    }
    stores = lines["change: air"] + lines["change: land"] + leaves + lines["change: sea"] + flying
    left["whole domain"] = stores - (lines["lid"] + sides - prescribed + warmth)
    for name, value in left.items():
        print(f"left over, {name:45s} {value:12.5f}")
    return left


def check(left, whole, physics, dynamics, in_flight, radiation=4e-2):
    """What closes closes; what does not stays below what was measured."""
    assert abs(left["air: sum of its parts"]) < 1e-6 and abs(left["sea"]) < 1e-6
    assert abs(left["land"]) < 1e-6 and abs(left["radiation"]) < radiation
    assert abs(left["whole domain"] - sum(v for k, v in left.items() if k != "whole domain")) < 1e-6
    assert abs(left["air: physics"]) < physics and abs(left["air: dynamics inside the frame"]) < dynamics
    assert abs(left["in flight"]) < in_flight
    assert abs(left["whole domain"]) < whole


def test_the_first_hour(tmp_path, monkeypatch):
    """The air settles: -2.2 W m-2, of which the dynamics 1.3 and the physics -3.3."""
    left = closed(run(tmp_path, monkeypatch, "PT1H", GRAY))
    check(left, whole=2.5, physics=3.7, dynamics=1.5, in_flight=0.05, radiation=0.25)


@pytest.mark.slow
def test_three_hours(tmp_path, monkeypatch):
    """The morning of it: 1.3 W m-2, of which the dynamics 2.6, the physics -1.4 and what is in flight .1."""
    left = closed(run(tmp_path, monkeypatch, "PT3H", GRAY))
    check(left, whole=1.6, physics=1.5, dynamics=3.2, in_flight=0.12)


@pytest.mark.slow
def test_three_hours_with_rrtmgp(tmp_path, monkeypatch):
    """Another scheme, whose air above the lid heats and cools by itself, closes as well."""
    left = closed(run(tmp_path, monkeypatch, "PT3H"))
    check(left, whole=1.6, physics=1.5, dynamics=3.2, in_flight=0.1)


@pytest.mark.slow
def test_a_day(tmp_path, monkeypatch):
    """2.0 W m-2 are left over, of which the dynamics 1.8 and the physics .2."""
    left = closed(run(tmp_path, monkeypatch, "P1D", GRAY))
    check(left, whole=2.2, physics=0.3, dynamics=2.0, in_flight=0.05)
