# SPDX-License-Identifier: BSD-3-Clause
"""The tracker on the vortex of Holland (1980), no cyclone where there is none, best tracks of both formats."""

import cftime
import numpy as np
import pytest
from pyproj import Proj

from coupler.analysis.cyclones.best_tracks import KNOT, read_best_tracks
from coupler.analysis.cyclones.errors import compare
from coupler.analysis.cyclones.track import Track, distance
from coupler.analysis.cyclones.tracker import Maps, centres, tracks, vorticity
from coupler.errors import CaseError

RADIUS, DEEP, B = 40e3, 94500.0, 1.5
OUTER = 101000.0


def grid(kind, spacing):
    """Lambert or longitude-latitude points around 128 E 22 N, 3500 km wide."""
    n = int(3.5e6 / spacing) // 2 * 2
    if kind == "lambert":
        p = Proj("+proj=lcc +lat_1=15 +lat_2=30 +lat_0=22 +lon_0=128 +R=6371229")
        x, y = np.meshgrid(*[(np.arange(n) - n / 2 + 0.5) * spacing] * 2)
        return p(x, y, inverse=True)
    step = np.rad2deg(spacing / 6371229.0)
    return np.meshgrid(128 + step * (np.arange(n) - n / 2 + 0.5), 22 + step * (np.arange(n) - n / 2 + 0.5))


def vortex(lon, lat, x, y):
    """Holland (1980, Mon. Wea. Rev. 108, eq. 2 and 4): pressure and gradient wind, warm aloft, in an easterly flow."""
    r = np.maximum(distance(x, y, lon, lat), 1.0)
    ratio = (RADIUS / r) ** B
    p = DEEP + (OUTER - DEEP) * np.exp(-ratio) + 2.0 * (lat - 22.0) * 10.0
    f = 2.0 * 7.292e-5 * np.sin(np.deg2rad(y))
    speed = np.sqrt(ratio * B * (OUTER - DEEP) * np.exp(-ratio) / 1.15 + (r * f / 2) ** 2) - r * f / 2
    east = (lon - x) * np.cos(np.deg2rad(lat))
    angle = np.arctan2(lat - y, east)
    warm = 255.0 - 0.3 * (lat - 22.0) + 6.0 * np.exp(-((r / 200e3) ** 2))
    return Maps(p, -speed * np.sin(angle) - 5.0, speed * np.cos(angle), warm)


def way(n):
    """North-west along a line, at 5 m/s every six hours."""
    return 134.0 - 0.75 * n * 1.1, 17.0 + 0.6 * n * 1.1


@pytest.mark.parametrize("kind", ["lambert", "lonlat"])
@pytest.mark.parametrize(("spacing", "share", "pressure"), [(25e3, 0.25, 500.0), (100e3, 0.5, None)])
def test_the_analytic_vortex_is_one_track_at_its_place(kind, spacing, share, pressure):
    lon, lat = grid(kind, spacing)
    steps = range(8)
    maps = [vortex(lon, lat, *way(n)) for n in steps]
    found = tracks([21600.0 * n for n in steps], maps, lon, lat)
    assert len(found) == 1 and len(found[0]) == len(steps)
    t = found[0]
    off = [float(distance(*way(n), t.longitude[n], t.latitude[n])) / spacing for n in steps]
    print(
        f"{kind} {spacing / 1e3:.0f} km: centre within {max(off):.3f} cells, pressure {t.pressure.max() / 100:.1f} hPa"
    )
    assert max(off) < share
    lowest = np.array([m.pressure.min() for m in maps])
    np.testing.assert_array_equal(t.pressure, lowest)  # the grid's
    if pressure:
        assert np.abs(t.pressure - DEEP).max() < pressure


def test_vorticity_of_solid_rotation_is_twice_its_rate_on_any_grid():
    for kind in ("lambert", "lonlat"):
        lon, lat = grid(kind, 100e3)
        u = 2.0 * np.cos(np.deg2rad(lat))  # the Earth's way: 2 U sin(lat) / a
        v = np.zeros_like(u)
        made = vorticity(Maps(u, u, v, u), lon, lat)[2:-2, 2:-2]
        np.testing.assert_allclose(made, (4.0 * np.sin(np.deg2rad(lat)) / 6371229.0)[2:-2, 2:-2], rtol=2e-3)


def test_neither_a_cold_low_nor_a_shallow_one_nor_a_jet_is_a_cyclone():
    lon, lat = grid("lonlat", 100e3)
    m = vortex(lon, lat, 128.0, 24.0)
    assert len(centres(m, lon, lat)) == 1
    cold = Maps(m.pressure, m.eastward, m.northward, 510.0 - m.aloft)
    assert centres(cold, lon, lat) == []
    flat = Maps(OUTER + 0.02 * (m.pressure - OUTER), m.eastward, m.northward, m.aloft)
    assert centres(flat, lon, lat) == []
    north = lat + 18.0  # a winter jet with waves between 22 and 58 N
    wave = np.sin(np.deg2rad(12.0 * (lon - 128.0))) * np.exp(-(((north - 45.0) / 8.0) ** 2))
    p = 101500.0 - 3000.0 * wave - 60.0 * (north - 40.0)
    jet = Maps(p, 20.0 * np.exp(-(((north - 35.0) / 6.0) ** 2)), 15.0 * wave, 250.0 - 0.8 * (north - 40.0) - 3.0 * wave)
    assert tracks([21600.0 * n for n in range(6)], [jet] * 6, lon, north) == []


def test_the_warm_sector_of_a_winter_low_is_no_warm_core():
    """Warmer than the mean around by more than half a kelvin, and ever warmer towards the equator."""
    lon, lat = grid("lonlat", 100e3)
    m = vortex(lon, lat, 128.0, 24.0)
    r = distance(128.0, 24.0, lon, lat)
    sector = 255.0 - 0.8 * (lat - 24.0) + 2.0 * np.exp(-((r / 300e3) ** 2))
    assert sector[r < 222e3].max() - sector[r < 700e3].mean() > 1.5
    assert centres(Maps(m.pressure, m.eastward, m.northward, sector), lon, lat) == []
    seclusion = Maps(
        m.pressure, m.eastward, m.northward, 255.0 - 0.2 * (lat - 24.0) + 2.0 * np.exp(-((r / 300e3) ** 2))
    )
    assert len(centres(seclusion, lon, lat)) == 1, "closed in the weak gradient of the tropics"


def test_a_cyclone_is_born_over_the_sea_and_goes_on_over_land():
    lon, lat = grid("lonlat", 100e3)
    times, maps = [21600.0 * n for n in range(8)], [vortex(lon, lat, *way(n)) for n in range(8)]

    def west(x, y):
        return np.asarray(x < 130.9)

    (found,) = tracks(times, maps, lon, lat, on_land=west)
    assert len(found) == 8 and found.longitude[-1] < 129.0
    assert tracks(times, maps, lon, lat, on_land=lambda x, y: x < 150.0) == []


RSMC = """66666 1902  003 0003 1902 0 6            WUTIP                20190401
19021818 002 3 048 1600  1000     035     00000000   30100 0050
19021900 002 3 050 1590  0998     040     00000000   30100 0050
19021906 002 5 055 1580  0970     065     90030 0030 90120 0120         #
66666 5101  002 0001 5101 0 6            GEORGIA              19901012
51021906 002 2 200 1795  1010
51021912 002 3 230 1805  1002     000
"""
COLUMNS = "SID,SEASON,NUMBER,BASIN,SUBBASIN,NAME,ISO_TIME,NATURE,LAT,LON,WMO_WIND,WMO_PRES,LANDFALL,TOKYO_WIND"
IBTRACS = f"""{COLUMNS},TOKYO_PRES
 ,Year, , , , , , ,degrees_north,degrees_east,kts,mb,km,kts,mb
2018001N10179,2018,1,WP,MM,PABUK,2018-12-31 18:00:00,TS,10.0,179.5,35,1000,100,,
2018001N10179,2018,1,EP,MM,PABUK,2019-01-01 00:00:00,TS,10.5,-179.5, , ,100,40,996
2018001N10179,2018,1,EP,MM,PABUK,2019-01-01 06:00:00,TS,11.0,-178.4, , ,0, ,
2019002N05100,2019,2,NI,BB,NOT_NAMED,2019-01-04 00:00:00,TS,8.0,99.0,30,1004,0, ,
"""


def test_the_text_of_rsmc_tokyo(tmp_path):
    (tmp_path / "bst.txt").write_text(RSMC)
    wutip, georgia = read_best_tracks(tmp_path / "bst.txt")
    assert wutip.name == "1902 WUTIP" and len(wutip) == 3
    assert str(wutip.times[0]) == "2019-02-18 18:00:00" and georgia.times[0].year == 1951
    np.testing.assert_allclose(wutip.longitude, [160.0, 159.0, 158.0])
    np.testing.assert_allclose(wutip.pressure, [1e5, 99800.0, 97000.0])
    np.testing.assert_allclose(wutip.wind, np.array([35, 40, 65]) * KNOT)
    assert wutip.landfall == (False, False, True)
    np.testing.assert_allclose(georgia.longitude, [179.5, 180.5])
    assert np.isnan(georgia.wind).all()  # none known, and 000 says none


def test_the_agencys_own_columns_with_what_early_storms_lack(tmp_path):
    """The sample of the agency's description, in its columns; a storm of 1951 has neither a name nor winds."""
    lines = [
        "66666 5101    3      5101 0 6                                   19901017",
        "51021906 002 2 200 1385 1010",
        "51021912 002 2 200 1385          030",  # no pressure
        "51021918 002 9 205 1380  998     000",
        "66666 9119    1 0045 9119 0 6 MIRREILE                          19920701",
        "91092706 002 5 325 1293  935     095     30180 0140 30400 0260         #",
    ]
    (tmp_path / "bst.txt").write_text("\n".join(lines) + "\n")
    old, mirreille = read_best_tracks(tmp_path / "bst.txt")
    assert (old.name, mirreille.name) == ("5101", "9119 MIRREILE") and old.times[0].year == 1951
    np.testing.assert_allclose(old.pressure, [101000.0, np.nan, 99800.0])
    np.testing.assert_allclose(old.wind / KNOT, [np.nan, 30.0, np.nan])
    assert (mirreille.latitude, mirreille.longitude, mirreille.pressure) == (32.5, 129.3, 93500.0)
    np.testing.assert_allclose(mirreille.wind / KNOT, 95.0)
    assert mirreille.landfall == (True,) and old.landfall == (False,) * 3


def test_the_csv_of_ibtracs(tmp_path):
    (tmp_path / "ib.csv").write_text(IBTRACS)
    pabuk, other = read_best_tracks(tmp_path / "ib.csv")
    np.testing.assert_allclose(pabuk.longitude, [179.5, 180.5, 181.6])
    assert pabuk.basins == ("WP", "EP", "EP") and other.basins == ("NI",)
    np.testing.assert_allclose(pabuk.pressure, [1e5, 99600.0, np.nan])
    np.testing.assert_allclose(pabuk.wind / KNOT, [35, 40, np.nan])


def test_lines_that_cannot_be_read_are_told_by_number(tmp_path):
    (tmp_path / "bad.txt").write_text(
        RSMC.replace("19021900 002 3 050", "1902190x 002 3 050").replace("5101  002", "5101  009")
    )
    with pytest.raises(CaseError, match=r"line 3: expected a date.*\n.*line 5: says 9 lines"):
        read_best_tracks(tmp_path / "bad.txt")
    (tmp_path / "bad.csv").write_text(IBTRACS.replace("8.0,99.0", "north,99.0"))
    with pytest.raises(CaseError, match="line 6"):
        read_best_tracks(tmp_path / "bad.csv")
    (tmp_path / "other.txt").write_text("hello\n")
    with pytest.raises(CaseError, match="expected the text of RSMC Tokyo"):
        read_best_tracks(tmp_path / "other.txt")


def test_errors_of_a_track_beside_the_best_one():
    when = tuple(cftime.datetime(2019, 8, 1, h) for h in (0, 6, 12, 18))
    best = Track(
        "best", when, np.array([130.0, 129, 128, 127]), np.full(4, 25.0), np.full(4, 96000.0), np.full(4, 40.0)
    )
    mine = Track("1", when, best.longitude + 0.5, np.full(4, 25.0), np.full(4, 97000.0), np.full(4, 30.0))
    far = Track("2", when, best.longitude - 40.0, np.full(4, 25.0), np.full(4, 97000.0), np.full(4, 30.0))
    (e,) = compare([far, mine], [best], on_land=lambda x, y: x < 128.25)
    assert (e.model, e.best) == ("1", "best")
    np.testing.assert_allclose(e.apart, 0.5 * 111.2e3 * np.cos(np.deg2rad(25.0)), rtol=1e-3)
    np.testing.assert_allclose(e.along, -e.apart, rtol=1e-3)  # half a degree behind
    np.testing.assert_allclose(e.across, 0.0, atol=300.0)
    np.testing.assert_allclose(e.pressure, 1000.0)
    np.testing.assert_allclose(e.wind, -10.0)
    assert abs(e.landfall_hours - 3.0) < 0.3 and e.landfall_apart < 10e3
