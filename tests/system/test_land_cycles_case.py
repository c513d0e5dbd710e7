# SPDX-License-Identifier: BSD-3-Clause
"""A small case of the land with all of its cycles on: bits on ranks and over a restart, deposition, the spin-up."""

import json
import shutil

import netCDF4
import numpy as np
import pytest

from components.land.column.component_cycles import DEPOSITION
from coupler.files import restart as sets
from tests.toys.air_over_land import FALLING, FALLING_PHOSPHORUS
from tests.toys.cases import box, differences, tessera, write_case

EVERYTHING = {
    "plants": {"mixed_forest": 0.4, "grassland": 0.3, "rice": 0.3},
    "tiles": 3,
    "leaves": "prognostic",
    "nitrogen": "fun",
    "hydraulics": "continuum",
    "irrigation": "paddy",
    "initial_temperature": 293.0,
    "optics": "spectral",
    "spectra": {"bands": ["modis_ndvi", "tropomi_sif_740"]},
}
BOOKS = [*(f"{k}_not_booked" for k in ("carbon", "nitrogen", "phosphorus")), "water_residual"]


def make(folder, duration, ranks=1, deposition=True, options=None, more=None):
    grid = box(100, 108, 26, 34, 2.0)
    parts = {
        "air": {
            "model": "tests.toys.air_over_land:AirOverLand", "step": "PT3H", "grid": grid,
            "options": {"deposition": deposition},
        },
        "land": {
            "model": "column", "step": "PT3H", "grid": grid, "column": {**EVERYTHING, **(options or {})},
            "output": [{"name": "books", "fields": [*BOOKS, "leaf_area_index"], "period": "PT12H"}],
        },
    }  # fmt: skip
    rules = [{"from": "air", "to": "land", "period": "PT3H", "lag": "PT3H"}]
    layout = {"coupler": 1, "air": 1, "land": ranks}
    case = {"duration": duration, "start": "2001-06-21", "restart": {"period": "PT12H", "keep": 9}, "layout": layout}
    return write_case(folder, parts, rules, **case, **(more or {}))


def go_on(folder, duration, ranks, *words):
    text = (folder / "case.yaml").read_text()
    for old, new in (("duration: PT12H", f"duration: {duration}"), ("  land: 1\n", f"  land: {ranks}\n")):
        assert old in text, old
        text = text.replace(old, new)
    (folder / "case.yaml").write_text(text)
    tessera(folder, "--continue", *words, timeout=900)


def not_booked(folder):
    found = {}
    for path in (folder / "run" / "history").glob("land*books*.nc"):
        with netCDF4.Dataset(path) as data:
            found |= {k: float(np.abs(np.ma.filled(data[k][:], 0.0)).max()) for k in BOOKS}
    return found


def land_of(folder, name):
    with netCDF4.Dataset(sorted((folder / "run" / "restart").iterdir())[-1] / "land.nc") as data:
        data.set_auto_mask(False)
        return np.asarray(data[f"state.{name}"][:])


@pytest.mark.ranks
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_one_two_and_four_ranks_and_a_restart_at_noon_have_the_same_bits(tmp_path):
    """36 hours, so that a day of growth and decay ends within them, after the restart."""
    one = make(tmp_path / "one", "PT36H")
    tessera(one, "--serial", timeout=900)
    left = not_booked(one)
    assert left.pop("water_residual") < 1e-9 and max(left.values()) < 1e-12
    assert float(land_of(one, "cycles_means_days").max()) == 1.0
    assert 5.0 < float(land_of(one, "pond").max()) <= 100.0
    four = make(tmp_path / "four", "PT36H", 4)
    tessera(four, timeout=900)
    assert differences(one, four) == []
    noon = make(tmp_path / "noon", "PT12H")
    tessera(noon, "--serial", timeout=900)
    go_on(noon, "PT36H", 2)
    assert differences(one, noon, history=False) == []


def test_deposition_is_imported_or_out_of_a_file_or_a_constant_and_the_log_says_which(tmp_path):
    light = {"hydraulics": "simple", "irrigation": "none", "optics": "table", "spectra": None, "tiles": 1}
    light["plants"] = {"grassland": 1.0}
    gained, phosphorus = {}, {}
    for kind in ("imported", "file", "constant"):
        options = light | ({"deposition_file": "falling.nc"} if kind != "constant" else {})
        folder = make(tmp_path / kind, "PT12H", deposition=kind == "imported", options=options)
        with netCDF4.Dataset(folder / "falling.nc", "w") as data:
            for name, first, units in (("lat", 27.0, "degrees_north"), ("lon", 101.0, "degrees_east")):
                values = np.arange(first, first + 7.0, 2.0)
                data.createDimension(name, values.size)
                data.createVariable(name, "f8", (name,))[:] = values
                data[name].units = units
            field = data.createVariable("falling", "f8", ("lat", "lon"))
            field.standard_name, field.units = DEPOSITION, "kg m-2 s-1"
            field[:] = 5e-10
        said = tessera(folder, "--serial")
        log = said.stdout + "".join(p.read_text() for p in (folder / "run").glob("*.log"))
        word = {"imported": "imported", "file": "falling.nc; cells", "constant": "21.1 kg N ha-1 a-1 everywhere"}[kind]
        assert f"nitrogen deposition: {word}" in log, log
        assert f"phosphorus deposition: {'imported' if kind == 'imported' else '0.378 kg P'}" in log, log
        gained[kind] = land_of(folder, "booked_nitrogen").mean() / 43200.0
        phosphorus[kind] = land_of(folder, "booked_phosphorus").mean() / 43200.0
    # Gases and what is washed out are small beside these.
    assert gained["file"] - gained["constant"] == pytest.approx(5e-10 - 6.69e-11, rel=0.05)
    assert gained["imported"] - gained["constant"] == pytest.approx(FALLING - 6.69e-11, rel=0.05)
    assert phosphorus["imported"] - phosphorus["file"] == pytest.approx(FALLING_PHOSPHORUS - 1.2e-12, rel=0.05)


def write_mean_year(path, celsius):
    """A climate of the box: its mean at each row of cells, degC, warmer and colder by 12 K through the year."""
    with netCDF4.Dataset(path, "w") as data:
        for name, values, units in (
            ("lat", [25, 27, 29, 31, 33, 35], "degrees_north"),
            ("lon", [99, 109], "degrees_east"),
        ):
            data.createDimension(name, len(values))
            data.createVariable(name, "f8", (name,))[:] = values
            data[name].units = units
        data.createDimension("month", 12)
        swing = 12.0 * np.cos(2.0 * np.pi * (np.arange(12) - 6.0) / 12.0)[:, None, None]
        warm = 273.15 + np.asarray(celsius, float)[:, None] + swing + np.zeros(2)
        for name, values, units in (
            ("precipitation_flux", 3e-5 + 0.0 * warm, "kg m-2 s-1"),
            ("air_temperature", warm, "K"),
        ):
            field = data.createVariable(name, "f8", ("month", "lat", "lon"))
            field.units, field.standard_name = units, name
            field[:] = values


def test_check_tells_once_a_crop_whose_every_variety_the_year_is_too_short_for(tmp_path):
    crops = {"plants": {"rice": 0.5, "wheat": 0.3, "grassland": 0.2}, "irrigation": "none", "climate": "climate.nc"}
    plain = {"optics": "table", "spectra": None}
    folder = make(tmp_path / "case", "PT12H", options=crops | plain)
    write_mean_year(folder / "climate.nc", [15, 15, 15, 15, 0, 0])
    said = tessera("check", folder).stdout
    line = (
        "rice: the year of climate.nc is too short for every variety in 4 of 16 cells that have it, one at 33 N 101 E"
    )
    assert said.count(line) == 1 and "give days of sowing (prepare)" in said, said
    assert "wheat: the year" not in said
    write_mean_year(folder / "climate.nc", [15] * 6)
    assert "too short" not in tessera("check", folder).stdout
    folder = make(tmp_path / "none", "PT12H", options=plain | {"plants": {"grassland": 1.0}, "climate": "climate.nc"})
    write_mean_year(folder / "climate.nc", [0] * 6)
    assert "too short" not in tessera("check", folder).stdout


def with_a_year(folder):
    """Pretend that the restart has lived for a year, so that the test need not."""
    path = sorted((folder / "run" / "restart").iterdir())[-1]
    manifest, arrays = sets.read_manifest(path), sets.read_part(path, "land")
    cells = arrays["state.cycles_means_days"] >= 0.0
    arrays["state.cycles_means_days"] = np.where(cells, 365.0, 0.0)
    for name, value in (("pace", 0.3), ("litter_pace", 0.3), ("litter", 0.05), ("wood", 0.1)):
        arrays[f"state.cycles_means_{name}"] = np.full_like(arrays[f"state.cycles_means_{name}"], value)
    part = path.parent / f".{path.name}.part"
    shutil.copytree(path, part)
    content = {k: v for k, v in manifest.items() if k not in ("sha256", "version")}
    content["components"] = {**manifest["components"], "land": sets.write_part(part, "land", arrays)}
    sets.complete(part, path, content)
    return path


def test_spinup_sets_a_restart_to_rest_and_the_run_goes_on_from_it(tmp_path):
    folder = make(tmp_path / "case", "PT12H")
    assert "has no complete restart" in tessera("spinup", folder, check=False).stderr
    tessera(folder, "--serial")
    early = tessera("spinup", folder, check=False)
    assert early.returncode != 0 and "knows 0 days of means, expected 365 at least" in early.stderr
    assert "--component with one of" not in early.stderr
    path = with_a_year(folder)
    before = sets.read_part(path, "land")
    wrong = tessera("spinup", folder, "--years", "-3", check=False)
    assert "--years -3: expected more than 0" in wrong.stderr
    assert "has no component 'sea'" in tessera("spinup", folder, "--component", "sea", check=False).stderr
    assert "no component with stores" in tessera("spinup", folder, "--component", "air", check=False).stderr
    said = tessera("spinup", folder).stdout
    assert "ETA" in said and "carbon in wood, kg m-2" in said and "--continue" in said
    after = sets.read_part(path, "land")
    assert sets.verify(path)
    kept = folder / "run" / "before_spin_up" / path.name
    assert np.array_equal(
        sets.read_part(kept, "land")["state.cycles_carbon_organic"], before["state.cycles_carbon_organic"]
    )
    changed = {k for k in before if not np.array_equal(before[k], after[k], equal_nan=True)}
    slow = ("_organic", "_wood", "_debris")
    assert any("carbon_organic" in k for k in changed)
    assert all(k.startswith("state.booked") or k.endswith(slow) for k in changed), changed
    assert json.loads((path / "manifest.json").read_text())["time"] == 43200
    disturb(folder, "{year: 1980, kind: harvest}")
    felled = tessera("spinup", folder).stdout
    assert "since harvest at the beginning of 1980" in felled
    for element in ("carbon", "nitrogen", "phosphorus"):
        assert f"{element} harvested, kg m-2" in felled
    young = sets.read_part(path, "land")
    assert 0.0 < young["state.cycles_carbon_plant_dead_wood"].sum() < after["state.cycles_carbon_plant_dead_wood"].sum()
    namelist = folder / "land.yaml"
    past = "  past: [{until: 1990, growth: .8}]\n"
    namelist.write_text(namelist.read_text().replace("  disturbance", f"{past}  disturbance"))
    assert "growth of the past from 0.8 of the last year's until 1990" in tessera("spinup", folder).stdout
    poorer = sets.read_part(path, "land")
    assert poorer["state.cycles_carbon_plant_dead_wood"].sum() < young["state.cycles_carbon_plant_dead_wood"].sum()
    go_on(folder, "PT24H", 1, "--serial")
    assert max(not_booked(folder).values()) < 1e-9


def disturb(folder, text):
    namelist = folder / "land.yaml"
    namelist.write_text(namelist.read_text().replace("nitrogen: fun", f"nitrogen: fun\n  disturbance: {text}"))


def test_what_replaced_a_stand_after_the_start_or_without_cycles_is_refused(tmp_path):
    folder = make(tmp_path / "case", "PT12H")
    disturb(folder, "{year: 2005}")
    assert "year 2005 is after the start, 2001" in tessera("check", folder, check=False).stderr
    folder = make(tmp_path / "none", "PT12H", options={"leaves": "prescribed", "nitrogen": "none"})
    namelist = folder / "land.yaml"
    namelist.write_text(namelist.read_text().replace("nitrogen: none", "nitrogen: none\n  disturbance: {year: 1980}"))
    assert "disturbance: this land has no cycles" in tessera("check", folder, check=False).stderr


def test_a_past_that_goes_back_or_on_is_refused(tmp_path):
    folder = make(tmp_path / "case", "PT12H")
    namelist = folder / "land.yaml"
    spans = "[{until: 1990, growth: .9}, {until: 1950, growth: .8}, {until: 2005, growth: 1}]"
    namelist.write_text(namelist.read_text().replace("nitrogen: fun", f"nitrogen: fun\n  past: {spans}"))
    said = tessera("check", folder, check=False).stderr
    assert "past: expected years that rise; found 1990, 1950, 2005" in said
    assert "past: until 2005 is after the start, 2001" in said


def test_help_teaches_the_spin_up(capsys):
    with pytest.raises(SystemExit):
        from coupler.case.command import main

        main(["spinup", "--help"])
    said = capsys.readouterr().out
    assert "under the means of a year" in said and "--continue" in said and "run/before_spin_up" in said
