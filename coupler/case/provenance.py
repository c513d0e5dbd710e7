# SPDX-License-Identifier: BSD-3-Clause
"""What a run was made with: versions, commit, checksums, and the namelist with all defaults."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from coupler import __version__
from coupler.case.inputs import inputs_of
from coupler.case.resolved import resolved_text
from coupler.files.atomic import checksum, write_text
from coupler.paths import CHECKOUT, HOME


def make_provenance(folder: Path, files: tuple[Path, ...]) -> dict[str, Any]:
    """Versions, git commit and checksums of the namelists.

    Parameters
    ----------
    folder : of the case
    files : namelists that the run was made from
    """
    commit = ""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        if CHECKOUT:
            look = ["git", "-C", str(HOME), "rev-parse", "HEAD"]
            commit = subprocess.run(look, capture_output=True, text=True, timeout=5, check=False).stdout.strip()
    packages = {}
    for name in ("numpy", "scipy", "numba", "torch", "netCDF4", "mpi4py"):
        with contextlib.suppress(Exception):
            packages[name] = version(name)
    return {
        "provenance": {
            "tessera": __version__,
            "commit": commit,
            "python": sys.version.split()[0],
            "packages": packages,
            "namelists": {f.name: checksum(f) for f in files},
        }
    }


def write_resolved(folder: Path, plan: Any, provenance: dict[str, Any]) -> None:
    """The resolved namelist, with every default spelled out, beside what it was run with.

    Parameters
    ----------
    folder : of the case
    plan : of the run
    provenance : of `make_provenance`
    """
    write_text(folder / "run" / "resolved.yaml", resolved_text(plan))
    inputs = {str(path): checksum(path) for c in plan.components for path in inputs_of(c)}
    provenance["provenance"]["inputs"] = inputs
    write_text(folder / "run" / "provenance.json", json.dumps(provenance["provenance"], indent=1) + "\n")
