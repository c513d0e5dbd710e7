# SPDX-License-Identifier: BSD-3-Clause
"""Schemes by table: a new one is a file and a line, and one of another package runs by its name, with its tracer."""

import numpy as np
import pytest

from components.atmosphere.nonhydrostatic.component import NonhydrostaticAtmosphere
from components.atmosphere.nonhydrostatic.physics.tables import CONVECTION, MICROPHYSICS, RADIATION
from components.ocean.primitive.mixing_schemes import MIXING
from components.science.schemes import Scheme, Table
from coupler.case.command import main
from coupler.errors import NamelistError
from coupler.files.restart import newest, read_part
from coupler.namelist import read_text
from tests.toys.cases import box, toy_case

AIR = {
    "levels": 10, "relief": "", "boundary_layer": "none", "convection": "none", "radiation": "gray",
    "precision": "double",
}  # fmt: skip
RAIN_OUT = "tests.toys.clouds:RAIN_OUT"


def case(folder, **options):
    """A case of the atmosphere alone, an hour long."""
    atmosphere = {
        "model": "nonhydrostatic", "step": "PT400S", "grid": box(100, 124, 20, 40, 2.0),
        "nonhydrostatic": {**AIR, **options},
        "output": [{"fields": ["trace", "precipitation_flux"], "period": "PT20M", "statistic": "instant"}],
    }  # fmt: skip
    return toy_case(
        folder, components={"atmosphere": atmosphere}, coupling=[], layout={"coupler": 1, "atmosphere": 1},
        duration="PT40M", restart="PT40M",
    )  # fmt: skip


def state(folder):
    part = read_part(newest(folder / "run" / "restart"), "atmosphere")
    return {name.removeprefix("state."): np.asarray(a) for name, a in part.items() if name.startswith("state.")}


def test_a_microphysics_and_tracers_of_another_package_run_by_name(tmp_path, capsys):
    """Serial run through the command: what rains out is what the scheme's own tracer counts."""
    tracers = [{"name": "trace", "start": 2.0}]
    folder = case(tmp_path / "own", microphysics={"scheme": RAIN_OUT, "share": 0.01}, tracers=tracers)
    assert main(["check", str(folder)]) == 0
    assert main([str(folder), "--serial"]) == 0, capsys.readouterr().err
    kept = state(folder)
    assert {"vapour", "rained_out", "trace"} <= set(kept) and "cloud_water" not in kept
    assert kept["rained_out"].max() > 1e-6
    np.testing.assert_allclose(kept["trace"], 2.0, rtol=1e-12)
    other = case(tmp_path / "all", microphysics=RAIN_OUT, tracers=tracers)
    assert main([str(other), "--serial"]) == 0
    assert state(other)["rained_out"].sum() > 1.2 * kept["rained_out"].sum(), "the option is heard"


def test_a_package_in_the_folder_of_the_case_is_found(tmp_path):
    folder = case(tmp_path / "mine", microphysics="clouds_of_this_case:NOTHING", tracers=[{"name": "trace"}])
    (folder / "clouds_of_this_case.py").write_text(
        "from components.science.schemes import Scheme\nNOTHING = Scheme('nothing')\n"
    )
    assert main(["check", str(folder)]) == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("microphysics: mixt_phase", "unknown microphysics 'mixt_phase'; did you mean 'mixed_phase'?; known: none,"),
        ("radiation: rrtm", "known: none, gray, rrtmg, rrtmgp, imported, or package.module:Name"),
        (
            "convection: no.such.package:PLUME",
            "convection 'no.such.package:PLUME' cannot be loaded: import of no.such.package raised",
        ),
        ("convection: tests.toys.clouds:rain_out", "is not a components.science.schemes.Scheme"),
        ("convection: {scheme: betts_miller, tua: 3600}", "has no option 'tua'; did you mean 'tau'?; it has: tau,"),
        ("convection: {scheme: betts_miller, tau: long}", "betts_miller: tau is a number, not 'long'"),
        ("convection: {tau: 3600}", "expected a word or {scheme: word, option: value}; known: none, betts_miller"),
        ("tracers: [{name: a, boundary: open}]", "tracers.0.boundary: input should be 'zero', 'hold', 'file'"),
    ],
)
def test_a_wrong_word_is_told_with_its_line_and_what_there_is(given, said):
    with pytest.raises(NamelistError) as error:
        read_text(f"levels: 20\n{given}\n", "atmosphere.yaml").parse(NonhydrostaticAtmosphere.Options)
    assert "atmosphere.yaml:2: " in str(error.value) and said in str(error.value)


def test_options_reach_the_scheme_and_defaults_stay():
    chosen = CONVECTION.choose({"scheme": "betts_miller", "tau": 3600})
    assert chosen.ready().keywords == {"tau": 3600.0, "humidity": 0.7}
    assert MICROPHYSICS.choose("kessler").ready() is MICROPHYSICS.schemes["kessler"].function
    assert MICROPHYSICS.choose("none").ready() is None and RADIATION.choose("none").ready() is None


def test_tables_are_loaded_once_where_a_scheme_prepares():
    loaded = []

    def prepare(size):
        loaded.append(size)
        return lambda x: x + size

    table = Table("addition", Scheme("slow", prepare=prepare, options={"size": 2.0}))
    function = table.choose("slow").ready()
    assert [function(1), function(2)] == [3.0, 4.0] and loaded == [2.0]


@pytest.mark.parametrize(
    ("table", "given", "message"),
    [
        (MICROPHYSICS, {"scheme": "wsm6", "droplets": -3.0e8}, "droplets: expected 1000000 to 1e+10 m-3"),
        (MICROPHYSICS, {"scheme": "wsm6", "droplets": 0}, "droplets: expected"),
        (CONVECTION, {"scheme": "betts_miller", "tau": -1}, "tau: expected 60 to 10000000 s, not -1"),
        (CONVECTION, {"scheme": "betts_miller", "humidity": 70}, "humidity: expected 0 to 1, not 70"),
        (CONVECTION, {"scheme": "mass_flux", "turnovers": 0}, "turnovers: expected"),
        (RADIATION, {"scheme": "rrtmgp", "overlap_length": -1}, "overlap_length: expected 0 to"),
        (MIXING, {"scheme": "kpp", "convective": -0.1}, "convective: expected 0 to 1000 m2 s-1"),
    ],
)
def test_options_of_schemes_have_bounds(table, given, message):
    with pytest.raises(ValueError) as error:
        table.choose(given)
    assert message in str(error.value)


@pytest.mark.parametrize("table", [MICROPHYSICS, CONVECTION, RADIATION, MIXING], ids=lambda t: t.process)
def test_every_number_among_the_options_of_our_schemes_has_bounds_that_hold_its_default(table):
    for scheme in table.schemes.values():
        for name, value in scheme.options.items():
            if isinstance(value, float):
                assert scheme.bounds[name].holds(value), (scheme.name, name)
