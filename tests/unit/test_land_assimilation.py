# SPDX-License-Identifier: BSD-3-Clause
"""The land's assimilation beside the land: what is observed pulls it, what is added is booked, restarts agree.

Truth, land and members have the same weather; the land starts too dry, and with too much or too little snow.
"""

import netCDF4
import numpy as np
import pytest
import torch

from components.land.column.component import ColumnLand
from components.ml_surrogates.estimation import land as letkf
from components.ml_surrogates.estimation.microwave import Cover, Soil
from components.ml_surrogates.land_assimilation.component import SEEN, SNOW_RATE, SOIL_RATE, LandAssimilation
from coupler.clock import Clock
from coupler.component import Context
from coupler.errors import CaseError
from coupler.grids.decomposition import Decomposition
from coupler.grids.grid import Grid

HOUR, DAY = 3600, 86400
STEP = 6 * HOUR
GROUND = {"plants": {"grassland": 0.6, "bare": 0.4}, "initial_temperature": 285.0}
NAMES = {"surface_snow_area_fraction": 0, "toa_brightness_temperature": 1, "land_water_storage": 2}


def grid():
    made = Grid.regular_lonlat("land", 100, 112, 40, 48, resolution=4)
    return made.with_mask(np.array([[True, True, True], [True, False, True]]))


def context(folder, step=STEP, days=30):
    made = Context("land", Clock("2001-05-01"), step, days * DAY, grid(), folder, logger=lambda line: None)
    made.grids = {"default": made.grid}
    made.decompositions = {"default": Decomposition(made.grid.shape)}
    return made


def weather(time, shape):
    hour = time % DAY / HOUR
    return {
        "air_temperature": np.full(shape, 287.0 + 4.0 * np.sin((hour - 9.0) * np.pi / 12.0)),
        "specific_humidity": np.full(shape, 0.006),
        "eastward_wind": np.full(shape, 3.0),
        "northward_wind": np.full(shape, 1.0),
        "surface_air_pressure": np.full(shape, 95000.0),
        "surface_downwelling_shortwave_flux_in_air": np.full(shape, 600.0 * max(0.0, np.sin((hour - 6) * np.pi / 12))),
        "surface_downwelling_longwave_flux_in_air": np.full(shape, 320.0),
        "precipitation_flux": np.full(shape, 4e-5 if time // DAY % 2 else 0.0),
    }  # fmt: skip


def observed(path, rows):
    """A file of rows: day, longitude, latitude, variable, value, error, GHz, polarization."""
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("observation", len(rows))
        time = file.createVariable("time", "f8", ("observation",))
        time.units, time.calendar = "days since 2001-05-01", "standard"
        time[:] = [r[0] for r in rows]
        for n, name in enumerate(("longitude", "latitude", "variable", "value", "error", "radiation_frequency")):
            of = str if name == "variable" else "f8"
            made = file.createVariable(name, of, ("observation",))
            made[:] = np.array([r[n + 1] * (1e9 if n == 5 else 1) for r in rows], object if of is str else float)
        for name, values in (("polarization", [r[7] for r in rows]), ("platform", ["none"] * len(rows))):
            file.createVariable(name, str, ("observation",))[:] = np.array(values, object)


def together(folder, days, rows, stop=None, begun=None, **options):
    """Land and assimilation side by side, as a coupler steps them; the land, the assimilation, what was said."""
    if rows is not None:
        observed(folder / "o.nc", rows)
    land = ColumnLand(ColumnLand.Options(increments=True, initial_wetness=0.25, **GROUND))
    words = {
        "members": 12,
        "wetness_spread": 0.04,
        "forecast": {**GROUND, "initial_wetness": 0.25},
        "observations": "o.nc",
        **options,
    }
    eye = LandAssimilation(LandAssimilation.Options(**(words if rows is not None else {**words, "observations": ""})))
    said: list[str] = []
    settings = [context(folder, days=days) for _ in range(2)]
    for one, setting in zip((land, eye), settings, strict=True):
        setting.logger = said.append
        assert one.check(setting) == []
    background = land.initialize(settings[0])
    eye.initialize(settings[1])
    for one, kept in zip((land, eye), begun[1] if begun else (), strict=False):
        one.restore(kept)
    background = begun[2] if begun else background
    for time in range(begun[0] if begun else 0, stop or days * DAY, STEP):
        air = weather(time, (2, 3))
        more = eye.step(time, STEP, {**air, **{n: background[n] for n in SEEN.values()}})
        background = land.step(time, STEP, {**air, **more})
    return land, eye, said, background


def truth(folder, days):
    land = ColumnLand(ColumnLand.Options(increments=True, initial_wetness=0.6, **GROUND))
    land.initialize(context(folder, days=days))
    for time in range(0, days * DAY, STEP):
        seen = land.step(time, STEP, weather(time, (2, 3)))
    return seen


def brightness(seen, j, i):
    thickness = torch.tensor([[[20.0]]]).double()
    m = letkf.Members(*(torch.tensor([[[a]]]).double() for a in (seen[SEEN["liquid"]][0, j, i] / 20.0, 0.0)),
                      *[torch.zeros(1, 1).double()] * 2, torch.tensor([[seen["soil_temperature"][0, j, i]]]).double(),
                      torch.zeros(1, 1).double())  # fmt: skip
    plants = Cover(0.3, 0.05, 0.1)
    ground = letkf.Ground(thickness[0], thickness[0], Soil(0.4, 0.2), plants, torch.zeros(1, dtype=torch.long))
    return letkf.brightness(m, ground)[0, :, 0].tolist()


@pytest.fixture(scope="module")
def bright(tmp_path_factory):
    """Brightness temperatures of a wetter land at all cells but one, twice a day."""
    folder = tmp_path_factory.mktemp("bright")
    wet = truth(folder, 1)
    rows = []
    for day in range(3):
        for j, i in ((0, 0), (0, 1), (1, 0)):
            for channel, value in enumerate(brightness(wet, j, i)):
                ghz, polarised = (6.925, 10.65)[channel // 2], "HV"[channel % 2]
                at = 102.0 + 4 * i, 42.0 + 4 * j
                rows.append((day + 0.25, *at, "toa_brightness_temperature", value, 3.0, ghz, polarised))
    rows.append((0.5, 106.0, 46.0, "toa_brightness_temperature", 250.0, 3.0, 6.925, "H"))  # a cell of sea
    rows.append((0.5, 150.0, 0.0, "land_water_storage", 250.0, 3.0, 0.0, ""))  # far away
    return folder, rows, wet


def test_brightness_pulls_the_land_and_is_booked(bright, tmp_path):
    folder, rows, wet = bright
    land, eye, said, seen = together(tmp_path, 3, rows)
    free, _, _, dry = together(folder, 3, None)
    liquid = SEEN["liquid"]
    gap = lambda a: np.abs(a[liquid][0] - wet[liquid][0])  # noqa: E731
    print(gap(seen)[grid().mask], gap(dry)[grid().mask], said)
    for cell in ((0, 0), (0, 1), (1, 0)):
        assert gap(seen)[cell] < 0.5 * gap(dry)[cell]
    assert seen[liquid][0, 0, 2] == dry[liquid][0, 0, 2] and seen[liquid][0, 1, 2] == dry[liquid][0, 1, 2]
    assert any("12 of 14 observations used; not used: 2 outside the land" in line for line in said)
    added = eye.diagnostics()["water_added_by_assimilation"]
    assert added[0, 0] > 1.0 and added[0, 2] == 0.0
    for name in ("water_residual", "energy_residual"):
        scale = 1e-6 if name.startswith("water") else 1.0
        assert np.abs(land.diagnostics()[name]).max() < scale, name
    assert np.abs(land.diagnostics()["water_residual"] - free.diagnostics()["water_residual"]).max() < 1e-6


def test_nothing_observed_gives_the_bits_of_the_land_alone(tmp_path):
    _, eye, _, seen = together(tmp_path, 2, [])
    alone = ColumnLand(ColumnLand.Options(increments=True, initial_wetness=0.25, **GROUND))
    alone.initialize(context(tmp_path))
    for time in range(0, 2 * DAY, STEP):
        plain = alone.step(time, STEP, weather(time, (2, 3)))
    assert set(plain) == set(seen) and all(np.array_equal(plain[k], seen[k]) for k in plain)
    rates = eye._exports()
    assert rates[SOIL_RATE].shape == (10, 2, 3) and not rates[SOIL_RATE].any() and not rates[SNOW_RATE].any()


def test_a_restart_inside_a_window_has_the_same_bits(bright, tmp_path):
    _, rows, _ = bright
    whole = together(tmp_path, 2, rows)
    half = together(tmp_path, 2, rows, stop=DAY + STEP)
    kept = [one.state() for one in half[:2]]
    again = together(tmp_path, 2, rows, begun=(DAY + STEP, kept, half[3]))
    for a, b in zip(whole[:2], again[:2], strict=True):
        one, other = a.state(), b.state()
        assert set(one) == set(other) and all(np.array_equal(one[k], other[k], equal_nan=True) for k in one)


def test_an_anomaly_is_about_the_lands_own_mean(tmp_path):
    """As the same storage given whole; before the mean is known it is left out, and an anomaly of none adds little."""
    at = 102.0, 42.0
    row = lambda day, value: (day, *at, "land_water_storage", value, 20.0, 0.0, "")  # noqa: E731
    words = {"storage": "anomaly", "mean_over": "PT30H", "block": 1}
    _, _, said, _ = together(tmp_path, 3, [row(0.25, 30.0), row(1.25, 30.0)], stop=2 * DAY, **words)
    assert any("not used: 1 of storage before the land's own mean is known" in line for line in said)
    # the analysis at the end of the second day is that of mean + 30 kg m-2; the mean holds that step's start
    added = {}

    def run(name, value, **words):
        _, eye, _, _ = together(tmp_path, 3, [row(1.25, value)], stop=2 * DAY + STEP, **words)
        added[name] = eye.added[0]
        return eye.mean[0] / eye.steps

    mean = run("anomaly", 30.0, **words)
    run("none", 0.0, **words)
    run("whole", mean + 30.0, block=1)
    assert added["anomaly"] == pytest.approx(added["whole"], abs=1e-9) and added["anomaly"] > 5.0
    assert abs(added["none"]) < 0.2 * added["anomaly"]
    short = LandAssimilation(LandAssimilation.Options(storage="anomaly", forecast=GROUND)).check(context(tmp_path))
    assert any("storage: anomaly needs the land's own mean over mean_over, 31536000 s" in text for text in short)


def test_the_members_spread_is_relaxed_where_observations_acted(bright, tmp_path):
    _, rows, _ = bright
    spreads = []
    for share in (0.0, 0.5, 1.0):
        _, eye, _, _ = together(tmp_path, 1, rows, stop=DAY + STEP, relaxation=share)
        spreads.append(eye._members()["liquid"][:, 0].std(0))
    acted = [n for n, cell in enumerate(np.argwhere(grid().mask)) if tuple(cell) in ((0, 0), (0, 1), (1, 0))]
    alone = [n for n in range(5) if n not in acted]
    narrow, half, wide = (s[acted] for s in spreads)
    assert bool((narrow < half).all()) and bool((half < wide).all()) and float((narrow / wide).mean()) < 0.7
    assert all(torch.equal(s[alone], spreads[0][alone]) for s in spreads)


def test_snow_cover_and_storage(tmp_path):
    """Less snow where none is seen; more water where more is stored, in all cells of a block."""
    at = [(102.0 + 4 * i, 42.0 + 4 * j) for j, i in ((0, 0), (0, 2))]
    rows = [(0.25, *at[0], "surface_snow_area_fraction", 0.1, 0.05, 0.0, ""),
            (0.75, *at[1], "land_water_storage", 800.0, 20.0, 0.0, "")]  # fmt: skip
    land, eye, _, _ = together(tmp_path, 1, rows, block=2)
    pack = torch.full_like(land.now.snow.ice, 5.0)
    land.now = land.now._replace(snow=land.now.snow._replace(ice=pack, thickness=pack / 250.0))
    white = eye.now.snow
    thin = 5.0 * (0.5 + torch.rand(white.ice.shape[-1:], generator=torch.Generator().manual_seed(1)).double())
    pack = thin.expand(white.ice.shape)
    eye.now = eye.now._replace(snow=white._replace(ice=pack, thickness=pack / 250.0))
    seen = {k: land._field(v) for k, v in {**land.columns.stores(land.now), **_seen(land)}.items()}
    more = eye.step(DAY, STEP, {**weather(DAY, (2, 3)), **{n: seen[n] for n in SEEN.values()}})
    assert more[SNOW_RATE][0, 0] * STEP < -2.0
    # the block's two cells, observed or not, and the lower left ones, which are another's
    assert more[SOIL_RATE][:, 0, 2].sum() > 0.0 and more[SOIL_RATE][:, 1, 2].sum() > 0.0
    assert not more[SOIL_RATE][:, 0, 1].any()
    before = land.budget()["water"]
    land._take_increments(more, STEP)
    change, given = land.budget()["water"] - before, STEP * (more[SOIL_RATE].sum(0) + more[SNOW_RATE])
    mask = grid().mask
    np.testing.assert_allclose(change[mask], given[mask], atol=1e-6)
    tiles = (land.now.snow.ice[0].reshape(2, -1), land.now.liquid[0].reshape(2, -1))
    assert torch.allclose(tiles[0][0], tiles[0][1])  # alike


def _seen(land):
    from components.land.column import assimilated

    return assimilated.seen(land.columns, land.now)


def test_all_mistakes_at_once(tmp_path):
    rows = [(0.25, 102.0, 42.0, "soil_colour", 0.1, 0.05, 0.0, ""),
            (0.25, 102.0, 42.0, "surface_snow_area_fraction", 1.4, 0.0, 0.0, ""),
            (0.25, 102.0, 42.0, "toa_brightness_temperature", 240.0, 3.0, 36.5, "H")]  # fmt: skip
    observed(tmp_path / "o.nc", rows)
    words = {"observations": "o.nc", "window": "PT7H", "forecast": {"soil": "mud"}}
    problems = " ".join(LandAssimilation(LandAssimilation.Options(**words)).check(context(tmp_path)))
    for text in ("window of 25200 s is not a multiple of the step, 21600 s", "unknown soil texture 'mud'",
                 "'soil_colour', which is unknown", "1 rows have an error that is not above zero", "row 2, 36.5 GHz H",
                 "lie outside 0 to 1, the first is row 1"):  # fmt: skip
        assert text in problems
    with pytest.raises(CaseError, match=r"expected one of column, or package.module:Class, found model: slab"):
        LandAssimilation(LandAssimilation.Options(forecast={"model": "slab"}))
