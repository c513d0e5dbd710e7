# SPDX-License-Identifier: BSD-3-Clause
"""Parameter tables against published reproductions of their sources, typed in here a second time."""

import pytest

from components.land.column.parameters import table

# Carsel and Parrish (1988) as in the soil catalogue of HYDRUS-1D and in HydroShoot (Albasha et al. 2019), which agree:
# residual and saturated water content, alpha in cm-1, n, Ks in cm per day.
CARSEL_PARRISH = {
    "sand": (0.045, 0.43, 0.145, 2.68, 712.8),
    "loamy_sand": (0.057, 0.41, 0.124, 2.28, 350.2),
    "sandy_loam": (0.065, 0.41, 0.075, 1.89, 106.1),
    "loam": (0.078, 0.43, 0.036, 1.56, 24.96),
    "silt": (0.034, 0.46, 0.016, 1.37, 6.0),
    "silt_loam": (0.067, 0.45, 0.020, 1.41, 10.8),
    "sandy_clay_loam": (0.100, 0.39, 0.059, 1.48, 31.44),
    "clay_loam": (0.095, 0.41, 0.019, 1.31, 6.24),
    "silty_clay_loam": (0.089, 0.43, 0.010, 1.23, 1.68),
    "sandy_clay": (0.100, 0.38, 0.027, 1.23, 2.88),
    "silty_clay": (0.070, 0.36, 0.005, 1.09, 0.48),
    "clay": (0.068, 0.38, 0.008, 1.09, 4.8),
}
# Lin et al. (2015) by plant type as De Kauwe et al. (2015) grouped them, from CABLE's pft_params.nml, kPa^.5.
G1 = {
    "evergreen_needleleaf_forest": 2.346064, "evergreen_broadleaf_forest": 4.114762,
    "deciduous_needleleaf_forest": 2.346064, "deciduous_broadleaf_forest": 4.447321, "shrubland": 4.694803,
    "grassland": 5.248500, "grassland_c4": 1.616178, "savanna": 1.616178, "tundra": 2.222156, "cropland": 5.789377,
}  # fmt: skip


def test_van_genuchten_parameters_are_those_of_carsel_and_parrish():
    rows = table("soil_textures")
    assert set(rows) == set(CARSEL_PARRISH)
    for name, (residual, saturated, alpha, n, ks) in CARSEL_PARRISH.items():
        row = rows[name]
        assert (row["theta_r"], row["theta_s"], row["n"]) == (residual, saturated, n), name
        assert row["alpha"] == pytest.approx(100.0 * alpha, rel=1e-12), name
        assert row["ks"] == pytest.approx(ks / 100.0 / 86400.0, rel=3e-4), name


def test_medlyn_slopes_are_those_of_lin_et_al():
    rows = table("plant_types")
    for name, g1 in G1.items():
        assert rows[name]["g1"] == pytest.approx(g1, abs=0.006), name
    assert rows["mixed_forest"]["g1"] == pytest.approx((2.346064 + 4.447321) / 2, abs=0.006)
