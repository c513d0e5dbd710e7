"""Compilation of kernels by numba, cached on disk: one change in a folder of kernels outdates the caches of all."""

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


def compiler(folder: Path, **options: Any) -> Callable[[Function], Function]:
    """A decorator ``compiled`` for the kernels in a folder.

    Kernels are compiled on first use and release the interpreter lock; the machine code is kept beside the source (or
    in ``NUMBA_CACHE_DIR``). numba looks at the one file that a kernel stands in; as a kernel inlines others, it shall
    look at all files of the folder that have some.

    Parameters
    ----------
    folder : Path
        Where the kernels are; those in it are marked ``@compiled``.
    options :
        Further options of ``numba.njit``.
    """
    sources = [path.stat() for path in folder.glob("*.py") if b"@compiled" in path.read_bytes()]
    stamp = max(source.st_mtime for source in sources), sum(source.st_size for source in sources)

    def compiled(function: Function) -> Function:
        kernel: Any = numba.njit(cache=True, nogil=True, error_model="numpy", **options)(function)
        with contextlib.suppress(AttributeError):
            kernel._cache._cache_file._source_stamp = stamp
        return cast(Function, kernel)

    return compiled


def announce(kernel: Any, what: str, seconds: int) -> None:
    """Say, on the first rank, that a kernel is about to be compiled, if it is."""
    rank = next(
        (os.environ[key] for key in ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID") if key in os.environ), "0"
    )
    with contextlib.suppress(AttributeError, OSError):
        if rank == "0" and not kernel.signatures and not kernel._cache._cache_file._load_index():
            _log.warning("compiling %s: once after installation, about %d s", what, seconds)
