# SPDX-License-Identifier: BSD-3-Clause
"""Compilation of kernels by numba, kept on disk by what their sources say."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, _CacheLocator

from coupler.made_once import one_at_a_time
from coupler.paths import PACKAGES, user_cache

Function = TypeVar("Function", bound=Callable[..., Any])
_FORGOTTEN = 60 * 86400.0
"""Seconds after which machine code that no program has asked for is removed."""


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

    def save(self, key: Any, data: Any) -> None:
        """Keep one version in a file that its signature names, and then say so in the index.

        numba numbers the files, and the index is read, added to and written: two processes that save at once could
        give one number to two versions, and the arrays of one precision would go to the code of the other.
        """
        folder = Path(self._cache_path)
        name = self._index_name.removesuffix("nbi") + hashlib.sha256(repr(key).encode()).hexdigest()[:16] + ".nbc"
        with contextlib.suppress(OSError):  # a full disk: it will be compiled again
            with one_at_a_time(folder, "saving"):
                self._save_data(name, data)  # type: ignore[no-untyped-call]
                self._save_index({**self._load_index(), key: name})  # type: ignore[no-untyped-call]


class _Place(_CacheLocator):
    """Where numba keeps the machine code of the kernels in a folder, and what it was made from."""

    def __init__(self, folder: Path, stamp: str, line: int = 0) -> None:
        self._folder, self._stamp, self._line = folder, stamp, line

    def from_function(self, py_func: Any, py_file: str) -> _Place:  # type: ignore[override]
        return _Place(self._folder, self._stamp, py_func.__code__.co_firstlineno)

    def get_cache_path(self) -> str:
        return str(self._folder)

    def get_source_stamp(self) -> str:
        return self._stamp

    def get_disambiguator(self) -> str:
        return str(self._line)


def compiler(*sources: Path, **options: Any) -> Callable[[Function], Function]:
    """A decorator ``compiled`` for the kernels in a folder.

    Kernels are compiled on first use and release the interpreter lock. The machine code is kept in the user's cache, or
    in ``NUMBA_CACHE_DIR``, under a name made of all that the sources say: every checkout and every installation with
    the same kernels has the same machine code, and a kernel is made again when one that it inlines or a constant has
    changed (numba by itself looks only at the file that a kernel stands in, and keeps its code beside it).

    Parameters
    ----------
    sources : Path
        Folders of the kernels and of those that they inline, all marked ``@compiled``; files of the constants they
        use, or of kernels that stand alone.
    options :
        Further options of ``numba.njit``.

    Returns
    -------
    compiled : the decorator; its ``sources`` are the files that the name is made of
    """
    inlined = [path for folder in sources for path in sorted(folder.glob("*.py")) if b"@compiled" in path.read_bytes()]
    ordered = sorted((name, sorted(o) if isinstance(o, set) else o) for name, o in options.items())
    said = hashlib.sha256(repr((numba.__version__, ordered)).encode())
    read = (*inlined, *(source for source in sources if source.is_file()))
    for path in read:
        said.update(path.name.encode() + path.read_bytes())
    stamp = said.hexdigest()[:20]
    config: Any = numba.config
    folder = Path(config.CACHE_DIR) if config.CACHE_DIR else user_cache() / "kernels"
    ours = sources[0].is_relative_to(PACKAGES)
    name = "-".join(sources[0].relative_to(PACKAGES).with_suffix("").parts) if ours else "kernels"
    locator = _Place(_kept(folder, name, stamp), stamp)
    implementation = type("_Implementation", (CompileResultCacheImpl,), {"_locator_classes": [locator]})
    cache: Any = type("_Cache", (FunctionCache,), {"_impl_class": implementation})

    # nobody hands a kernel to C: the wrapper for that is a twentieth of the time of compilation
    common: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}

    def compiled(function: Function) -> Function:
        kernel: Any = numba.njit(**common, **options)(function)
        if hasattr(kernel, "_cache"):  # not with NUMBA_DISABLE_JIT
            kernel._cache = cache(function)
            kernel._cache._cache_file = _CacheFile(  # type: ignore[no-untyped-call]
                locator.get_cache_path(), kernel._cache._impl.filename_base, stamp
            )
        return cast(Function, kernel)

    compiled.sources = read  # type: ignore[attr-defined]
    return compiled


def _kept(folder: Path, name: str, stamp: str) -> Path:
    """Folder of machine code made from the same sources; those that nobody has asked for in a while go."""
    place = folder / f"{name}-{stamp}"
    with contextlib.suppress(OSError):
        if not place.exists():
            place.mkdir(parents=True)
            for old in folder.glob("*-" + "[0-9a-f]" * len(stamp)):
                if time.time() - old.stat().st_mtime > _FORGOTTEN:
                    shutil.rmtree(old, ignore_errors=True)
        elif time.time() - place.stat().st_mtime > _FORGOTTEN / 30.0:
            os.utime(place)
    return place
