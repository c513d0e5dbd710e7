"""Messages between processes: MPI between them, queues within one.

Waiting is testing with short sleeps, never a spin: six ranks live on two cores. Every
buffer that is sent is kept until it has gone.
"""

from __future__ import annotations

import collections
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Serial:
    """All messages stay in this process; MPI is not even imported."""

    def __init__(self) -> None:
        self.rank, self.size = 0, 1
        self._queues: dict[int, collections.deque[Any]] = collections.defaultdict(collections.deque)

    def outbox(self, dest: int, tag: int, size: int) -> Outbox:
        """Where messages of `size` numbers to process `dest` are put."""
        return LocalOutbox(self._queues[tag], size)

    def inbox(self, source: int, tag: int, buffers: list[Floats]) -> Inbox:
        """Where messages from process `source` come in, into `buffers` in turn."""
        return LocalInbox(self._queues[tag], buffers)

    def send_object(self, dest: int, tag: int, item: Any) -> None:
        """Send any small Python object."""
        self._queues[-tag - 1].append((self.rank, item))

    def poll_object(self, tag: int) -> tuple[int, Any] | None:
        """The next object that has come, with its sender; None if there is none."""
        queue = self._queues[-tag - 1]
        return queue.popleft() if queue else None

    def group(self, ranks: tuple[int, ...]) -> Any:
        """Communicator of some processes; None for a single one."""
        return None

    def flush(self) -> None:
        """Wait until everything sent has gone."""

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
        self._local = Serial()
        self._local.rank = self.rank
        self._pending: list[Any] = []
        self._outboxes: list[MPIOutbox] = []

    def outbox(self, dest: int, tag: int, size: int) -> Outbox:
        """Where messages of `size` numbers to process `dest` are put."""
        if dest == self.rank:
            return self._local.outbox(dest, tag, size)
        box = MPIOutbox(self.comm, dest, tag, size)
        self._outboxes.append(box)
        return box

    def inbox(self, source: int, tag: int, buffers: list[Floats]) -> Inbox:
        """Where messages from process `source` come in, into `buffers` in turn."""
        if source == self.rank:
            return self._local.inbox(source, tag, buffers)
        return MPIInbox(self.comm, source, tag, buffers)

    def send_object(self, dest: int, tag: int, item: Any) -> None:
        """Send any small Python object."""
        if dest == self.rank:
            self._local.send_object(dest, tag, item)
        else:
            self._pending = [r for r in self._pending if not r.test()[0]]
            self._pending.append(self.comm.isend(item, dest=dest, tag=tag))

    def poll_object(self, tag: int) -> tuple[int, Any] | None:
        """The next object that has come, with its sender; None if there is none."""
        found = self._local.poll_object(tag)
        if found is not None:
            return found
        status = self._mpi.Status()
        message = self.comm.improbe(source=self._mpi.ANY_SOURCE, tag=tag, status=status)
        return None if message is None else (status.Get_source(), message.recv())

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
            self._pending = [r for r in self._pending if not r.test()[0]]
            pause.sleep()

    def share(self, item: Any) -> list[Any]:
        """What every process contributes, on every process."""
        return list(self.comm.allgather(item))

    def abort(self, code: int) -> None:
        """End all processes."""
        self.world.Abort(code)


Transport = Serial | MPI


class Outbox:
    """Send buffers of one channel: take one with `buffer`, fill it, `send` it."""

    def buffer(self) -> Floats:
        """A buffer that nobody reads any more."""
        raise NotImplementedError

    def send(self, buffer: Floats) -> None:
        """Send a buffer got from `buffer`."""
        raise NotImplementedError


class LocalOutbox(Outbox):
    """Channel within a process."""

    def __init__(self, queue: collections.deque[Any], size: int):
        self._queue, self._size = queue, size

    def buffer(self) -> Floats:  # noqa: D102
        return np.empty(self._size)

    def send(self, buffer: Floats) -> None:  # noqa: D102
        self._queue.append(buffer)


class MPIOutbox(Outbox):
    """Channel to another process."""

    def __init__(self, comm: Any, dest: int, tag: int, size: int):
        self._comm, self._dest, self._tag, self._size = comm, dest, tag, size
        self._free: list[Floats] = []
        self._going: collections.deque[tuple[Any, Floats]] = collections.deque()

    def busy(self) -> bool:
        """Whether a buffer is still on its way."""
        while self._going and self._going[0][0].Test():
            self._free.append(self._going.popleft()[1])
        return bool(self._going)

    def buffer(self) -> Floats:  # noqa: D102
        self.busy()
        return self._free.pop() if self._free else np.empty(self._size)

    def send(self, buffer: Floats) -> None:  # noqa: D102
        self._going.append((self._comm.Isend(buffer, dest=self._dest, tag=self._tag), buffer))


class Inbox:
    """Messages of one channel, in the order in which they were sent."""

    def ready(self) -> bool:
        """Whether the next message is there."""
        raise NotImplementedError

    def take(self) -> Floats:
        """The message that is `ready`; its buffer is reused once `release` is called."""
        raise NotImplementedError

    def release(self) -> None:
        """Give the oldest taken buffer back."""
        raise NotImplementedError


class LocalInbox(Inbox):
    """Channel within a process."""

    def __init__(self, queue: collections.deque[Any], buffers: list[Floats]):
        self._queue = queue
        self._buffers = collections.deque(buffers)
        self._taken: collections.deque[Floats] = collections.deque()

    def ready(self) -> bool:  # noqa: D102
        return bool(self._queue) and bool(self._buffers)

    def take(self) -> Floats:  # noqa: D102
        buffer = self._buffers.popleft()
        buffer[...] = self._queue.popleft()
        self._taken.append(buffer)
        return buffer

    def release(self) -> None:  # noqa: D102
        self._buffers.append(self._taken.popleft())


class MPIInbox(Inbox):
    """Channel from another process; receives are posted ahead."""

    def __init__(self, comm: Any, source: int, tag: int, buffers: list[Floats]):
        self._comm, self._source, self._tag = comm, source, tag
        self._posted: collections.deque[tuple[Any, Floats]] = collections.deque()
        self._taken: collections.deque[Floats] = collections.deque()
        self._done = False
        for buffer in buffers:
            self._post(buffer)

    def _post(self, buffer: Floats) -> None:
        self._posted.append((self._comm.Irecv(buffer, source=self._source, tag=self._tag), buffer))

    def ready(self) -> bool:  # noqa: D102
        if not self._done and self._posted:
            self._done = bool(self._posted[0][0].Test())
        return self._done

    def take(self) -> Floats:  # noqa: D102
        self._done = False
        buffer = self._posted.popleft()[1]
        self._taken.append(buffer)
        return buffer

    def release(self) -> None:  # noqa: D102
        self._post(self._taken.popleft())


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
