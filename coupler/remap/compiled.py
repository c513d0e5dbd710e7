"""Compilation of the remapping kernels: numba, cached on disk, without the interpreter lock."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])
_log = logging.getLogger(__name__)


def _stamp() -> tuple[float, int]:
    """Newest change and total size of all kernels: a kernel inlines others, so one change outdates every cache."""
    sources = [path.stat() for path in Path(__file__).parent.glob("*.py") if b"@compiled" in path.read_bytes()]
    return max(source.st_mtime for source in sources), sum(source.st_size for source in sources)


_STAMP = _stamp()


def compiled(function: Function) -> Function:
    """Compile a kernel on first use; the machine code is kept beside the source (or in ``NUMBA_CACHE_DIR``).

    The kernels release the interpreter lock and use strict IEEE arithmetic: no reordered sums and no fused
    multiply-add, so a result does not depend on how many rows or fields are worked on together.
    """
    kernel: Any = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    # numba looks at the one file a kernel stands in; it shall look at all of them
    with contextlib.suppress(AttributeError):
        kernel._cache._cache_file._source_stamp = _STAMP
    return cast(Function, kernel)


def announce(kernel: Any, seconds: int) -> None:
    """Say, on the first rank, that a kernel is about to be compiled, if it is."""
    rank = next(
        (os.environ[key] for key in ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID") if key in os.environ), "0"
    )
    with contextlib.suppress(AttributeError, OSError):
        if rank == "0" and not kernel.signatures and not kernel._cache._cache_file._load_index():
            _log.warning("compiling the remapping kernels: once after installation, about %d s", seconds)
