# SPDX-License-Identifier: BSD-3-Clause
"""Kernels compiled once for all processes that use them; asks nothing of numba, which is slow to load."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from coupler.paths import PACKAGES

_log = logging.getLogger(__name__)
APART = "TESSERA_COMPILING"
"""Of the environment of a process that compiles for others."""


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
        if first and not kernel.signatures and not kept_versions(kernel):
            _log.warning("compiling %s: once after installation, about %d s", what, seconds)


def compile_once(
    kernels: Sequence[Any], compile_all: Callable[[], None], what: str, seconds: int, versions: int = 2
) -> None:
    """Let a process of its own compile kernels that the cache lacks, so that every process that uses them loads them.

    numba leaves the functions that a kernel calls as weak symbols, of which the first in a process wins: one that
    compiles has them by themselves first, and would run other instructions than one that loads.

    Parameters
    ----------
    kernels : compiled functions
    compile_all : function of a module that compiles all of them, in all ``versions`` (signatures) that there are
    what, seconds : see `announce`
    versions : their number: by default one of each precision
    """
    if os.environ.get(APART):
        return
    with contextlib.suppress(AttributeError, OSError):  # no JIT; nowhere to keep anything
        if not all(kernel.signatures for kernel in kernels) and _lacks(kernels, versions):
            announce(min(kernels, key=kept_versions), what, seconds)
            with one_at_a_time(Path(kernels[0]._cache.cache_path), f"compiling.{kernels[0].__qualname__}"):
                if _lacks(kernels, versions):  # nobody made them while this process waited
                    paths = os.pathsep.join([str(PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])])
                    environment = {**os.environ, APART: "1", "PYTHONPATH": paths}
                    module, name = compile_all.__module__, compile_all.__name__
                    # a compiler makes many objects and few cycles: to look for these would take a tenth of its time
                    statement = f"import gc; gc.disable(); from {module} import {name}; {name}()"
                    subprocess.run([sys.executable, "-c", statement], env=environment, check=False)


def _lacks(kernels: Sequence[Any], versions: int) -> bool:
    return min(kept_versions(kernel) for kernel in kernels) < versions


def kept_versions(kernel: Any) -> int:
    """How many versions of a kernel are kept for this processor: computers of several kinds may share a home.

    Parameters
    ----------
    kernel : compiled function
    """
    here = kernel.targetctx.codegen().magic_tuple()
    return sum(key[1] == here for key in kernel._cache._cache_file._load_index())


@contextlib.contextmanager
def one_at_a_time(folder: Path, what: str) -> Iterator[None]:
    """Let the ranks of a run, or two runs, wait for the one that does something in a folder; go on without locks.

    Parameters
    ----------
    folder : is made where it is not
    what : it does, a part of a file's name

    Raises
    ------
    OSError
        Nothing can be written there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{what}.lock", "w") as file:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
