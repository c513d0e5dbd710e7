# SPDX-License-Identifier: BSD-3-Clause
"""What an ensemble costs beside as many single runs: the template east_asia, each member on one process.

python benchmarks/ensemble.py [--members 20] [--days 10] [--at-once 1]
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def seconds_of(*words):
    """Wall-clock seconds of a command."""
    began = time.time()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(ROOT / "run_case.py"), *words]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env=environment)
    return time.time() - began


def main():
    """Print both times and their ratio."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--members", type=int, default=20)
    p.add_argument("--days", type=int, default=10)
    p.add_argument("--at-once", type=int, default=1, help="members at one time; the single runs come one by one")
    options = p.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        cases = [str(folder / name) for name in ("single", "ensemble")]
        for case in cases:
            subprocess.run([sys.executable, str(ROOT / "run_case.py"), "new", case], check=True, capture_output=True)
            path = Path(case) / "case.yaml"
            text = path.read_text().replace("duration: P60D", f"duration: P{options.days}D")
            path.write_text(text)
        with open(Path(cases[1]) / "case.yaml", "a") as handle:
            handle.write(f"\ninstances: {options.members}\nat_once: {options.at_once}\n")
        seconds_of(cases[0], "--serial")  # not counted: it fills the caches
        single = sum(seconds_of(cases[0], "--serial") for _ in range(options.members))
        whole = seconds_of(cases[1], "--serial")
    finally:
        shutil.rmtree(folder)
    print(f"{options.members} members of {options.days} days, {options.at_once} at once: {whole:.1f} s")
    print(f"{options.members} single runs, one by one: {single:.1f} s (wanted: at most 1.1 times as long)")
    print(f"RESULT ensemble.overhead {whole / single:.3f}")


if __name__ == "__main__":
    main()
