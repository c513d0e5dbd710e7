"""Two days of real weather over East Asia with the sides held: stable, mass kept.

ERA5 of 1959-01-02 and ERA-Interim of 2005-01-23 (winter; the latter with heights and humidity made from what it has)
and the NCEP June climatology (summer monsoon) as start and sides, over a ground that returns simple fluxes.
The domain-mean surface pressure must not drift by 1 hPa
and the jet of the driver must stay.
"""

import dataclasses

import numpy as np
import pytest

from components.atmosphere.nonhydrostatic import pressure_levels
from components.atmosphere.nonhydrostatic.component import NonhydrostaticAtmosphere
from components.atmosphere.nonhydrostatic.physics import centre_wind
from tests.mpi.atmosphere_ranks import context, surface

CASES = {
    "era5_1959_january": "era5_tl31_19590102T00.nc",
    "era_interim_2005_january": "era_interim_20050123/2005-01-23-0000-*.nc",
    "ncep_june": "NCEP_06_climo.nc",
}


def run(shared, case, hours, step, **size):
    """Drift of the domain-mean surface pressure (Pa), largest w (m/s).

    Strongest wind at start and end (m/s), mean rain.
    """
    c = context(step=step, **size)
    paths = [str(path) for path in sorted((shared / "data/atmosphere").glob(CASES[case]))]
    air = NonhydrostaticAtmosphere(NonhydrostaticAtmosphere.Options(driver=paths, radiation="gray"))
    exports = air.initialize(c)
    start = exports["surface_air_pressure"].mean()
    jet = float(centre_wind(air.geometry, air.s)[0].max())
    rain = 0.0
    for n in range(hours * 3600 // step):
        exports = air.step(n * step, step, surface(c, exports))
        rain += exports["precipitation_flux"].mean() * step
    drift = exports["surface_air_pressure"].mean() - start
    w = air.diagnostics()["largest_upward_air_velocity"].max()
    last = float(centre_wind(air.geometry, air.s)[0].max())
    print(
        case, hours, "h: drift of surface pressure", drift, "Pa, w", w, "m/s, jet", jet, last, "m/s, rain", rain, "mm"
    )
    return drift, w, jet, last, rain


@pytest.mark.parametrize("case", CASES)
def test_six_hours_at_200_km_are_stable(shared, case):
    drift, w, jet, last, _ = run(shared, case, 6, 600)
    assert abs(drift) < 200.0
    assert w < 2.0
    if case.startswith("era"):  # a climatology is no balanced state: its jet changes
        assert abs(last - jet) < 0.2 * jet


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("case", CASES)
def test_two_days_at_50_km_are_stable_and_keep_their_mass(shared, case):
    drift, w, jet, last, rain = run(shared, case, 48, 240, nx=128, ny=92, dx=50e3)
    assert abs(drift) < 100.0
    assert w < 5.0
    if case.startswith("era"):
        assert abs(last - jet) < 0.2 * jet
    assert 0.5 < rain < 40.0


@pytest.mark.parametrize("case", CASES)
def test_prepared_files_give_the_start_that_the_analyses_give(shared, case, tmp_path):
    """The three real states through `prepare`, on the model's grid: the same surface pressure, wind and jet."""
    c = context()
    paths = sorted((shared / "data/atmosphere").glob(CASES[case]))
    off = {k: "none" for k in ("microphysics", "boundary_layer", "convection", "radiation")}
    said = []
    made = NonhydrostaticAtmosphere(NonhydrostaticAtmosphere.Options(**off)).prepare_inputs(
        dataclasses.replace(c, folder=tmp_path), paths, lambda text, share: said.append(text)
    )
    assert any("the sides are held" in text for text in said)
    assert any("no geopotential" in text for text in said) == case.startswith("era_interim")
    states = []
    for driver in ([str(path) for path in paths], [str(tmp_path / name) for name in made["driver"]]):
        air = NonhydrostaticAtmosphere(NonhydrostaticAtmosphere.Options(driver=driver, **off))
        exports = air.initialize(c)
        states.append((exports["surface_air_pressure"], *(w.numpy() for w in centre_wind(air.geometry, air.s))))
    (p_0, u_0, v_0), (p_1, u_1, v_1) = states
    print(case, "prepared minus direct: surface pressure", np.abs(p_1 - p_0).max(), "Pa, wind", np.abs(u_1 - u_0).max())
    assert np.abs(p_1 - p_0).max() < 1.0
    assert np.abs(u_1 - u_0).max() < 0.01 and np.abs(v_1 - v_0).max() < 0.01


def test_driver_columns_are_hydrostatic(shared):
    """Pressure interpolated to heights against the hypsometric equation between them (mean virtual temperature)."""
    data = pressure_levels.read_analysis([shared / "data/atmosphere" / CASES["ncep_june"]])
    lon, lat = np.meshgrid(np.linspace(95.0, 145.0, 6), np.linspace(15.0, 50.0, 5))
    z = np.arange(200.0, 15000.0, 100.0)[:, None, None] + 0.0 * lon
    f = pressure_levels.to_columns(data, lon, lat, z)
    virtual = f["t"] * (1.0 + 0.608 * f["q"])
    thickness = 287.0 * 0.5 * (virtual[1:] + virtual[:-1]) / 9.81 * np.log(f["p"][:-1] / f["p"][1:])
    assert np.abs(thickness / 100.0 - 1.0).mean() < 0.02
    assert 280.0 < f["t"][0].mean() < 305.0
