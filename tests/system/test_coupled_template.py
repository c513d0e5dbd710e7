# SPDX-License-Identifier: BSD-3-Clause
"""The template east_asia_coupled, coarser and shortened: SMS, SER, PEM, ERS, ERP, NODEFAIL, and every model swapped."""

import csv
import os
import signal
import time

import numpy as np
import pytest

from coupler.case.case import make_plan
from coupler.case.explain import explain
from coupler.case.models import models_of
from coupler.exchange.flux_operator import FluxOperator
from coupler.exchange.operators import LinearOperator
from tests.toys.cases import ROOT, differences, started, tessera, wait_for
from tests.toys.coupled import coupled_case

MODELS = {"atmosphere": "nonhydrostatic", "ocean": "primitive", "land": "column", "radiation": "rrtmgp"}
SCHEMES = [m for m in models_of("radiation") if m != "gray"]
"""RRTMG, and the learned schemes there are."""
LAYOUT = (
    "  atmosphere: 2\n  ocean: 1\n  prescribed_ocean: {ranks: 1, with: ocean}\n"
    "  land: {ranks: 1, with: ocean}\n  radiation: {ranks: 2, with: atmosphere}\n"
)
NINE = "  atmosphere: 3\n  ocean: 2\n  prescribed_ocean: 1\n  land: {ranks: 2, with: ocean}\n  radiation: 1\n"


def untrained(model):
    """Whether a learned model has come without its network."""
    folder = ROOT / "components" / "ml_surrogates" / model
    return folder.is_dir() and not list(folder.glob("models/*.json"))


def swapped(realm, model):
    """The one word that is edited."""
    return "case.yaml", f"{realm}: {{model: {MODELS[realm]}}}", f"{realm}: {{model: {model}}}"


def layout(ranks, couplers=1):
    return [("case.yaml", LAYOUT, ranks), ("case.yaml", "  coupler: 1\n", f"  coupler: {couplers}\n")]


@pytest.fixture(scope="module", params=["rrtmgp", pytest.param("radiation_emulator", marks=pytest.mark.slow)])
def scheme(request):
    """The model of radiation."""
    return request.param


@pytest.fixture(scope="module")
def serial(tmp_path_factory, scheme):
    """Three hours on one process (SMS)."""
    case = coupled_case(tmp_path_factory.mktemp("coupled") / "case", swapped("radiation", scheme))
    tessera(case, "--serial", timeout=1200)
    return case


@pytest.mark.ranks
def test_four_ranks_give_the_bits_of_the_serial_run(serial, scheme, tmp_path):
    """PEM, SER."""
    case = coupled_case(tmp_path / "case", swapped("radiation", scheme))
    tessera(case, timeout=1200)
    assert differences(serial, case) == []


@pytest.mark.ranks
def test_a_restart_goes_on_to_the_same_bits_on_other_ranks(serial, scheme, tmp_path):
    """ERS, ERP."""
    case = coupled_case(tmp_path / "case", swapped("radiation", scheme), duration="PT2H")
    tessera(case, "--serial", timeout=1200)
    (case / "case.yaml").write_text((case / "case.yaml").read_text().replace("duration: PT2H", "duration: PT3H"))
    assert "2001-01-01T020000" in tessera(case, "--continue", timeout=1200).stdout
    assert differences(serial, case, history=False) == []


def test_what_is_sent_is_received(serial):
    rows = list(csv.DictReader((serial / "run" / "budget.csv").open()))
    expected = {"surface_downward_heat_flux_in_sea_water", "surface_downward_eastward_stress", "runoff_flux"}
    assert expected <= {r["flux"] for r in rows}
    assert max(float(r["worst_relative_residual"]) for r in rows) <= 1e-13


def test_every_cell_of_the_air_has_a_whole_surface(serial):
    """Ocean, prescribed ocean and land share out each cell; the ocean's ring of open edges is prescribed, not land."""
    plan = make_plan(serial)
    air = plan["atmosphere"].grids["default"]
    cells = np.arange(air.size)
    shares = {}
    for task in plan.tasks:
        slot = next((i for i, d in enumerate(task.outputs) if d.component == "atmosphere"), None)
        if slot is not None and task.route == "coupler":
            kind = FluxOperator if task.kind == "flux" else LinearOperator
            shares[task.tile.kind] = kind(plan, task, 0, 1).output_area(slot, cells)[1]
    assert set(shares) == {"", "outside", "land"}
    np.testing.assert_allclose(sum(shares.values()), 1.0, rtol=0, atol=1e-12)
    longitude, latitude = (np.ravel(a) for a in (air.longitude, air.latitude))
    pacific = (abs(longitude - 150.0) < 3.0) & (latitude > 10.0) & (latitude < 35.0)
    assert pacific.sum() > 3 and shares["land"][pacific].max() == 0.0
    indian = (abs(longitude - 98.0) < 4.0) & (abs(latitude + 4.0) < 2.0)  # a sea that the ocean model leaves out
    assert indian.any() and shares["outside"][indian].max() > 0.5


BESIDE = [("land", "rivers")]
"""Models that stand beside the one of their realm, not in its place."""
SWAPS = [(r, m) for r, used in MODELS.items() for m in models_of(r) if m != used and (r, m) not in BESIDE]


SAYS = {
    ("atmosphere", "data"): ("radiation: nobody takes what it gives: the case runs without it",),
    ("ocean", "slab"): ("ocean (model slab) has no such field",),
    ("ocean", "data"): ("ocean (model data) imports nothing",),
    ("land", "data"): ("land (model data) has no such field",),
}


@pytest.mark.parametrize(("realm", "model"), SWAPS)
def test_swapping_a_model_is_one_word_check_explains_it_and_it_runs(tmp_path, realm, model):
    """For an hour."""
    if untrained(model):
        pytest.skip(f"{model} has no trained network yet")
    case = coupled_case(tmp_path / "case", swapped(realm, model), duration="PT1H", restart="PT1H")
    said = explain(make_plan(case, offline_checks=True))
    for words in (f"{realm:<16} {model}, step", *SAYS.get((realm, model), ())):
        assert words in said, said
    tessera(case, "--serial")


@pytest.mark.ranks
@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
def test_nine_ranks_and_a_killed_process_give_the_bits_of_the_serial_run(tmp_path, scheme):
    """PEM and NODEFAIL, with each radiation scheme."""
    if untrained(scheme):
        pytest.skip(f"{scheme} has no trained network yet")
    one, two = (
        coupled_case(tmp_path / name, swapped("radiation", scheme), *ranks, duration="PT6H")
        for name, ranks in (("one", ()), ("two", layout(NINE, couplers=2)))
    )
    tessera(one, "--serial", timeout=1200)
    process = started(two)
    status = wait_for(two, 0.5, timeout=600)
    os.kill(status["pid"], signal.SIGKILL)
    killed = time.monotonic()
    process.communicate(timeout=60)
    assert process.returncode == 1 and time.monotonic() - killed < 30.0
    tessera(two, "--continue", timeout=900)
    assert differences(one, two) == []


@pytest.mark.ranks
@pytest.mark.slow
@pytest.mark.parametrize(("template", "hours"), [("east_asia_coupled", 3), ("east_asia_atmosphere", 3)])
def test_the_template_at_full_size_runs(tmp_path, template, hours):
    case = tmp_path / "case"
    tessera("new", case, "--template", template)
    text = (case / "case.yaml").read_text()
    for days in ("duration: P1D", "duration: P2D"):
        text = text.replace(days, f"duration: PT{hours}H")
    (case / "case.yaml").write_text(text.replace("  period: P1D", f"  period: PT{hours}H"))
    tessera(case, timeout=1800)
