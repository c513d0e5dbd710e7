# SPDX-License-Identifier: BSD-3-Clause
"""How many threads a process may use: the environment's ``OMP_NUM_THREADS``, as OpenMP allows it to be written."""

from __future__ import annotations

import os
import re
import sys

KEYS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def granted(text: str | None = None) -> int:
    """Threads that the environment grants: the first number of ``OMP_NUM_THREADS``, a list by nesting level; 1 without.

    >>> granted("4"), granted("2,1"), granted(" 3 "), granted(""), granted("auto"), granted("0")
    (4, 2, 3, 1, 1, 1)
    """
    if text is None:
        text = os.environ.get("OMP_NUM_THREADS", "")
    first = re.fullmatch(r"\s*\+?(\d{1,6})\s*", text.split(",")[0])
    return max(1, int(first[1])) if first else 1


def note() -> str:
    """What to say about an ``OMP_NUM_THREADS`` that is no number; nothing about one that is."""
    text = os.environ.get("OMP_NUM_THREADS", "")
    first = text.split(",")[0].strip().lstrip("+")
    if not first or (first.isdigit() and int(first) == granted()):
        return ""
    return f"OMP_NUM_THREADS={text!r} is not a number of threads such as 4 or 4,2: one thread a process"


def set_threads(threads: int) -> None:
    """Set thread counts of the numeric libraries before they are loaded; torch where it is loaded already."""
    for key in KEYS:
        os.environ[key] = str(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
