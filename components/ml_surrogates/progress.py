# SPDX-License-Identifier: BSD-3-Clause
"""How far long work is, and the time that is left; without torch, so that a command line starts at once."""

import time
from collections.abc import Callable


def left(start: float, done: int, whole: int) -> str:
    """``ETA 02:31`` of long work.

    Parameters
    ----------
    start : when it began, by `time.monotonic`
    done, whole : parts of it
    """
    seconds = (time.monotonic() - start) / done * (whole - done)
    return f"ETA {int(seconds // 60):02d}:{int(seconds % 60):02d}"


def progress(what: str, whole: int) -> Callable[[int], None]:
    """A teller of ``n of whole`` with the time that is left, at most every two seconds.

    Parameters
    ----------
    what : beginning of the line
    whole : number at the end
    """
    start, last = time.monotonic(), [0.0]

    def tell(n: int) -> None:
        now = time.monotonic()
        if now - last[0] > 2.0 or n == whole:
            last[0] = now
            print(f"{what}: {n} of {whole}   {left(start, n, whole)}", flush=True)

    return tell
