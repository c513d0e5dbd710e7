# SPDX-License-Identifier: BSD-3-Clause
"""Maize, rice and soybean at a constant 24 C and 18 MJ m-2 d-1, wheat in a year, beside WOFOST's potential production.

    .venv/bin/python benchmarks/land_crops.py

Weather of the reference (PCSE 6.0.13): 24 +- 5 C, or through the year 14.5 C less 13 C cos 2 pi (d - 20) / 365;
saturated vapour at the lowest temperature, 2 m/s, 34.7 N; rain that keeps the soil moist, and nitrogen never lacking.
Steps of three hours from 10 June on, for wheat from 10 October. Prints phases, largest leaf area and yield.

Data: a folder with reference/land, given by --shared or TESSERA_SHARED.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from components.land.column.column import Forcing, Options, initial_state, step
from components.land.column.cycles.crop_day import DRY_CARBON
from components.land.column.cycles.crop_development import TWILIGHT
from components.land.column.cycles.pools import leaf_area
from components.land.column.humidity import saturation_pressure
from components.land.column.parameters import parameters
from components.land.column.radiation import partition
from components.science.constants import ZERO_CELSIUS
from components.science.sun import cosine_zenith, day_length
from components.science.water import specific_humidity

HOURS, LATITUDE, SWING = 3, 34.7, 5.0
RUNS = {"const24": (("maize", "rice", "soybean"), 160, 122), "cycle": (("wheat",), 282, 275)}  # crops, first day, days


def weather(name: str, day: float) -> tuple[float, float]:
    """Mean temperature (degC) and sunshine (J m-2) of a day of the year, from 0."""
    if name == "const24":
        return 24.0, 18e6
    turn = 2.0 * math.pi / 365.0
    return 14.5 - 13.0 * math.cos(turn * (day - 19.0)), 1e6 * (14.0 - 6.5 * math.cos(turn * (day - 4.0)))


def grow(name: str) -> tuple[dict[str, list[tuple[float, int]]], torch.Tensor, torch.Tensor]:
    """Day and number of every phase by crop, largest leaf area, yield (kg dry matter ha-1)."""
    crops, first, days = RUNS[name]
    n = len(crops)
    p = parameters(crops, ["loam"] * n, cycles=True)
    one = torch.ones(n, dtype=torch.float64)
    state = initial_state(p, (ZERO_CELSIUS + weather(name, first)[0]) * one, 0.7)
    options = Options(nitrogen="none", prognostic_leaves=True)
    yesterday = 40000.0 * one if name == "const24" else day_length(LATITUDE * one, first - 1.0)
    c = state.cycles
    state = state._replace(cycles=c._replace(season=c.season._replace(day_length=yesterday)))
    events: dict[str, list[tuple[float, int]]] = {k: [] for k in crops}
    most, harvest, phase = 0.0 * one, 0.0 * one, state.cycles.crop.phase
    per_day = 24 // HOURS
    with torch.inference_mode():
        for i in range(days * per_day):
            day = first + i // per_day
            mean, energy = weather(name, day)
            suns = [cosine_zenith(0.0 * one, LATITUDE * one, day + (h + 0.5) * HOURS / 24.0) for h in range(per_day)]
            whole = sum(torch.clamp(s, min=0.0) for s in suns)
            mu = suns[i % per_day]
            hour = (i % per_day + 0.5) * HOURS
            t = ZERO_CELSIUS + mean + SWING * math.sin((hour - 9.0) * math.pi / 12.0)
            direct, diffuse = partition(energy / (HOURS * 3600.0) * torch.clamp(mu, min=0.0) / whole, mu)
            q = specific_humidity(saturation_pressure((ZERO_CELSIUS + mean - SWING) * one)[0], 1e5 * one)
            # In the constant weather of summer days grow longer for ever, so that what is sown in spring is sown.
            length = (
                (50000.0 + i) * one if name == "const24" else day_length(LATITUDE * one, day + i % per_day / per_day)
            )
            seen = length if name == "const24" else day_length(LATITUDE * one, day + i % per_day / per_day, TWILIGHT)
            forcing = Forcing(
                t * one, q, 1e5 * one, 2.0 * one, 10.0 * one, direct, diffuse, (270.0 + 4.2 * mean) * one, 8e-5 * one,
                0.0 * one, 400.0 * one, mu, one, 0.1 * one, day_length=length, photoperiod=seen,
            )  # fmt: skip
            state, out = step(state, forcing, p, HOURS * 3600.0, options)
            most = torch.maximum(most, leaf_area(state.cycles, p.cycles))
            harvest = harvest + out.cycled.harvested_carbon * (HOURS * 3600.0)
            for k, (a, b) in enumerate(zip(phase.tolist(), state.cycles.crop.phase.tolist(), strict=True)):
                if a != b and len(events[crops[k]]) < 4:
                    events[crops[k]].append(((i + 1) / per_day, int(b)))
            phase = state.cycles.crop.phase
    return events, most, 1e4 * harvest / DRY_CARBON


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("TESSERA_SHARED", root.parent / "shared")))
    parser.add_argument("--weather", nargs="+", choices=[*RUNS], default=[*RUNS])
    o = parser.parse_args()
    torch.set_num_threads(1)
    rows = json.loads((o.shared / "reference" / "land" / "pcse_reference.json").read_text())["results"]
    for name in o.weather:
        crops, first, _ = RUNS[name]
        theirs = {r["crop"]: r for r in rows if r["weather"] == name}
        events, most, harvest = grow(name)
        for k, crop in enumerate(crops):
            r = theirs[crop]
            leaves, dry = f"{most[k]:.2f} ({r['LAIMAX']})", f"{harvest[k]:.0f} ({r['TWSO']})"
            print(f"{crop}: from day {first + 1}: phases {events[crop]}, leaf area {leaves}, yield {dry} kg ha-1")
            print(f"RESULT land.crops.{crop}.yield_ratio {harvest[k] / r['TWSO']:.3f}")


if __name__ == "__main__":
    main()
