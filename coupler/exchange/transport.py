# SPDX-License-Identifier: BSD-3-Clause
"""Messages between processes: MPI between them, queues within one.

Waiting is testing with short sleeps, never a spin: six ranks live on two cores. Every buffer that is sent is kept
until it has gone.
"""

from __future__ import annotations

import collections
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from coupler import messages
from coupler.exchange import segments, shared_memory
from coupler.exchange.bells import Bells
from coupler.exchange.channels import Inbox, LocalInbox, LocalOutbox, MPIInbox, MPIOutbox, Outbox

Floats = npt.NDArray[np.float64]


class Serial:
    """All messages stay in this process; MPI is not even imported."""

    def __init__(self) -> None:
        self.rank, self.size = 0, 1
        self.largest_tag = sys.maxsize
        self.case = ""
        self._queues: dict[int, collections.deque[Any]] = collections.defaultdict(collections.deque)

    def outbox(self, dest: int, tag: int, size: int, slots: int = 3) -> Outbox:
        """Where messages of `size` numbers to process `dest` are put; `slots` may wait there unread."""
        return LocalOutbox(self._queues[tag], size)

    def inbox(self, source: int, tag: int, size: int, buffers: list[Floats] | None = None) -> Inbox:
        """Where messages from process `source` come in, into `buffers` in turn (into its own without)."""
        return LocalInbox(self._queues[tag], [np.empty(size) for _ in range(2)] if buffers is None else buffers)

    def arrived(self, requests: list[Any]) -> bool:
        """Whether any of the inboxes' requests has been answered, by one look for all of them."""
        return True

    def listen(self, listens: bool) -> None:
        """Say whether this process, when it has nothing to do, wants to be woken (all processes call)."""

    def pause(self) -> Pause:
        """A way to wait for messages."""
        return Pause()

    def send_object(self, dest: int, tag: int, item: Any) -> None:
        """Send a small item (see `messages.to_bytes`)."""
        self._queues[-tag - 1].append((self.rank, item))

    def poll_object(self, tag: int) -> tuple[int, Any] | None:
        """The next object that has come, with its sender; None if there is none."""
        queue = self._queues[-tag - 1]
        return queue.popleft() if queue else None

    def send_bytes(self, dest: int, tag: int, data: npt.NDArray[np.uint8]) -> None:
        """Send bytes as they are."""
        self.send_object(dest, tag, data)

    def poll_bytes(self, tag: int) -> npt.NDArray[np.uint8] | None:
        """The next bytes that have come; None if there are none."""
        found = self.poll_object(tag)
        return None if found is None else found[1]

    def group(self, ranks: tuple[int, ...]) -> Any:
        """Communicator of some processes; None for a single one."""
        return None

    def flush(self) -> None:
        """Wait until everything sent has gone."""

    def close(self) -> None:
        """End all channels."""

    def share(self, item: Any) -> list[Any]:
        """What every process contributes, on every process."""
        return [item]

    def abort(self, code: int) -> None:
        """End all processes."""
        raise SystemExit(code)


class MPI:
    """Messages over MPI; what a process sends to itself stays in a queue."""

    def __init__(self, comm: Any = None):
        from mpi4py import MPI as mpi

        self._mpi = mpi
        self.world = mpi.COMM_WORLD if comm is None else comm
        self.comm = self.world.Dup()
        self.rank, self.size = self.comm.Get_rank(), self.comm.Get_size()
        self.largest_tag: int = mpi.COMM_WORLD.Get_attr(mpi.TAG_UB)  # type: ignore[assignment]
        segments.forget_names(self.comm)
        self.case = ""
        self._local = Serial()
        self._local.rank = self.rank
        self._pending: list[tuple[Any, npt.NDArray[np.uint8]]] = []
        self._outboxes: list[Outbox] = []
        self._inboxes: list[Inbox] = []
        self._bells: Bells | None = None
        self._near = shared_memory.reachable(self.comm) if os.environ.get("TESSERA_SHARED_MEMORY") != "0" else set()

    def outbox(self, dest: int, tag: int, size: int, slots: int = 3) -> Outbox:
        """Where messages of `size` numbers to process `dest` are put; `slots` may wait there unread."""
        if dest == self.rank:
            return self._local.outbox(dest, tag, size)
        box: Outbox
        if dest in self._near and size >= shared_memory.SMALLEST:
            box = shared_memory.SharedOutbox(self.comm, dest, tag, size, slots, self._ring)
        else:
            box = MPIOutbox(self.comm, dest, tag, size, self._ring)
        self._outboxes.append(box)
        return box

    def inbox(self, source: int, tag: int, size: int, buffers: list[Floats] | None = None) -> Inbox:
        """Where messages from process `source` come in, into `buffers` in turn (into its own without)."""
        if source == self.rank:
            return self._local.inbox(source, tag, size, buffers)
        box: Inbox
        if source in self._near and size >= shared_memory.SMALLEST:
            box = shared_memory.SharedInbox(self.comm, source, tag, size, buffers, self._ring)
        else:
            box = MPIInbox(self.comm, source, tag, [np.empty(size) for _ in range(2)] if buffers is None else buffers)
        self._inboxes.append(box)
        return box

    def arrived(self, requests: list[Any]) -> bool:
        """Whether any of the inboxes' requests has been answered, by one look for all of them."""
        return bool(self._mpi.Request.Testany(requests)[1])

    def listen(self, listens: bool) -> None:
        """Say whether this process, when it has nothing to do, wants to be woken (all processes call)."""
        self._bells = Bells(self.comm, listens, self._near)

    def pause(self) -> Pause | BellPause:
        """A way to wait for messages."""
        return BellPause(self._bells) if self._bells is not None and self._bells.listens else Pause()

    def _ring(self, rank: int) -> None:
        if self._bells is not None:
            self._bells.ring(rank)

    def send_object(self, dest: int, tag: int, item: Any) -> None:
        """Send a small item (see `messages.to_bytes`)."""
        if dest == self.rank:
            self._local.send_object(dest, tag, item)
        else:
            data = messages.to_bytes(item)
            self._sweep()
            self._pending.append((self.comm.Isend([data, self._mpi.BYTE], dest=dest, tag=tag), data))
            self._ring(dest)

    def poll_object(self, tag: int) -> tuple[int, Any] | None:
        """The next object that has come, with its sender; None if there is none."""
        found = self._local.poll_object(tag)
        if found is not None:
            return found
        came = self._poll(tag)
        return None if came is None else (came[0], messages.from_bytes(came[1]))

    def send_bytes(self, dest: int, tag: int, data: npt.NDArray[np.uint8]) -> None:
        """Send bytes as they are to another process; returns when they have gone."""
        self.comm.Send([data, self._mpi.BYTE], dest=dest, tag=tag)

    def poll_bytes(self, tag: int) -> npt.NDArray[np.uint8] | None:
        """The next bytes that have come; None if there are none."""
        came = self._poll(tag)
        return None if came is None else came[1]

    def _poll(self, tag: int) -> tuple[int, npt.NDArray[np.uint8]] | None:
        status = self._mpi.Status()
        message = self.comm.Improbe(source=self._mpi.ANY_SOURCE, tag=tag, status=status)
        if message is None:
            return None
        data = np.empty(status.Get_count(self._mpi.BYTE), dtype=np.uint8)
        message.Recv([data, self._mpi.BYTE])
        return status.Get_source(), data

    def _sweep(self) -> None:
        """Forget what has gone."""
        self._pending = [(request, data) for request, data in self._pending if not request.Test()]

    def group(self, ranks: tuple[int, ...]) -> Any:
        """Communicator of some processes (all of those must call); None for a single one."""
        if len(ranks) == 1:
            return None
        group = self.comm.Get_group().Incl(list(ranks))
        return self.comm.Create_group(group)

    def flush(self) -> None:
        """Wait until everything sent has gone."""
        pause = Pause()
        while self._pending or any(b.busy() for b in self._outboxes):
            self._sweep()
            pause.sleep()

    def close(self) -> None:
        """End all channels (all processes call, after the last message)."""
        self.flush()
        self.comm.Barrier()
        for sender in self._outboxes:
            sender.close()
        for receiver in self._inboxes:
            receiver.close()
        if self._bells is not None:
            self._bells.close()

    def share(self, item: Any) -> list[Any]:
        """What every process contributes, on every process."""
        return messages.share(self.comm, item)

    def abort(self, code: int) -> None:
        """End all processes."""
        self.world.Abort(code)


Transport = Serial | MPI


class Pause:
    """Waiting that costs no core: first yields, then sleeps a little longer each time."""

    def __init__(self, longest: float = 2e-3):
        self._tries, self._longest = 0, longest

    def sleep(self) -> None:
        """Yield or sleep."""
        self._tries += 1
        if self._tries <= 20:
            os.sched_yield()
        else:
            time.sleep(min(self._longest, 2e-5 * (self._tries - 20)))


class BellPause:
    """Waiting that ends when somebody has sent something."""

    def __init__(self, bells: Bells):
        self._bells = bells

    def sleep(self) -> None:
        """Sleep until the bell rings."""
        self._bells.wait()


def wait_until(ready: Callable[[], bool], deadline: float, late: Callable[[float], Exception]) -> float:
    """Wait for `ready`; returns the seconds waited.

    Parameters
    ----------
    ready : callable
        Says whether the wait is over; may do other work meanwhile.
    deadline : float
        Seconds after which `late` (given the seconds waited) makes the error to raise.
    """
    start = time.perf_counter()
    pause = Pause()
    while not ready():
        waited = time.perf_counter() - start
        if waited > deadline:
            raise late(waited)
        pause.sleep()
    return time.perf_counter() - start
