# SPDX-License-Identifier: BSD-3-Clause
"""How long a start takes: check of the template, and a serial run until its first exchange has arrived.

python benchmarks/start.py
"""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNS = 5
UNTIL_FIRST_EXCHANGE = """
import os, sys, time
sys.path.insert(0, {root!r})
from coupler.exchange import endpoint
get_all = endpoint.Endpoint.get_all
def first(self, time_):
    got = get_all(self, time_)
    if got:
        print("arrived", time.time(), flush=True)
        os._exit(0)
    return got
endpoint.Endpoint.get_all = first
from coupler.case.command import main
sys.exit(main([{case!r}, "--serial"]))
"""


def seconds_of(command):
    """Wall-clock and CPU seconds from the start of a process to its end, or to where it says that something arrived."""
    began, used = time.time(), cpu()
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
    arrived = [line for line in done.stdout.splitlines() if line.startswith("arrived")]
    return (float(arrived[-1].split()[1]) if arrived else time.time()) - began, cpu() - used


def cpu():
    """CPU seconds of all processes that have been started and ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    """Print both numbers: the median after one run that is not counted."""
    folder = Path(tempfile.mkdtemp())
    case = str(folder / "case")
    try:
        subprocess.run([sys.executable, str(ROOT / "run_case.py"), "new", case], check=True, capture_output=True)
        program = UNTIL_FIRST_EXCHANGE.format(root=str(ROOT), case=case)
        results = {}
        for name, command in (("check", [sys.executable, str(ROOT / "run_case.py"), "check", case]),
                              ("first_exchange", [sys.executable, "-c", program])):  # fmt: skip
            results[name] = [
                statistics.median(v) for v in zip(*[seconds_of(command) for _ in range(RUNS + 1)][1:], strict=True)
            ]
    finally:
        shutil.rmtree(folder)
    print(f"template east_asia, whole processes, wall-clock seconds, median of {RUNS} (wanted: check <= 2,")
    print("first exchange <= 4: from the start of a serial run until imports have arrived)")
    for name, value in results.items():
        print(f"RESULT start.{name}_seconds {value[0]:.3f}")
    for name, value in results.items():
        print(f"RESULT start.{name}_cpu_seconds {value[1]:.3f}")


if __name__ == "__main__":
    main()
