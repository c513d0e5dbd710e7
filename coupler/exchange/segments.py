# SPDX-License-Identifier: BSD-3-Clause
"""Names of MPI's shared memory, removed once all processes of a node have mapped it: then nothing is left behind."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

from coupler.messages import share
from coupler.watch.processes import host


def mapped() -> set[str]:
    """Files of MPI's shared memory that this process has mapped."""
    try:
        text = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return set()
    return {line.split(None, 5)[5] for line in text.splitlines() if "/dev/shm/sm_segment." in line}


def forget_names(comm: Any) -> None:
    """Remove the names of the memory that all processes of this node have mapped (all processes of `comm` call)."""
    everybody = share(comm, (host(), sorted(mapped())))
    mine = [set(files) for node, files in everybody if node == host()]
    for path in set.intersection(*mine):
        if "(deleted)" not in path:
            with contextlib.suppress(OSError):
                os.unlink(path)
    comm.Barrier()
