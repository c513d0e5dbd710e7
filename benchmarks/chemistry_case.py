# SPDX-License-Identifier: BSD-3-Clause
"""How fast the template east_asia_chemistry runs on two cores, and where the time goes.

python benchmarks/chemistry_case.py [--hours 2] [--aerosol] [--parts-only] [--tries 2]

First an hour on one process with clocks around the parts of the chemistry; then the case as a user runs it, through
MPI. A run of H hours and one of H / 2 differ by H / 2 hours of the model without the start of the processes. Their CPU
time, of all processes, gives the days an hour of two cores of their own: what else the machine does hardly changes it.
Their wall clock gives the days an hour as it was, where the two can be compared: the longer run took longer, and no
more cores were busy in the difference than there are; else the pair is run again, and in the end there is no such
number. The exchange's share is what the ranks of atmosphere and chemistry spend on sending and waiting, of their time
in the longer run; the coupler's CPU time is told beside it. The load is printed.
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
HOUR, DAY = 3600.0, 86400.0
KINDS = ("computing", "waiting", "sending", "writing")


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


def clocked():
    """Where clocks stand: owner, function of it, and name of the part."""
    from components.chemistry.regional import (
        component,
        emitted,
        gas_chemistry,
        photolysis_haze,
        reactive_gases,
        transport,
    )
    from components.chemistry.regional.aerosol import particles

    return (
        (component.RegionalChemistry, "step", "rest of the chemistry's step"),
        (component.RegionalChemistry, "initialize", "start of the chemistry"),
        (transport.Mover, "_mix", "mixing in columns"),
        (transport.Mover, "advance", "transport"),
        (gas_chemistry.GasChemistry, "react", "gas reactions"),
        (gas_chemistry.GasChemistry, "given", "photolysis"),
        (photolysis_haze, "of_particles", "aerosol's light for photolysis"),
        (gas_chemistry.GasChemistry, "outside", "air outside"),
        (reactive_gases.ReactiveGases, "_deposit", "deposition of gases"),
        (emitted.Emitted, "at", "emissions"),
        (particles.Particles, "advance", "aerosol"),
    )


def parts(folder):
    """CPU seconds by part of the chemistry, and of the rest, on one process."""
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

    for owner, method, name in clocked():
        clock(owner, method, name)
    begin = time.process_time()
    if command(["run", str(folder), "--serial"]):
        raise SystemExit("the case failed")
    return time.process_time() - begin, spent


def through_mpi(folder):
    """Timing of a run as a user starts it."""
    tessera("run", folder)
    return json.loads((folder / "run" / "timing.json").read_text())


def show(run):
    """Print what a run took, and each component's part."""
    print(f"{run['simulated'] / HOUR:.1f} h: wall {run['wall']:.0f} s, CPU {run['cpu']:.0f} s; a rank:")
    for name, row in run["rows"].items():
        shown = ", ".join(f"{k} {row[k]:.1f}" for k in KINDS)
        print(f"  {name:18s} {row['ranks']:.0f} ranks: {shown}", flush=True)


def not_comparable(short, long, cores):
    """Why the difference of the walls of two runs says nothing; empty where it does."""
    wall, cpu = (long[k] - short[k] for k in ("wall", "cpu"))
    if wall <= 0.0:
        return f"the longer one took {long['wall']:.0f} s, the shorter {short['wall']:.0f} s"
    if cpu > cores * wall:
        return f"{cpu:.0f} s more of CPU in {wall:.0f} s more of wall on {cores} cores"
    return ""


def results(short, long, comparable):
    """Figures by name, from two runs; those of the walls' difference only where it is ``comparable``.

    Raises
    ------
    SystemExit
        The longer run needed no more CPU time: nothing can be said.
    """
    wall, cpu, simulated = (long[k] - short[k] for k in ("wall", "cpu", "simulated"))
    if cpu <= 0.0:
        raise SystemExit(f"CPU {short['cpu']:.0f} s of the shorter run, {long['cpu']:.0f} s of the longer: no result")
    rows = [long["rows"][name] for name in ("atmosphere", "chemistry")]
    exchanged, spent = (sum(row[k] for row in rows for k in kinds) for kinds in (("sending", "waiting"), KINDS))
    out = {
        "exchange.share": exchanged / spent,
        "exchange.coupler_cpu_share": max(long["coupler_cpu"] - short["coupler_cpu"], 0.0) / cpu,
        "full.cpu_s_per_day": DAY * cpu / simulated,
        "full.days_per_hour_of_two_free_cores": 2.0 * HOUR / DAY * simulated / cpu,
        "full.days_per_hour_with_the_start": HOUR / DAY * long["simulated"] / long["wall"],
    }
    return out | ({"full.days_per_hour": HOUR / DAY * simulated / wall} if comparable else {})


def main():
    """Run, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=2, help="of the longer run through MPI, even")
    parser.add_argument("--aerosol", action="store_true", help="with aerosol")
    parser.add_argument("--parts-only", action="store_true", help="the hour on one process alone")
    parser.add_argument("--tries", type=int, default=2, help="of a pair of runs, until their walls can be compared")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        print(f"{TEMPLATE}, aerosol {a.aerosol}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
        whole, spent = parts(make(Path(place) / "parts", 60, a.aerosol))
        print("CPU seconds of the first hour of the model on one process, with the start:")
        for name, seconds in [*spent.most_common(), ("all else", whole - sum(spent.values()))]:
            print(f"  {name:30s} {seconds:8.1f}")
        if a.parts_only:
            return
        for attempt in range(a.tries):
            pair = [
                through_mpi(make(Path(place) / f"of_{n}_{attempt}", 30 * n, a.aerosol)) for n in (a.hours, 2 * a.hours)
            ]
            for run in pair:
                show(run)
            print(f"load {os.getloadavg()[0]:.1f} at the end")
            if not (why := not_comparable(*pair, os.cpu_count())):
                break
            print(f"the walls of these two cannot be compared: {why}", flush=True)
        for name, value in results(*pair, comparable=not why).items():
            print(f"RESULT chemistry.{name} {value:.4g}")


if __name__ == "__main__":
    main()
