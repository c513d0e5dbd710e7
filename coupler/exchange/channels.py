# SPDX-License-Identifier: BSD-3-Clause
"""Channels: one sender, one receiver, messages of one size in order; within a process, or over MPI."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Outbox:
    """Send buffers of one channel: take one with `buffer`, fill it, `send` it."""

    def buffer(self) -> Floats:
        """A buffer that nobody reads any more."""
        raise NotImplementedError

    def send(self, buffer: Floats) -> None:
        """Send a buffer got from `buffer`."""
        raise NotImplementedError

    def free(self) -> bool:
        """Whether `buffer` gives one at once."""
        return True

    def busy(self) -> bool:
        """Whether something is still on its way."""
        return False

    def close(self) -> None:
        """End the channel."""


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

    def __init__(self, comm: Any, dest: int, tag: int, size: int, ring: Callable[[int], None] = lambda rank: None):
        self._comm, self._dest, self._tag, self._size = comm, dest, tag, size
        self._ring = ring
        self._free: list[Floats] = []
        self._going: collections.deque[tuple[Any, Floats]] = collections.deque()

    def busy(self) -> bool:  # noqa: D102
        while self._going and self._going[0][0].Test():
            self._free.append(self._going.popleft()[1])
        return bool(self._going)

    def buffer(self) -> Floats:  # noqa: D102
        self.busy()
        return self._free.pop() if self._free else np.empty(self._size)

    def send(self, buffer: Floats) -> None:  # noqa: D102
        self._going.append((self._comm.Isend(buffer, dest=self._dest, tag=self._tag), buffer))
        self._ring(self._dest)


class Inbox:
    """Messages of one channel, in the order in which they were sent."""

    def ready(self) -> bool:
        """Whether the next message is there."""
        raise NotImplementedError

    def request(self) -> Any:
        """What MPI completes when a message comes that is not `ready` yet; None within a process."""
        return None

    def take(self) -> Floats:
        """The message that is `ready`; its buffer is reused once `release` is called."""
        raise NotImplementedError

    def release(self) -> None:
        """Give the oldest taken buffer back."""
        raise NotImplementedError

    def close(self) -> None:
        """End the channel."""


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

    def request(self) -> Any:  # noqa: D102
        return self._posted[0][0] if self._posted else None

    def take(self) -> Floats:  # noqa: D102
        self._done = False
        buffer = self._posted.popleft()[1]
        self._taken.append(buffer)
        return buffer

    def release(self) -> None:  # noqa: D102
        self._post(self._taken.popleft())
