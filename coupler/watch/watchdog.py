# SPDX-License-Identifier: BSD-3-Clause
"""The clock of a process that cannot look at it: in a component's code, or in a call of MPI that waits for others."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType

INTERVAL = 0.5
"""Seconds between two looks."""
GRACE = 1.0
"""Seconds that those who wait for a message, and can say for whose, are given to tell it first."""


class Watch:
    """A stretch of a process's work that must end in time; made by `Watchdog.watching`."""

    def __init__(self, dog: Watchdog, what: str | Callable[[], str], waits: bool):
        self._dog, self.what, self.waits = dog, what, waits
        self.seconds = 0.0

    def __enter__(self) -> Watch:
        self.seconds = 0.0
        self._dog.stack.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._dog.stack.remove(self)


class Watchdog:
    """Calls `late` when a watched stretch lasts too long, and `orphaned` when those who started the run are gone.

    Without `guard` it does nothing.

    Parameters
    ----------
    deadline : float
        Seconds that a stretch may last.
    late : callable
        Takes what lasts (the innermost stretch), whether it is a wait for others, the seconds, and the call stack of
        the main thread; ends the process.
    orphaned : callable
        Says whether those who started the run are gone.
    """

    def __init__(
        self,
        deadline: float = 600.0,
        late: Callable[[str, bool, float, str], None] | None = None,
        orphaned: Callable[[], bool] = lambda: False,
    ):
        self.deadline = deadline
        self.late = late
        self.on_orphaned: Callable[[], None] = lambda: None
        """What is done once when those who started the run are gone: the run is asked to stop."""
        self.on_busy: Callable[[str, float, str], None] | None = None
        """Told what this process itself has been at for half of the deadline, the seconds and the call stack; nothing
        (an empty text) once it goes on."""
        self.stack: list[Watch] = []
        self._busy = False
        self._orphaned = orphaned
        self._alone: float | None = None
        self._main = threading.get_ident()
        self._ended = threading.Event()

    def watching(self, what: str | Callable[[], str], *, waits: bool = False) -> Watch:
        """Watch the block of a ``with``; `waits`: it waits for other processes, and they are to blame."""
        return Watch(self, what, waits)

    def guard(self) -> None:
        """Begin to look."""
        threading.Thread(target=self._look, name="watchdog", daemon=True).start()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()

    def _look(self) -> None:
        interval = min(INTERVAL, self.deadline / 4)
        while not self._ended.wait(interval):
            # time in which this process stood still itself (stopped, a laptop asleep) does not count
            watched = list(self.stack)
            for watch in watched:
                watch.seconds += interval
            if watched and self.late is not None:
                inner = watched[-1]
                limit = self.deadline + GRACE * (2 if inner.waits else 1)
                longest = max(w.seconds for w in watched)
                if longest > limit:
                    self.late(_said(inner), inner.waits, longest, self._where())
            self._tell_busy(watched)
            self._mind_the_orphan(interval)

    def _tell_busy(self, watched: list[Watch]) -> None:
        inner = watched[-1] if watched else None
        busy = inner is not None and not inner.waits and inner.seconds > self.deadline / 2
        if self.on_busy is None or busy == self._busy:
            return
        self._busy = busy
        if busy and inner is not None:
            self.on_busy(_said(inner), inner.seconds, self._where())
        else:
            self.on_busy("", 0.0, "")

    def _mind_the_orphan(self, interval: float) -> None:
        if self._alone is None:
            if self._orphaned():
                self._alone = 0.0
                self.on_orphaned()
        else:
            self._alone += interval
            if self._alone > self.deadline + GRACE:
                os._exit(1)  # asked to stop, and could not: nobody is there to be told

    def _where(self) -> str:
        frame = sys._current_frames().get(self._main)
        return "" if frame is None else "".join(traceback.format_stack(frame)[-6:])


def _said(watch: Watch) -> str:
    return watch.what if isinstance(watch.what, str) else watch.what()
