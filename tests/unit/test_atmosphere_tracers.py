# SPDX-License-Identifier: BSD-3-Clause
"""Tracers of the atmosphere: a dry one weighs nothing, a constant stays, and each does what it declares."""

import netCDF4
import numpy as np
import pytest
import torch

from components.atmosphere.nonhydrostatic.component import NonhydrostaticAtmosphere
from components.atmosphere.nonhydrostatic.driving.driving_data import Place
from components.atmosphere.nonhydrostatic.driving.tracer_files import TracerFile
from components.atmosphere.nonhydrostatic.physics import boundary_layer_ysu, convection_betts_miller
from components.atmosphere.nonhydrostatic.physics.columns import INNER
from components.science.tracers import Species, Tracer
from components.science.updraughts import by_torch, carry
from coupler.clock import Clock
from tests.mpi.atmosphere_ranks import context, run, surface
from tests.unit.test_atmosphere_column_physics import fluxes, layers, tropical

MOVED = {"mixed_by_turbulence": True, "carried_by_convection": True, "boundary": "hold"}


def integrate(steps, tracers, c=None, **options):
    """The atmosphere after some steps of ten minutes in double precision, and the rain of each step, kg m-2 s-1."""
    c = c or context(nx=20, ny=16)
    options = {"radiation": "gray", "radiation_interval": "PT1H", "precision": "double", "levels": 12, **options}
    air = NonhydrostaticAtmosphere(NonhydrostaticAtmosphere.Options(tracers=tracers, **options))
    exports, rain = air.initialize(c), []
    for n in range(steps):
        exports = air.step(600 * n, 600, surface(c, exports) | {"dust_flux": 1e-8 + 0.0 * exports["air_temperature"]})
        rain.append(exports["precipitation_flux"].mean())
    return air, rain


def part(air, name):
    """A tracer on the block's own cells."""
    return air.species.by_name(air.q[..., INNER, INNER])[name]


@pytest.mark.parametrize("precision", ["single", "double"])
def test_a_dry_tracer_of_1000_kg_a_kg_leaves_the_bits_of_everything_else(precision):
    without, _ = run(3, precision=precision)
    heavy, _ = run(3, precision=precision, tracers=[{"name": "lead", "start": 1e3, "settles": 0.1, **MOVED}])
    assert heavy["lead"].mean() > 900.0
    assert set(heavy) - set(without) == {"lead"}
    for name, value in without.items():
        assert np.array_equal(heavy[name], value), name


def assert_constant_stays(hours, **size):
    c = context(**size)
    tracers = [{"name": "one", "start": 3.7, **MOVED}, {"name": "other", "start": 1e-9, **MOVED}]
    air, rain = integrate(6 * hours, tracers, c)
    off = {t["name"]: float((part(air, t["name"]) / t["start"] - 1.0).abs().max()) for t in tracers}
    print(f"{hours} h: relative change {off}, rain {86400 * np.mean(rain):.2f} mm/day")
    assert max(off.values()) < 1e-12
    assert 86400 * np.mean(rain) > 0.1
    humidity = part(air, "vapour")
    assert float(humidity.std()) > 1e-4, "air must differ from place to place"


def test_a_constant_mixing_ratio_stays_through_four_hours_of_physics_and_rain():
    assert_constant_stays(4, nx=20, ny=16)


@pytest.mark.slow
def test_a_constant_mixing_ratio_stays_through_a_day_of_physics_and_rain():
    assert_constant_stays(24)


def test_a_surface_flux_stays_in_the_boundary_layer_and_in_the_budget():
    """What YSU takes in is the flux; a number and an imported field do the same."""
    u, v, theta, q, z, rho, mass, pi = layers()
    tracer, source = torch.zeros_like(theta)[None], torch.full_like(theta[0], 2e-8)
    f = fluxes(200.0, 5e-5, 0.1, theta)
    out = boundary_layer_ysu.ysu(u, v, theta, q, tracer, z, rho, mass, pi, f, 120.0, [source])
    gained = (mass * out.tracers[0]).sum(0)
    np.testing.assert_allclose(gained, 120.0 * source, rtol=1e-12)
    still = {"carried_by_convection": False, "boundary": "zero"}
    tracers = [{"name": "said", "surface_flux": 1e-8, **still}, {"name": "given", "surface_flux": "dust_flux", **still}]
    air, _ = integrate(3, tracers)
    said, given = part(air, "said"), part(air, "given")
    torch.testing.assert_close(said, given, rtol=1e-12, atol=0.0)
    assert [f.name for f in air.imports][-1] == "dust_flux"
    middle = said[:, 6:-6, 6:-6]
    assert float(middle[0].min()) > 20.0 * float(middle[8:].max())


def test_updraughts_carry_up_what_they_take_in_and_keep_constants_and_contents():
    t, q_v, p, mass = tropical()
    c = convection_betts_miller.betts_miller(t, q_v, p, mass, 600.0)
    m = convection_betts_miller.updraught(q_v, c.inside, c.rain / 600.0)
    top = int(c.inside[:, 0, 0].sum()) - 1
    expected = c.rain[0, 0] / 600.0 / (q_v[0, 0, 0] - q_v[top, 0, 0])
    np.testing.assert_allclose(m[:top, 0, 0], expected, rtol=1e-12)
    assert float(m[top:, 0, 0].abs().max()) == 0.0
    low, one = torch.zeros_like(t), torch.full_like(t, 3.7)
    low[0] = 1.0
    for dt in (60.0, 600.0, 36000.0):
        after = carry(torch.stack([low, one]), m, mass, dt)
        np.testing.assert_allclose((mass * after[0]).sum(0), mass[0], rtol=1e-12)
        np.testing.assert_allclose(after[1], 3.7, rtol=1e-13)
        assert float(after.min()) >= 0.0 and float(after[0].max()) <= 1.0
        assert float(after[0, top].min()) > 10.0 * float(after[0, top // 2].max() if dt < 1000.0 else 0.0)
    small = carry(low[None], m, mass, 1e-3)[0]
    np.testing.assert_allclose((small[top] * mass[top] / 1e-3)[0, 0], expected, rtol=1e-4)


@pytest.mark.parametrize(("dtype", "near"), [(torch.float64, 1e-13), (torch.float32, 3e-6)])
def test_updraughts_carry_by_their_kernel_as_in_torch_and_leave_still_columns_alone(dtype, near):
    random = torch.Generator().manual_seed(4)
    draw = lambda *shape: torch.rand(*shape, generator=random, dtype=torch.float64).to(dtype)  # noqa: E731
    q, mass, m = draw(3, 20, 6, 7), 100.0 + 900.0 * draw(20, 6, 7), draw(19, 6, 7)
    m = torch.where(draw(19, 6, 7) < 0.3, 0.0, m)
    m[:, :2], m[:, 2] = 0.0, 30.0 * m[:, 2]  # nothing rises, and more than a layer holds
    out, expected = carry(q, m, mass, 240.0), by_torch(q, m, mass, 240.0)
    assert out.dtype == dtype and float((out - expected).abs().max()) < near
    assert torch.equal(out[:, :, :2], q[:, :, :2])
    assert float((out - q)[:, :, 2:].abs().max()) > 0.1
    assert torch.equal(carry(q[..., 3:5], m[..., 3:5], mass[..., 3:5], 240.0), out[..., 3:5]), "a block has its bits"


def test_convection_off_by_declaration_leaves_the_upper_air_clean():
    flux = {"surface_flux": 1e-8, "boundary": "zero"}
    tracers = [{"name": "up", **flux}, {"name": "down", "carried_by_convection": False, **flux}]
    air, rain = integrate(6, tracers)
    assert max(rain) > 0.0
    mass = (air.geometry.rho_base + air.s.rho)[:, INNER, INNER]
    inside = np.s_[:, 5:-5, 5:-5]
    up, down = ((mass * part(air, name))[inside] for name in ("up", "down"))
    assert float(up[8:].sum()) > 100.0 * float(down[8:].sum())
    np.testing.assert_allclose(float(up.sum()), float(down.sum()), rtol=0.02)


def test_what_settles_reaches_the_ground_and_is_told():
    tracers = [{"name": "sand", "start": 1e-6, "settles": 1.0, "boundary": "zero"}]
    air, _ = integrate(1, tracers, convection="none", boundary_layer="none")
    flux = air.diagnostics()["sand_deposition_flux"]
    assert air.diagnostic_units["sand_deposition_flux"] == "kg kg-1 kg m-2 s-1"
    rho = ((air.geometry.rho_base + air.s.rho) / air.geometry.dz)[0, INNER, INNER].numpy()
    inner = np.s_[6:-6, 6:-6]
    assert (flux[inner] > 0.5 * 1e-6 * rho[inner]).all() and (flux[inner] < 1.05 * 1e-6 * rho[inner]).all()


def test_the_sides_bring_in_what_a_tracer_declares(tmp_path):
    path = tmp_path / "ozone.nc"
    with netCDF4.Dataset(path, "w") as f:
        f.createDimension("height", 2)
        height = f.createVariable("height", "f8", ("height",))
        height[:], height.units = (0.0, 20000.0), "m"
        ozone = f.createVariable("ozone", "f8", ("height",))
        ozone[:], ozone.units = (1e-3, 5e-3), "g kg-1"
    tracers = [
        {"name": "none", "start": 1.0, "boundary": "zero"},
        {"name": "kept", "start": 1.0, "boundary": "hold"},
        {
            "name": "ozone",
            "boundary": "file",
            "file": str(path),
            "mixed_by_turbulence": False,
            "carried_by_convection": False,
        },
    ]
    air, _ = integrate(2, tracers)
    rim = np.s_[:, 0]
    assert float(part(air, "none")[rim].abs().max()) == 0.0
    assert float(part(air, "none")[:, 1, 3:-3].max()) < 0.9 < float(part(air, "none")[:, 8, 8].min())
    np.testing.assert_allclose(part(air, "kept")[rim], 1.0, rtol=1e-14)
    z = air.geometry.z[:, INNER, INNER]
    np.testing.assert_allclose(part(air, "ozone")[rim], (1e-6 + 4e-6 * (z / 20000.0).clamp(max=1.0))[rim], rtol=1e-12)


def test_a_file_of_a_tracer_is_read_in_time_and_place(tmp_path):
    path = tmp_path / "field.nc"
    with netCDF4.Dataset(path, "w") as f:
        for name, units, values in (
            ("time", "hours since 2001-06-01", (0.0, 6.0)), ("lat", "degrees_north", (40.0, 20.0)),
            ("lon", "degrees_east", (100.0, 120.0)),
        ):  # fmt: skip
            f.createDimension(name, 2)
            f.createVariable(name, "f8", (name,))[:] = values
            f[name].units = units
        f.createVariable("co2", "f8", ("time", "lat", "lon"))[:] = np.arange(8.0).reshape(2, 2, 2)
    file = TracerFile(path, "co2", "kg kg-1", Clock("2001-06-01T03:00:00"))
    assert file.times == (-10800.0, 10800.0)
    place = Place(np.array([[105.0]]), np.array([[25.0]]), np.array([[[500.0]]]))
    # two thirds of the way from 40 to 20 N are 1.5 rows of 2: 0.75 x 2 + 0.25, and 4 more at the second time
    assert file.read(0, place)[0, 0, 0] == pytest.approx(0.75 * 2 + 0.25)
    assert file.read(1, place)[0, 0, 0] == pytest.approx(0.75 * 2 + 0.25 + 4.0)


def test_only_water_counts_as_water():
    species = Species([Tracer("vapour", is_water=True), Tracer("dust"), Tracer("rain", is_water=True)])
    q = torch.tensor([1.0, 10.0, 100.0])
    assert float(species.water(q)) == 101.0
    with pytest.raises(KeyError, match="unknown tracer 'snow'; known tracers: vapour, dust, rain"):
        species.number("snow")
    with pytest.raises(ValueError, match="dust is declared twice"):
        Species([Tracer("dust"), Tracer("dust")])


@pytest.mark.parametrize(
    ("tracer", "options", "said"),
    [
        ({"boundary": "driver"}, {}, "the driver has vapour only; take boundary: zero, hold or file"),
        ({"surface_flux": 1e-9}, {"boundary_layer": "none"}, "it needs a boundary_layer and mixed_by_turbulence"),
        ({"boundary": "file"}, {}, "boundary: file needs a file"),
        ({"boundary": "file", "file": "dust.nc"}, {}, "dust.nc does not exist, neither in the case nor in data/"),
        ({"file": "dust.nc"}, {}, "file dust.nc is not read without boundary: file"),
        ({"name": "mass"}, {}, "the atmosphere has another field of this name"),
        ({"name": "sea salt"}, {}, "a name is of letters, digits and underscores"),
    ],
)
def test_a_tracer_that_cannot_be_is_refused_by_name(tracer, options, said):
    made = NonhydrostaticAtmosphere.Options(tracers=[{"name": "dust", **tracer}], **options)
    (problem,) = NonhydrostaticAtmosphere(made).check(context())
    assert problem.startswith(f"atmosphere: tracer {tracer.get('name', 'dust')!r}") and said in problem


def test_a_restart_of_other_tracers_is_refused_with_their_names():
    kept, _ = run(1)
    with pytest.raises(ValueError, match="the restart has no tracer lead: it is from a run with other schemes"):
        run(2, kept=kept, tracers=[{"name": "lead"}])


def test_a_tracer_twice_is_refused():
    with pytest.raises(ValueError, match="tracer rain is declared twice; the tracers are vapour, cloud_water, rain"):
        NonhydrostaticAtmosphere(NonhydrostaticAtmosphere.Options(tracers=[{"name": "rain"}]))


def test_rain_in_the_air_and_rain_at_the_ground_are_two_arrays_of_the_restart():
    c = context()
    air = NonhydrostaticAtmosphere(NonhydrostaticAtmosphere.Options(radiation="gray"))
    exports = air.initialize(c)
    for n in range(2):
        exports = air.step(600 * n, 600, surface(c, exports))
    kept = air.state()
    assert kept["rain"].ndim == 3 and kept["rain_rate"].ndim == 2
    again = air.restore(kept)
    assert exports["rainfall_flux"].max() > 0.0
    for name, value in exports.items():
        np.testing.assert_array_equal(again[name], value, err_msg=name)


def test_a_restart_keeps_tracers_by_name():
    tracers = [{"name": "a", "surface_flux": 1e-8, "boundary": "zero"}, {"name": "b", "start": 2.0}]
    whole, _ = run(2, tracers=tracers)
    kept, _ = run(1, tracers=tracers)
    rest, _ = run(2, kept=kept, tracers=tracers[::-1])
    for name, value in whole.items():
        assert np.array_equal(rest[name], value), name
