# SPDX-License-Identifier: BSD-3-Clause
"""Ten days of the atmosphere at 100 km with the radiation emulator beside the same days with RRTMGP.

The functions read the daily histories of finished runs of any length.
"""

import re

import netCDF4
import numpy as np
import pytest

from tests.toys.cases import edit, tessera

ATMOSPHERE = (
    "surface_temperature, surface_upwelling_longwave_flux_in_air, surface_upwelling_shortwave_flux_in_air,"
    " surface_downwelling_longwave_flux_in_air, surface_downwelling_shortwave_flux_in_air, air_temperature"
)
TOP = "toa_outgoing_longwave_flux, toa_outgoing_shortwave_flux, toa_incoming_shortwave_flux"


def online_case(folder, scheme, days, grid="east_asia_100km"):
    """The atmosphere of `east_asia_coupled` over slab ocean and land, with radiation from the component ``scheme``."""
    tessera("new", folder, "--template", "east_asia_coupled")
    edit(
        folder,
        [
            ("case.yaml", "duration: P1D", f"duration: P{days}D"),
            ("case.yaml", "{model: primitive}", "{model: slab}"),
            ("case.yaml", "{model: column}", "{model: slab}"),
            ("case.yaml", "{model: rrtmgp}", f"{{model: {scheme}}}"),
            ("atmosphere.yaml", "grid: east_asia_100km", f"grid: {grid}"),
            *([("atmosphere.yaml", "compile: false", "compile: true")] if grid == "east_asia_100km" else []),
        ],
    )
    path = folder / "atmosphere.yaml"
    path.write_text(re.sub(r"output:.*", _daily(ATMOSPHERE), path.read_text(), flags=re.DOTALL))
    fallback = ", radiation_fallback" if scheme == "radiation_emulator" else ""
    path = folder / "radiation.yaml"
    path.write_text(path.read_text() + "\n" + _daily(TOP + fallback))
    return folder


def _daily(fields):
    return f"output:\n  - {{name: daily, fields: [{fields}], period: P1D, statistic: mean}}\n"


def daily_means(folder):
    """Domain means by day of a finished case: surface temperature (K), budgets at the top and the ground (W m-2)."""
    with netCDF4.Dataset(folder / "run/history/atmosphere.daily.nc") as a:
        with netCDF4.Dataset(folder / "run/history/radiation.daily.nc") as r:
            mean = lambda f, name: np.asarray(f[name][:]).mean((1, 2))  # noqa: E731  (cells of a Lambert plane)
            out = {"temperature": mean(a, "surface_temperature"), "outgoing longwave": mean(r, TOP.split(", ")[0])}
            long, short, in_ = (mean(r, name) for name in TOP.split(", "))
            out["top"] = in_ - short - long
            up_l, up_s, down_l, down_s = (mean(a, name) for name in ATMOSPHERE.split(", ")[1:5])
            out["ground"] = down_s - up_s + down_l - up_l
            out["absorbed by the air"] = out["top"] - out["ground"]
            if "radiation_fallback" in r.variables:
                out["fallback"] = mean(r, "radiation_fallback")
    return out


def assert_close(emulated, reference):
    """Hold the emulated run to its limits beside the other; print both."""
    fallback = emulated.pop("fallback")
    apart = {name: emulated[name] - reference[name] for name in emulated}
    for name, values in apart.items():
        print(f"{name:<22}" + " ".join(f"{v:7.3f}" for v in values) + f"   of {reference[name].mean():8.2f}")
    print(f"share of columns that the fallback answered: {fallback.mean():.2e}, on the worst day {fallback.max():.2e}")
    days = np.arange(len(fallback))
    warming = apart["temperature"]
    assert np.abs(warming).max() < 0.05
    if len(days) >= 10:  # no growing drift: the second half is no further apart than the first and a tenth of the bound
        assert np.abs(warming[5:]).mean() < np.abs(warming[:5]).mean() + 0.03
    for budget in ("top", "ground", "absorbed by the air"):  # single days have the weather that RRTMGP's noise makes
        assert abs(apart[budget].mean()) < 1.0 and np.abs(apart[budget]).max() < 1.5, budget
    assert fallback.mean() < 1e-3


@pytest.mark.slow
@pytest.mark.timeout(10000)
@pytest.mark.parametrize("grid", ["east_asia_300km", "east_asia_100km"])
def test_ten_days_of_the_template_with_the_emulator_are_those_with_rrtmgp(tmp_path, grid):
    """RRTMGP draws its clouds, the emulator has none of this noise: the runs part as two draws do."""
    means = []
    for scheme in ("radiation_emulator", "rrtmgp"):
        case = online_case(tmp_path / scheme, scheme, 10, grid)
        tessera(case, "--serial", timeout=4500)
        means.append(daily_means(case))
    assert_close(*means)
