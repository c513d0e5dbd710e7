# SPDX-License-Identifier: BSD-3-Clause
"""A single column of the ocean: what is given is what arrives, mistakes are told, the file can be read."""

import numpy as np
import pytest
import xarray as xr

from components.ocean.primitive.column.__main__ import main
from components.ocean.primitive.column.parameters import CASES, read_case
from components.ocean.primitive.column.run import build, run, sunlight
from coupler.errors import NamelistError
from coupler.paths import NAMELISTS

FOLDER = NAMELISTS / CASES
SMALL = ["grid={depth: 60, levels: 12}", "duration=PT6H", "output=PT3H", "step=PT20M"]


def case(name, *changes):
    return read_case(FOLDER / f"{name}.yaml", [*SMALL, *changes])


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_case_of_the_project_starts_with_its_profiles(path):
    given = read_case(path)
    sea = build(given)
    h = given.grid.thickness()
    assert h.sum() == pytest.approx(given.grid.depth)
    np.testing.assert_allclose(
        sea.own(sea.state.tracers[0])[:, 0, 0], given.start.temperature.at(np.cumsum(h) - 0.5 * h)
    )


def test_heat_and_light_arrive_as_they_are():
    given = case("ows_papa_summer", "forcing={heat: -50, shortwave: 200}", "equation_of_state=linear")
    out = run(given)
    p = build(given).ocean.p
    gained = out.fields["sea_water_conservative_temperature"][-1] - out.fields["sea_water_conservative_temperature"][0]
    heat = p.rho0 * p.heat_capacity * (gained * out.fields["cell_thickness"][0]).sum()
    assert heat == pytest.approx(150.0 * 6 * 3600, rel=1e-10)


def test_the_diurnal_sun_has_the_mean_that_was_given():
    given = case("ows_papa_summer", "forcing={shortwave: 120, diurnal: true}", "day=170")
    light = [sunlight(given, 1200.0 * n) for n in range(72)]
    assert np.mean(light) == pytest.approx(120.0, rel=1e-12)
    assert min(light) == 0.0
    assert abs(int(np.argmax(light)) - 36) <= 1


def test_the_command_writes_a_file_that_xarray_reads(tmp_path, capsys):
    out = tmp_path / "profiles.nc"
    words = [w for change in SMALL for w in ("--set", change)]
    assert main(["free_convection", "-o", str(out), *words]) == 0
    assert "Free convection: 6 h in" in capsys.readouterr().out
    with xr.open_dataset(out, decode_times=False) as d:
        assert d.attrs["Conventions"] == "CF-1.11"
        assert d.sea_water_conservative_temperature.dims == ("time", "level")
        assert d.sizes == {"time": 3, "level": 12}


def test_mistakes_are_told_all_at_once_with_their_lines(tmp_path, capsys):
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        "title: bad\nduration: PT1H\ngrid: {depth: 10, levels: 20, first: 2}\n"
        "start:\n  temperature: {depth: [0, 5], value: [15]}\nvertical_mixing: tek\n"
    )
    with pytest.raises(NamelistError) as error:
        read_case(bad)
    said = str(error.value)
    assert "bad.yaml:3: " in said and "below the sea floor" in said
    assert "bad.yaml:5: " in said and "value has 1 entries, depth 2" in said
    assert "bad.yaml:6: " in said and "did you mean 'tke'" in said
    assert main(["no_such_column"]) == 2
    assert "known columns: free_convection, kato_phillips" in capsys.readouterr().err


def test_the_end_is_in_the_file_and_its_means_are_of_the_time_since_the_last_output():
    out = run(case("ows_papa_summer", "forcing={heat: -50, shortwave: 200}", "duration=PT4H"))
    assert out.time.tolist() == [0.0, 10800.0, 14400.0]
    np.testing.assert_allclose(out.fields["surface_net_downward_shortwave_flux"][1:], 200.0, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("start.temperature={depth: [0], value: [288]}", "expected -3 to 45 degC, not 288"),
        ("start.salinity={depth: [0], value: [0.035, 60]}", "value has 2 entries"),
        ("forcing.freshwater=5", "expected -0.1 to 0.1 kg m-2 s-1, not 5"),
    ],
)
def test_a_value_in_another_unit_is_refused_where_it_was_given(change, message):
    with pytest.raises(NamelistError) as error:
        case("free_convection", change)
    assert message in str(error.value)
    assert str(error.value).startswith("--set: ")
