# SPDX-License-Identifier: BSD-3-Clause
"""Compilation of kernels by numba, cached on disk: one change in the folders of kernels outdates all caches."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core.caching import IndexDataCacheFile

from coupler.paths import PACKAGES, cache_folder

Function = TypeVar("Function", bound=Callable[..., Any])
_log = logging.getLogger(__name__)
APART = "TESSERA_COMPILING"
"""Of the environment of a process that compiles for others."""


class _CacheFile(IndexDataCacheFile):
    """numba's files of one kernel; what cannot be read (a module of its types has moved, say) is made again."""

    def _load_index(self) -> dict[Any, str]:
        try:
            return cast(dict[Any, str], super()._load_index())  # type: ignore[no-untyped-call]
        except Exception:  # unpickling may raise anything
            return {}

    def load(self, key: Any) -> Any:
        try:
            return super().load(key)  # type: ignore[no-untyped-call]
        except Exception:
            return None


def compiler(*sources: Path, **options: Any) -> Callable[[Function], Function]:
    """A decorator ``compiled`` for the kernels in a folder.

    Kernels are compiled on first use and release the interpreter lock; the machine code is kept beside the source, in
    ``NUMBA_CACHE_DIR``, or in the user's cache where the source cannot be written. numba looks at the one file that a
    kernel stands in; as a kernel inlines others and the values of constants, it shall look at all these files.

    Parameters
    ----------
    sources : Path
        Folders of the kernels and of those that they inline, all marked ``@compiled``; files of the constants they use.
    options :
        Further options of ``numba.njit``.
    """
    kernels = [path for folder in sources for path in folder.glob("*.py") if b"@compiled" in path.read_bytes()]
    files = [path.stat() for path in (*kernels, *(source for source in sources if source.is_file()))]
    place = cache_folder(sources[0])
    config: Any = numba.config
    if place is not None and not config.CACHE_DIR:
        config.CACHE_DIR = str(place / "numba")
    stamp = max(file.st_mtime for file in files), sum(file.st_size for file in files)

    def compiled(function: Function) -> Function:
        kernel: Any = numba.njit(cache=True, nogil=True, error_model="numpy", **options)(function)
        with contextlib.suppress(AttributeError):
            cache = kernel._cache
            make: Any = _CacheFile
            cache._cache_file = make(cache.cache_path, cache._impl.filename_base, stamp)
        return cast(Function, kernel)

    return compiled


def announce(kernel: Any, what: str, seconds: int) -> None:
    """Say, on the first rank, that a kernel is about to be compiled, if it is.

    Parameters
    ----------
    kernel : compiled function
    what : words for the log
    seconds : that compiling takes, about
    """
    rank = next(
        (os.environ[key] for key in ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID") if key in os.environ), "0"
    )
    with contextlib.suppress(AttributeError, OSError):
        first = rank == "0" and not os.environ.get(APART)
        if first and not kernel.signatures and not kernel._cache._cache_file._load_index():
            _log.warning("compiling %s: once after installation, about %d s", what, seconds)


def compile_apart(kernels: Sequence[Any], statement: str, versions: int) -> None:
    """Let a process of its own compile kernels that the cache lacks, so that every process that uses them loads them.

    numba leaves the functions that a kernel calls as weak symbols, of which the first in a process wins: one that
    compiles has them by themselves first, and would run other instructions than one that loads.

    Parameters
    ----------
    kernels : compiled functions
    statement : Python that compiles all of them, in all ``versions`` (signatures) that there are
    versions : their number
    """
    if os.environ.get(APART) or all(kernel.signatures for kernel in kernels):
        return
    with contextlib.suppress(AttributeError, OSError):
        if _lacks(kernels, versions):
            with _one_at_a_time(Path(kernels[0]._cache.cache_path)):
                if _lacks(kernels, versions):  # nobody made them while this process waited
                    paths = os.pathsep.join([str(PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])])
                    environment = {**os.environ, APART: "1", "PYTHONPATH": paths}
                    subprocess.run([sys.executable, "-c", statement], env=environment, check=False)


def _lacks(kernels: Sequence[Any], versions: int) -> bool:
    return min(len(kernel._cache._cache_file._load_index()) for kernel in kernels) < versions


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Let the ranks of a run, or two runs, wait for the one that compiles into a folder; all go on without locks."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "compiling.lock", "w") as file:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
