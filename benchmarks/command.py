# SPDX-License-Identifier: BSD-3-Clause
"""How long the command line takes: --help, new and check of the template, as whole processes.

python benchmarks/command.py
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def timed(arguments, runs=5):
    """Median wall-clock seconds of a command, after one run that is not counted."""
    seconds = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        subprocess.run([sys.executable, str(ROOT / "run_case.py"), *arguments], check=True, capture_output=True,
                       env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])


def main():
    folder = Path(tempfile.mkdtemp())
    try:
        new = []
        for k in range(6):
            start = time.perf_counter()
            subprocess.run([sys.executable, str(ROOT / "run_case.py"), "new", str(folder / f"case{k}")], check=True,
                           capture_output=True)  # fmt: skip
            new.append(time.perf_counter() - start)
        results = {"help_s": timed(["--help"]), "new_s": statistics.median(new[1:]),
                   "check_s": timed(["check", str(folder / "case0")])}  # fmt: skip
    finally:
        shutil.rmtree(folder)
    print("whole processes, wall-clock seconds, median of 5 (wanted: help < 0.5, new < 1, check < 3)")
    for name, value in results.items():
        print(f"RESULT command.{name} {value:.3f}")


if __name__ == "__main__":
    main()
