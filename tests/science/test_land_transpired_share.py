# SPDX-License-Identifier: BSD-3-Clause
"""Transpired share of evapotranspiration at three towers by underlying water-use efficiency (Zhou et al. 2016)."""

import numpy as np
import pytest

from benchmarks import land_transpired_share
from components.land.column.water_use import (
    Scatter,
    scatter,
    slope_of_quantile,
    transpired_share,
    with_scatter,
)

rdata = pytest.importorskip("rdata")
TOWERS = {"DE_Tha_Jun_2014": 0.49, "FR_Pue_May_2012": 0.54, "AT_Neu_Jul_2010": 0.58}
TOWERS_OF_SITES = {"DE-Tha": "DE_Tha_Jun_2014", "FR-Pue": "FR_Pue_May_2012", "AT-Neu": "AT_Neu_Jul_2010"}


def test_the_quantile_slope_splits_the_weights():
    gen = np.random.default_rng(0)
    x = gen.uniform(0.1, 2.0, 4000)
    y = x * gen.uniform(0.0, 1.0, x.size)
    slope = slope_of_quantile(x, y, 0.9)
    assert slope == pytest.approx(0.9, abs=0.02)
    assert x[y <= slope * x].sum() / x.sum() == pytest.approx(0.9, abs=2e-3)
    assert transpired_share(x, np.ones_like(x), x, np.ones(x.size, bool)) == pytest.approx(1.0)


@pytest.mark.parametrize("wrong", [np.nan, 0.0, -1.0])
def test_hours_that_have_no_share_are_refused(wrong):
    x = np.array([1.0, wrong, 2.0])
    with pytest.raises(ValueError, match="found 1 of 3 hours otherwise"):
        transpired_share(x, np.ones(3), x, np.ones(3, bool))
    with pytest.raises(ValueError, match="0 dry ones"):
        transpired_share(np.ones(3), np.ones(3), np.ones(3), np.zeros(3, bool))


@pytest.mark.parametrize("name", TOWERS)
def test_towers(shared, name):
    file = shared / "data" / "land" / "flux_halfhourly" / f"{name}.rda"
    if not file.is_file():
        pytest.skip("no half-hourly fluxes")
    frame = next(iter(rdata.read_rda(file).values()))
    col = {k: frame[k].to_numpy(dtype=float, na_value=np.nan) for k in frame.columns}
    rain = np.nan_to_num(col["precip"])
    before = np.concatenate([[0.0], np.cumsum(rain)])
    i = np.arange(rain.size)
    dry = before[i + 1] - before[np.maximum(i + 1 - 48, 0)] <= 0.0
    ok = (col["PPFD"] > 100.0) & (col["LE"] > 10.0) & (col["LE_qc"] <= 1) & (col["NEE_qc"] <= 1)
    ok &= np.isfinite(col["GPP"]) & np.isfinite(col["VPD"])
    found = transpired_share(col["GPP"][ok], col["VPD"][ok], col["LE"][ok], dry[ok])
    print(name, round(found, 3), int(ok.sum()), int((ok & dry).sum()))
    assert found == pytest.approx(TOWERS[name], abs=0.05)


def test_chance_errors_of_a_tower_are_found_and_lower_its_share():
    """A made-up plant of known share, two months by half-hours: its tower reads less, as does the model with errors."""
    gen = np.random.default_rng(5)
    n = 60 * 48
    sun = np.clip(-np.cos(2.0 * np.pi * np.arange(n) / 48.0), 0.0, None)
    cloud = np.repeat(gen.uniform(0.5, 1.0, n // 8), 8)  # weather that lasts for hours
    deficit = 0.3 + 1.2 * sun * cloud
    gpp = 25.0 * sun * cloud
    transpired = 9.0 * gpp * np.sqrt(deficit)
    latent = transpired / np.repeat(gen.uniform(0.7, 1.0, n // 48), 48)  # the soil's part changes by the day
    good, dry = latent > 10.0, np.ones(n, bool)
    truth = float(transpired[good].sum() / latent[good].sum())
    given = {"GPP": Scatter(0.5, 0.1), "LE": Scatter(5.0, 0.2)}
    tower = {k: with_scatter(v, given[k], gen) for k, v in (("GPP", gpp), ("LE", latent))}
    found = {k: scatter(tower[k], v, good) for k, v in (("GPP", gpp), ("LE", latent))}
    for k, typical in (("GPP", 12.0), ("LE", 150.0)):
        assert found[k].of(np.array([typical]))[0] == pytest.approx(given[k].of(np.array([typical]))[0], rel=0.1)

    def share(g, le):
        m = good & (le > 10.0)
        return transpired_share(g[m], deficit[m], le[m], dry[m])

    exact, read = share(gpp, latent), share(tower["GPP"], tower["LE"])
    draws = [share(with_scatter(gpp, found["GPP"], gen), with_scatter(latent, found["LE"], gen)) for _ in range(50)]
    with_errors = np.mean(draws)
    assert exact == pytest.approx(truth, abs=0.03)
    assert read < exact - 0.15
    assert with_errors == pytest.approx(read, abs=0.03)


@pytest.mark.slow
def test_the_model_has_the_shares_of_three_towers(shared):
    """Medlyn's stomata in the same half-hours, with the towers' chance errors on its fluxes: within .15."""
    if not (shared / "data" / "land" / "flux_halfhourly").is_dir():
        pytest.skip("no half-hourly fluxes")
    ours = land_transpired_share.run(shared, list(TOWERS_OF_SITES))
    for site, file in TOWERS_OF_SITES.items():
        s = land_transpired_share.share_of(land_transpired_share.measured(shared, site), ours[site])
        print(site, s)
        assert s.tower == pytest.approx(TOWERS[file], abs=0.05)
        assert s.as_measured == pytest.approx(s.tower, abs=0.15)
        assert 0.0 < s.direct < 1.0 and s.as_measured < s.model
