# SPDX-License-Identifier: BSD-3-Clause
"""How fast the template east_asia_chemistry runs on two cores, and where the time goes.

python benchmarks/chemistry_case.py [--hours 2] [--aerosol] [--parts-only]

First an hour on one process with clocks around the parts of the chemistry; then the case as a user runs it, through
MPI. A run of H hours and one of H / 2 give the seconds of an hour of the model without the start of the processes, and
these the days an hour of wall clock; from the CPU time of all processes follows what two cores of their own would do.
The exchange's share is what the ranks of atmosphere and chemistry spend on sending and waiting, of the wall; the
coupler's CPU time is told beside it. Results depend on what else the machine does: the load is printed.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.cases import edit, tessera

TEMPLATE = "east_asia_chemistry"
HOUR = 3600.0


def make(folder, minutes, aerosol):
    """The case for so many minutes, without restarts on the way."""
    tessera("new", folder, "--template", TEMPLATE)
    edit(folder / "case.yaml", "duration: P1D", f"duration: PT{minutes}M")
    edit(folder / "case.yaml", "period: PT12H", f"period: PT{minutes}M")
    for name in ("atmosphere", "chemistry", "ocean", "land", "prescribed_ocean"):
        text = (folder / f"{name}.yaml").read_text()
        (folder / f"{name}.yaml").write_text(text[: text.find("\noutput:")] + "\n" if "\noutput:" in text else text)
    if aerosol:
        edit(folder / "chemistry.yaml", "# aerosol: {}  ", "aerosol: {}    ")
    return folder


def parts(folder):
    """CPU seconds by part of the chemistry, and of the rest, on one process."""
    from components.chemistry.regional import component, gas_chemistry, reactive_gases, transport
    from components.chemistry.regional.aerosol import particles
    from coupler.case.command import main as command

    spent, inside = Counter(), []

    def clock(owner, method, name):
        run = getattr(owner, method)

        def timed(*arguments, **options):
            begin = time.process_time()
            inside.append(0.0)
            try:
                return run(*arguments, **options)
            finally:
                lasted, within = time.process_time() - begin, inside.pop()
                spent[name] += lasted - within
                if inside:
                    inside[-1] += lasted

        setattr(owner, method, timed)

    clock(component.RegionalChemistry, "step", "rest of the chemistry's step")
    clock(component.RegionalChemistry, "initialize", "start of the chemistry")
    clock(transport.Mover, "_mix", "mixing in columns")
    clock(transport.Mover, "advance", "transport")
    clock(gas_chemistry.GasChemistry, "react", "gas reactions")
    clock(gas_chemistry.GasChemistry, "given", "photolysis")
    clock(gas_chemistry.GasChemistry, "outside", "air outside")
    clock(reactive_gases.ReactiveGases, "_deposit", "deposition of gases")
    clock(reactive_gases.ReactiveGases, "emitted", "emissions")
    clock(particles.Particles, "advance", "aerosol")
    begin = time.process_time()
    if command(["run", str(folder), "--serial"]):
        raise SystemExit("the case failed")
    return time.process_time() - begin, spent


def through_mpi(folder):
    """Timing of a run as a user starts it."""
    tessera("run", folder)
    return json.loads((folder / "run" / "timing.json").read_text())


def main():
    """Run, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=2, help="of the longer run through MPI, even")
    parser.add_argument("--aerosol", action="store_true", help="with aerosol")
    parser.add_argument("--parts-only", action="store_true", help="the hour on one process alone")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        print(f"{TEMPLATE}, aerosol {a.aerosol}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
        whole, spent = parts(make(Path(place) / "parts", 60, a.aerosol))
        print("CPU seconds of the first hour of the model on one process, with the start:")
        for name, seconds in [*spent.most_common(), ("all else", whole - sum(spent.values()))]:
            print(f"  {name:30s} {seconds:8.1f}")
        if a.parts_only:
            return
        runs = [through_mpi(make(Path(place) / f"of_{n}", 30 * n, a.aerosol)) for n in (a.hours, 2 * a.hours)]
        for run in runs:
            print(f"{run['simulated'] / HOUR:.1f} h: wall {run['wall']:.0f} s, CPU {run['cpu']:.0f} s; a rank:")
            for name, row in run["rows"].items():
                shown = ", ".join(f"{k} {row[k]:.1f}" for k in ("computing", "waiting", "sending", "writing"))
                print(f"  {name:18s} {row['ranks']} ranks: {shown}")
        print(f"load {os.getloadavg()[0]:.1f} at the end")
        short, long = runs
        wall, cpu, simulated = (long[k] - short[k] for k in ("wall", "cpu", "simulated"))
        both, taken = ("atmosphere", "chemistry"), ("sending", "waiting")
        before, after = (sum(run["rows"][name][k] for name in both for k in taken) for run in runs)
        print(f"RESULT chemistry.exchange.share {(after - before) / wall:.4f}")
        print(f"RESULT chemistry.exchange.coupler_cpu_share {(long['coupler_cpu'] - short['coupler_cpu']) / cpu:.4f}")
        print(f"RESULT chemistry.full.days_per_hour {HOUR * simulated / (86400.0 * wall):.2f}")
        print(f"RESULT chemistry.full.cpu_s_per_day {cpu / simulated * 86400.0:.0f}")
        print(f"RESULT chemistry.full.days_per_hour_of_two_free_cores {2.0 * HOUR * simulated / (86400.0 * cpu):.2f}")


if __name__ == "__main__":
    main()
