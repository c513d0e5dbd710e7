# SPDX-License-Identifier: BSD-3-Clause
"""Running the project's commands and changing a case's files, for the benchmarks of whole cases."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def tessera(*arguments):
    """Run a command of the project and give what it printed; ends the benchmark where it fails."""
    return at_once(arguments)[0]


def at_once(*commands):
    """Run some commands of the project at the same time, so that whatever slows the machine slows all of them."""
    with ThreadPoolExecutor(len(commands)) as pool:
        return list(pool.map(_run, commands))


def _run(arguments):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, str(ROOT / "run_case.py"), *map(str, arguments)], env=environment, cwd=ROOT,
                          capture_output=True, text=True, check=False)  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{arguments} ended with {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def edit(path, old, new):
    """Replace what must be there."""
    text = path.read_text()
    if old not in text:
        raise SystemExit(f"{path}: no {old!r}")
    path.write_text(text.replace(old, new))
