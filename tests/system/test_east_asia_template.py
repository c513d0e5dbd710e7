# SPDX-License-Identifier: BSD-3-Clause
"""The template east_asia, shortened: SMS, SER, PEM, ERP, swaps, budgets, output."""

import csv
import os
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
import xarray

from coupler.case.case import make_plan
from coupler.exchange.flux_operator import FluxOperator
from coupler.exchange.operators import LinearOperator
from coupler.remap.weights import make_weights
from tests.toys.cases import ROOT, differences, environment, started, tessera, wait_for

RAIN = "{from: atmosphere, to: ocean, period: PT1H, lag: PT1H, remap: conservative}"
SIX_HOURS = RAIN.replace("period: PT1H, lag: PT1H", "period: PT6H, lag: PT6H")
LAYOUT = "  atmosphere: 2\n  ocean: 2\n  land: 1\n"
THREE = "  atmosphere: 1\n  ocean: 1\n  land: {ranks: 1, with: ocean}\n"
FIVE = "  atmosphere: 2\n  ocean: 1\n  land: 1\n"
PACIFIC = ("lat", 12.0, 44.0), ("lon", 142.0, 158.0)
EIGHT = "  atmosphere: 2\n  ocean: 3\n  land: 1\n"


def make(folder, duration="P1D", **edits):
    """A shortened case of the template, with rain in means of six hours and restarts at 15 h, inside such a window."""
    tessera("new", folder)
    edits = {"duration": ("duration: P60D", f"duration: {duration}"), "restart": ("period: P30D", "period: PT15H"),
             "rain": (RAIN, SIX_HOURS), **edits}  # fmt: skip
    text = (folder / "case.yaml").read_text()
    for old, new in edits.values():
        assert old in text, old
        text = text.replace(old, new)
    (folder / "case.yaml").write_text(text)
    return folder


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """One day on one process."""
    case = make(tmp_path_factory.mktemp("template") / "case")
    tessera(case, "--serial")
    return case


def stripes(case, cells=4):
    """Power of the heat flux north-south at a wavelength of ``cells`` of the ocean over that at its neighbours.

    The mean over the meridians of the north-western Pacific (142-158E, 12-44N) that meet no island; 4 cells are one of
    the air's, 2 its half.
    """
    with xarray.open_dataset(case / "run/history/ocean.daily.nc") as f:
        flux = f["surface_downward_heat_flux_in_sea_water"][0].to_numpy()
        rows, columns = ((f[n].to_numpy() > low) & (f[n].to_numpy() < high) for n, low, high in PACIFIC)
    flux = flux[np.ix_(rows, columns)]
    flux, n = flux[:, np.isfinite(flux).all(0)], len(flux)
    trend = np.linspace(-1.0, 1.0, n)[:, None]
    flux = flux - flux.mean(0) - trend * (trend * flux).sum(0) / (trend * trend).sum()
    power = (np.abs(np.fft.rfft(flux * np.hanning(n)[:, None], axis=0)) ** 2).mean(1)
    off = np.abs(np.arange(len(power)) - n // cells)
    return power[off <= 1].mean() / np.exp(np.log(power[(off > 1) & (off <= 4)]).mean())


def test_the_rows_of_the_air_do_not_show_in_the_sea(serial, tmp_path):
    """A smooth air leaves no stripes of its two-degree rows in the heat flux; one of cells does (and is found)."""
    cells = make(tmp_path / "case", air=("states: second_order", "states: cell"))
    tessera(cells, "--serial")
    smooth, rough = ([stripes(case, n) for n in (4, 2)] for case in (serial, cells))
    print(f"power at one and a half cell of the air beside its neighbours: {smooth}; of cells {rough}")
    assert max(smooth) < 1.5
    assert min(rough) > 50.0


@pytest.mark.ranks
@pytest.mark.parametrize(
    ("coupler", "layout"),
    [
        pytest.param(1, THREE, id="3_ranks"),
        pytest.param(1, FIVE, id="5_ranks", marks=pytest.mark.slow),
        pytest.param(2, EIGHT, id="8_ranks_2_couplers", marks=pytest.mark.slow),
    ],
)
def test_any_layout_gives_the_bits_of_the_serial_run(serial, tmp_path, coupler, layout):
    case = make(tmp_path / "case", layout=(LAYOUT, layout), coupler=("  coupler: 1\n", f"  coupler: {coupler}\n"))
    tessera(case)
    assert differences(serial, case) == []


@pytest.mark.ranks
def test_a_restart_inside_a_mean_window_continues_to_the_same_bits_on_other_ranks(serial, tmp_path):
    """With two couplers and 8 processes to the restart, with 4 after it."""
    case = make(tmp_path / "case", "PT15H", layout=(LAYOUT, EIGHT), coupler=("  coupler: 1\n", "  coupler: 2\n"))
    tessera(case)
    (case / "case.yaml").write_text((case / "case.yaml").read_text().replace("duration: PT15H", "duration: P1D"))
    assert "2001-01-01T150000" in tessera(case, "--continue", "-n", 4).stdout
    assert differences(serial, case) == []


@pytest.mark.ranks
def test_a_killed_process_ends_the_job_and_the_run_resumes_to_the_same_bits(serial, tmp_path):
    case = make(tmp_path / "case", restart=("period: P30D", "period: PT3H"))
    process = started(case)
    status = wait_for(case, 0.3)
    os.kill(status["pid"], signal.SIGKILL)
    killed = time.monotonic()
    process.communicate(timeout=60)
    assert process.returncode == 1 and time.monotonic() - killed < 10.0
    out = tessera("status", case).stdout
    assert all(name in out for name in ("atmosphere", "ocean", "land", "last exchange", "--continue"))
    tessera(case, "--continue")
    assert differences(serial, case) == []


def test_heat_water_and_momentum_sent_are_received(serial):
    rows = list(csv.DictReader((serial / "run" / "budget.csv").open()))
    names = {r["flux"] for r in rows}
    assert {"surface_downward_heat_flux_in_sea_water", "precipitation_flux", "water_evapotranspiration_flux"} <= names
    stress = {"surface_downward_eastward_stress", "surface_downward_northward_stress"}
    assert stress <= names
    for quantity in (*stress, "water_evapotranspiration_flux"):  # what the node made for one side it made for the other
        made = [r["sent"] for r in rows if r["flux"] == quantity and "air_sea" in r["rule"]]
        assert len(made) == 2 and made[0] == made[1]
    for r in rows:
        assert float(r["worst_relative_residual"]) <= 1e-13, r
        assert abs(float(r["sent"]) - float(r["received"])) <= 1e-13 * abs(float(r["sent"])) + 1e-300


def test_the_mosaic_shares_out_every_atmosphere_cell_once(serial):
    """What the connections to ocean and land take of each atmosphere cell adds up to what of it is in the domain."""
    plan = make_plan(serial)
    air, sea = plan["atmosphere"].grids["default"], plan["ocean"].grids["default"]
    from_air = [t for t in plan.tasks if t.kind == "connection" and t.inputs[0].component == "atmosphere"]
    operators = {t.outputs[0].component: LinearOperator(plan, t, 0, 1) for t in from_air}
    cells = np.arange(air.size)
    wet, dry = (operators[name].input_area(0, cells) for name in ("ocean", "land"))
    overlap = make_weights(air, sea, "conservative", source_mask=None, target_mask=None)
    inside = np.bincount(overlap.indices, overlap.area, minlength=air.size)
    np.testing.assert_allclose(wet + dry, inside, rtol=0, atol=1e-13 * air.area.max())
    coast = (wet > 0) & (dry > 0)
    assert coast.sum() > 200
    node = FluxOperator(plan, next(t for t in plan.tasks if t.kind == "flux"), 0, 1)
    np.testing.assert_allclose(
        np.bincount(node.cells[0], node.area, minlength=air.size), wet, rtol=0, atol=1e-13 * air.area.max()
    )


def test_swapping_the_ocean_is_one_word_and_check_says_what_became_inactive(serial, tmp_path):
    case = make(tmp_path / "case", "PT6H", ocean=("ocean: {model: slab}", "ocean: {model: data}"),
                restart=("period: P30D", "period: PT6H"))  # fmt: skip
    out = tessera("check", case).stdout
    assert "inactive:" in out and "ocean (model data) imports nothing" in out
    tessera(case, "--serial")


def test_swapping_the_land_is_one_word(tmp_path):
    case = make(tmp_path / "case", "PT6H", land=("land: {model: slab}", "land: {model: data}"),
                restart=("period: P30D", "period: PT6H"))  # fmt: skip
    assert "land (model data) imports nothing" in tessera("check", case).stdout
    tessera(case, "--serial")


def test_xarray_opens_every_output_without_a_warning_and_with_the_right_calendar(serial):
    files = sorted((serial / "run" / "history").glob("*.nc"))
    assert files
    for path in files:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with xarray.open_dataset(path) as data:
                data.load()
                first = data["time"].values[0]
                assert first.calendar == "noleap" and (first.year, first.month) == (2001, 1)
                assert {"lat", "lon"} <= set(data.coords)


def test_plot_draws_a_field_and_names_those_there_are(serial):
    out = tessera("plot", serial, "sea_surface_temperature").stdout.split()
    assert out and all(p.endswith(".png") for p in out)
    done = tessera("plot", serial, "sea_surface_temprature", check=False)
    assert done.returncode and "sea_surface_temperature" in done.stderr


def test_too_few_ranks_are_told_with_the_exact_command(tmp_path):
    case = make(tmp_path / "case")
    done = tessera("run", case, "-n", 3, check=False)
    assert done.returncode == 2
    assert "at least 4" in done.stderr and f"mpirun -n 6 ./run_case.py {case}" in done.stderr


@pytest.mark.ranks
def test_mpirun_by_hand_works_too(tmp_path):
    case = make(tmp_path / "case", "PT2H", restart=("period: P30D", "period: PT2H"))
    mpirun = f"{sys.prefix}/bin/mpirun"
    command = [mpirun, "--allow-run-as-root", "--oversubscribe", "-n", "4", sys.executable, "run_case.py", str(case)]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=environment(), timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "finished; output is in" in done.stdout and "simulated years per day" in done.stdout
