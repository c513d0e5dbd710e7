# SPDX-License-Identifier: BSD-3-Clause
"""What groundwater, rivers and cities cost the coupled case: its speed with all of them over its speed without.

python benchmarks/land_water.py [--hours 3] [--rounds 1] [--grid east_asia_100km]

The template east_asia_coupled on one process, eager, outputs left out. Each
number is the CPU time of a run of one hour more than `--hours` less that of one of one hour, so that neither start nor
files count; both cases are measured in turn, in changing order. Two cores, three minutes.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.cases import edit, tessera

WATER = "  groundwater: lateral\n  city: {share: 0.05, population: 5000}\n"


def make(folder: Path, grid: str, hours: int, water: bool) -> Path:
    """The case, with all of the land's water and people or as it stands."""
    tessera("new", folder, "--template", "east_asia_coupled")
    edit(folder / "case.yaml", "duration: P1D", f"duration: PT{hours}H")
    edit(folder / "case.yaml", "period: P1D", f"period: PT{hours}H")
    edit(folder / "atmosphere.yaml", "grid: east_asia_100km", f"grid: {grid}")
    for name in ("atmosphere", "ocean", "land", "rivers"):
        path = folder / f"{name}.yaml"
        text = path.read_text()
        path.write_text(text[: text.index("output:")])
    if water:
        edit(folder / "case.yaml", "rivers: {model: none}", "rivers: {model: rivers}")
        edit(folder / "land.yaml", "column:\n", f"column:\n{WATER}")
    return folder


def seconds(folder: Path, grid: str, hours: int, water: bool) -> float:
    """CPU time of a run of so many hours."""
    case = make(folder, grid, hours, water)
    tessera(case, "--serial")
    return float(json.loads((case / "run" / "timing.json").read_text())["cpu"])


def main() -> None:
    """Run in turn, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--grid", default="east_asia_100km")
    o = parser.parse_args()
    print(f"east_asia_coupled, {o.grid}, {o.hours} hours; load {os.getloadavg()[0]:.1f}", flush=True)
    cost: dict[bool, list[float]] = {False: [], True: []}
    with tempfile.TemporaryDirectory() as made:
        seconds(Path(made) / "warm", o.grid, 1, True)  # compiles what is not in the cache yet
        for n in range(o.rounds):
            for water in (False, True) if n % 2 == 0 else (True, False):
                folder = Path(made) / f"{n}_{water}"
                first = seconds(folder.with_name(f"{folder.name}_1"), o.grid, 1, water)
                whole = seconds(folder, o.grid, 1 + o.hours, water)
                cost[water].append((whole - first) / o.hours)
                print(f"{'with' if water else 'without'}: {cost[water][-1]:.2f} s of CPU an hour", flush=True)
    plain, all_of_it = (statistics.median(cost[water]) for water in (False, True))
    print(f"RESULT land_water.speed_ratio {plain / all_of_it:.3f}")


if __name__ == "__main__":
    main()
