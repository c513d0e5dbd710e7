# SPDX-License-Identifier: BSD-3-Clause
"""Memory that a process may not have: how its lack shows, and what a limit of the shell (``ulimit -v``) leaves."""

from __future__ import annotations

import errno
import resource

from coupler.errors import LayoutError, words_of

ALONE, TOGETHER = 400, 800
"""Megabytes of address space that a process maps at the least: alone, and with MPI's libraries."""


def limit() -> int | None:
    """Megabytes of address space that this process may map; None without a limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft // 1_000_000


def hint() -> str:
    """What to add to a message about missing memory; nothing where the shell sets no limit."""
    allowed = limit()
    if allowed is None:
        return ""
    return f" (the shell lets a process map {allowed} MB: raise it with  ulimit -v unlimited, or in the job's request)"


def refuse_small(*, alone: bool) -> None:
    """Refuse a limit within which the libraries cannot even be loaded.

    Parameters
    ----------
    alone : bool
        Whether this process runs without MPI.

    Raises
    ------
    LayoutError
        With the limit found.
    """
    allowed, least = limit(), ALONE if alone else TOGETHER
    if allowed is not None and allowed < least:
        raise LayoutError(
            f"a process of a run maps {least} MB at the least, libraries and all; the shell lets it map {allowed} MB "
            "(ulimit -v): say  ulimit -v unlimited  or ask for more memory in the job's request"
        )


def is_lack(error: BaseException) -> bool:
    """Whether an error says that memory could not be had, by whichever library it comes.

    >>> is_lack(MemoryError()), is_lack(OSError(errno.ENOMEM, "no")), is_lack(RuntimeError("x"))
    (True, True, False)
    """
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    text = words_of(error).lower()
    words = ("can't allocate memory", "cannot allocate memory", "failed to map segment", "not enough memory")
    if isinstance(error, RuntimeError | OSError | ImportError) and any(w in text for w in words):
        return True
    # a library that does not load under a limit fails for it: it did so when it was installed
    return limit() is not None and (
        isinstance(error, ImportError) or "could not find/load shared object" in text or "start new thread" in text
    )
