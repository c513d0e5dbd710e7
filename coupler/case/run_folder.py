# SPDX-License-Identifier: BSD-3-Clause
"""The folder ``run/`` of a case: taken by one run at a time, the former run's moved aside."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import os
import time
from pathlib import Path

from coupler.errors import CaseError
from coupler.watch.status import read_status, under_way

ENDING = 5.0
"""Seconds that a new run waits for the last processes of one that has just been killed."""
FRESH = 300.0
"""Seconds for which a status that another machine wrote counts as that of a living run."""


class Hold:
    """The right of this process to write into a case's ``run/``, given back by the kernel however the process ends.

    The first process of a run takes it alone, so that of two that start at one moment one wins; then all processes
    share it, so that none comes in before the last of them has ended.

    Parameters
    ----------
    folder : Path
        The case.
    """

    def __init__(self, folder: Path):
        self._folder, self._handle = folder, -1

    def take(self, *, alone: bool) -> bool:
        """Take it, at once or not at all; True where the file system knows no locks."""
        if self._handle < 0:
            self._handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        how = (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB
        try:
            fcntl.flock(self._handle, how)
        except BlockingIOError:
            return False
        except OSError:
            return True  # some network file systems: status.json alone must tell
        return True

    def release(self) -> None:
        """Give it back."""
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1


def refuse_second_run(folder: Path, hold: Hold) -> None:
    """Take the case for this run.

    Parameters
    ----------
    folder : of the case
    hold : what keeps the case for this run

    Raises
    ------
    CaseError
        Another run is under way, with its process and the command to stop it; nothing was touched.
    """
    refuse_running(folder)
    late = time.monotonic() + ENDING
    while not hold.take(alone=True):
        refuse_running(folder)
        if time.monotonic() > late:
            raise CaseError(f"{folder} is taken by another run that is starting or ending; nothing was changed")
        time.sleep(0.1)
    refuse_running(folder)


def refuse_running(folder: Path) -> None:
    """Raise a CaseError where the status of a case is that of a living run; nothing is taken or touched."""
    status = read_status(folder)
    if status is None:
        return
    going = under_way(status, folder)
    where = f"process {status.get('pid')}"
    if going is None:
        path = folder / "run" / "status.json"
        with contextlib.suppress(OSError):
            going = time.time() - path.stat().st_mtime < FRESH
        where += f" on {status.get('host')}"
    if going and status.get("pid") != os.getpid():
        raise CaseError(
            f"{folder} is running ({where}, at {status.get('date', status.get('start'))}); "
            f"wait for it, or stop it:  kill -USR1 {status.get('pid')}"
        )


def prepare(folder: Path, *, resume: bool) -> None:
    """Make ``run/`` ready: a new run moves what a former one left to ``run.DATE``; a link stays a link.

    Parameters
    ----------
    folder : of the case
    resume : whether the run continues a former one

    Raises
    ------
    CaseError
        The folder cannot be written, or a former run cannot be moved.
    """
    run = folder / "run"
    target = run.resolve()
    if not resume and target.is_dir() and (target / "status.json").exists():
        keep = target.with_name(f"{target.name}.{datetime.datetime.now().strftime('%Y%m%d-%H%M%S-%f')}")
        try:
            os.rename(target, keep)
        except OSError as error:
            raise CaseError(
                f"the former run in {run} cannot be moved to {keep} ({error.strerror}); move it away yourself, or "
                f"go on from its restart:  --continue"
            ) from error
        print(f"the former run was moved to {keep}", flush=True)
    try:
        target.mkdir(parents=True, exist_ok=True)
        probe = target / ".probe"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise CaseError(f"cannot write into {run}: {error.strerror}; nothing was changed") from error
