# SPDX-License-Identifier: BSD-3-Clause
"""The aerosol over a period: elements and books close, and blocks have the bits of the whole."""

import numpy as np
import pytest
import torch

from components.chemistry.regional import background
from components.chemistry.regional.aerosol.options import Aerosol
from components.chemistry.regional.aerosol.particles import BOOKS, PARTNERS, Particles, Surroundings
from components.chemistry.regional.aerosol.secondary_organic import VAPOUR
from components.chemistry.regional.aerosol.species import KINDS, MOLAR_MASS, NAMES
from components.chemistry.regional.deposition import land_cover
from components.chemistry.regional.deposition.land_cover import one_use
from components.chemistry.regional.deposition.surroundings import Below, rains_of
from components.radiation.aerosol_exchange import SIZES, names
from components.science.tracers import Species, Tracer

NZ, NY, NX = 8, 3, 6
DRY = 0.0289644
GASES = ("CO", *PARTNERS, "OH", "N2O5")
SPECIES = Species([*(Tracer(n, "mol mol-1") for n in GASES), *(k.tracer() for k in KINDS), VAPOUR])


def surroundings(seed=0):
    """A moist, partly cloudy and rainy column field."""
    rng = np.random.default_rng(seed)
    p_i = 101325.0 * np.exp(-np.linspace(0.0, 1.6, NZ + 1))
    p = np.broadcast_to(0.5 * (p_i[1:] + p_i[:-1])[:, None, None], (NZ, NY, NX))
    t = 288.0 - 45.0 * (1.0 - p / 101325.0) + rng.normal(0, 2, p.shape)
    rho = p / (287.06 * t)
    mass = np.broadcast_to(((p_i[:-1] - p_i[1:]) / 9.80665)[:, None, None], p.shape)
    cover = np.where(rng.random(p.shape) < 0.4, rng.random(p.shape), 0.0)
    t3 = lambda a: torch.tensor(np.ascontiguousarray(a))  # noqa: E731
    return Surroundings(
        t3(t), t3(0.006 * (p / 101325.0) ** 3), t3(p), t3(rho), t3(mass), t3(np.where(cover > 0, 3e-4, 0.0)), t3(cover),
        t3(5.0 + 6.0 * rng.random((NY, NX))),
    )  # fmt: skip


WARM = torch.tensor(290.0, dtype=torch.float64)  # of the ground, K


def below(air, rain=True, part=slice(None)):
    """The ground under all of it, of which a part is wanted, and both kinds of rain."""
    rng = np.random.default_rng(7)
    flux = np.cumsum(rng.normal(2e-5, 1e-4, (NZ, NY, NX))[::-1], axis=0)[::-1] * rain
    layered, towers = (torch.tensor(np.ascontiguousarray(a)[..., part]) for a in (flux, flux[..., ::-1]))
    land = (torch.arange(NX) < NX // 2).expand(NY, NX)[:, part]
    one = torch.ones_like(air.wind)
    place = Below(90.0 * one, 39.0 * one, one_use("agriculture", land, torch.float64))
    depth = air.mass[0] / air.density[0]
    lowest = air.t[0], air.p[0], air.density[0]
    ground = place.ground(air.wind, depth, lowest, air.t[0] + 1.0, 300.0 * one, 0.0 * one, 100.0)
    return ground, rains_of(layered, towers)


PLACES = (torch.full((NY, NX), 100.0, dtype=torch.float64), torch.full((NY, NX), 39.0, dtype=torch.float64))


def particles(options=None, west=80.0, part=slice(None)):
    """Over land in the west and sea in the east."""
    lon = torch.linspace(west, west + 5.0, NX, dtype=torch.float64).expand(NY, NX).contiguous()
    lat = torch.full((NY, NX), 39.0, dtype=torch.float64)
    model = Particles(options or Aerosol(), SPECIES, lon[:, part], lat[:, part], NZ, torch.float64)
    model.land = (torch.arange(NX) < NX // 2).expand(NY, NX)[:, part].contiguous()
    return model


def amounts(seed=2):
    rng = np.random.default_rng(seed)
    q = torch.zeros((len(SPECIES), NZ, NY, NX), dtype=torch.float64)
    for n, t in enumerate(SPECIES):
        size = 1e-9 if t.units == "mol mol-1" else 3e-9
        q[n] = torch.tensor(size * rng.random((NZ, NY, NX)))
    q[SPECIES.number("O3")] += 4e-8
    q[SPECIES.number("OH")] *= 1e-4
    q[SPECIES.number("HNO3"), 3, 1, 1] = -1e-22  # as rounding leaves it
    return q


def content(q, air, of):
    """mol m-2 of an element: gases by mole fraction, ions by mass."""
    total = torch.zeros((NY, NX), dtype=torch.float64)
    for name in of:
        m = DRY if name in GASES else MOLAR_MASS[name]
        total = total + (q[SPECIES.number(name)] * air.mass / m).sum(0)
    return total


@pytest.fixture(scope="module")
def period():
    air, model, before = surroundings(), particles(), amounts()
    after, gases = model.advance(before, air, *below(air), 600.0)
    return air, model, before, after, gases


def test_sulfur_and_nitrogen_close_with_what_reached_the_ground(period):
    air, model, before, after, _ = period
    for of in (("SO2", "SULF", "sulfate"), ("NH3", "ammonium"), ("N2O5", "N2O5", "HNO3", "nitrate")):
        lost = torch.zeros((NY, NX), dtype=torch.float64)
        for book in ("settling", "dry_deposition", "wet_deposition"):
            lost = lost + model.booked()[f"{of[-1]}_{book}"] / MOLAR_MASS[of[-1]]
        torch.testing.assert_close(content(after, air, of), content(before, air, of) + lost, rtol=1e-12, atol=0.0)
    assert float((after[SPECIES.number("SULF")]).abs().max()) < 1e-24


def test_the_books_of_every_kind_close(period):
    air, model, before, after, gases = period
    for name in NAMES:
        k = SPECIES.number(name)
        booked = sum(model.booked()[f"{name}_{book}"] for book in BOOKS)
        change = ((after[k] - before[k]) * air.mass).sum(0)
        torch.testing.assert_close(booked, change, rtol=1e-9, atol=1e-18)
    for name, by in gases.items():
        k = SPECIES.number(name)
        torch.testing.assert_close(after[k] - before[k], by, rtol=0.0, atol=0.0)
    assert bool((after[[SPECIES.number(n) for n in NAMES]] >= -1e-24).all())
    torch.testing.assert_close(after[0], before[0], rtol=0.0, atol=0.0)  # no partner of particles


def test_nitrogen_of_particles_is_deposited_as_their_books_say(period):
    """14.0067 g of each 18.04 g of ammonium and 62.0 g of nitrate that fall, are deposited or are washed out."""
    _, model, _, _, _ = period
    booked, expected = model.booked(), torch.zeros((NY, NX), dtype=torch.float64)
    for name, share in (("ammonium", 14.0067 / 18.04), ("nitrate", 14.0067 / 62.0)):
        for book in ("settling", "dry_deposition", "wet_deposition"):
            expected = expected - share * booked[f"{name}_{book}"] / 600.0
    assert float(expected.min()) > 0.0
    torch.testing.assert_close(model.nitrogen_deposition, expected, rtol=1e-12, atol=0.0)


def test_clouds_make_sulfate_of_peroxide(period):
    air, model, _, _, gases = period
    cloudy = (air.cloud * air.cover) > 0.0
    assert bool((gases["H2O2"][cloudy] < 0.0).all()) and bool((gases["H2O2"][~cloudy] == 0.0).all())
    assert float(model.booked()["sulfate_production"].min()) > 0.0


def test_organic_vapour_becomes_particles_as_hydroxyl_allows():
    """Hodzic & Jimenez (2011): 1.25e-11 cm3 s-1 in a million molecules of OH, a day: 1 - exp(-1.08); a kg for a kg."""
    air, model, q = surroundings(), particles(), torch.zeros((len(SPECIES), NZ, NY, NX), dtype=torch.float64)
    q[SPECIES.number("OH")] = 1.0e12 / 6.02214076e23 / (air.density / DRY)
    q[SPECIES.number(VAPOUR.name)] = 5.0e-9
    before = q.clone()
    model._form_organic(q, air, 86400.0)
    left, made = q[SPECIES.number(VAPOUR.name)], q[SPECIES.number("organic_matter_secondary")]
    torch.testing.assert_close(made, torch.full_like(made, 5.0e-9 * (1.0 - np.exp(-1.08))), rtol=1e-10, atol=0.0)
    torch.testing.assert_close(left + made, before[SPECIES.number(VAPOUR.name)], rtol=1e-15, atol=0.0)
    booked = model.booked()[f"{VAPOUR.name}_production"]
    torch.testing.assert_close(booked, -(made * air.mass).sum(0), rtol=1e-14, atol=0.0)
    assert bool((q[SPECIES.number("OH")] == before[SPECIES.number("OH")]).all())
    given = {"CO": torch.tensor(3.0), "black_carbon_fresh": torch.tensor(1.0)}  # of soot mol m-2 s-1
    weighed = model.weighed(given)
    assert float(weighed[VAPOUR.name] / weighed["CO"]) == pytest.approx(0.08 * 0.02801 / DRY)
    assert float(weighed["black_carbon_fresh"]) == pytest.approx(0.0120107)
    assert VAPOUR.name not in particles(Aerosol(organic_vapour=0.0)).weighed(given)


def test_the_profile_of_particles_at_the_sides_or_what_start_says():
    air = surroundings()
    model = Particles(
        Aerosol(), SPECIES, torch.zeros((NY, NX)), torch.zeros((NY, NX)), NZ, torch.float64, {"nitrate": 2.0e-9}
    )
    outside = dict(zip(NAMES, model.outside(air), strict=True))
    sulfate = outside["sulfate"] * air.density * 1.0e9
    assert 0.401 < float(sulfate[0].mean()) < 0.601 and 0.0401 < float(sulfate[-1].mean()) < 0.0802
    heights = torch.tensor([0.0, 350.0, 630.0, 20000.0])
    assert (background.particles("sulfate", heights) * 1e9).tolist() == pytest.approx([0.601, 0.601, 0.501, 0.0401])
    assert bool((outside["nitrate"] == 2.0e-9).all()) and float(outside["dust_1"].abs().max()) == 0.0


def test_blocks_have_the_bits_of_the_whole():
    air, q = surroundings(), amounts()
    whole, _ = particles().advance(q, air, *below(air), 600.0)
    for part in (slice(0, 2), slice(2, 6)):
        cut = Surroundings(*(a[..., part].contiguous() for a in air))
        model = particles(part=part)
        got, _ = model.advance(q[..., part].contiguous(), cut, *below(cut, part=part), 600.0)
        assert torch.equal(got, whole[..., part])
    for name, flux in particles().emitted(air, WARM).items():
        cut = Surroundings(*(a[..., 1:4].contiguous() for a in air))
        model = particles(part=slice(1, 4))
        assert torch.equal(model.emitted(cut, WARM)[name], flux[..., 1:4]), name


def test_dust_rises_from_deserts_and_salt_from_the_sea():
    air = surroundings()
    flux = particles().emitted(air, WARM)
    land = particles().land
    assert set(flux) == {n for n in NAMES if n.startswith(("dust", "sea_salt"))}
    assert bool((flux["sea_salt_2"][~land] > 0.0).all()) and float(flux["sea_salt_2"][land].max()) == 0.0
    assert float(flux["dust_4"][land].max()) > 0.0 and float(flux["dust_4"][~land].max()) == 0.0
    assert float(particles(west=120.0).emitted(air, WARM)["dust_4"].max()) == 0.0
    gocart = particles(Aerosol(dust={"scheme": "gocart"}, sea_salt=False)).emitted(air, WARM)
    assert set(gocart) == {n for n in NAMES if n.startswith("dust")} and float(gocart["dust_4"].max()) > 0.0
    assert particles(Aerosol(dust=None, sea_salt=False)).emitted(air, WARM) == {}


def test_dust_rises_from_the_bare_ground_of_a_map_by_its_share():
    """Half a cell of bare ground gives half of what a desert of one share does; ice gives none; boxes go before."""
    air = surroundings()
    land = particles().land
    shares = {name: np.zeros((NY, NX)) for name in ("bare", "ice_sheet", "cropland")}
    shares["bare"][0], shares["ice_sheet"][1], shares["cropland"][:] = 0.5, 0.9, 0.1
    shares["cropland"][0] = 0.5
    desert = land_cover.by_area_type(shares, "range", land, torch.float64).desert()

    def rises(**dust):
        options = Aerosol(dust=dust, sea_salt=False)
        made = Particles(options, SPECIES, *PLACES, NZ, torch.float64, desert=desert)
        made.land = land
        return made.emitted(air, WARM)["dust_3"]

    everywhere = {"west": 0.0, "east": 180.0, "south": 0.0, "north": 90.0, "bare": 1.0}
    whole = rises(deserts=[everywhere])
    assert float(whole[0].max()) > 0.0 and float(whole[1:].max()) > 0.0
    torch.testing.assert_close(rises()[0], 0.5 * whole[0])
    assert float(rises()[1:].abs().max()) == 0.0


def test_snow_and_soil_water_hold_dust_back():
    air = surroundings()
    one = torch.ones_like(air.wind)
    for scheme, damp in (("kok", 0.03), ("gocart", 0.002)):
        options = Aerosol(dust={"scheme": scheme}, sea_salt=False)
        rises = lambda *held: particles(options).emitted(air, WARM, *held)["dust_3"]  # noqa: B023, E731
        free = rises()
        assert float(free.max()) > 0.0
        torch.testing.assert_close(rises(0.0 * one, 0.0 * one), free)
        # 25 kg m-2 lie 10 cm deep and cover half of bare ground
        torch.testing.assert_close(rises(0.0 * one, 25.0 * one), 0.5 * free)
        assert float(rises(0.25 * one).max()) == 0.0
        assert 0.0 < float(rises(damp * one).max()) < float(free.max())


def test_fractions_are_those_that_radiation_takes(period):
    air, model, _, after, _ = period
    got = model.fractions(after)
    assert set(got) == {name for s in SIZES for name in names(s)}
    soot = sum(after[SPECIES.number(f"black_carbon_{age}")] for age in ("fresh", "aged"))
    torch.testing.assert_close(got["elemental_carbon"] * (1.0 + air.q_v), soot)
    old = after[SPECIES.number("black_carbon_aged")]
    assert bool((old > 0.0).any())
    torch.testing.assert_close(got["aged_elemental_carbon"] * (1.0 + air.q_v), old)
    fine = model.fine_matter(after)
    coarse = after[SPECIES.number("dust_5"), 0] * air.density[0]
    everything = sum(after[SPECIES.number(n), 0] for n in NAMES) * air.density[0]
    assert bool((fine < everything - coarse).all()) and bool((fine > 0.2 * everything).all())


def test_a_restored_model_has_the_same_state(period):
    _, model, _, after, _ = period
    other = particles()
    other.restore({name: a.numpy() for name, a in model.state().items()})
    for name, a in other.state().items():
        assert torch.equal(a, model.state()[name])
    assert torch.equal(other.fine_matter(after), model.fine_matter(after))


def test_without_gases_particles_still_fall_and_age():
    alone = Species([*(k.tracer() for k in KINDS), VAPOUR])
    model = Particles(Aerosol(), alone, torch.zeros((NY, NX)), torch.zeros((NY, NX)), NZ, torch.float64)
    q = amounts()[[SPECIES.number(n) for n in (*NAMES, VAPOUR.name)]]
    air = surroundings()
    after, gases = model.advance(q, air, *below(air, rain=False), 600.0)
    assert gases == {} and float((after - q).abs().max()) > 0.0
    assert float(model.booked()["sulfate_wet_deposition"].abs().max()) == 0.0
