# SPDX-License-Identifier: BSD-3-Clause
"""How fast the whole system runs, what of it is coupling, where it waits, and whether the suggested layout is faster.

python benchmarks/coupled.py [--hours 24] [--grid east_asia_100km] [--compile] [--radiation rrtmgp] [--suggested]

The template east_asia_coupled with everything active, through MPI as a user runs it. Simulated days per hour of wall
clock, from the start of the processes to their end (initialisation, weights and files included). The coupler's share
is CPU time of the coupler's rank over CPU time of all; the waiting share is the mean over the other ranks. With
--suggested the run is repeated with the layout that the timing table suggests. Results depend on what else the machine
does: the load is printed.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.cases import edit, tessera


def make(folder, options):
    """The case; restarts at the end only."""
    tessera("new", folder, "--template", "east_asia_coupled")
    edit(folder / "case.yaml", "duration: P1D", f"duration: PT{options.hours}H")
    edit(folder / "case.yaml", "period: P1D", f"period: PT{options.hours}H")
    edit(folder / "case.yaml", "radiation: {model: rrtmgp}", f"radiation: {{model: {options.radiation}}}")
    edit(folder / "atmosphere.yaml", "grid: east_asia_100km", f"grid: {options.grid}")
    if options.compile:
        edit(folder / "atmosphere.yaml", "compile: false", "compile: true")
    if options.hours % 24:
        for name in ("atmosphere", "ocean", "land"):
            edit(folder / f"{name}.yaml", "period: P1D", f"period: PT{options.hours}H")
    return folder


def run(folder):
    """Timing of one run, with the seconds of the whole command and its table."""
    start = time.perf_counter()
    said = tessera(folder)
    result = json.loads((folder / "run" / "timing.json").read_text())
    table = said[said.index("seconds a rank") : said.index("finished;")]
    return {**result, "command": time.perf_counter() - start}, table


def numbers(result):
    """Days per hour, the coupler's share of the CPU time, the share of their time that the others wait."""
    others = [row for name, row in result["rows"].items() if name != "coupler"]
    spent = sum(row["ranks"] * sum(row[k] for k in ("computing", "waiting", "sending", "writing")) for row in others)
    waited = sum(row["ranks"] * row["waiting"] for row in others)
    return {
        "days_per_hour": result["simulated"] / 86400 / (result["wall"] / 3600),
        "coupler_share": result["coupler_cpu"] / result["cpu"],
        "wait_share": waited / spent,
        "cpu_s_per_day": result["cpu"] / (result["simulated"] / 86400),
    }


def main():
    """Run, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--grid", default="east_asia_100km")
    parser.add_argument("--radiation", default="rrtmgp")
    parser.add_argument("--compile", action="store_true", help="compile the atmosphere's kernels")
    parser.add_argument("--suggested", action="store_true", help="run again with the suggested layout")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        case = make(folder / "case", options)
        print(f"east_asia_coupled, {options.grid}, {options.radiation}, {options.hours} h, compile {options.compile};"
              f" {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")  # fmt: skip
        first, table = run(case)
        print(f"{table}load {os.getloadavg()[0]:.1f} at the end; the whole command took {first['command']:.0f} s\n")
        results = numbers(first)
        if options.suggested and first["suggestion"]:
            text = (case / "case.yaml").read_text()
            layout = yaml.safe_load(text)["layout"]
            old = text[text.index("layout:\n") : text.index("\ncoupling:")]
            (case / "case.yaml").write_text(text.replace(old, yaml.safe_dump({"layout": first["suggestion"]})))
            second, table = run(case)
            print(f"instead of {layout}: {first['suggestion']}\n{table}load {os.getloadavg()[0]:.1f} at the end\n")
            results["suggested_speed_up"] = first["wall"] / second["wall"]
    finally:
        shutil.rmtree(folder)
    for name, value in results.items():
        print(f"RESULT coupled.{name} {value:.4g}")


if __name__ == "__main__":
    main()
