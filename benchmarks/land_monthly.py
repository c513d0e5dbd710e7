"""Monthly GPP, NEE and ET at the FLUXNET2015 sites of China and Japan, uncalibrated, by stomatal model.

    .venv/bin/python benchmarks/land_monthly.py --models medlyn wang --first 2003 --last 2008

The drivers (CARDAMOM-FluxVal) are monthly means. They become two-hourly weather so: temperature is a sine about
the mean of the month's minimum and maximum, highest at 15 h local; shortwave follows the sun's height and keeps the
daily sum; vapour pressure is constant and gives the month's deficit at the mean temperature; rain falls every fifth
day for six hours; longwave is Brutsaert's (1975) with clouds from clearness; wind is 2.5 m/s and pressure that of the
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
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from components.land.column.column import Forcing, Options, initial_state, step
from components.land.column.gas_exchange import Stomata
from components.land.column.humidity import saturation_pressure
from components.land.column.parameters import leaf_area, parameters
from components.land.column.radiation import partition
from components.land.column.richards import Bottom
from components.land.column.site import clear_longwave, snow_share
from components.land.column.solar import cos_zenith

# Site: height above sea level (m; FLUXNET2015 site descriptions) and plant type of its IGBP class.
SITES = {
    "CN-Cha": (738, "mixed_forest"), "CN-Cng": (143, "grassland"), "CN-Dan": (4286, "tundra"),
    "CN-Din": (300, "evergreen_broadleaf_forest"), "CN-Du2": (1324, "grassland"), "CN-Ha2": (3190, "tundra"),
    "CN-HaM": (3250, "tundra"), "CN-Qia": (86, "evergreen_needleleaf_forest"), "CN-Sw2": (1456, "grassland"),
    "JP-MBF": (315, "deciduous_broadleaf_forest"), "JP-SMF": (221, "mixed_forest"),
}  # fmt: skip
HOURS = 2
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


def simulate(folder: Path, model: str, first: int, last: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Monthly GPP, NEE (gC m-2 d-1) and ET (mm d-1) of all sites, and the observations; the first year is run twice."""
    latitude, longitude, drivers, observed = load(folder)
    heights = np.array([v[0] for v in SITES.values()], dtype=float)
    plants = [v[1] for v in SITES.values()]
    pressure = 101325.0 * np.exp(-heights / 8400.0)
    p = parameters(plants, ["loam"] * len(plants))

    def tensor(values: Any) -> torch.Tensor:
        return torch.as_tensor(np.ascontiguousarray(values, dtype=float))

    lat, lon = tensor(latitude), tensor(longitude)
    state = initial_state(p, tensor(drivers[:12, :, 1:3].mean((0, 2)) + 273.15), 0.6)
    options = Options(stomata=Stomata(model), bottom=Bottom("free_drainage", slope=0.1))
    months = [*range(12 * (first - 2001), 12 * (first - 2000)), *range(12 * (first - 2001), 12 * (last - 2000))]
    found = {k: np.full((192, len(plants)), np.nan) for k in observed}
    begin = time.time()
    for done, month in enumerate(months):
        low, high, sun, co2, _, _, deficit, rain = drivers[month, :, 1:].T
        mean = 0.5 * (low + high) + 273.15
        vapour = np.clip(saturation_pressure(tensor(mean))[0].numpy() - 100.0 * deficit, 30.0, None)
        q = 0.62198 * vapour / (pressure - 0.378 * vapour)
        day = 15.0 + 30.4 * (month % 12)
        shape = np.stack([
            np.clip(cos_zenith(lat, lon, day, h + 0.5 * HOURS).numpy(), 0.0, None) for h in range(0, 24, HOURS)
        ])  # fmt: skip
        clear = 0.75 * 1361.0 * shape.mean(0)
        cloud = np.clip(1.0 - sun * 1e6 / DAY_LENGTH / np.clip(clear, 1.0, None), 0.0, 1.0)
        lai, sai = (tensor(v) for v in leaf_area(plants, month % 12 + 0.5))
        sums = {k: 0.0 for k in found}
        steps = 30 * 24 // HOURS
        for i in range(steps):
            hour = (i * HOURS) % 24
            local = (hour + 0.5 * HOURS + longitude / 15.0) % 24.0
            t = mean + 0.5 * (high - low) * np.sin((local - 9.0) * math.pi / 12.0)
            mu = cos_zenith(lat, lon, day, hour + 0.5 * HOURS)
            shortwave = sun * 1e6 / DAY_LENGTH * shape[hour // HOURS] / np.clip(shape.mean(0), 1e-6, None)
            direct, diffuse = partition(tensor(shortwave), mu)
            humid = np.minimum(q, 0.99 * 0.622 * saturation_pressure(tensor(t))[0].numpy() / pressure)
            wet = rain / DAY_LENGTH * 20.0 if (i * HOURS) % 120 < 6 else 0.0 * rain
            white = wet * snow_share(t, humid, pressure)
            one = np.ones_like(t)
            forcing = Forcing(
                tensor(t), tensor(humid), tensor(pressure), tensor(2.5 * one), tensor(10.0 * one), direct, diffuse,
                tensor(clear_longwave(t, humid, pressure, cloud)), tensor(wet - white), tensor(white), tensor(co2), mu,
                lai, sai,
            )  # fmt: skip
            with torch.no_grad():
                state, out = step(state, forcing, p, 3600.0 * HOURS, options)
            evaporated = out.transpiration + out.interception_loss + out.ground_evaporation
            sums["GPP"] = sums["GPP"] + out.gross_uptake.numpy() * CARBON / steps
            sums["NEE"] = sums["NEE"] - out.net_uptake.numpy() * CARBON / steps
            sums["ET"] = sums["ET"] + evaporated.numpy() * DAY_LENGTH / steps
        for k, values in sums.items():
            found[k][month] = values
        if sys.stderr.isatty():
            left = (time.time() - begin) / (done + 1) * (len(months) - done - 1)
            print(f"\r{model}: month {done + 1} of {len(months)}, {left:.0f} s left ", end="", file=sys.stderr)
    return found, observed


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
    parser.add_argument("--first", type=int, default=2003, help="first year, run twice")
    parser.add_argument("--last", type=int, default=2008)
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("TESSERA_SHARED", root.parent / "shared")))
    options = parser.parse_args()
    torch.set_num_threads(1)
    lines = []
    for model in options.models:
        ours, theirs = simulate(options.shared, model, options.first, options.last)
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
    print("\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
