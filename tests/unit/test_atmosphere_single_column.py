# SPDX-License-Identifier: BSD-3-Clause
"""A single column: at rest it stays, what is given is what arrives, mistakes are told, the file can be read."""

import numpy as np
import pytest
import xarray as xr

from components.atmosphere.nonhydrostatic.column.__main__ import main
from components.atmosphere.nonhydrostatic.column.hydrostatic import columns, start
from components.atmosphere.nonhydrostatic.column.parameters import CASES, read_case
from components.atmosphere.nonhydrostatic.column.run import run
from components.atmosphere.nonhydrostatic.column.surface import _of_richardson, psi_h, psi_m
from components.atmosphere.nonhydrostatic.physics.tables import Schemes
from components.science.constants import CP_DRY, GRAVITY, LATENT_VAPORISATION
from coupler.errors import CaseError, NamelistError
from coupler.paths import NAMELISTS

FOLDER = NAMELISTS / CASES

SMALL = ["grid.spacing=250", "grid.top=3000", "duration=PT1H", "output=PT30M"]


def profile(x):
    return f"{{height: [0], value: [{x}]}}"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_case_of_the_project_starts_in_balance_at_its_heights(path):
    case = read_case(path)
    species = Schemes.of_options(case).species()
    c = columns(start(case, species), species)
    z = c.z_interface[:, 0, 0].numpy()
    top = case.grid.top
    assert abs(z[-1] - top) < 1e-6 * top
    weight = c.mass * (1.0 + start(case, species).parts["vapour"])
    p = c.p[:, 0, 0].numpy()
    assert abs(p[0] + 0.5 * GRAVITY * float(weight[0]) - case.surface_pressure) < 1e-6
    assert np.all(np.diff(p) < 0.0)


def test_without_forcing_and_fluxes_nothing_moves():
    quiet = ["boundary_layer=none", "convection=none", "forcing={}", *SMALL]
    out = run(read_case(FOLDER / "bomex.yaml", quiet)).profiles
    for name in ("air_potential_temperature", "specific_humidity", "eastward_wind", "height"):
        np.testing.assert_allclose(out[name][-1], out[name][0], rtol=1e-12)


def test_given_tendencies_and_fluxes_arrive_as_they_are():
    given = [
        f"forcing={{temperature_tendency: {profile(-2e-5)}, specific_humidity_tendency: {profile(1e-8)}}}",
        "surface={sensible_heat_flux: 30, latent_heat_flux: 100, friction_velocity: 0.3}",
        "microphysics=none", "convection=none", *SMALL,
    ]  # fmt: skip
    out = run(read_case(FOLDER / "bomex.yaml", given)).profiles
    mass, q = out["dry_air_mass"][0], out["specific_humidity"]
    r = q / (1.0 - q)
    water = (mass * (r[-1] - r[0])).sum() / 3600.0
    wanted = (mass * (1.0 + r[0]) ** 2).sum() * 1e-8 + 100.0 / LATENT_VAPORISATION
    assert abs(water / wanted - 1.0) < 1e-3
    heat = CP_DRY * (mass * (out["air_temperature"][-1] - out["air_temperature"][0])).sum() / 3600.0
    assert abs(heat - (30.0 - 2e-5 * CP_DRY * mass.sum())) < 1.5, "but for the weight of the water that came, W m-2"


def test_the_wind_turns_about_the_geostrophic_one_in_an_inertial_period():
    f = 1e-4
    turned = [
        f"coriolis_parameter={f}", f"forcing={{geostrophic_eastward_wind: {profile(-10)}}}", "boundary_layer=none",
        "convection=none", f"start.eastward_wind={profile(-6)}", *SMALL, f"duration=PT{5400}S", "output=PT30M",
    ]  # fmt: skip
    out = run(read_case(FOLDER / "bomex.yaml", turned))
    angle = f * out.time
    np.testing.assert_allclose(out.profiles["eastward_wind"][:, 3], -10.0 + 4.0 * np.cos(angle), atol=1e-9)
    np.testing.assert_allclose(out.profiles["northward_wind"][:, 3], -4.0 * np.sin(angle), atol=1e-9)


@pytest.mark.parametrize("bulk", [-2.0, -0.1, 0.0, 0.01, 0.1])
def test_similarity_gives_the_richardson_number_that_it_was_asked_for(bulk):
    log_m, log_h, beta = 4.0, 6.0, (4.8, 7.8)
    zeta = _of_richardson(bulk, log_m, log_h, beta)
    back = zeta * (log_h - psi_h(zeta, beta[1])) / (log_m - psi_m(zeta, beta[0])) ** 2
    assert abs(back - bulk) < 1e-6 * max(1.0, abs(bulk))
    assert psi_m(-1e-6, 5.0) == pytest.approx(4e-6, rel=0.1) and psi_h(-1e-6, 5.0) == pytest.approx(8e-6, rel=0.1)


def test_the_command_writes_a_file_that_xarray_reads(tmp_path, capsys):
    out = tmp_path / "profiles.nc"
    words = [w for change in SMALL for w in ("--set", change)]
    assert main(["bomex", "-o", str(out), *words]) == 0
    assert "BOMEX: 1 h in" in capsys.readouterr().out
    with xr.open_dataset(out, decode_times=False) as d:
        assert d.attrs["Conventions"] == "CF-1.11" and "Siebesma" in d.attrs["references"]
        assert d.specific_humidity.dims == ("time", "level") and d.sizes == {"time": 3, "level": 12, "interface": 13}
        assert float(abs(d.column_water_residual[1:]).max()) < 1e-12


def test_mistakes_are_told_all_at_once_with_their_lines(tmp_path, capsys):
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        "title: bad\nduration: PT1H\nsurface_pressure: 1e5\nstart:\n"
        "  potential_temperature: {height: [0, 5], value: [300]}\nsurface: {sensible_heat_flux: 10}\n"
        "convection: betts_muller\n"
    )
    with pytest.raises(NamelistError) as error:
        read_case(bad)
    said = str(error.value)
    assert "bad.yaml:5: " in said and "value has 1 entries, height 2" in said
    assert "bad.yaml:7: " in said and "did you mean 'betts_miller'" in said
    assert main(["no_such_column"]) == 2
    assert "known columns: arm_shallow_cumulus, bomex" in capsys.readouterr().err
    assert main(["bomex", "--set", "grid.spacing"]) == 2
    assert "expected KEY=VALUE" in capsys.readouterr().err


def test_the_end_is_in_the_file_whether_an_interval_ends_there_or_not():
    course = run(read_case(FOLDER / "bomex.yaml", [*SMALL, "duration=PT40M"]))
    assert course.time.tolist() == [0.0, 1800.0, 2400.0]
    heat = course.profiles["surface_upward_sensible_heat_flux"]  # given, about 10 W m-2: a mean whatever its interval
    assert heat[2] == pytest.approx(heat[1], rel=0.01)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("start.specific_humidity={height: [0, 3000], value: [12, 3]}", "expected 0 to 0.1 kg kg-1, not 12"),
        ("start.potential_temperature={height: [0], value: [25]}", "expected 100 to 100000 K, not 25"),
        ("surface_pressure=1015", "expected 20000 to 120000 Pa"),
        ("surface.friction_velocity=0", "expected 0.001 to 10 m s-1, not 0"),
        ("forcing.temperature_tendency={height: [0], value: [-2]}", "expected -0.1 to 0.1 K s-1, not -2"),
        ("surface.kinematic_heat_flux={time: [0, 60], value: [0.1, 80]}", "expected -2 to 5 K m s-1, not 80"),
        ("grid={levels: 1}", "grid.levels: expected 3 to 2000"),
    ],
)
def test_a_value_in_another_unit_is_refused_where_it_was_given(change, message):
    with pytest.raises(NamelistError) as error:
        read_case(FOLDER / "bomex.yaml", [change])
    assert message in str(error.value)
    assert str(error.value).startswith("--set: ")


def test_radiation_is_due_at_a_step():
    """Each 90 s with steps of 60 s it would come every third step."""
    with pytest.raises(NamelistError, match="interval is not a multiple of step"):
        read_case(FOLDER / "bomex.yaml", ["radiation=gray", "sun.interval=PT90S"])
    assert read_case(FOLDER / "bomex.yaml", ["sun.interval=PT90S"]).radiation == "none"


def test_layers_that_cannot_be_in_balance_are_refused():
    with pytest.raises(NamelistError, match="at least 3 layers"):
        read_case(FOLDER / "bomex.yaml", ["grid={spacing: 2000, top: 3000}"])
    with pytest.raises(NamelistError, match="the middle of the lowest layer, 25 m"):
        read_case(FOLDER / "bomex.yaml", ["surface.roughness=30"])
    with pytest.raises(CaseError, match="take thinner layers"):
        run(read_case(FOLDER / "bomex.yaml", ["grid={spacing: 20000, top: 90000}"]))
