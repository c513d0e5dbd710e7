# SPDX-License-Identifier: BSD-3-Clause
"""What a run says: to a terminal, a pipe or a file that may go away, be full, or know ASCII only. The run goes on."""

from __future__ import annotations

import errno
import io
import os
import sys
import time
from typing import Any

PATIENCE = 2.0
"""Seconds that a full pipe is waited for before a piece of text is dropped."""


class LastingText(io.TextIOBase):
    """A text stream onto a descriptor that never raises.

    Parameters
    ----------
    descriptor : int
        1 or 2.
    encoding : str
        How text is written; what it cannot say is written as backslash and number.
    """

    def __init__(self, descriptor: int, encoding: str = "utf-8"):
        self._descriptor, self._encoding = descriptor, encoding
        self._gone = False

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """How text is written."""
        return self._encoding

    def fileno(self) -> int:
        """Number of the descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether somebody looks at it."""
        try:
            return os.isatty(self._descriptor)
        except OSError:
            return False

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, text: str) -> int:
        """Write at once, or not at all."""
        data = memoryview(text.encode(self._encoding, errors="backslashreplace"))
        late = time.monotonic() + PATIENCE
        while data and not self._gone:
            try:
                data = data[os.write(self._descriptor, data) :]
            except OSError as error:
                if error.errno in (errno.EPIPE, errno.EIO, errno.EBADF):
                    self._gone = True  # nobody will ever read it
                elif error.errno != errno.EAGAIN or time.monotonic() > late:
                    break  # a full disk may have room for the next line
                else:
                    time.sleep(0.01)
        return len(text)


def keep() -> None:
    """Let what this process prints never end it."""
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream: Any = getattr(sys, name)
        try:
            if stream is not None and stream.fileno() != descriptor:
                continue  # somebody has put another stream here: a test, a notebook
        except (OSError, AttributeError, ValueError):
            continue
        encoding = getattr(stream, "encoding", None) or "utf-8"
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            pass
        setattr(sys, name, LastingText(descriptor, encoding))
