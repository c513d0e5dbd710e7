# SPDX-License-Identifier: BSD-3-Clause
"""Channels between processes of one node that write straight into the reader's memory.

The sender fills a slot of memory that the receiver has mapped too; only a short MPI message says which slot is full,
and another one gives it back. A product of weights and values is thus written once and never copied. The memory has
no name in any file system, so a killed run leaves nothing behind.
"""

from __future__ import annotations

import collections
import contextlib
import mmap
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler.exchange.channels import Inbox, Outbox
from coupler.exchange.routes import NOTES
from coupler.messages import share

Floats = npt.NDArray[np.float64]
SMALLEST = 4096
"""Messages with fewer numbers than this go through MPI itself."""
_INTRODUCE, _GIVE_BACK = NOTES, 2 * NOTES


def available() -> bool:
    """Whether this system has memory files without a name."""
    return hasattr(os, "memfd_create")


def create(size: int) -> tuple[int, Floats]:
    """A new memory file of `size` numbers: its descriptor and the numbers."""
    handle = os.memfd_create("tessera", os.MFD_CLOEXEC)
    os.posix_fallocate(handle, 0, max(8 * size, 8))
    return handle, np.frombuffer(mmap.mmap(handle, max(8 * size, 8)), dtype=np.float64)


def attach(pid: int, handle: int, size: int) -> Floats:
    """The numbers of another process's memory file."""
    with open(f"/proc/{pid}/fd/{handle}", "r+b", buffering=0) as file:
        return np.frombuffer(mmap.mmap(file.fileno(), max(8 * size, 8)), dtype=np.float64)


def reachable(comm: Any) -> set[int]:
    """Ranks whose memory this process can map and which can map this one's (a self-test; all ranks call)."""
    here, rank = os.uname().nodename, comm.Get_rank()
    handle, numbers = create(1) if available() else (-1, np.zeros(1))
    numbers[0] = 4711.0 + rank
    everybody = share(comm, (here, os.getpid(), handle))
    good = set()
    for other, (node, pid, file) in enumerate(everybody):
        if node == here and file >= 0 and other != rank:
            with contextlib.suppress(OSError):
                if attach(pid, file, 1)[0] == 4711.0 + other:
                    good.add(other)
    result = share(comm, sorted(good))
    if handle >= 0:
        os.close(handle)
    return {other for other in good if rank in result[other]}


class SharedOutbox(Outbox):
    """Sender's end: a ring of slots in memory that the receiver maps."""

    def __init__(
        self, comm: Any, dest: int, tag: int, size: int, slots: int, ring: Callable[[int], None] = lambda rank: None
    ):
        self._comm, self._dest, self._tag, self._size = comm, dest, tag, size
        self._ring = ring
        self._stride = -(-size // 8) * 8
        self._handle, self._numbers = create(self._stride * slots)
        self._free = collections.deque(range(slots))
        self._filling: dict[int, int] = {}
        self._requests: collections.deque[tuple[Any, Any]] = collections.deque()
        self._returned = np.zeros(1)
        self._back = comm.Irecv(self._returned, source=dest, tag=tag + _GIVE_BACK)
        note = np.array([os.getpid(), self._handle, slots], dtype=np.float64)
        self._requests.append((comm.Isend(note, dest=dest, tag=tag + _INTRODUCE), note))

    def _collect(self) -> None:
        while self._back.Test():
            self._free.append(int(self._returned[0]))
            self._back = self._comm.Irecv(self._returned, source=self._dest, tag=self._tag + _GIVE_BACK)
        while self._requests and self._requests[0][0].Test():
            self._requests.popleft()

    def free(self) -> bool:  # noqa: D102
        self._collect()
        return bool(self._free)

    def busy(self) -> bool:  # noqa: D102
        self._collect()
        return bool(self._requests)

    def buffer(self) -> Floats:  # noqa: D102
        while not self.free():
            os.sched_yield()
        slot = self._free.popleft()
        view = self._numbers[slot * self._stride : slot * self._stride + self._size]
        self._filling[view.__array_interface__["data"][0]] = slot
        return view

    def send(self, buffer: Floats) -> None:  # noqa: D102
        note = np.array([float(self._filling.pop(buffer.__array_interface__["data"][0]))])
        self._requests.append((self._comm.Isend(note, dest=self._dest, tag=self._tag), note))
        self._ring(self._dest)

    def close(self) -> None:  # noqa: D102
        self._collect()
        self._back.Cancel()
        self._back.Wait()


class SharedInbox(Inbox):
    """Receiver's end: views of the sender's slots (copied into `buffers` where those are given)."""

    def __init__(
        self, comm: Any, source: int, tag: int, size: int, buffers: list[Floats] | None,
        ring: Callable[[int], None] = lambda rank: None,
    ):  # fmt: skip
        self._comm, self._source, self._tag, self._size = comm, source, tag, size
        self._ring = ring
        self._stride = -(-size // 8) * 8
        self._buffers = collections.deque(buffers) if buffers is not None else None
        self._numbers: Floats | None = None
        self._intro = np.zeros(3)
        self._introduced = comm.Irecv(self._intro, source=source, tag=tag + _INTRODUCE)
        self._slot = np.zeros(1)
        self._next = comm.Irecv(self._slot, source=source, tag=tag)
        self._done = False
        self._taken: collections.deque[Any] = collections.deque()
        self._requests: collections.deque[tuple[Any, Any]] = collections.deque()

    def ready(self) -> bool:  # noqa: D102
        if self._buffers is not None and not self._buffers:
            return False
        if not self._done:
            self._done = bool(self._next.Test())
        return self._done

    def request(self) -> Any:  # noqa: D102
        return self._next

    def take(self) -> Floats:  # noqa: D102
        if self._numbers is None:
            self._introduced.Wait()
            pid, handle, slots = (int(v) for v in self._intro)
            self._numbers = attach(pid, handle, self._stride * slots)
        slot = int(self._slot[0])
        self._done = False
        self._next = self._comm.Irecv(self._slot, source=self._source, tag=self._tag)
        view = self._numbers[slot * self._stride : slot * self._stride + self._size]
        if self._buffers is None:
            self._taken.append(slot)
            return view
        buffer = self._buffers.popleft()
        buffer[...] = view
        self._give_back(slot)
        self._taken.append(buffer)
        return buffer

    def release(self) -> None:  # noqa: D102
        item = self._taken.popleft()
        if self._buffers is None:
            self._give_back(item)
        else:
            self._buffers.append(item)

    def _give_back(self, slot: int) -> None:
        while self._requests and self._requests[0][0].Test():
            self._requests.popleft()
        note = np.array([float(slot)])
        self._requests.append((self._comm.Isend(note, dest=self._source, tag=self._tag + _GIVE_BACK), note))
        self._ring(self._source)

    def close(self) -> None:  # noqa: D102
        for request in (self._next, self._introduced):
            if not request.Test():
                request.Cancel()
                request.Wait()
