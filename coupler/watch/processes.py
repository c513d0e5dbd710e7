# SPDX-License-Identifier: BSD-3-Clause
"""Processes, told apart by machine and moment of start: a number alone comes again, as after a reboot."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from pathlib import Path

STOPPED = {
    "T": "is stopped (SIGSTOP)",
    "t": "is held by a debugger",
    "": "has ended",
    "Z": "has ended",
    "X": "has ended",
}
"""What is said of a process that does nothing any more, by its state in ``/proc``."""
_DEATH_SIGNAL = 1


def host() -> str:
    """Name of this machine."""
    return os.uname().nodename


def started(pid: int) -> str:
    """When a process of this machine started: boot and clock ticks; empty where nobody knows, or there is none."""
    fields = _stat(pid)
    if not fields:
        return ""
    boot = ""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot}:{fields[19]}"


def state(pid: int) -> str:
    """Letter of a process's state as in ``/proc/PID/stat``; empty if there is none, ``?`` where nobody knows."""
    fields = _stat(pid)
    if fields:
        return fields[0]
    return "" if os.path.isdir("/proc/self") else "?"


def alive(pid: int, start: str = "") -> bool:
    """Whether a process of this machine lives, and is the one that started at `start` where that is given."""
    if state(pid) in ("", "Z", "X"):
        return False
    if start and start != started(pid):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _stat(pid: int) -> list[str]:
    """Fields of ``/proc/PID/stat`` from the third on (the second, the name, may hold anything)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def signalled_at_death_of_parent(number: signal.Signals) -> None:
    """Ask the kernel to send this process a signal when its parent ends, however that ends (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, int(number), 0, 0, 0)


def with_all_descriptors() -> None:
    """Open the standard descriptors that are closed: else the next file gets their number, and what is printed."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
