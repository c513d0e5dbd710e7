# SPDX-License-Identifier: BSD-3-Clause
"""Files that are whole or absent: written under another name, flushed to disk, renamed."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from coupler.errors import TesseraError


class DiskError(TesseraError):
    """A file that cannot be written: full disk, read-only folder."""


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path; on success it is flushed and renamed to `path`, on failure removed.

    Raises
    ------
    DiskError
        The file cannot be written; what stood at `path` is untouched.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        with open(part, "rb") as handle:
            os.fsync(handle.fileno())
        os.replace(part, path)
        sync_folder(path.parent)
    except OSError as error:
        _remove(part)
        raise DiskError(f"cannot write {path}: {error.strerror or error}; what was there before is intact") from error
    except BaseException:
        _remove(part)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text file whole.

    Parameters
    ----------
    path : file to write
    text : its content
    """
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def checksum(path: Path) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        for block in iter(lambda: handle.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
