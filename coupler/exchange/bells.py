# SPDX-License-Identifier: BSD-3-Clause
"""Bells: a process that sleeps is woken by those on its node that have sent it something.

MPI's own waits spin, so a process that has nothing to do looks for messages every few milliseconds. The looks add up:
each finds its memory cold. One that listens sleeps on a pipe instead, into which others write a byte.
"""

from __future__ import annotations

import contextlib
import os
import select
from typing import Any

from coupler.messages import share

LONGEST = 0.02
"""Seconds after which a listener looks by itself: a message may come in later than its bell."""
SHORT = 2e-3
"""The same where somebody cannot ring."""


class Bells:
    """The bell of this process, if it listens, and those of the others.

    Parameters
    ----------
    comm : mpi4py communicator
        All processes (all call).
    listens : bool
        Whether this process wants to be woken.
    near : set of int
        Processes of this node.
    """

    def __init__(self, comm: Any, listens: bool, near: set[int]):
        self._read = self._write = -1
        self._rung = False
        if listens:
            self._read, self._write = os.pipe()
            os.set_blocking(self._read, False)
            os.set_blocking(self._write, False)
            self._poll = select.poll()
            self._poll.register(self._read, select.POLLIN)
        self._others: dict[int, int] = {}
        for rank, (pid, handle) in enumerate(share(comm, (os.getpid(), self._write))):
            if handle >= 0 and rank in near:
                with contextlib.suppress(OSError):
                    self._others[rank] = os.open(f"/proc/{pid}/fd/{handle}", os.O_WRONLY | os.O_NONBLOCK)
        me = comm.Get_rank()
        heard = share(comm, sorted(self._others))
        self.longest = LONGEST if all(me in those for rank, those in enumerate(heard) if rank != me) else SHORT

    @property
    def listens(self) -> bool:
        """Whether this process has a bell."""
        return self._read >= 0

    def ring(self, rank: int) -> None:
        """Wake a process, if it listens; a bell that has not been heard yet rings no louder."""
        handle = self._others.get(rank)
        if handle is not None:
            with contextlib.suppress(OSError):
                os.write(handle, b"!")

    def wait(self) -> None:
        """Sleep until somebody rings, and for `longest` at most; not at all after a bell, so that one looks twice."""
        if self._rung:  # MPI's first look often only takes the message in, and the second finds it
            self._rung = False
        elif self._poll.poll(1e3 * self.longest):
            self._rung = True
            with contextlib.suppress(BlockingIOError):
                os.read(self._read, 65536)

    def close(self) -> None:
        """Give all descriptors back."""
        for handle in (self._read, self._write, *self._others.values()):
            if handle >= 0:
                os.close(handle)
        self._read = self._write = -1
        self._others = {}
