# SPDX-License-Identifier: BSD-3-Clause
"""Fertiliser, sowing, harvest, pH, phosphorus out of the user's maps: units, remapping, refusals, the land."""

import netCDF4
import numpy as np
import pytest
import torch

from components.land.column import farm_maps
from components.land.column.component import ColumnLand
from components.land.column.cycles import crop_day, fast, mineral_nitrogen, pools
from components.land.column.cycles.crop_development import FALLOW, MATURE, REPRODUCTIVE, SOWN, VEGETATIVE, nothing_sown
from components.land.column.farm_data import QUANTITIES
from components.land.column.land_data import LandDataError
from components.land.column.parameters import parameters, table
from components.land.column.prepare import prepare
from components.land.column.surface_map import from_file
from coupler.grids.grid import Grid
from tests.unit.test_land_component import context
from tests.unit.test_land_prepare import quiet, write

D = torch.float64
CROPS = list(table("crops"))
EVERY = np.full((8, 8), 1.0)


@pytest.fixture
def grid():
    return Grid.regular_lonlat("land", 100, 104, 30, 34, resolution=2)


def by_crop(path, name, crops, values, **attributes):
    """A map with an axis of crops, north first."""
    write(path, "kept", values[0])
    with netCDF4.Dataset(path, "a") as data:
        data.createDimension("crop", len(crops))
        v = data.createVariable("crop", str, ("crop",))
        v[:] = np.array(crops, dtype=object)
        v = data.createVariable(name, "f8", ("crop", "lat", "lon"), fill_value=-99.0)
        v.setncatts(attributes)
        v[:] = np.nan_to_num(values[:, ::-1], nan=-99.0)
    return path


def made(grid, tmp_path, *maps):
    notes = []
    prepare(grid, list(maps), tmp_path / "surface.nc", lambda text, share: notes.append(text))
    latitude = np.asarray(grid.latitude).ravel()
    return from_file(tmp_path / "surface.nc", np.ones(grid.shape, bool), latitude, 2).maps, notes


def test_fertiliser_by_crop_is_converted_and_averaged_by_area(grid, tmp_path):
    values = np.stack([200.0 * EVERY, 90.0 * EVERY])
    values[0][:4, :2] = 100.0  # half of the south-western cell
    values[1][:, 4:] = np.nan
    path = by_crop(tmp_path / "n.nc", "fertiliser_nitrogen", ["maize", "rice"], values, units="kg ha-1 yr-1")
    maps, notes = made(grid, tmp_path, path)
    found = maps["fertiliser_nitrogen"]
    assert found[CROPS.index("maize")].tolist() == pytest.approx([0.015, 0.02, 0.02, 0.02])
    rice = found[CROPS.index("rice")]
    assert rice[[0, 2]].tolist() == pytest.approx([0.009, 0.009]) and np.isnan(rice[[1, 3]]).all()
    assert np.isnan(found[CROPS.index("wheat")]).all()
    assert any("nitrogen of fertiliser: n.nc; 0 of 4 land cells" in n for n in notes)
    assert any("no map; one store everywhere" in n and "labile phosphorus" in n for n in notes)
    assert any("pH of the soil: no map; neutral soil" in n for n in notes)


def test_mass_of_fertiliser_is_kept_on_the_sphere(grid, tmp_path):
    gen = np.random.default_rng(1)
    values = gen.uniform(0.0, 0.03, (8, 8))
    maps, _ = made(grid, tmp_path, write(tmp_path / "p.nc", "pfert", values, units="kg m-2"))
    edge = np.sin(np.radians(30.0 + 0.5 * np.arange(9)))
    given = (values * np.diff(edge)[:, None]).sum() * np.radians(0.5)
    area = np.asarray(grid.area).ravel() / np.asarray(grid.area).sum() * (edge[-1] - edge[0]) * np.radians(4.0)
    for crop in maps["fertiliser_phosphorus"]:  # a map without crops holds for all of them
        assert (crop * area).sum() == pytest.approx(given, rel=1e-6)


def test_days_of_sowing_are_never_averaged(grid, tmp_path):
    days = np.where(np.arange(64).reshape(8, 8) % 2 == 0, 5.0, 360.0)
    maps, _ = made(grid, tmp_path, write(tmp_path / "d.nc", "planting_day", days, units="days"))
    assert set(maps["sowing_day"].ravel()) <= {5.0, 360.0}


def test_soil_ph_and_phosphorus_of_half_a_map(grid, tmp_path):
    ph = np.where(np.arange(8)[None] < 4, 5.0 + 0.0 * EVERY, -99.0)
    maps, notes = made(
        grid, tmp_path, write(tmp_path / "ph.nc", "phh2o", ph, units="pH"),
        write(tmp_path / "p.nc", "soil_labile_phosphorus", 40.0 * EVERY, units="g m-2"),
    )  # fmt: skip
    assert maps["soil_ph"][[0, 2]].tolist() == pytest.approx([5.0, 5.0]) and np.isnan(maps["soil_ph"][[1, 3]]).all()
    assert maps["soil_labile_phosphorus"] == pytest.approx(0.04)
    assert any("pH of the soil: ph.nc; 2 of 4 land cells have neutral soil" in n for n in notes)


@pytest.mark.parametrize(
    ("name", "values", "units", "match"),
    [
        ("fertiliser_nitrogen", 150.0 * EVERY, "kg m-2", "0 to 0.2: mend its units, 'kg m-2'"),
        ("fertiliser_nitrogen", 150.0 * EVERY, "bags", "'bags'; convert it to kg m-2"),
        ("fertiliser_nitrogen", -1.0 * EVERY, "kg ha-1", "expected 0 to 0.2"),
        ("sowing_day", 400.0 * EVERY, "1", "expected 1 to 366"),
        ("sowing_day", 100.0 * EVERY, "K", "'K'; convert it to 1"),
        ("soil_ph", 65.0 * EVERY, "1", "expected 2 to 11"),
        ("soil_ph", 65.0 * EVERY, "pH*10", "'pH[*]10'; convert it to 1"),
        ("soil_labile_phosphorus", 40.0 * EVERY, "kg m-2", "0 to 10: mend its units"),
        ("soil_labile_phosphorus", 40.0 * EVERY, "kg m-2 yr-1", "convert it to kg m-2"),
        ("soil_ph", -99.0 * EVERY, "1", "has no value around the grid"),
    ],
)
def test_mistakes_say_what_to_mend(grid, tmp_path, name, values, units, match):
    with pytest.raises(LandDataError, match=match):
        prepare(grid, [write(tmp_path / "m.nc", name, values, units=units)], tmp_path / "surface.nc", quiet)
    assert not (tmp_path / "surface.nc").exists()


def test_an_unknown_crop_is_refused(grid, tmp_path):
    path = by_crop(tmp_path / "n.nc", "sowing_day", ["maize", "sorghum"], np.stack([EVERY, EVERY]), units="1")
    with pytest.raises(LandDataError, match="unknown crops sorghum; known crops: maize, rice"):
        prepare(grid, [path], tmp_path / "surface.nc", quiet)


def test_a_surface_file_without_them_is_as_before(grid, tmp_path):
    prepare(grid, [write(tmp_path / "c.nc", "land_cover", np.full((8, 8), 12, "i2"))], tmp_path / "s.nc", quiet)
    with netCDF4.Dataset(tmp_path / "s.nc") as data:
        assert set(data.variables) == {
            "type",
            "time",
            "lat",
            "lon",
            "area_type_fraction",
            "leaf_area_index",
            "sand",
            "clay",
        }
        assert data.title == "land surface: plant types, leaf area, soil texture"
    assert farm_maps.read(tmp_path / "s.nc", np.ones(grid.shape, bool)) == {}


def test_check_names_what_is_wrong_in_a_file_of_the_users_own(grid, tmp_path):
    values = np.stack([np.full((8, 8), 0.01)])
    path = by_crop(tmp_path / "n.nc", "fertiliser_nitrogen", ["maize"], values, units="kg m-2")
    prepare(grid, [path], tmp_path / "surface.nc", quiet)
    land = ColumnLand(ColumnLand.Options(surface="surface.nc", nitrogen="fun"))
    setting = context(grid, tmp_path)
    assert land.check(setting) == []
    with netCDF4.Dataset(tmp_path / "surface.nc", "a") as data:
        data["fertiliser_nitrogen"].units = "kg ha-1"
    assert "fertiliser_nitrogen (crop, lat, lon) is in 'kg ha-1', expected kg m-2" in land.check(setting)[0]
    with netCDF4.Dataset(tmp_path / "surface.nc", "a") as data:
        data["fertiliser_nitrogen"].units = "kg m-2"
        data["fertiliser_nitrogen"][:] = 3.0
    assert "goes from 3 to 3 kg m-2; expected 0 to 0.2" in land.check(setting)[0]


def test_a_land_takes_its_maps(grid, tmp_path):
    """Fertiliser, dates, pH and phosphorus arrive on the columns of their cells; the books begin with them."""
    nitrogen = np.stack([np.where(np.arange(8)[None] < 4, 0.01, 0.03) + 0.0 * EVERY])
    files = [
        write(tmp_path / "c.nc", "area_type", np.full((8, 8), 1, "i2"), flag_values=np.array([1], "i2"),
              flag_meanings="maize"),
        by_crop(tmp_path / "n.nc", "fertiliser_nitrogen", ["maize"], nitrogen, units="kg m-2"),
        write(tmp_path / "d.nc", "sowing_day", 366.0 * EVERY, units="1"),
        write(tmp_path / "h.nc", "maturity_day", 250.0 * EVERY, units="1"),
        write(tmp_path / "ph.nc", "soil_ph", 5.5 * EVERY, units="1"),
        write(tmp_path / "l.nc", "soil_labile_phosphorus", 0.02 * EVERY, units="kg m-2"),
        write(tmp_path / "o.nc", "soil_occluded_phosphorus", 0.3 * EVERY, units="kg m-2"),
    ]  # fmt: skip
    prepare(grid, files, tmp_path / "surface.nc", quiet)
    land = ColumnLand(ColumnLand.Options(surface="surface.nc", nitrogen="fun", tiles=1))
    land.initialize(context(grid, tmp_path))
    t, c = land.parameters.cycles, land.now.cycles
    assert t.farming.nitrogen.tolist() == pytest.approx([0.01, 0.03] * 2)
    assert t.farming.phosphorus.tolist() == [table("crops")["maize"]["phosphorus"]] * 4
    assert t.farming.reaped_on.tolist() == [250.0] * 4
    assert t.farming.sown_on.tolist() == [365.0] * 4 and t.ph.tolist() == pytest.approx([5.5] * 4)
    assert c.soil.phosphorus.sum(0).tolist() == pytest.approx([0.02] * 4)
    assert c.minerals.occluded.tolist() == pytest.approx([0.3] * 4) and c.minerals.apatite.tolist() == [0.1] * 4
    assert land.budget()["phosphorus"][0, 0] == pytest.approx(float(pools.stored(c).phosphorus[0]))


def test_crops_with_a_calendar_are_sown_on_their_day_and_others_by_warmth():
    p = parameters(["maize", "maize"], ["loam"] * 2, cycles=True)
    f = p.cycles.farming._replace(sown_on=torch.tensor([120.0, float("nan")], dtype=D))
    one = torch.ones(2, dtype=D)
    now, sown = nothing_sown(one), {}
    for day in range(90, 140):  # warm enough from day 100
        warm = (295.0 if day >= 100 else 280.0) * one
        field = crop_day.a_day(
            f, now, warm, warm, (43000.0 + 100.0 * day) * one, (42900.0 + 100.0 * day) * one, day * one
        )
        for k in range(2):
            if now.phase[k] == FALLOW and field.now.phase[k] >= SOWN:
                sown[k] = day
        now = field.now
    assert sown == {0: 120, 1: 100}


def test_crops_are_cut_on_their_day_ripe_or_not_and_others_at_maturity():
    """In steady warmth maize is mature after 90 days; one waits dead for its day, one is cut green on its own."""
    p = parameters(["maize"] * 3, ["loam"] * 3, cycles=True)
    nan = float("nan")
    f = p.cycles.farming._replace(
        sown_on=torch.full((3,), 120.0, dtype=D), reaped_on=torch.tensor([nan, 250.0, 170.0], dtype=D)
    )
    one = torch.ones(3, dtype=D)
    now, reaped, able, phases = nothing_sown(one), {}, [], []
    for day in range(100, 300):
        field = crop_day.a_day(f, now, 297.15 * one, 297.15 * one, 50000.0 * one, 50000.0 * one, day * one)
        for k in range(3):
            if field.ripe[k]:
                reaped[k] = day
                phases.append(field.now.phase[k].item())
        able.append(field.now.capacity[1].item())
        now = crop_day.fallow(field.now, field.ripe)
    assert reaped[1] == 250 and reaped[2] == 170 and 180 < reaped[0] < 240
    assert phases == [VEGETATIVE, MATURE, MATURE] or phases == [REPRODUCTIVE, MATURE, MATURE]
    assert able[249 - 100] == 0.0 and able[160 - 100] > 0.5 and now.phase.tolist() == [FALLOW] * 3


def test_a_dead_crop_that_waits_for_its_harvest_does_not_breathe():
    p = parameters(["maize"] * 2, ["loam"] * 2, cycles=True)
    c = pools.at_start(p.cycles, p.thickness)
    plant = c.carbon.plant._replace(root=torch.full((2,), 0.1, dtype=D), harvest=torch.full((2,), 0.3, dtype=D))
    c = c._replace(carbon=c.carbon._replace(plant=plant), crop=c.crop._replace(phase=torch.tensor([3.0, 4.0], dtype=D)))
    one, layers = torch.ones(2, dtype=D), torch.ones(10, 2, dtype=D)
    m = fast.Moment(
        0.0 * one, 0.0 * one, 295.0 * one, 295.0 * layers, 1.0 * layers, 0.5 * layers, one, 20.0 * layers, 0.0 * layers,
        0.0 * layers, 0.0 * one, 0.0 * one, one, 0.0 * one,
    )  # fmt: skip
    after, _ = fast.step(c, p.cycles, m, p.thickness, 3600.0)
    assert after.day.gain[0] < 0.0 and after.day.gain[1] == 0.0


def test_acid_soils_nitrify_less_and_lime_gives_ammonia():
    one = torch.ones(4, dtype=D)
    ph = torch.tensor([4.5, 7.0, 8.2, float("nan")], dtype=D)
    given = mineral_nitrogen.nitrify(10.0 * one, 293.15 * one, 1.0, 0.05, ph=ph)
    plain = mineral_nitrogen.nitrify(10.0 * one, 293.15 * one, 1.0, 0.05)
    assert torch.equal(given.nitrified[[1, 3]], plain.nitrified[[1, 3]])
    assert torch.equal(given.volatile[[1, 3]], plain.volatile[[1, 3]])
    assert given.nitrified[0] < 0.6 * plain.nitrified[0] and given.volatile[0] < 0.02 * plain.volatile[0]
    assert given.volatile[2] > 5.0 * plain.volatile[2]
    assert ((given.nitrified + given.volatile) < 10.0).all()


def test_every_quantity_is_told_of_with_its_default():
    notes = []
    farm_maps.tell({}, np.ones(4, bool), {}, lambda text, share: notes.append(text))
    assert all(q.title in " ".join(notes) for q in QUANTITIES.values()) and len(notes) == 5
