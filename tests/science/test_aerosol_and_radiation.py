# SPDX-License-Identifier: BSD-3-Clause
"""The chemistry's aerosol in radiation: tables beside MERRA-2's, mass that is kept, effect and feedback by choice.

Also what is put out of the same air without clouds.
"""

import numpy as np
import pytest
import torch

from components.chemistry.regional.aerosol.species import KINDS
from components.radiation import standard_atmosphere
from components.radiation.aerosol_exchange import SIZES, aerosol_fields, aerosol_in, aerosol_out, names, optics
from components.radiation.aerosol_optics import VISIBLE, _mie, merra_optics, mie_optics, visible_depth
from components.radiation.hazy import CLEAR_SKY, DEPTH, EFFECTS, net
from components.radiation.rrtmg_scheme import Rrtmg
from components.radiation.rrtmgp.component import RrtmgpRadiation
from components.radiation.rrtmgp_scheme import Rrtmgp
from data.make_aerosol_optics import table

ALL = [name for s in SIZES for name in names(s)]


@pytest.mark.parametrize("name, within", [("sulfate", 1.05), ("dust_3", 1.5), ("dust_5", 1.5)])
def test_extinction_of_light_is_near_merra_2_s(name, within):
    """Randles et al. (2017): dry sulfate of the same sizes; dust of other sizes, nearby.

    Moist, MERRA-2's sulfate extinguishes 4.3 times as much at 80 % as dry; kappa of 0.53 gives 2.3.
    """
    mass, rh = {name: np.full((1, 1), 1e-3)}, np.zeros((1, 1))
    ours, theirs = (f(mass, rh).shortwave[:, VISIBLE, 0, 0] for f in (mie_optics, merra_optics))
    print(f"{name}: {1e3 * ours[0]:.0f} for {1e3 * theirs[0]:.0f} m2 kg-1")
    assert abs(np.log(ours[0] / theirs[0])) < np.log(within)
    assert 0.0 < ours[1] <= ours[0] and 0.0 < ours[2] < ours[1]


def test_soot_absorbs_and_moist_sulfate_grows():
    one, dry, moist = np.full((1, 1), 1e-3), np.zeros((1, 1)), np.full((1, 1), 0.9)
    soot = mie_optics({"elemental_carbon": one}, dry).shortwave[:, VISIBLE, 0, 0]
    assert 6.3 < soot[0] - soot[1] < 8.7  # m2 g-1 absorbed: 7.5 +- 1.2 (Bond & Bergstrom 2006); spheres 6.2
    wet, small = (mie_optics({"sulfate": one}, h).shortwave[0, VISIBLE, 0, 0] for h in (moist, dry))
    assert 3.0 < wet / small < 5.0
    with pytest.raises(KeyError, match=r"no aerosol optics of pollen; known: sulfate, nitrate"):
        mie_optics({"pollen": one}, dry)


def test_aged_soot_absorbs_half_as_much_again_as_fresh_soot_and_scatters_as_much():
    """Bond et al. (2013); what is given as aged is a part of all elemental carbon, and fresh where nothing is said."""
    air = standard_atmosphere.columns(12, torch.full((1, 1), 0.6, dtype=torch.float64), 1.0)
    none = {name: np.zeros((12, 1, 1)) for name in ALL}
    soot = np.full((12, 1, 1), 1e-9)

    def seen(share):
        given = none | {"elemental_carbon": soot} | ({} if share is None else {"aged_elemental_carbon": share * soot})
        depth, scattered, _ = optics(given, air).shortwave[:, VISIBLE].sum(axis=(-2, -1))
        return depth - scattered, scattered

    absorbed, scattered = np.transpose([seen(share) for share in (0.0, 0.5, 1.0)])
    np.testing.assert_allclose(absorbed / absorbed[0], [1.0, 1.25, 1.5], rtol=1e-3)
    np.testing.assert_allclose(scattered, scattered[0], rtol=1e-3)
    sent = aerosol_out({name: torch.as_tensor(a) for name, a in (none | {"elemental_carbon": soot}).items()})
    optional = [f.name for f in aerosol_fields(12) if not f.required]
    assert optional == ["mass_fraction_of_aged_elemental_carbon_dry_aerosol_particles_in_air"]
    untold = aerosol_in({name: a for name, a in sent.items() if name not in optional})
    np.testing.assert_array_equal(
        optics(untold, air).shortwave, optics(none | {"elemental_carbon": soot}, air).shortwave
    )


def test_the_tables_are_those_that_their_script_makes():
    (kind,) = (k for k in KINDS if k.field == "aged_elemental_carbon")
    made = table(kind.field, kind.density, kind.kappa, "shortwave")
    np.testing.assert_allclose(_mie("shortwave")[0][kind.field], made, rtol=1e-4)
    assert set(_mie("shortwave")[0]) == {k.field for k in KINDS}


def some(levels, shape, seed=1):
    rng = np.random.default_rng(seed)
    return {name: torch.tensor(1e-9 * rng.random((levels, *shape))) for name in ALL}


def test_mass_fractions_pass_the_exchange_unchanged():
    fractions = some(6, (2, 3))
    sent = aerosol_out(fractions)
    assert {f.name: f.levels for f in aerosol_fields(6)} == {name: a.shape[0] for name, a in sent.items()}
    for name, a in aerosol_in(sent).items():
        np.testing.assert_array_equal(a, fractions[name].numpy())


def test_the_depth_is_that_of_the_mass_of_the_column():
    """Dust of 2e-8 in all layers: its mass, (p_0 - p_top) / g, times its extinction; it takes up next to no water."""
    air = standard_atmosphere.columns(12, torch.full((2, 2), 0.6, dtype=torch.float64), 1.0)
    fractions = {name: np.zeros((12, 2, 2)) for name in ALL} | {"dust_5": np.full((12, 2, 2), 2e-8)}
    p = air.p_interface[:, 0, 0]
    mass = 2e-8 * float(p[0] - p[-1]) / 9.80665
    dry = mie_optics({"dust_5": np.full((1, 1), mass)}, np.zeros((1, 1))).shortwave[0, VISIBLE, 0, 0]
    np.testing.assert_allclose(visible_depth(optics(fractions, air)), dry, rtol=0.05)


class Model(RrtmgpRadiation):
    """The component without a case: its grid is a row of columns at noon."""

    def __init__(self, aerosol, **options):
        super().__init__(self.Options(levels=12, aerosol=aerosol, **options))
        self.lon = self.lat = torch.zeros((1, 2), dtype=torch.float64)
        self.gases = self.options.gases.at(2014)
        self.numbers = torch.zeros((1, 2), dtype=torch.int64)
        self.prepare(None)
        self.air = standard_atmosphere.columns(12, torch.full((1, 2), 0.6, dtype=torch.float64), 1.0)

    def at_once(self, fractions):
        self._fractions = None if fractions is None else aerosol_in(aerosol_out(fractions))
        return self.radiate(self.air)


def hazy():
    out = {name: torch.zeros((12, 1, 2), dtype=torch.float64) for name in ALL}
    out["sulfate"][:4, :, 1] = 2e-8
    out["elemental_carbon"][:4, :, 1] = 1e-9
    return out


def test_effect_and_feedback_are_chosen_by_themselves():
    clean = Model(None).at_once(None)
    felt = Model({"feedback": True, "effect": True})
    seen = Model({"feedback": False, "effect": True})
    with_haze, without = felt.at_once(hazy()), seen.at_once(hazy())
    for a, b in zip(without[1:8], clean[1:8], strict=True):
        torch.testing.assert_close(a, b, rtol=0.0, atol=0.0)
    for model in (felt, seen):
        shown = model.diagnostics()
        assert set(shown) == {DEPTH, *EFFECTS}
        top = shown["aerosol_effect_on_net_downward_shortwave_flux_at_top_of_atmosphere"]
        ground = shown["aerosol_effect_on_net_downward_shortwave_flux_at_surface"]
        assert shown[DEPTH][0, 1] > 0.1 and shown[DEPTH][0, 0] == 0.0
        assert ground[0, 1] < top[0, 1] < -3.0 and abs(ground[0, 0]) < 1e-3
    change = (with_haze.shortwave_down - with_haze.shortwave_up - clean.shortwave_down + clean.shortwave_up)[0, 1]
    assert float(change) == pytest.approx(ground[0, 1], abs=1e-3)
    one = Model({"feedback": True})
    torch.testing.assert_close(one.at_once(hazy()).shortwave_down, with_haze.shortwave_down, rtol=0.0, atol=0.0)
    assert set(one.diagnostics()) == {DEPTH}


def test_without_aerosol_nothing_more_is_imported_or_put_out():
    plain, full = RrtmgpRadiation(RrtmgpRadiation.Options()), RrtmgpRadiation(RrtmgpRadiation.Options(aerosol={}))
    assert len(full.imports) - len(plain.imports) == len(SIZES)
    assert not plain.diagnostic_units


def test_clear_sky_is_radiation_of_the_same_air_without_clouds():
    """Its fluxes are those of a model without clouds, with the aerosol that is felt, and change nothing else."""
    for aerosol, fractions in (
        (None, None),
        ({"feedback": True, "effect": True}, hazy()),
        ({"feedback": False}, hazy()),
    ):
        model, plain, clear = (Model(aerosol, clear_sky=word) for word in (True, False, False))
        for each in (model, plain):
            each.air = each.air._replace(cloud=each.air.cloud.index_fill(0, torch.tensor([2, 3]), 2e-4))
            each.air = each.air._replace(snow=each.air.cloud.index_fill(0, torch.tensor([7]), 1e-5))
        got, same, sky = (m.at_once(fractions) for m in (model, plain, clear))
        for a, b in zip(got, same, strict=True):
            torch.testing.assert_close(a, b, rtol=0.0, atol=0.0)
        shown = model.diagnostics()
        assert set(shown) - set(plain.diagnostics()) == set(CLEAR_SKY)
        for name, part in CLEAR_SKY.items():
            assert np.array_equal(shown[name], getattr(sky, part).numpy()), name
        for name in plain.diagnostics():
            assert np.array_equal(shown[name], plain.diagnostics()[name]), name
        assert (shown["toa_outgoing_shortwave_flux_assuming_clear_sky"] < got.reflected_shortwave.numpy() - 50.0).all()
        assert (shown["toa_outgoing_longwave_flux_assuming_clear_sky"] > got.outgoing_longwave.numpy() + 5.0).all()


def test_rrtmg_takes_aerosol_by_its_bands_as_rrtmgp_does():
    """Two schemes with the same optics, from low sun to high: ground and longwave within 4 %, air within .8 W m-2."""
    climt = pytest.importorskip("climt", reason="climt is not installed")
    assert climt
    air = standard_atmosphere.columns(24, torch.linspace(0.1, 0.9, 5, dtype=torch.float64)[None], 1.0)
    low = (air.p > 7.0e4).double().numpy()
    weights = {"sulfate": 12.0, "nitrate": 8.0, "ammonium": 6.0, "elemental_carbon": 2.0, "aged_elemental_carbon": 1.0,
               "particulate_organic_matter": 10.0, "sea_salt_1": 2.0, "dust_1": 1.0, "dust_4": 5.0}  # fmt: skip
    haze = optics({name: weights.get(name, 0.0) * 5.0e-10 * low for name in ALL}, air)
    depth = visible_depth(haze)
    assert 0.2 < depth.min() and depth.max() < 0.6
    found = []
    for scheme in (Rrtmg(), Rrtmgp(real=np.float64)):
        with_haze, clean = scheme(air, haze), scheme(air)
        found.append([
            (net(with_haze, light, level) - net(clean, light, level)).numpy()[0]
            for light in ("shortwave", "longwave") for level in ("surface", "top_of_atmosphere")
        ])  # fmt: skip
    ours, theirs = np.array(found)
    print(np.round(ours, 2), np.round(theirs, 2), sep="\n")
    assert theirs[0].max() < -8.0 and theirs[2].min() > 0.5
    np.testing.assert_allclose(ours[[0, 2, 3]], theirs[[0, 2, 3]], rtol=0.04)
    assert np.abs((ours[1] - ours[0]) - (theirs[1] - theirs[0])).max() < 0.8
