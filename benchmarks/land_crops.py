# SPDX-License-Identifier: BSD-3-Clause
"""Maize, rice and soybean at a constant 24 C and 18 MJ m-2 d-1 beside WOFOST's potential production (PCSE 6.0.13).

    .venv/bin/python benchmarks/land_crops.py

Weather of the reference: 19 to 29 C, saturated vapour at 19 C, 2 m/s, 34.7 N; rain that keeps the soil moist, and
nitrogen never lacking. Days are three-hourly steps from 10 June on. Prints phases, largest leaf area and yield.

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
from components.land.column.humidity import saturation_pressure
from components.land.column.parameters import parameters
from components.land.column.radiation import partition
from components.science.sun import cosine_zenith
from components.science.water import specific_humidity

CROPS = ("maize", "rice", "soybean")
HOURS, FIRST, LATITUDE = 3, 160, 34.7
ENERGY = 18e6  # J m-2 d-1


def grow(days: int) -> tuple[dict[str, list[tuple[float, int]]], torch.Tensor, torch.Tensor]:
    """Day and number of every phase by crop, largest leaf area, yield (kg dry matter ha-1)."""
    n = len(CROPS)
    p = parameters(CROPS, ["loam"] * n, cycles=True)
    one = torch.ones(n, dtype=torch.float64)
    state = initial_state(p, 297.15 * one, 0.7)
    options = Options(nitrogen="none", prognostic_leaves=True)
    events: dict[str, list[tuple[float, int]]] = {k: [] for k in CROPS}
    most, harvest, phase = 0.0 * one, 0.0 * one, state.cycles.crop.phase
    per_day = 24 // HOURS
    with torch.inference_mode():
        for i in range(days * per_day):
            suns = [cosine_zenith(0.0 * one, LATITUDE * one, FIRST + (h + 0.5) * HOURS / 24.0) for h in range(per_day)]
            whole = sum(torch.clamp(s, min=0.0) for s in suns)
            mu = suns[i % per_day]
            hour = (i % per_day + 0.5) * HOURS
            t = 297.15 + 5.0 * math.sin((hour - 9.0) * math.pi / 12.0)
            direct, diffuse = partition(ENERGY / (HOURS * 3600.0) * torch.clamp(mu, min=0.0) / whole, mu)
            q = specific_humidity(saturation_pressure(292.15 * one)[0], 1e5 * one)
            forcing = Forcing(
                t * one, q, 1e5 * one, 2.0 * one, 10.0 * one, direct, diffuse, 370.0 * one, 8e-5 * one, 0.0 * one,
                400.0 * one, mu, one, 0.1 * one,
                day_length=(50000.0 + i) * one,
            )  # fmt: skip
            state, out = step(state, forcing, p, HOURS * 3600.0, options)
            most = torch.maximum(most, p.cycles.sla * state.cycles.carbon.plant.leaf)
            harvest = harvest + out.cycled.harvested_carbon * (HOURS * 3600.0)
            for k, (a, b) in enumerate(zip(phase.tolist(), state.cycles.crop.phase.tolist(), strict=True)):
                if a != b and len(events[CROPS[k]]) < 4:
                    events[CROPS[k]].append(((i + 1) / per_day, int(b)))
            phase = state.cycles.crop.phase
    return events, most, 1e4 * harvest / DRY_CARBON


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("TESSERA_SHARED", root.parent / "shared")))
    parser.add_argument("--days", type=int, default=122)
    o = parser.parse_args()
    torch.set_num_threads(1)
    rows = json.loads((o.shared / "reference" / "land" / "pcse_reference.json").read_text())["results"]
    theirs = {r["crop"]: r for r in rows if r["weather"] == "const24"}
    events, most, harvest = grow(o.days)
    for k, crop in enumerate(CROPS):
        r = theirs[crop]
        leaves, dry = f"{most[k]:.2f} ({r['LAIMAX']})", f"{harvest[k]:.0f} ({r['TWSO']})"
        print(f"{crop}: phases {events[crop]}, largest leaf area {leaves}, yield {dry} kg ha-1")
        print(f"RESULT land.crops.{crop}.yield_ratio {harvest[k] / r['TWSO']:.3f}")


if __name__ == "__main__":
    main()
