# SPDX-License-Identifier: BSD-3-Clause
"""What groundwater, rivers and cities cost the coupled case: its speed with all of them over its speed without.

python benchmarks/land_water.py [--hours 3] [--rounds 1] [--grid east_asia_100km] [--equal] [--pieces]

The template east_asia_coupled, one process each, eager, outputs left out. Each
number is the CPU time of a run of one hour more than `--hours` less that of one of one hour, so that neither start nor
files count. Both cases run at the same time, so that what else the machine does slows both alike, and one more round
has two runs without at the same time: how far equal runs differ. Two cores, some minutes. Where equal runs differ by
more than the water costs (a busy machine), --pieces says it out of one run of two hours under a profiler of CPU time:
what the parts took that a case without has not.
"""

import argparse
import cProfile
import json
import os
import pstats
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.cases import at_once, edit, tessera
from coupler.case import command

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


def seconds(folder: Path, grid: str, hours: int, waters: tuple[bool, ...]) -> list[float]:
    """CPU time of runs of so many hours at the same time, with water and without."""
    cases = [make(folder.with_name(f"{folder.name}_{k}"), grid, hours, water) for k, water in enumerate(waters)]
    at_once(*((case, "--serial") for case in cases))
    return [float(json.loads((case / "run" / "timing.json").read_text())["cpu"]) for case in cases]


PIECES = {
    "cities": ("column/urban/tile.py", "step"), "rivers": ("land/rivers/component.py", "step"),
    "groundwater": ("column/aquifer.py", "step"), "rivers met by the land": ("column/river_water.py", "meet_rivers"),
    "soil over a water table": ("column/advance.py", "over"),
}  # fmt: skip


def pieces(profile: pstats.Stats) -> tuple[dict[str, float], float]:
    """CPU seconds of the parts that water and people add, and of all steps and exchanges together."""

    def spent(file: str, name: str) -> float:
        return sum(float(v[3]) for k, v in profile.stats.items() if k[0].endswith(file) and k[2] == name)  # type: ignore[attr-defined]

    return {k: spent(*v) for k, v in PIECES.items()}, spent("exchange/runner.py", "_segment")


def profiled(folder: Path, grid: str) -> None:
    """Two hours with water in this process, and what its parts took."""
    case, profile = make(folder, grid, 2, True), cProfile.Profile(time.process_time)
    profile.runcall(command.main, [str(case), "--serial"])
    found, whole = pieces(pstats.Stats(profile))
    for name, cost in found.items():
        print(f"{name}: {cost:.3f} s of CPU in two hours of {whole:.3f}")
    print(f"RESULT land_water.share_of_pieces {sum(found.values()) / whole:.4f}")


def main() -> None:
    """Run in pairs, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--grid", default="east_asia_100km")
    parser.add_argument("--equal", action="store_true", help="a round of two equal runs, too")
    parser.add_argument("--pieces", action="store_true", help="what each part took in one run, and nothing else")
    o = parser.parse_args()
    print(f"east_asia_coupled, {o.grid}, {o.hours} hours; load {os.getloadavg()[0]:.1f}", flush=True)
    ratios = []
    pairs = [(False, True)] * o.rounds + [(False, False)] * o.equal
    with tempfile.TemporaryDirectory() as made:
        if o.pieces:
            profiled(Path(made) / "case", o.grid)
            return
        seconds(Path(made) / "warm", o.grid, 1, (True,))  # compiles what is not in the cache yet
        for n, pair in enumerate(pairs):
            first = seconds(Path(made) / f"{n}_first", o.grid, 1, pair)
            whole = seconds(Path(made) / f"{n}_whole", o.grid, 1 + o.hours, pair)
            cost = [(b - a) / o.hours for a, b in zip(first, whole, strict=True)]
            names = ["with" if water else "without" for water in pair]
            print("; ".join(f"{a}: {b:.2f} s of CPU an hour" for a, b in zip(names, cost, strict=True)), flush=True)
            if pair[1]:
                ratios.append(cost[0] / cost[1])
            else:
                print(f"RESULT land_water.equal_runs {cost[0] / cost[1]:.3f}")
    print(f"RESULT land_water.speed_ratio {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main()
