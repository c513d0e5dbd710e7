# SPDX-License-Identifier: BSD-3-Clause
"""Toy cases, running them, and comparing what they leave behind."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import netCDF4
import numpy as np
import yaml

from coupler.case.command import COMMANDS, main
from tests.lanes import must_start_ranks
from tests.toys import forked

ROOT = Path(__file__).resolve().parents[2]
TOYS = "tests.toys.models:"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


def write_case(folder, components, coupling, *, inline=False, **case):
    """Write a case: components by name with their whole namelists, rules, and further keys of ``case.yaml``.

    With `inline` the components' namelists stand in ``case.yaml``, else in files of their own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "start": "2001-01-01",
        "calendar": "noleap",
        **case,
        "components": components if inline else {n: {"model": c["model"]} for n, c in components.items()},
        "coupling": coupling,
    }
    (folder / "case.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    for name, values in {} if inline else components.items():
        own = {k: v for k, v in values.items() if k != "model"}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(own, sort_keys=False))
    return folder


def toy_case(folder, *, duration="P2D", restart="PT15H", layout=None, coupling=None, air=None, components=None, **case):
    """Write a case of three toys: air (2 degrees, 30 min), sea (.75 degree, 1 h, 6-h mean window), soil (no lag)."""
    parts = {
        "air": {"model": TOYS + "Air", "step": "PT30M", "grid": box(100, 140, 0, 40, 2.0), **(air or {})},
        "sea": {"model": TOYS + "Sea", "step": "PT1H", "grid": box(102, 138, 2, 38, 0.75)},
        "soil": {"model": TOYS + "Soil", "step": "PT30M", "grid": box(105, 135, 5, 35, 1.5)},
    }
    rules = [
        {"from": "air", "to": "sea", "period": "PT6H", "lag": "PT6H"},
        {"from": "air", "to": "soil", "period": "PT1H"},
    ]
    ranks = {"coupler": 1, "air": 2, "sea": 1, "soil": {"ranks": 1, "with": "sea"}}
    rules = rules if coupling is None else coupling
    case = {"title": "toy", "duration": duration, "layout": layout or ranks, **case}
    write_case(folder, components or parts, rules, inline=True, restart={"period": restart, "keep": 9}, **case)
    if components is None:
        output = [{"fields": ["sea_surface_temperature", "air_temperature"], "period": "PT12H", "statistic": "mean"}]
        (folder / "sea.yaml").write_text(yaml.safe_dump({"options": {"depth": "30 m"}, "output": output}))
    return folder


def edit(folder, changes):
    """Change a case's files; ``changes`` are (file, old, new), of which every one must be found."""
    for file, old, new in changes:
        text = (folder / file).read_text()
        assert old in text, f"{file}: {old}"
        (folder / file).write_text(text.replace(old, new))
    return folder


def box(west, east, south, north, resolution):
    """A grid's namelist."""
    return {"west": west, "east": east, "south": south, "north": north, "resolution": resolution}


def environment():
    """Environment of the runs."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def tessera(*arguments, check=True, timeout=300, cwd=ROOT, apart=False):
    """Run the command with some arguments: within this process; where it starts ranks, or `apart`, in one of its own.

    Returns
    -------
    subprocess.CompletedProcess
        With ``returncode``, ``stdout`` and ``stderr``.
    """
    words = [str(a) for a in arguments]
    if apart or starts_ranks(words):
        done = in_a_process(words, timeout, cwd)
    else:
        done = in_this_process(words, cwd)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done


def starts_ranks(words):
    """Whether the command starts mpirun with these words."""
    return bool(words) and words[0] not in COMMANDS and "/" in words[0] and "--serial" not in words


def in_a_process(words, timeout=300, cwd=ROOT):
    """Run ``run_case.py`` and wait for its end; where it starts ranks it and they are forked."""
    python = [sys.executable]
    if starts_ranks(words):
        must_start_ranks()
        python = forked.python()
    command = [*python, str(ROOT / "run_case.py"), *words]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, cwd=cwd, env=environment(), check=False
    )


def in_this_process(words, cwd=ROOT, main=main):
    """Call the command's `main`, or another, and put back what a process takes with it: folder, signals, modules."""
    before, path, signals = os.getcwd(), list(sys.path), {n: signal.getsignal(n) for n in SIGNALS}
    modules, out, err = set(sys.modules), io.StringIO(), io.StringIO()
    os.chdir(cwd)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main(words)
            except SystemExit as end:
                code = end.code or 0
    finally:
        os.chdir(before)
        sys.path[:] = path
        for number, handler in signals.items():
            signal.signal(number, handler)
        for name in set(sys.modules) - modules:
            if of_a_case(sys.modules[name]):  # another may have a package of the same name
                del sys.modules[name]
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def of_a_case(module):
    """Whether a module was found beside a case; one without a place (torch makes many) belongs to its package."""
    names = getattr(module, "__dict__", {})
    places = [p for p in (names.get("__file__"), *(names.get("__path__") or ())) if p and os.path.isabs(p)]
    return bool(places) and not any(p.startswith((str(ROOT), sys.prefix, sys.base_prefix)) for p in places)


def started(*arguments):
    """Start ``run_case.py`` and return at once; where it starts ranks it and they are forked."""
    words = [str(a) for a in arguments]
    python = [sys.executable]
    if starts_ranks(words):
        must_start_ranks()
        python = forked.python()
    return subprocess.Popen(
        [*python, str(ROOT / "run_case.py"), *words],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, env=environment(),
    )  # fmt: skip


def wait_for(case, share, timeout=120.0):
    """Wait until a run has done a share of its work."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            status = json.loads((case / "run" / "status.json").read_text())
        except (OSError, ValueError):
            status = {}
        if status.get("share", -1) >= share:
            return status
        time.sleep(0.02)
    raise AssertionError(f"{case} did not get to {share} within {timeout} s")


def differences(a, b, *, history=True, restarts=None):
    """Names of all variables of the newest restarts (or some) and the histories of two runs that differ in a bit."""
    found = []
    folders = restarts or [sorted((a / "run" / "restart").iterdir())[-1].name]
    files = [Path("restart") / name / f.name for name in folders for f in (a / "run" / "restart" / name).glob("*.nc")]
    if history:
        files += [Path("history") / f.name for f in (a / "run" / "history").glob("*.nc")]
    assert files
    compared = 0
    for file in files:
        if not (b / "run" / file).exists():
            found.append(f"{file}: missing")
            continue
        with netCDF4.Dataset(a / "run" / file) as x, netCDF4.Dataset(b / "run" / file) as y:
            x.set_auto_mask(False)
            y.set_auto_mask(False)
            if set(x.variables) != set(y.variables):
                found.append(f"{file}: {sorted(set(x.variables) ^ set(y.variables))}")
            for name in set(x.variables) & set(y.variables):
                left, right = np.asarray(x[name][...]), np.asarray(y[name][...])
                compared += 1
                if left.shape != right.shape or left.tobytes() != right.tobytes():
                    found.append(f"{file}: {name}")
    assert compared > 10
    return found
