# SPDX-License-Identifier: BSD-3-Clause
"""Maps by tag: found, checksummed, and read alike however the file lies."""

import numpy as np
import pytest
import xarray as xr
import yaml

from coupler.case import command
from coupler.catalogue.dataset import load
from coupler.catalogue.shelf import add, everything, find
from coupler.catalogue.tag import parse
from coupler.component import Component
from coupler.errors import CatalogueError
from coupler.fields import specs
from coupler.grids.grid import Grid

TAG = "LAI_TEST_1X_1M_2005_V1"


def truth(longitude, latitude):
    return np.cos(np.radians(latitude))[:, None] * (2.0 + np.sin(np.radians(longitude)))[None, :]


def write(path, *, first=-179.5, north_up=False, units="1", double=False, records=12, scale=1.0, constant=None):
    longitude = first + np.arange(361 if double else 360)
    latitude = np.arange(-89.5, 90.0)
    field = truth(longitude, latitude) if constant is None else np.full((180, longitude.size), constant)
    values = scale * field[None] * np.arange(1, records + 1)[:, None, None]
    if north_up:
        latitude, values = latitude[::-1], values[:, ::-1]
    variable = (("month", "lat", "lon"), values, {"units": units})
    xr.Dataset(
        {"lai": variable, "sd": (variable[0], 0.1 * values, {"units": units})},
        {
            "lat": ("lat", latitude, {"units": "degrees_north"}),
            "lon": ("lon", longitude, {"units": "degrees_east"}),
        },
    ).to_netcdf(path)
    return path


def shelved(folder, tag=TAG, **how):
    file = write(folder / "map.nc", **how)
    return add(folder, tag, file, variable="lai", uncertainty="sd", citation="A. Test (2005)", licence="CC-BY-4.0")


def test_tags():
    tag = parse("LAI_MODIS_EXTRA_2X_8D_2005_V3")
    assert tag == ("LAI", "MODIS_EXTRA", 2, "8D", 2005, 3)
    assert str(tag) == "LAI_MODIS_EXTRA_2X_8D_2005_V3"
    for wrong in ("lai_2X_1M_V1", "LAI_0X_1M_V1", "LAI_2X_1M", "LAI_2X_M_V1", "LAI_2X_1M_05_V1", "../LAI_2X_1M_V1"):
        with pytest.raises(CatalogueError, match=r"expected a tag LABEL"):
            parse(wrong)


@pytest.mark.parametrize(
    "how",
    [{}, {"first": 0.5}, {"north_up": True}, {"first": 0.5, "north_up": True}, {"double": True}, {"first": 179.5}],
    ids=["plain", "0-360", "north up", "both", "a column twice", "from the date line"],
)
def test_every_layout_reads_alike(tmp_path, how):
    data = load(shelved(tmp_path, **how))
    assert np.array_equal(data.longitude, np.arange(-179.5, 180.0))
    assert np.array_equal(data.latitude, np.arange(-89.5, 90.0))
    expected = truth(data.longitude, data.latitude)
    assert np.abs(data.values[2] - 3.0 * expected).max() < 1e-12
    assert np.abs(data.uncertainty - 0.1 * data.values).max() < 1e-12
    assert [d.month for d in data.dates.dates] == list(range(1, 13))
    assert {d.year for d in data.dates.dates} == {2005}
    assert (data.citation, data.licence) == ("A. Test (2005)", "CC-BY-4.0")


def test_corners_of_the_earth(tmp_path):
    data = load(shelved(tmp_path))
    for latitude, row in ((90.0, -1), (-90.0, 0)):
        assert data.at(10.4, latitude)[0] == data.values[0, row, 190]
    for longitude, column in ((180.0, 0), (-180.0, 0), (540.0, 0), (179.9, -1), (359.9, 179)):
        assert data.at(longitude, 0.2)[0] == data.values[0, 90, column], longitude
    middle = data.at(180.0, 0.0, "bilinear")[0]
    assert middle == pytest.approx(data.values[0, 89:91][:, [0, -1]].mean(), rel=1e-12)
    assert data.at(33.5, 12.5, "bilinear")[0] == data.at(33.5, 12.5)[0]


def test_missing_cells_leave_their_share_to_the_others(tmp_path):
    file = write(tmp_path / "map.nc")
    with xr.open_dataset(file) as opened:
        data = opened.load()
    data["lai"][:, 100, 200] = np.nan
    data.to_netcdf(tmp_path / "holed.nc")
    found = load(add(tmp_path, TAG, tmp_path / "holed.nc", variable="lai"))
    assert np.isnan(found.at(20.5, 10.5)).all()
    assert np.isfinite(found.at(20.9, 10.9, "bilinear")).all()


def test_a_polygon_over_the_date_line_and_the_mean_of_a_constant(tmp_path):
    data = load(shelved(tmp_path, constant=7.0))
    for polygon in (
        [(170, -10), (-170, -10), (-170, 10), (170, 10)],
        [(170, -10), (190, -10), (190, 10), (170, 10)],
        [(100, 20), (120, 20), (110, 40)],
        [(100, 20), (120, 20), (120, 40), (110, 25), (100, 40)],  # concave
    ):
        assert data.over(polygon) == pytest.approx(7.0 * np.arange(1, 13), rel=1e-12)
    wave = load(shelved(tmp_path, tag="LAI_WAVE_1X_1M_2005_V1"))
    east = wave.over([(175, -5), (180, -5), (180, 5), (175, 5)])[0]
    west = wave.over([(-180, -5), (-175, -5), (-175, 5), (-180, 5)])[0]
    both = wave.over([(175, -5), (185, -5), (185, 5), (175, 5)])[0]
    assert both == pytest.approx(0.5 * (east + west), rel=1e-9)


def test_a_box_over_the_date_line(tmp_path):
    data = load(shelved(tmp_path))
    values, longitude, latitude = data.box(178.0, -178.0, -1.0, 1.0)
    assert longitude.tolist() == [178.5, 179.5, -179.5, -178.5]
    assert latitude.tolist() == [-0.5, 0.5]
    assert values.shape == (12, 2, 4)
    with pytest.raises(CatalogueError, match=r"no cell in 0\.1\.\.0\.2 E"):
        data.box(0.1, 0.2, 0.1, 0.2)


def test_on_a_model_grid_the_integral_is_kept(tmp_path):
    data = load(shelved(tmp_path))
    coarse = Grid.regular_lonlat("coarse", -180, 180, -90, 90, resolution=4.5)
    means = data.on(coarse)
    assert means.shape == (12, *coarse.shape)
    fine_area, coarse_area = (np.asarray(g.area) for g in (data.grid, coarse))
    assert (means[0] * coarse_area.reshape(coarse.shape)).sum() == pytest.approx(
        (data.values[0] * fine_area.reshape(data.values.shape[1:])).sum(), rel=1e-10
    )


def test_what_is_not_as_the_entry_says_is_named(tmp_path):
    shelved(tmp_path)
    with pytest.raises(
        CatalogueError, match=r"no data set LAI_TEST_1X_1M_2006_V1 in .*near it: LAI_TEST_1X_1M_2005_V1"
    ):
        find("LAI_TEST_1X_1M_2006_V1", [tmp_path])
    with pytest.raises(CatalogueError, match="has LAI_TEST_1X_1M_2005_V1 already"):
        add(tmp_path, TAG, tmp_path / "map.nc", variable="lai")
    add(tmp_path, "LAI_TEST_2X_1M_2005_V1", tmp_path / "map.nc", variable="lai")
    with pytest.raises(CatalogueError, match=r"says cells of 0\.5 degrees, but its longitude has steps of 1 to 1"):
        load(find("LAI_TEST_2X_1M_2005_V1", [tmp_path]))
    add(tmp_path, "LAI_TEST_1X_1M_2005_V2", tmp_path / "map.nc", variable="lai", units="kg m-2")
    with pytest.raises(CatalogueError, match=r"map\.nc: lai: .*the index wants 'kg m-2'"):
        load(find("LAI_TEST_1X_1M_2005_V2", [tmp_path]))
    add(tmp_path, "LAI_TEST_1X_1M_2005_V3", tmp_path / "map.nc", variable="leaf")
    with pytest.raises(CatalogueError, match=r"map\.nc has no leaf; it has .*lai"):
        load(find("LAI_TEST_1X_1M_2005_V3", [tmp_path]))
    content = bytearray((tmp_path / "map.nc").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "map.nc").write_bytes(bytes(content))
    with pytest.raises(
        CatalogueError, match=r"is not the file that was added as LAI_TEST_1X_1M_2005_V1: expected SHA-256"
    ):
        load(find(TAG, [tmp_path]))
    (tmp_path / "map.nc").unlink()
    with pytest.raises(CatalogueError, match=r"map\.nc does not exist; put it there again"):
        load(find(TAG, [tmp_path]))


def test_mistakes_of_an_index_are_told_together(tmp_path):
    (tmp_path / "catalogue.yaml").write_text("lai: {file: x}\nLAI_1X_1M_V1: {file: x, size: 3}\nLAI_1X_1M_V2: 4\n")
    with pytest.raises(CatalogueError) as told:
        everything([tmp_path])
    lines = str(told.value).splitlines()
    assert len(lines) == 3
    assert "catalogue.yaml:1: expected a tag" in lines[0]
    assert "catalogue.yaml:2: unknown: size" in lines[1] and "sha256 is required" in lines[1]
    assert "catalogue.yaml:3: expected file, variable, sha256" in lines[2]


def test_units_of_the_entry(tmp_path):
    file = write(tmp_path / "t.nc", units="degC", constant=20.0, records=1)
    found = load(add(tmp_path, "T_1X_1M_V1", file, variable="lai", units="K", uncertainty="sd"))
    assert found.values == pytest.approx(293.15)
    assert found.uncertainty == pytest.approx(2.0)
    assert found.units == "K"


def test_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TESSERA_CATALOGUE", str(tmp_path))
    file = write(tmp_path / "map.nc", first=0.5, north_up=True, constant=3.0)
    line = ["data", "add", str(file), "--tag", TAG, "--variable", "lai", "--citation", "A. Test", "--licence", "CC0"]
    assert command.main(line) == 0
    assert yaml.safe_load((tmp_path / "catalogue.yaml").read_text())[TAG]["file"] == "map.nc"
    capsys.readouterr()
    assert command.main(["data", "list", "TEST"]) == 0
    assert TAG in capsys.readouterr().out
    assert command.main(["data", "show", TAG]) == 0
    shown = capsys.readouterr().out
    assert "180 x 360 of 1 degrees" in shown and "CC0" in shown and "12, 2005-01-" in shown
    assert command.main(["data", "get", TAG, "--point", "116.4", "39.9"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["2005-02-15", "6", "1"]
    assert command.main(["data", "get", TAG, "--polygon", "110", "30", "120", "30", "115", "40"]) == 0
    assert capsys.readouterr().out.splitlines()[0].split()[1] == "3"
    grid = tmp_path / "land.yaml"
    grid.write_text("grid: {west: 70, east: 160, south: -10, north: 65, resolution: 5.0}\n")
    out = tmp_path / "lai.nc"
    assert command.main(["data", "get", TAG, "--grid", str(grid), "--output", str(out)]) == 0
    with xr.open_dataset(out) as written:
        assert written["lai"].shape == (12, 15, 18)
        assert float(written["lai"][4].mean()) == pytest.approx(15.0)
        assert (written.attrs["references"], written.attrs["license"]) == ("A. Test", "CC0")
    capsys.readouterr()
    assert command.main(["data", "get", TAG, "--grid", str(grid), "--output", str(out)]) == 2
    assert "exists; name another --output" in capsys.readouterr().err
    assert command.main(["data", "show", "LAI_TEST_1X_1M_2004_V1"]) == 2
    assert f"near it: {TAG}" in capsys.readouterr().err


class Warm(Component):
    """A sea of one temperature that makes its input from whatever it is given."""

    exports = specs("sea_surface_temperature")

    def prepare_inputs(self, setting, files, report):
        """Only the names."""
        return {"made_from": " ".join(path.name for path in files)}

    def initialize(self, context):
        """One value."""
        self.shape = context.local_shape
        return self.step(0, 0, {})

    def step(self, time, seconds, imports):
        """The same."""
        return {"sea_surface_temperature": np.full(self.shape, 290.0)}

    def state(self):
        """Nothing."""
        return {}

    def restore(self, state):
        """Nothing."""


def test_prepare_takes_a_tag_and_the_history_says_whose_data_it_was(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TESSERA_CATALOGUE", str(tmp_path / "maps"))
    (tmp_path / "maps").mkdir()
    shelved(tmp_path / "maps")
    case = tmp_path / "case"
    case.mkdir()
    names = {"sea": {"model": f"{__name__}:Warm"}}
    (case / "case.yaml").write_text(yaml.safe_dump({"start": "2001-01-01", "duration": "PT2H", "components": names}))
    box = {"west": 0, "east": 4, "south": 0, "north": 4, "resolution": 1.0}
    output = [{"name": "hourly", "fields": ["sea_surface_temperature"], "period": "PT1H"}]
    (case / "sea.yaml").write_text(yaml.safe_dump({"step": "PT1H", "grid": box, "output": output}))
    assert command.main(["prepare", str(case), TAG]) == 0
    assert "made_from: map.nc" in capsys.readouterr().out
    assert command.main(["prepare", str(case), "LAI_TEST_1X_1M_2009_V1"]) == 2
    assert f"near it: {TAG}" in capsys.readouterr().err
    assert command.main([str(case), "--serial"]) == 0
    with xr.open_dataset(case / "run" / "history" / "sea.hourly.nc") as history:
        assert history.attrs["references"] == f"{TAG}: A. Test (2005)"
        assert history.attrs["license"] == f"{TAG}: CC-BY-4.0"
