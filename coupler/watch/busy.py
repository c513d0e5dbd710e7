# SPDX-License-Identifier: BSD-3-Clause
"""What processes are at that have been at it for long: a note each, for those who wait for them.

Who waits in vain knows for whom, not why. A process whose own work lasts longer than half of the deadline says in a
small file of ``run/`` what it is at, and where in the code; whoever gives up waiting reads it.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from pathlib import Path

PATTERN = ".busy.*.json"


@dataclass(frozen=True)
class Busy:
    """A process that has been at one thing for long."""

    what: str
    """Who is at what, such as ``ocean, rank 1, at 2001-01-01T06:00:00: step has not returned``."""
    since: float
    """Seconds since the epoch."""
    where: str
    """The call stack."""

    @property
    def seconds(self) -> float:
        """How long it has been at it."""
        return time.time() - self.since


def note(folder: Path, process: int, busy: Busy | None) -> None:
    """Leave word of what a process is at, or take the word back.

    Parameters
    ----------
    folder : of the case
    process : its number in the run
    busy : what it is at; None if it has gone on
    """
    path = folder / "run" / PATTERN.replace("*", str(process))
    with contextlib.suppress(OSError):
        if busy is None:
            path.unlink()
        else:
            part = path.with_suffix(".part")
            part.write_text(json.dumps([busy.what, busy.since, busy.where]), encoding="utf-8")
            part.replace(path)


def found(folder: Path) -> list[Busy]:
    """All that is known, the longest first."""
    notes = []
    for path in (folder / "run").glob(PATTERN):
        with contextlib.suppress(OSError, ValueError, TypeError):
            notes.append(Busy(*json.loads(path.read_text(encoding="utf-8"))))
    return sorted(notes, key=lambda b: b.since)


def clear(folder: Path) -> None:
    """Remove what an earlier run left."""
    for path in (folder / "run").glob(PATTERN):
        with contextlib.suppress(OSError):
            path.unlink()
