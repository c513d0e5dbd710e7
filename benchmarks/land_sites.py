# SPDX-License-Identifier: BSD-3-Clause
"""The land column at measured sites: Bondville beside Noah-MP, and why transpiration and evaporation differ there.

    .venv/bin/python benchmarks/land_sites.py bondville --figure bondville.png
    .venv/bin/python benchmarks/land_sites.py partition

Data: a folder with data/land and reference/noahmp, given by --shared or TESSERA_SHARED.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from benchmarks.land_side_by_side import SideBySide, repeat
from components.land.column.column import Options, State, initial_state, step
from components.land.column.gas_exchange import Stomata
from components.land.column.heat import unfrozen_water
from components.land.column.parameters import THICKNESS, Parameters, leaf_area, parameters
from components.land.column.richards import Bottom
from components.land.column.site import Weather, clear_longwave, forcing, humidity_from_deficit, run
from components.land.column.soil_evaporation import RESISTANCE, sakaguchi_zeng, sellers
from components.land.column.structure import cut
from components.science.sun import cosine_zenith, days_since_2000

PPFD_PER_WATT = 2.02  # umol J-1 of global radiation (Meek et al. 1984; 1.9-2.1 by site)


def bondville(folder: Path) -> tuple[Weather, Parameters, State, np.ndarray]:
    """Weather of 1998 (maize and soybean in Illinois), parameters, Noah-MP's start, and the month of every step.

    The file labels each half-hour by its end, so the step of the first row begins half an hour before its label.
    """
    lines = (folder / "data" / "land" / "bondville.dat").read_text().splitlines()
    a = np.array([[float(v) for v in line.split()] for line in lines if line[:4] in ("1998", "1999")])
    celsius, pressure = a[:, 6], 100.0 * a[:, 8]
    e = a[:, 7] / 100.0 * 611.2 * np.exp(17.67 * celsius / (celsius + 243.5))
    q = 0.62198 * e / (pressure - 0.37802 * e)
    weather = Weather(
        datetime(1998, 1, 1, 23, 30), 1800.0, 40.01, -88.37, celsius + 273.15, q, pressure, a[:, 5], a[:, 9], a[:, 10],
        a[:, 11] * 0.014111, 370.0,
    )  # fmt: skip
    p = parameters(["cropland"], ["silty_clay_loam"])
    p = p._replace(deep_temperature=torch.tensor([285.0], dtype=torch.float64))
    centre = np.cumsum(THICKNESS) - 0.5 * np.array(THICKNESS)
    nodes = [0.05, 0.25, 0.7, 1.5]
    t = torch.tensor(np.interp(centre, nodes, [266.1, 274.0, 276.9, 279.9]))[:, None]
    water = torch.tensor(np.interp(centre, nodes, [0.298, 0.294, 0.271, 0.307]))[:, None]
    state = initial_state(p, t, 0.0, torch.tensor([1.0], dtype=torch.float64))
    most = unfrozen_water(t, p.texture.theta_s, p.texture.psi_s, p.texture.b)
    liquid = torch.where(t < 273.15, torch.minimum(most, water), water)
    half = timedelta(seconds=0.5 * weather.seconds)
    month = np.array([(weather.start + (2 * i + 1) * half).month for i in range(len(a))])
    return weather, p, state._replace(liquid=liquid, ice=water - liquid), month


def crop_leaves(date: datetime) -> tuple[float, float]:
    """Leaf and stem area of the cropland's table at a date."""
    lai, sai = leaf_area(["cropland"], date.month - 1 + (date.day - 1) / 31.0)
    return lai[0], sai[0]


NOAH_LEAVES = (0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 3.0, 1.5, 0.0, 0.0, 0.0)  # LAI_JAN ... LAI_DEC of cropland


def noah_leaves(date: datetime) -> tuple[float, float]:
    """Leaf area of Noah-MP's cropland at a date, linear between mid-months, and the table's stem area."""
    at = date.month - 1.5 + (date.day - 1) / 31.0
    before, weight = int(at // 1) % 12, at % 1.0
    lai = (1.0 - weight) * NOAH_LEAVES[before] + weight * NOAH_LEAVES[(before + 1) % 12]
    return lai, crop_leaves(date)[1]


def run_bondville(
    folder: Path,
    model: str = "medlyn",
    steps: int | None = None,
    leaves: Callable[[datetime], tuple[float, float]] = crop_leaves,
) -> tuple[dict[str, Any], np.ndarray]:
    """Series of the year and the month of each step."""
    weather, p, state, month = bondville(folder)
    if steps:
        for name in ("temperature", "humidity", "pressure", "wind", "shortwave", "longwave", "precipitation"):
            setattr(weather, name, getattr(weather, name)[:steps])
    options = Options(stomata=Stomata(model), bottom=Bottom("free_drainage", slope=0.1))
    return run(weather, p, options, leaves, state), month[:steps]


SITES: dict[str, dict[str, Any]] = {
    "DE-Tha": {
        "file": "DE_Tha_Jun_2014.rda", "latitude": 50.96, "longitude": 13.57, "plant": "evergreen_needleleaf_forest",
        "soil": "loam", "lai": 7.6, "canopy": 26.5, "tower": 42.0, "traits": {},
        "source": "Gruenwald and Bernhofer 2007: spruce, 26.5 m, tower 42 m",
    },
    "FR-Pue": {
        "file": "FR_Pue_May_2012.rda", "latitude": 43.74, "longitude": 3.60, "plant": "evergreen_broadleaf_forest",
        "soil": "silty_clay_loam", "lai": 2.2, "canopy": 5.5, "tower": 11.0,
        "traits": {"vcmax25": 40.0, "g1": 1.56},
        "source": "Allard et al. 2008: holm oak, 5.5 m, tower 11 m; leaves of holm oak, Vcmax25 by Martin-StPaul "
        "(2012), g1 by Lin et al. (2015), both from Sabot et al. (2020, New Phytologist 226; their info_sites.csv)",
    },
}  # fmt: skip

# Beside them a meadow, for what needs no table.
MEADOW: dict[str, dict[str, Any]] = {
    "AT-Neu": {
        "file": "AT_Neu_Jul_2010.rda", "latitude": 47.12, "longitude": 11.32, "plant": "grassland", "soil": "loam",
        "lai": 5.0, "canopy": 0.5, "tower": 3.0, "traits": {},
        "source": "Hammerle et al. 2008: hay meadow of the Stubai valley, cut three times; leaf area and height of the "
        "second growth are ours",
    },
}  # fmt: skip
TOWERS = {**SITES, **MEADOW}


def site_parameters(sites: list[str], own_leaves: bool = True) -> Parameters:
    """Parameters of some of :data:`TOWERS`, one column each; ``own_leaves``: with the leaf traits known for them."""
    rows = [TOWERS[s] for s in sites]
    p = parameters([r["plant"] for r in rows], [r["soil"] for r in rows], clumped=True)
    changed = {}
    for name in ("vcmax25", "g1"):
        types = getattr(p.traits, name)
        own = [r["traits"].get(name, x) if own_leaves else x for r, x in zip(rows, types.tolist(), strict=True)]
        changed[name] = torch.tensor(own, dtype=types.dtype)
    height = torch.tensor([r["canopy"] for r in rows], dtype=torch.float64)
    return p._replace(height=height, traits=p.traits._replace(**changed))


def half_hourly(folder: Path, site: str) -> tuple[Weather, Parameters, Callable, dict[str, np.ndarray]]:
    """Weather, parameters, leaves and observations of a FLUXNET2015 month.

    Shortwave is PPFD / 2.02; longwave, where missing, Brutsaert's (1975) clear-sky value with clouds from the
    clearness of the day; gaps of PPFD by the mean of the same half-hour.
    """
    import rdata

    s = TOWERS[site]
    frame = next(iter(rdata.read_rda(folder / "data" / "land" / "flux_halfhourly" / s["file"]).values()))
    col = {k: frame[k].to_numpy(dtype=float, na_value=np.nan).copy() for k in frame.columns}
    n = len(frame)
    day = np.arange(n) % 48
    for k in ("PPFD", "Tair", "VPD", "wind", "pressure", "Ca", "precip"):
        values = col[k]
        for i in np.nonzero(~np.isfinite(values))[0]:
            values[i] = np.nanmean(values[day == day[i]])
    start = datetime(int(col["year"][0]), int(col["month"][0]), 1) - timedelta(hours=1)  # local time is UTC + 1
    t, pressure = col["Tair"] + 273.15, 1e3 * col["pressure"]
    q = humidity_from_deficit(t, 1e3 * col["VPD"], pressure)
    shortwave = np.clip(col["PPFD"], 0.0, None) / PPFD_PER_WATT
    if "LW_down" in col and np.isfinite(col["LW_down"]).all():
        longwave = col["LW_down"]
    else:
        x = torch.ones(1, dtype=torch.float64)
        mu = []
        for i in range(n):
            middle = start + timedelta(minutes=30 * i + 15)
            mu.append(cosine_zenith(s["longitude"] * x, s["latitude"] * x, days_since_2000(middle)).item())
        clear = 0.75 * 1361.0 * np.clip(np.array(mu), 0.0, None)
        days = n // 48
        ratio = shortwave[: days * 48].reshape(days, 48).sum(1) / clear[: days * 48].reshape(days, 48).sum(1)
        cloud = np.repeat(np.clip(1.0 - ratio, 0.0, 1.0), 48)
        longwave = clear_longwave(t, q, pressure, np.resize(cloud, n))
    weather = Weather(
        start, 1800.0, s["latitude"], s["longitude"], t, q, pressure, np.clip(col["wind"], 0.1, None), shortwave,
        longwave, col["precip"] / 1800.0, col["Ca"], s["tower"] - 0.67 * s["canopy"],
    )  # fmt: skip
    heat = col.get("G", np.zeros(n))
    observed = {"GPP": col["GPP"], "LE": col["LE"], "H": col["H"], "Rn": col["Rn"], "G": heat}
    good = {"GPP": col.get("GPP_qc", col["NEE_qc"]), "LE": col["LE_qc"], "H": col["H_qc"]}
    for k, flag in good.items():
        observed[k] = np.where(flag <= 1, observed[k], np.nan)
    return weather, site_parameters([site]), lambda date: (s["lai"], 0.8), observed


WATER = {
    "transpiration": "ETRAN_mm", "interception_loss": "ECAN_mm", "ground_evaporation": "EDIR_mm",
    "surface_runoff": "SFCRNOFF_mm", "subsurface_runoff": "UGDRNOFF_mm",
}  # fmt: skip
NAMES = {"GPP": "gross_uptake", "LE": "upward_latent", "H": "upward_sensible", "Rn": "net_radiation"}


def scores(series: dict[str, np.ndarray], observed: dict[str, np.ndarray]) -> dict[str, tuple[float, float, float]]:
    """RMSE, bias and correlation by flux where it was measured or well filled."""
    found = {}
    for k in NAMES:
        values = observed[k]
        ours = series[NAMES[k]][: len(values)]
        ok = np.isfinite(values)
        d = ours[ok] - values[ok]
        found[k] = (float(np.sqrt(np.mean(d * d))), float(d.mean()), float(np.corrcoef(ours[ok], values[ok])[0, 1]))
    return found


def run_half_hourly(folder: Path, site: str, model: str, steps: int | None = None) -> tuple[dict, dict]:
    """Series and observations; the soil starts at field capacity (it was not measured)."""
    weather, p, leaves, observed = half_hourly(folder, site)
    if steps:
        for name in ("temperature", "humidity", "pressure", "wind", "shortwave", "longwave", "precipitation", "co2"):
            setattr(weather, name, getattr(weather, name)[:steps])
        observed = {k: v[:steps] for k, v in observed.items()}
    state = site_start(p, weather)
    return run(weather, p, Options(stomata=Stomata(model)), leaves, state), observed


def site_start(p: Parameters, weather: Weather) -> State:
    """Mean temperature of the series, soil at field capacity."""
    soil = p.texture
    wetness = (soil.field_capacity - soil.wilting) / (soil.theta_s - soil.wilting)
    return initial_state(p, torch.full_like(p.height, float(weather.temperature.mean())), wetness)


def closed_towers(observed: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Observations with LE and H scaled by the month's sum of Rn - G over that of H + LE (Twine et al. 2000).

    The towers find 70 % (DE-Tha) and 65 % (FR-Pue, whose G is not given) of the energy that is there.
    """
    ok = np.isfinite(observed["LE"]) & np.isfinite(observed["H"]) & np.isfinite(observed["Rn"])
    available = observed["Rn"][ok].sum() - observed["G"][ok].sum()
    factor = available / (observed["LE"][ok].sum() + observed["H"][ok].sum())
    return {**observed, "LE": factor * observed["LE"], "H": factor * observed["H"]}


# One change after another, from this model's settings to Noah-MP's (NoahmpTable.TBL of v5, cropland): Ball-Berry with
# slope 9; evaporation through a dry crust (its option 4); Vcmax25 80 times f(N) = 1/1.5; leaves from May to September
# alone and 2 m tall; 4 % of the cell bare.
PARTITION = [
    ("medlyn, as in the table", "medlyn", 0, 1.0, 0),
    ("ball_berry, as in the table", "ball_berry", 0, 1.0, 0),
    ("+ soil dries through a crust", "ball_berry", 1, 1.0, 0),
    ("+ Vcmax25 53", "ball_berry", 1, 53.3 / 100.7, 0),
    ("+ Noah-MP's leaves and height", "ball_berry", 1, 53.3 / 100.7, 1),
    ("(bare ground beside it)", "ball_berry", 1, 1.0, 2),
]  # fmt: skip


def partition_experiment(folder: Path, steps: int | None = None) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Hourly series of Bondville, one column a row of :data:`PARTITION`, and the month of each step."""
    weather, p, state, month = bondville(folder)
    given = forcing(weather, crop_leaves)
    whole = len(month) // 2 * 2
    given = type(given)(*(0.5 * (v[..., 0:whole:2] + v[..., 1:whole:2]) for v in given))
    month = month[0:whole:2]
    n = len(PARTITION)
    names = sorted({row[1] for row in PARTITION}, reverse=True)
    assert [row[1] for row in PARTITION] == ["medlyn"] + ["ball_berry"] * (n - 1)
    stomata = SideBySide(names, 1)
    stomata.of_column = torch.tensor([names.index(row[1]) for row in PARTITION])
    crust = torch.tensor([row[2] for row in PARTITION]) > 0
    leaves = torch.tensor([row[4] for row in PARTITION])

    def either(soil: Any, liquid: torch.Tensor, thickness: torch.Tensor) -> torch.Tensor:
        return torch.where(crust, sakaguchi_zeng(soil, liquid, thickness), sellers(soil, liquid, thickness))

    RESISTANCE["either"] = either
    p, state = repeat(p, n), repeat(state, n)
    scale = torch.tensor([row[3] for row in PARTITION], dtype=torch.float64)
    p = p._replace(
        traits=p.traits._replace(vcmax25=p.traits.vcmax25 * scale), height=torch.where(leaves == 1, 2.0, p.height)
    )
    options = Options(stomata=stomata, bottom=Bottom("free_drainage", slope=0.1), soil_resistance="either")
    series: dict[str, list[np.ndarray]] = {k: [] for k in (*WATER, "upward_latent", "upward_sensible")}
    with torch.no_grad():
        for i in range(steps or len(month)):
            now = repeat(cut(given, slice(i, i + 1)), n)
            date = weather.start + timedelta(hours=i + 0.5)
            at = date.month - 1.5 + (date.day - 1) / 31.0
            before, weight = int(at // 1) % 12, at % 1.0
            theirs = (1.0 - weight) * NOAH_LEAVES[before] + weight * NOAH_LEAVES[(before + 1) % 12]
            lai = torch.where(leaves == 1, theirs, torch.where(leaves == 2, 0.0, now.lai))
            sai = torch.where(leaves == 2, 0.0, now.sai)
            state, out = step(state, now._replace(lai=lai, sai=sai), p, 3600.0, options)
            for k in series:
                series[k].append(getattr(out, k).numpy())
    return {k: np.array(v) for k, v in series.items()}, month[:steps]


def print_partition(folder: Path) -> None:
    """Transpiration and soil evaporation of the year, change by change, beside Noah-MP's."""
    reference = json.loads((folder / "reference" / "noahmp" / "bondville_1998.json").read_text())
    series, _ = partition_experiment(folder)
    sums = {k: series[k].sum(0) * 3600.0 for k in WATER}
    print(f"{'Bondville 1998, mm':<34}" + "".join(f"{k.replace('_', ' '):>20}" for k in WATER) + f"{'latent W/m2':>14}")
    latent = series["upward_latent"].mean(0)
    for j, row in enumerate(PARTITION):
        print(f"{row[0]:<34}" + "".join(f"{sums[k][j]:>20.0f}" for k in WATER) + f"{latent[j]:>14.1f}")
    mixed = {k: 0.96 * v[-2] + 0.04 * v[-1] for k, v in sums.items()}
    text = "".join(f"{v:>20.0f}" for v in mixed.values())
    print(f"{'+ 4 % of the cell bare':<34}{text}{0.96 * latent[-2] + 0.04 * latent[-1]:>14.1f}")
    print(
        f"{'Noah-MP v5':<34}" + "".join(f"{reference[k]:>20.0f}" for k in WATER.values()) + f"{reference['LH']:>14.1f}"
    )
    print("\n" + "\n".join(f"RESULT land.bondville.as_noahmp.{k} {v:.1f}" for k, v in mixed.items()))


def print_bondville(folder: Path, models: list[str], figure: str | None) -> None:
    reference = json.loads((folder / "reference" / "noahmp" / "bondville_1998.json").read_text())
    all_series = {m: run_bondville(folder, m) for m in models}
    sums = WATER
    means = {"upward_latent": "LH", "upward_sensible": "HFX", "ground_heat": "GRDFLX", "net_radiation": "Rnet"}
    print(f"Bondville 1998, year{'':<15}{'Noah-MP v5':>12}" + "".join(f"{m:>12}" for m in models))
    lines = []
    for ours, theirs in {**means, **sums}.items():
        scale = 1800.0 if ours in sums else 1.0
        values = [(s[ours].sum() * scale if ours in sums else s[ours].mean()) for s, _ in all_series.values()]
        unit = "mm" if ours in sums else "W/m2"
        print(f"{ours + ' ' + unit:<34}{reference[theirs]:>12.1f}" + "".join(f"{v:>12.1f}" for v in values))
        lines += [f"RESULT land.bondville.{m}.{ours} {v:.3f}" for m, v in zip(models, values, strict=True)]
    if figure:
        import matplotlib

        matplotlib.use("Agg")
        import matplotlib.pyplot as plt

        pictures, axes = plt.subplots(2, 2, figsize=(10, 7), layout="constrained", sharex=True)
        monthly = {
            "LH": "upward_latent",
            "HFX": "upward_sensible",
            "GRDFLX": "ground_heat",
            "TRAD": "surface_temperature",
        }
        for panel, (theirs, ours) in zip(axes.flat, monthly.items(), strict=True):
            panel.plot(range(1, 13), reference["monthly"][theirs], "k.-", label="Noah-MP v5")
            for m, (s, month) in all_series.items():
                panel.plot(range(1, 13), [s[ours][month == i].mean() for i in range(1, 13)], label=m)
            unit = "K" if theirs == "TRAD" else "W m$^{-2}$"
            panel.set(title=ours.replace("_", " "), ylabel=unit, xlabel="month of 1998")
        axes[0, 0].legend()
        pictures.savefig(figure, dpi=130)
        print(f"figure: {figure}")
    print("\n" + "\n".join(lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["bondville", "partition"])
    parser.add_argument("--models", nargs="+", default=["medlyn"], help="stomatal models")
    parser.add_argument("--figure", help="file to draw to")
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("TESSERA_SHARED", root.parent / "shared")))
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.what == "bondville":
        print_bondville(options.shared, options.models, options.figure)
    else:
        print_partition(options.shared)


if __name__ == "__main__":
    main()
