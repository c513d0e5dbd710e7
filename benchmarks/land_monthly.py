# SPDX-License-Identifier: BSD-3-Clause
"""Monthly GPP, NEE and ET at the FLUXNET2015 sites of China and Japan, uncalibrated, by stomatal model.

    .venv/bin/python benchmarks/land_monthly.py --models medlyn wang --first 2004 --last 2006

The drivers (CARDAMOM-FluxVal) are monthly means. They become four-hourly weather so: temperature is a sine about
the mean of the month's minimum and maximum, highest at 15 h local; shortwave follows the sun's height and keeps the
daily sum; vapour pressure is constant and gives the month's deficit at the mean temperature; rain falls every fifth
day for eight hours; longwave is Brutsaert's (1975) with clouds from clearness; wind is 2.5 m/s and pressure that of the
site's height. Leaf area is the plant type's table.

Data: a folder with data/land, given by --shared or TESSERA_SHARED.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from benchmarks.land_side_by_side import SideBySide, groups
from components.land.column.column import Forcing, Options, State, initial_state, step
from components.land.column.gas_exchange import Stomata
from components.land.column.humidity import saturation_pressure
from components.land.column.parameters import Parameters, leaf_area, parameters
from components.land.column.radiation import partition
from components.land.column.richards import Bottom
from components.land.column.site import clear_longwave, snow_share
from components.science.sun import cosine_zenith, day_length, longest_day

# Site: height above sea level (m; FLUXNET2015 site descriptions) and plant type of its IGBP class.
SITES = {
    "CN-Cha": (738, "mixed_forest"), "CN-Cng": (143, "grassland"), "CN-Dan": (4286, "tundra"),
    "CN-Din": (300, "evergreen_broadleaf_forest"), "CN-Du2": (1324, "grassland"), "CN-Ha2": (3190, "tundra"),
    "CN-HaM": (3250, "tundra"), "CN-Qia": (86, "evergreen_needleleaf_forest"), "CN-Sw2": (1456, "grassland"),
    "JP-MBF": (315, "deciduous_broadleaf_forest"), "JP-SMF": (221, "mixed_forest"),
}  # fmt: skip
# Global radiation measured for years at a site, MJ m-2 d-1, means of equal parts of the year. CN-Din: halves of it
# by Yan, Zhou and Meng (2002, CERN), four years, 4791 MJ m-2 a-1, where the drivers have 5840. CN-Qia: 4349 MJ m-2 a-1
# (ChinaFLUX's page of the site), where they have 5370.
MEASURED_LIGHT: dict[str, tuple[float, ...]] = {"CN-Din": (9.8234, 16.3475), "CN-Qia": (4349.0 / 365.0,)}
HOURS, DAYS = 4, 5  # of a step; between two rains
DAY_LENGTH = 86400.0
CARBON = 12.0107e-6 * DAY_LENGTH  # gC m-2 d-1 per umol m-2 s-1


def load(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Latitude, longitude, drivers (month, site, 9) from January 2001, observations (month, site) by name."""
    base = folder / "data" / "land" / "cardamom_fluxval"
    with gzip.open(base / "location_fluxnet.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    number = {row["Flux_name"]: i + 1 for i, row in enumerate(rows)}
    place = {row["Flux_name"]: (float(row["Lat"]), float(row["lon"])) for row in rows}
    drivers, found = [], {k: np.full((192, len(SITES)), np.nan) for k in ("GPP", "NEE", "ET")}
    for j, name in enumerate(SITES):
        with gzip.open(base / "cbf_files" / f"flux_site_{number[name]}.cbf.gz") as file:
            drivers.append(np.frombuffer(file.read(), "<f8")[300:].reshape(192, -1)[:, :9])
        with gzip.open(base / "validation_data" / f"validation_{name}.csv.gz", "rt") as file:
            for row in csv.DictReader(file):
                month = (int(row["Date"][:4]) - 2001) * 12 + int(row["Date"][4:]) - 1
                for k, values in found.items():
                    try:
                        values[month, j] = float(row[k])
                    except ValueError:
                        pass
    where = np.array([place[k] for k in SITES])
    return where[:, 0], where[:, 1], np.stack(drivers, axis=1), found


def with_measured_light(drivers: np.ndarray) -> np.ndarray:
    """The drivers with the mean light of parts of the year as measured, where :data:`MEASURED_LIGHT` has it.

    Parameters
    ----------
    drivers : (month, site, 9) from a January on, in whole years; the fourth is light
    """
    out = drivers.copy()
    for name, means in MEASURED_LIGHT.items():
        j, part = list(SITES).index(name), np.arange(len(drivers)) % 12 * len(means) // 12
        for k, mean in enumerate(means):
            out[part == k, j, 3] *= mean / drivers[part == k, j, 3].mean()
    return out


def simulate(
    folder: Path, models: Sequence[str], first: int, last: int, season: tuple[int, int] = (1, 12), before: int = 2
) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, np.ndarray], float]:
    """Monthly GPP, NEE (gC m-2 d-1) and ET (mm d-1) by model, the observations and the largest energy residual (W m-2).

    Every year is a run of its own that starts ``before`` months ahead of the ``season`` (first and last month) with
    the soil at field capacity: years, sites and models are columns that advance together.
    """
    latitude, longitude, drivers, observed = load(folder)
    years = range(first, last + 1)
    found = {m: {k: np.full((192, len(SITES)), np.nan) for k in observed} for m in models}
    worst = 0.0
    for group in groups(models):
        copies = len(years) * len(group)
        heights = np.tile([v[0] for v in SITES.values()], copies).astype(float)
        plants = [v[1] for v in SITES.values()] * copies
        pressure = 101325.0 * np.exp(-heights / 8400.0)
        p = parameters(plants, ["loam"] * len(plants))
        lat, lon = (as_tensor(np.tile(v, copies)) for v in (latitude, longitude))
        soil = p.texture
        wetness = (soil.field_capacity - soil.wilting) / (soil.theta_s - soil.wilting)
        mean = drivers[:, :, 1:3].mean((0, 2)) + 273.15
        state = initial_state(p, as_tensor(np.tile(mean, copies)), wetness)
        stomata = SideBySide(group, len(years) * len(SITES)) if len(group) > 1 else Stomata(group[0])
        options = Options(stomata=stomata, bottom=Bottom("free_drainage", slope=0.1))
        for month in range(season[0] - 1 - before, season[1]):
            rows = np.stack([drivers[12 * (y - 2001) + month, :, 1:] for y in years])
            given = np.tile(rows.reshape(-1, rows.shape[-1]), (len(group), 1)).T
            state, sums, residual = month_of(state, p, options, given, pressure, lat, lon, plants, month)
            worst = max(worst, residual)
            if month < season[0] - 1:
                continue
            for k, values in sums.items():
                by = values.reshape(len(group), len(years), len(SITES))
                for i, model in enumerate(group):
                    for j, year in enumerate(years):
                        found[model][k][12 * (year - 2001) + month] = by[i, j]
            if sys.stderr.isatty():
                print(f"\r{', '.join(group)}: month {month + 1} of 12 ", end="", file=sys.stderr)
    return found, observed, worst


def skies(mean: np.ndarray) -> np.ndarray:
    """Light of five days over its mean, by the distribution of daily clearness about a month's (Bendt et al. 1981).

    The exponential law between .05 and a largest clearness (Hollands and Huget 1983), in Herzog's closed form as in
    Duffie and Beckman (2013, eqs 2.9.6 to 2.9.8); five equal parts of it, from the darkest.
    """
    k = np.clip(mean, 0.15, 0.75)
    least = 0.05
    most = np.maximum(0.6313 + 0.267 * k - 11.9 * (k - 0.75) ** 8, k + 0.02)
    xi = (most - least) / (most - k)
    gamma = -1.498 + (1.184 * xi - 27.182 * np.exp(-1.5 * xi)) / (most - least)
    low, high = np.exp(gamma * least), np.exp(gamma * most)
    parts = np.stack([np.log(low - f * (low - high)) / gamma for f in (np.arange(DAYS) + 0.5) / DAYS])
    return parts / parts.mean(0)


def as_tensor(values: Any) -> torch.Tensor:
    return torch.as_tensor(np.ascontiguousarray(values, dtype=float))


def month_of(
    state: State, p: Parameters, options: Options, drivers: np.ndarray, pressure: np.ndarray, lat: torch.Tensor,
    lon: torch.Tensor, plants: list[str], month: int, varied: bool = False,
    deposition: float = 0.0,
) -> tuple[State, dict[str, np.ndarray], float]:  # fmt: skip
    """Thirty days under one month's drivers; daily means of the fluxes and the largest energy residual.

    Where there are cycles, also nitrogen fixed and leached and carbon leached, g m-2 d-1; ``deposition`` (kg m-2 s-1)
    is the nitrogen that falls on them.

    With ``varied`` days differ in their light as they do in nature (`skies`); the day of rain is the darkest.
    """
    low, high, sun, co2, _, _, deficit, rain = drivers
    mean = 0.5 * (low + high) + 273.15
    vapour = np.clip(saturation_pressure(as_tensor(mean))[0].numpy() - 100.0 * deficit, 30.0, None)
    q = 0.62198 * vapour / (pressure - 0.378 * vapour)
    day = 14.0 + 30.4 * (month % 12)
    heights_of_sun = [cosine_zenith(lon, lat, day + (h + 0.5 * HOURS) / 24.0) for h in range(0, 24, HOURS)]
    shape = np.stack([v.numpy() for v in heights_of_sun])
    clear = 0.75 * 1361.0 * shape.mean(0)
    days = skies(sun * 1e6 / DAY_LENGTH / np.clip(clear / 0.75, 1.0, None)) if varied else np.ones((DAYS, sun.size))
    lai, sai = (as_tensor(v) for v in leaf_area(plants, month % 12 + 0.5))
    sums: dict[str, Any] = {"GPP": 0.0, "NEE": 0.0, "ET": 0.0}
    steps, worst = 30 * 24 // HOURS, 0.0
    for i in range(steps):
        hour = (i * HOURS) % 24
        local = (hour + 0.5 * HOURS + lon.numpy() / 15.0) % 24.0
        t = mean + 0.5 * (high - low) * np.sin((local - 9.0) * math.pi / 12.0)
        light = sun * days[(i * HOURS // 24) % DAYS]
        cloud = np.clip(1.0 - light * 1e6 / DAY_LENGTH / np.clip(clear, 1.0, None), 0.0, 1.0)
        shortwave = light * 1e6 / DAY_LENGTH * shape[hour // HOURS] / np.clip(shape.mean(0), 1e-6, None)
        direct, diffuse = partition(as_tensor(shortwave), heights_of_sun[hour // HOURS])
        humid = np.minimum(q, 0.99 * 0.622 * saturation_pressure(as_tensor(t))[0].numpy() / pressure)
        wet = rain / DAY_LENGTH * 15.0 if (i * HOURS) % 120 < 8 else 0.0 * rain
        white = wet * snow_share(t, humid, pressure)
        one = np.ones_like(t)
        forcing = Forcing(
            as_tensor(t), as_tensor(humid), as_tensor(pressure), as_tensor(2.5 * one), as_tensor(10.0 * one),
            direct, diffuse, as_tensor(clear_longwave(t, humid, pressure, cloud)), as_tensor(wet - white),
            as_tensor(white), as_tensor(co2), heights_of_sun[hour // HOURS], lai, sai, as_tensor(deposition * one),
            day_length=day_length(lat, 30.4 * (month % 12) + i * HOURS / 24.0), longest_day=longest_day(lat),
        )  # fmt: skip
        with torch.inference_mode():
            state, out = step(state, forcing, p, 3600.0 * HOURS, options)
        evaporated = out.transpiration + out.interception_loss + out.ground_evaporation
        sums["GPP"] = sums["GPP"] + out.gross_uptake.numpy() * CARBON / steps
        sums["NEE"] = sums["NEE"] - out.net_uptake.numpy() * CARBON / steps
        sums["ET"] = sums["ET"] + evaporated.numpy() * DAY_LENGTH / steps
        if out.cycled is not None:
            rates = {
                "fixed": out.cycled.fixed,
                "leached": out.cycled.leached_nitrogen,
                "DOC": out.cycled.leached_carbon,
            }
            for k, rate in rates.items():
                sums[k] = sums.get(k, 0.0) + rate.numpy() * 1e3 * DAY_LENGTH / steps
        worst = max(worst, float(out.energy_residual.abs().max()))
    return state, sums, worst


def scores(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float, float, int]:
    """RMSE, bias, correlation and number of months with both."""
    ok = np.isfinite(ours) & np.isfinite(theirs) & (theirs > -9000)
    if ok.sum() < 4:
        return math.nan, math.nan, math.nan, int(ok.sum())
    d = ours[ok] - theirs[ok]
    return (
        float(np.sqrt(np.mean(d * d))),
        float(d.mean()),
        float(np.corrcoef(ours[ok], theirs[ok])[0, 1]),
        int(ok.sum()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["medlyn", "wang"])
    parser.add_argument("--first", type=int, default=2004)
    parser.add_argument("--last", type=int, default=2006)
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("TESSERA_SHARED", root.parent / "shared")))
    options = parser.parse_args()
    torch.set_num_threads(1)
    all_ours, theirs, worst = simulate(options.shared, options.models, options.first, options.last)
    lines = []
    for model, ours in all_ours.items():
        print(f"\n{model}, {options.first}-{options.last}: RMSE, bias, correlation (GPP, NEE gC m-2 d-1; ET mm d-1)")
        for j, name in enumerate(SITES):
            text = "".join(
                f"{k:>6}{s[0]:7.2f}{s[1]:7.2f}{s[2]:6.2f}" for k in ours
                if (s := scores(ours[k][:, j], theirs[k][:, j]))[3] > 3
            )  # fmt: skip
            print(f"{name:<8}{SITES[name][1]:<30}{text}", flush=True)
        for k in ours:
            rmse, bias, r, months = scores(ours[k], theirs[k])
            print(f"all sites {k}: RMSE {rmse:.2f}, bias {bias:.2f}, correlation {r:.2f}, {months} site months")
            lines += [
                f"RESULT land.monthly.{model}.{k}.rmse {rmse:.3f}",
                f"RESULT land.monthly.{model}.{k}.bias {bias:.3f}",
            ]
    print(f"\nlargest energy residual {worst:.1e} W m-2\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
