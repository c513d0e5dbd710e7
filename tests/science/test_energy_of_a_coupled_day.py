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


def shares(plan):
    """Share of each of the atmosphere's cells by kind of surface: ocean '', prescribed 'outside', 'land'."""
    cells = np.arange(plan["atmosphere"].grids["default"].size)
    out = {}
    for task in plan.tasks:
        slot = next((i for i, d in enumerate(task.outputs) if d.component == "atmosphere"), None)
        if slot is not None and task.route == "coupler":
            kind = FluxOperator if task.kind == "flux" else LinearOperator
            out[task.tile.kind] = kind(plan, task, 0, 1).output_area(slot, cells)[1]
    return out


def run(folder, monkeypatch, duration):
    """The ledger of a run, in W m-2 of the atmosphere's area."""
    case = coupled_case(folder / "case", GRAY, duration=duration, restart=duration)
    plan = make_plan(case)
    grid = plan["atmosphere"].grids["default"]
    ledger = Ledger(shares(plan)["land"].reshape(grid.shape) * np.asarray(grid.area), 5)
    ledger.watch(monkeypatch)
    assert main([str(case), "--serial"]) == 0
    seconds = {"PT3H": 10800.0, "P1D": 86400.0}[duration]
    scale = 1.0 / (float(np.asarray(grid.area).sum()) * seconds)
    lines = {name: value * scale for name, value in ledger.sums.items()}
    lines |= {f"change: {name}": (last - first) * scale for name, (first, last) in ledger.stores.items()}
    for name, value in sorted(lines.items()):
        print(f"{name:45s} {value:12.5f}")
    return lines


def closed(lines):
    """What each part leaves over, W m-2, positive where there is more than came in."""
    into_air = lines["heating"] + lines["air gets sensible"] + lines["air gets vapour"] + lines["air loses snow"]
    from_air = (
        lines["ground radiation"] - lines["air gets sensible"] - lines["air gets vapour"] - lines["air loses snow"]
    )
    land = lines["land gets radiation"] + lines["land gets sensible"]
    land -= lines["land loses vapour"] + lines["land gets snow"]
    at_call = lines["ground radiation when it was called"]
    sea = lines["sea gets"] - lines["sea melts snow"]
    prescribed = from_air - land - sea
    sides = lines["sides"] + lines["mass held at the driver's"]
    left = {
        "air: physics": lines["physics"] - into_air,
        "air: dynamics inside the frame": lines["dynamics inside"],
        "air: sum of its parts": lines["change: air"] - lines["physics"] - sides - lines["dynamics inside"],
        "radiation: taken up above the lid": lines["heating"] + at_call - lines["top"],
        "radiation: ground that changes between its calls": lines["ground radiation"] - at_call,
        "land: warmth of its water": lines["land: warmth of its water"],
        "land: kept by leaves": -lines["land: heat of its leaves"],
        "land": lines["change: land"] - land - lines["land: warmth of its water"] + lines["land: heat of its leaves"],
        "sea": lines["change: sea"] - sea,
    }
    stores = lines["change: air"] + lines["change: land"] + lines["change: sea"]
    left["whole domain"] = stores - (lines["top"] + sides - prescribed)
    for name, value in left.items():
        print(f"left over, {name:45s} {value:12.5f}")
    return left


def check(left, whole, physics, dynamics):
    """What closes closes; what does not stays below what was measured."""
    assert abs(left["air: sum of its parts"]) < 1e-6 and abs(left["sea"]) < 1e-6
    assert abs(left["land"]) < 1e-6
    assert abs(left["whole domain"] - sum(v for k, v in left.items() if k != "whole domain")) < 1e-6
    assert abs(left["air: physics"]) < physics and abs(left["air: dynamics inside the frame"]) < dynamics
    assert abs(left["whole domain"]) < whole


def test_three_hours(tmp_path, monkeypatch):
    """The start of it: the ground warms and cools by 14 W m-2 between two calls of radiation."""
    check(closed(run(tmp_path, monkeypatch, "PT3H")), whole=18.0, physics=1.5, dynamics=3.2)


@pytest.mark.slow
def test_a_day(tmp_path, monkeypatch):
    """4.7 W m-2 are left over, of which radiation 3.3, the dynamics 1.8, water's warmth on land -.6."""
    check(closed(run(tmp_path, monkeypatch, "P1D")), whole=5.2, physics=0.3, dynamics=2.1)
